"""Which version of a mapping is used: what the store says, whatever is in the folder; and the one of then for a replay."""

import hashlib
import os
import time
from dataclasses import replace

import pytest

from connector.config import TargetConfig
from connector.delivery.deliver import Route, deliver
from connector.delivery.shelf import Shelf
from connector.delivery.watch import Watch
from connector.errors import StoreBusy
from connector.models import Fail, Hold, Retry, Skip
from connector.store import open_store
from tests.delivery.conftest import SYNC, config
from tests.installation import wait_for

GOOD = "version: 1\nkind: rest\nfields:\n  name: user.name\n  made_by: {{value: {}}}\n"
FAILING = "samples:\n  - given: {user: {name: Sara Ahmed}}\n    expect: {name: Nora}\n"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def version(word):
    return GOOD.format(word)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rest.yaml"
    path.write_text(version("one"))
    return path


class Clock:
    "The wall clock of a watch, far behind all files unless a test moves it."

    now = 10**15

    def __call__(self):
        return self.now


@pytest.fixture
def watch(tmp_path, store, logged):
    "Make a watch; each is as one of a fresh process."

    def watch(syncs=(SYNC,), watching=True, clock=None, **targets):
        read = config(tmp_path, syncs)
        kinds = {name: TargetConfig(name, kind, {}) for name, kind in ({"crm": "rest"} | targets).items()}
        return Watch(replace(read, targets=kinds), store, clock or Clock(), watching=watching)

    return watch


def looks(watch, count=2):
    "A change is taken when it is the same at two looks."
    for _ in range(count):
        watch.look()


def words(store):
    "What was published, newest first, by its fixed text."
    texts = [store.mappings.text(each.hash) for each in store.mappings.history("rest")]
    return [text.split("made_by: {value: ")[1].split("}")[0] for text in texts]


def said(logged, level):
    return [line for line in logged if line["log_level"] == level]


def test_the_folder_is_published_first_into_an_empty_store(watch, store, file):
    watch().look()
    assert words(store) == ["one"]
    assert store.mappings.history("rest")[0].published_by == "the mappings folder"


def test_a_valid_change_is_published_once_it_is_whole(watch, store, file):
    watched = watch()
    watched.look()
    file.write_text(version("two"))
    watched.look()
    assert words(store) == ["one"]  # half a mapping can be a valid one
    watched.look()
    assert words(store) == ["two", "one"]
    looks(watched, 3)
    assert words(store) == ["two", "one"]


def test_a_file_that_is_still_written_to_is_waited_for(watch, store, file):
    watched = watch()
    watched.look()
    for text in ("version: 1\n", version("half"), version("whole")):
        file.write_text(text)
        watched.look()
    assert words(store) == ["one"]
    watched.look()
    assert words(store) == ["whole", "one"]


def test_a_broken_edit_replaces_nothing_and_is_told_once(watch, store, file, logged):
    watched = watch()
    watched.look()
    file.write_text("version: 1\nkind: rest\nfields: {name: user.nmae, city: ctiy}\n")
    looks(watched, 4)
    assert words(store) == ["one"]
    (line,) = said(logged, "error")
    assert line["event"] == "mapping not usable; the last good one stays"
    assert line["version"].startswith(f"{digest(version('one'))[:12]} of 20")
    assert line["problem"].startswith("rest.yaml has 2 problems; `connector check` names what is wrong; the first is ")
    assert "rest.yaml:3:16: " in line["problem"]
    file.write_text(version("one"))
    looks(watched)
    file.write_text(version("three"))
    looks(watched)
    assert words(store) == ["three", "one"]


def test_a_mapping_for_another_kind_of_target_is_broken(watch, store, file, logged):
    watched = watch()
    watched.look()
    file.write_text(version("two").replace("kind: rest", "kind: csv"))
    looks(watched)
    assert words(store) == ["one"]
    assert "is for csv, the target `crm` is rest" in said(logged, "error")[0]["problem"]


def test_it_must_fit_every_sync_that_uses_it(watch, store, file, logged):
    syncs = (SYNC, replace(SYNC, name="to_books", target="books"))
    watch(syncs, books="qoyod").look()
    assert store.mappings.history("rest") == []
    assert "the target `books` is qoyod" in said(logged, "error")[0]["problem"]


def test_a_file_of_ten_megabytes_is_not_read(watch, store, file, logged):
    watched = watch()
    watched.look()
    with file.open("wb") as opened:
        opened.truncate(10 * 2**20)
    looks(watched)
    assert words(store) == ["one"]
    assert "is larger than 256 kB; a mapping is far smaller" in said(logged, "error")[0]["problem"]


@pytest.mark.parametrize("spoil", [lambda file: file.unlink(), lambda file: file.write_bytes(b"\xff")])
def test_a_file_that_is_gone_or_no_text_replaces_nothing(watch, store, file, logged, spoil):
    watched = watch()
    watched.look()
    spoil(file)
    looks(watched)
    assert words(store) == ["one"]
    assert len(said(logged, "error")) == 1


def test_samples_that_fail_are_a_warning_without_the_customer(watch, store, file, logged):
    file.write_text(version("one") + FAILING)
    watch().look()
    assert len(store.mappings.history("rest")) == 1
    (line,) = said(logged, "warning")
    assert (line["mapping"], line["differences"]) == ("rest", 2)
    assert not {"Sara", "Nora"} & set(str(line).replace("'", " ").split())


def test_a_file_that_was_only_touched_is_no_change(watch, store, file):
    watched = watch()
    watched.look()
    os.utime(file, (1, 1))
    looks(watched)
    store.mappings.publish("rest", "rest", digest(version("by hand")), version("by hand"))
    os.utime(file, (2, 2))
    looks(watched)
    assert words(store) == ["by hand", "one"]


def test_a_rollback_is_not_undone_by_the_folder(watch, store, file, logged):
    "Neither by the file that stays as it is on another machine, nor by a process that starts there."
    watched = watch()
    watched.look()
    file.write_text(version("two"))
    looks(watched)
    store.mappings.rollback("rest", digest(version("one")))
    os.utime(file, (1, 1))
    looks(watched)
    looks(watch())
    assert words(store) == ["one", "two", "one"]
    (line, *_) = said(logged, "warning")
    assert line["problem"] == "rest.yaml holds another text; `connector mapping publish rest` puts the file in use"
    assert line["version"].startswith(digest(version("one"))[:12])


def test_a_rollback_that_wrote_the_file_is_no_edit(watch, store, file):
    "Also when something else was published before the watch saw the file."
    watched = watch()
    watched.look()
    file.write_text(version("two"))
    looks(watched)
    store.mappings.rollback("rest", digest(version("one")))
    file.write_text(version("one"))
    store.mappings.publish("rest", "rest", digest(version("by hand")), version("by hand"))
    looks(watched)
    assert words(store) == ["by hand", "one", "two", "one"]


def test_an_edit_back_to_an_older_text_is_an_edit(watch, store, file):
    watched = watch()
    watched.look()
    for word in ("two", "one"):
        file.write_text(version(word))
        looks(watched)
    assert words(store) == ["one", "two", "one"]


def test_an_edit_while_nobody_watched_is_published_at_the_start(watch, store, file):
    watch().look()
    file.write_text(version("two"))
    watch().look()
    assert words(store) == ["two", "one"]


def test_a_file_written_just_before_the_start_is_waited_for(watch, store, file):
    watch().look()
    file.write_text(version("half"))
    clock = Clock()
    clock.now = file.stat().st_mtime_ns // 1_000_000 + 500
    watched = watch(clock=clock)
    watched.look()
    assert words(store) == ["one"]
    file.write_text(version("whole"))
    looks(watched)
    assert words(store) == ["whole", "one"]


def test_who_does_not_watch_publishes_only_what_never_was(watch, store, file, logged):
    file.write_text("fields: [")
    beside = watch(watching=False)
    beside.look()
    file.write_text(version("one"))
    looks(beside)
    assert words(store) == ["one"]
    file.write_text(version("two"))
    looks(beside)
    file.write_text("fields: [")
    looks(beside)
    assert words(store) == ["one"]
    assert len(said(logged, "error")) == 1


@pytest.mark.parametrize("store", [0.2], indirect=True)
def test_what_a_busy_store_did_not_take_is_looked_at_again(watch, store, file, locked):
    watched = watch()
    watched.look()
    file.write_text(version("two"))
    watched.look()
    with locked(), pytest.raises(StoreBusy):
        watched.look()
    watched.look()
    assert words(store) == ["two", "one"]


@pytest.fixture
def shelf(tmp_path, store, logged):
    return Shelf(config(tmp_path), store)


def in_use(shelf):
    shelf.follow()
    mapping = shelf.routes[SYNC.name].mapping
    return mapping and mapping.hash


def test_the_shelf_follows_what_another_process_publishes(shelf, store, tmp_path):
    assert in_use(shelf) is None
    other = open_store(f"sqlite:///{tmp_path}/connector.db")
    for word in ("one", "two"):
        other.mappings.publish("rest", "rest", digest(version(word)), version(word))
        assert in_use(shelf) == digest(version(word))
    other.mappings.rollback("rest", digest(version("one")))
    other.mappings.publish("unused", "rest", digest(version("three")), version("three"))
    assert in_use(shelf) == digest(version("one"))
    other.close()


def test_what_this_program_cannot_read_leaves_the_one_before_in_use(shelf, store, tmp_path, logged):
    "As from a newer program on another machine; also for one that starts."
    store.mappings.publish("rest", "rest", digest(version("one")), version("one"))
    assert in_use(shelf) == digest(version("one"))
    store.mappings.publish("rest", "rest", digest("version: 99"), "version: 99")
    assert in_use(shelf) == in_use(Shelf(config(tmp_path), store)) == digest(version("one"))
    assert {line["event"] for line in said(logged, "error")} == {"a mapping in use is none for this program"}


def test_a_rollback_by_another_process_is_used_at_the_next_claim(start, arrive, until, store, book, tmp_path, file):
    file.write_text(version("one"))
    start()
    arrive(1)
    until(1, "delivered")
    other = open_store(f"sqlite:///{tmp_path}/connector.db")
    other.mappings.publish("rest", "rest", digest(version("two")), version("two"))
    arrive(2)
    until(2, "delivered")
    other.mappings.rollback("rest", digest(version("one")))
    arrive(3)
    until(3, "delivered")
    other.close()
    assert [sent[0].record["made_by"] for sent in book.sent] == ["one", "two", "one"]
    hashes = [store.desk.delivery(number)["mapping_hash"] for number in (1, 2, 3)]
    assert hashes == [digest(version(word)) for word in ("one", "two", "one")]


def test_a_standalone_worker_uses_no_edit_of_its_folder(start, arrive, until, book, file, store, monkeypatch):
    monkeypatch.setattr("connector.delivery.worker.TIDY", 0.02)
    start(watch=False)
    arrive(1)
    until(1, "delivered")
    file.write_text(version("two"))
    time.sleep(0.3)  # many looks
    arrive(2)
    until(2, "delivered")
    assert [sent[0].record["made_by"] for sent in book.sent] == ["one", "one"]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Skip("observe: would create"), "skipped"), (Hold("?", "two_matches"), "held"), (Fail("no"), "failed")],
)
def test_every_end_records_the_version(start, arrive, until, book, file, outcome, state):
    book.script = [outcome]
    start()
    arrive(1)
    assert until(1, state)["mapping_hash"] == digest(version("one"))


@pytest.fixture
def made(start, arrive, until, book, store, file):
    "A delivery that version one made, while version two is in use."
    start()
    arrive(1)
    until(1, "delivered")
    store.mappings.publish("rest", "rest", digest(version("two")), version("two"))
    return 1


def again(store, until, book, delivery, state="delivered", **how):
    sent, tries = len(book.sent), len(store.desk.attempts(delivery))
    store.desk.replay([delivery], **how)
    wait_for(lambda: len(store.desk.attempts(delivery)) > tries)
    row = until(delivery, state)
    return row, [requests[0].record["made_by"] for requests in book.sent[sent:]]


def test_a_replay_with_the_mapping_of_then_and_of_now(made, until, book, store):
    row, sent = again(store, until, book, made, then=True)
    assert (row["mapping_hash"], sent) == (digest(version("one")), ["one"])
    row, sent = again(store, until, book, made)
    assert (row["mapping_hash"], row["pinned_mapping"], sent) == (digest(version("two")), None, ["two"])


def test_the_mapping_of_then_that_is_gone_holds(made, until, book, store):
    change(store, f"UPDATE deliveries SET mapping_hash = '{'a' * 64}'")
    row, sent = again(store, until, book, made, "held", then=True)
    assert (row["code"], sent) == ("cannot_map", [])
    assert row["reason"] == (
        "the mapping of then, version aaaaaaaaaaaa, is not in the store: `connector replay d1` takes the mapping of now"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (version("three").replace("kind: rest", "kind: csv"), "is for csv, the target crm is rest: "),
        ("version: 99\n", "cannot be read by this program: "),
    ],
)
def test_the_mapping_of_then_that_cannot_be_used_holds(made, until, book, store, text, why):
    store.mappings.publish("older", "rest", digest(text), text)
    change(store, f"UPDATE deliveries SET mapping_hash = '{digest(text)}'")
    row, sent = again(store, until, book, made, "held", then=True)
    assert why in row["reason"]
    assert sent == []


def test_a_mapping_in_use_for_another_kind_holds(start, arrive, until, book, store, tmp_path):
    "As when the target's kind was changed in config.yaml, and no mapping for it was published yet."
    text = version("one").replace("kind: rest", "kind: csv")
    store.mappings.publish("rest", "csv", digest(text), text)
    start(watch=False)
    arrive(1)
    row = until(1, "held")
    assert row["reason"] == (
        "the mapping rest is for csv, the target crm is rest: publish one that is for rest, then replay"
    )
    assert book.sent == []


def change(store, statement):
    store.engine.write(lambda connection, args: [connection.exec_driver_sql(statement) and None for _ in args], None)


def test_a_store_that_cannot_be_read_costs_a_pinned_delivery_no_attempt(arrive, store, book):
    def busy(_):
        raise StoreBusy("locked")

    arrive(1)
    store.states.register(["crm"])
    (claim,) = store.queue.turn("w", [], {"crm": 1}, lambda state, *_: state).claims
    route = Route(SYNC, None, None, "rest", busy)
    (tried,) = deliver([replace(claim, pinned_mapping="a" * 64)], book, {SYNC.name: route}, None)
    assert isinstance(tried.outcome, Retry)
    assert (tried.outcome.spent, tried.outcome.maybe_sent, book.sent) == (False, False, [])


def test_a_fault_while_the_folder_is_read_stops_no_delivery(start, arrive, until, store, file, logged, monkeypatch):
    def fault(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("connector.delivery.watch.folder.stamp", fault)
    store.mappings.publish("rest", "rest", digest(version("one")), version("one"))
    start()
    arrive(1)
    until(1, "delivered")
    assert [line for line in logged if "while reading the mappings folder" in line["event"]]

"""mapping publish, history, rollback, replay --mapping, and what status and check say of versions."""

import hashlib
import json
import re
import time

import pytest

from connector.models import Fail
from connector.store.standing import said
from tests.store.conftest import arrive, settled, turn

TEXT = "version: 1\nkind: csv\nfields:\n  name: user.name\n  made_by: {{value: {}}}\n"
FAILING = "samples:\n  - given: {user: {name: Sara}}\n    expect: {name: Nora, made_by: two}\n"


def version(word):
    return TEXT.format(word)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def file(home):
    path = home.folder / "mappings" / "csv.yaml"
    path.write_text(version("one"))
    return path


@pytest.fixture
def two(home, store, file):
    "A store in which version one was published, then version two, which the file holds."
    assert home("mapping", "publish", "csv", "--by", "sara").exit_code == 0
    file.write_text(version("two"))
    assert home("mapping", "publish", "csv", "--by", "omar").exit_code == 0
    return store


def short(word):
    return digest(version(word))[:12]


def test_publishing_tells_the_old_and_the_new_version(home, store, file):
    output = home("mapping", "publish", "csv").output
    assert re.fullmatch(
        rf"mapping csv: version {short('one')} of 20..-..-.. ..:.. is in use now; it is the first one\n", output
    )
    file.write_text(version("two"))
    output = home("mapping", "publish", "csv").output
    assert output.startswith(f"mapping csv: version {short('two')} of ")
    assert f" is in use now; before it, version {short('one')} of " in output
    assert " is in use already\n" in home("mapping", "publish", "csv").output
    assert [store.mappings.text(v.hash) for v in store.mappings.history("csv")] == [version("two"), version("one")]


def test_publishing_in_json(home, store, file):
    assert home.json("mapping", "publish", "csv") == {
        "mapping": "csv",
        "hash": digest(version("one")),
        "before": None,
        "published": True,
        "differences": [],
        "notes": [],
    }
    again = home.json("mapping", "publish", "csv")
    assert (again["before"], again["published"]) == (digest(version("one")), False)


def test_who_published_is_the_login_unless_told(home, store, file, monkeypatch):
    monkeypatch.setenv("LOGNAME", "nora")
    home("mapping", "publish", "csv")
    file.write_text(version("two"))
    home("mapping", "publish", "csv", "--by", "the night shift")
    assert [v.published_by for v in store.mappings.history("csv")] == ["the night shift", "nora"]


def test_a_user_without_a_name_may_publish(home, store, file, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    home("mapping", "publish", "csv")
    assert store.mappings.history("csv")[0].published_by == "unknown"


def test_publishing_any_file_under_a_name(home, store, file):
    (home.folder / "draft.yaml").write_text(version("draft"))
    output = home("mapping", "publish", "draft.yaml", "--name", "csv").output
    assert f"mapping csv: version {short('draft')} of " in output
    assert "mapping csv: mappings/csv.yaml holds a text that was never published; version" in output
    output = home("mapping", "publish", "./draft.yaml").output
    assert "no sync uses a mapping with the name draft (they use: csv)" in output
    assert [v.name for v in store.mappings.since(0)] == ["csv", "draft"]


def test_what_is_broken_is_not_published(home, two, file):
    file.write_text("version: 1\nkind: csv\nfields: {a: user.nmae}\n")
    result = home("mapping", "publish", "csv")
    assert result.exit_code == 2
    assert "csv.yaml:3:13: " in result.stderr
    assert "did you mean `user.name`?" in result.stderr
    assert len(two.mappings.history("csv")) == 2


def test_what_is_for_another_kind_is_not_published(home, two, file):
    file.write_text(version("three").replace("kind: csv", "kind: rest"))
    result = home("mapping", "publish", "csv")
    assert result.exit_code == 2
    assert "config.yaml:7:3: the mapping `csv` is for rest, the target `crm` is csv" in result.stderr
    assert len(two.mappings.history("csv")) == 2


def test_samples_that_fail_stop_it_unless_told_otherwise(home, store, file):
    file.write_text(version("two") + FAILING)
    result = home("mapping", "publish", "csv")
    assert result.exit_code == 1
    assert "name: expected 'Nora', got 'Sara'" in result.stderr
    assert "so nothing was published; --anyway publishes it" in result.stderr
    assert store.mappings.history("csv") == []
    told = home("mapping", "publish", "csv", "--json")
    assert (told.exit_code, json.loads(told.stdout)["published"]) == (1, False)
    assert home("mapping", "publish", "csv", "--anyway").exit_code == 0
    assert len(store.mappings.history("csv")) == 1


@pytest.mark.parametrize(("name", "told"), [("cvs", r"\(there are: csv\)"), ("no/such.yaml", "cannot be read")])
def test_a_mapping_that_there_is_not(home, file, name, told):
    result = home("mapping", "publish", name)
    assert result.exit_code == 2
    assert re.search(told, result.stderr)


def test_the_history_newest_first(home, two):
    rows = home.json("mapping", "history", "csv")
    assert [(row["hash"], row["published_by"], row["active"], row["kind"]) for row in rows] == [
        (digest(version("two")), "omar", True, "csv"),
        (digest(version("one")), "sara", False, "csv"),
    ]
    assert rows[0]["published_at"].endswith("Z")
    head, newest, oldest = home("mapping", "history", "csv").output.splitlines()
    assert head.split() == ["VERSION", "PUBLISHED", "BY"]
    assert (newest.split()[0], newest.split()[-3:]) == (short("two"), ["omar", "in", "use"])
    assert (oldest.split()[0], oldest.split()[-1]) == (short("one"), "sara")


@pytest.mark.parametrize("command", ["history", "rollback"])
def test_a_name_under_which_nothing_was_published(home, two, command):
    result = home("mapping", command, "cvs")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "nothing was ever published under the name cvs (the syncs use: csv)\n"


def test_going_back_to_the_version_before(home, two, file):
    output = home("mapping", "rollback", "csv", "--by", "nora").output
    first, second = output.splitlines()
    assert first.startswith(f"mapping csv: version {short('one')} of ")
    assert f"before it, version {short('two')} of " in first
    assert second == "mappings/csv.yaml was written too"
    assert [v.published_by for v in two.mappings.history("csv")] == ["nora", "omar", "sara"]
    assert file.read_text() == version("one")
    assert [path.name for path in file.parent.iterdir()] == ["csv.yaml"]


def test_going_back_twice_is_where_it_began(home, two, file):
    home("mapping", "rollback", "csv")
    home("mapping", "rollback", "csv")
    assert two.mappings.active("csv") == file.read_text() == version("two")
    assert len(two.mappings.history("csv")) == 4


def test_going_back_to_a_version_that_is_named(home, two, file):
    file.write_text(version("three"))
    home("mapping", "publish", "csv")
    told = home.json("mapping", "rollback", "csv", "--to", digest(version("one"))[:6])
    assert told == {
        "mapping": "csv",
        "hash": digest(version("one")),
        "before": digest(version("three")),
        "published": True,
        "file_written": True,
        "notes": ["mappings/csv.yaml was written too"],
    }
    assert "is in use already" in home("mapping", "rollback", "csv", "--to", digest(version("one"))).output


@pytest.mark.parametrize(
    ("to", "told"), [("abc", "'abc' is not a version: give at least 6"), ("0" * 8, "no version of the mapping csv")]
)
def test_a_version_that_there_is_not(home, two, file, to, told):
    result = home("mapping", "rollback", "csv", "--to", to)
    assert result.exit_code == 2
    assert told in result.stderr
    assert (two.mappings.active("csv"), file.read_text()) == (version("two"), version("two"))


def test_the_first_version_has_none_before_it(home, store, file):
    home("mapping", "publish", "csv")
    result = home("mapping", "rollback", "csv")
    assert (result.exit_code, result.stderr) == (2, "the mapping csv has no version before the one in use\n")


@pytest.mark.parametrize("edit", [b"fields: [", b"\xff not text", version("never published").encode(), b"x" * 300_000])
def test_what_was_never_published_is_kept_beside(home, two, file, edit):
    file.write_bytes(edit)
    output = home("mapping", "rollback", "csv").output
    assert "what it held was never published, and is in csv.yaml.replaced beside it" in output
    assert file.read_text() == version("one")
    assert file.with_name("csv.yaml.replaced").read_bytes() == edit


def test_a_file_that_cannot_be_written_is_told(home, two, file, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = home("mapping", "rollback", "csv")
    assert result.exit_code == 1
    assert "mappings/csv.yaml could not be written (No space left on device)" in result.output
    assert (two.mappings.active("csv"), file.read_text()) == (version("one"), version("two"))


def test_what_is_none_for_this_program_or_its_targets_does_not_come_back(home, store, file):
    for text in ("version: 99\n", version("x").replace("kind: csv", "kind: rest"), version("one")):
        store.mappings.publish("csv", "csv", digest(text), text)
    result = home("mapping", "rollback", "csv")
    assert result.exit_code == 2
    assert "config.yaml:7:3: the mapping `csv` is for rest, the target `crm` is csv" in result.stderr
    result = home("mapping", "rollback", "csv", "--to", digest("version: 99\n"))
    assert f"version {digest('version: 99' + chr(10))[:12]}:1:1" in result.stderr
    assert len(store.mappings.history("csv")) == 3


def test_status_says_which_version_is_in_use(home, store, file):
    assert "mapping   csv: not published yet\n" in home("status").output
    home("mapping", "publish", "csv", "--by", "sara")
    (active,) = store.mappings.history("csv")
    assert f"mapping   csv: version {said(active)} is in use\n" in home("status").output
    (facts,) = home.json("status")["mappings"]
    assert facts.pop("published_at").endswith("Z")
    assert facts == {
        "mapping": "csv",
        "hash": digest(version("one")),
        "published_by": "sara",
        "file": "mappings/csv.yaml",
        "problems": 0,
        "note": "",
    }


def test_a_broken_file_is_told_with_the_version_that_stays(home, two, file):
    file.write_text("version: 1\nkind: csv\nfields: {a: user.nmae, b: ctiy, c: crnn}\n")
    stays = f"csv: mappings/csv.yaml has 3 problems; version {said(two.mappings.history('csv')[0])} stays in use"
    assert f"mapping   {stays}; `connector check` names what is wrong\n" in home("status").output
    (facts,) = home.json("status")["mappings"]
    assert (facts["problems"], facts["note"]) == (3, f"mapping {stays}; `connector check` names what is wrong")
    result = home("check")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 4
    assert result.stderr.splitlines()[-1] == f"mapping {stays}"
    assert json.loads(home("check", "--json").stdout)["mappings"][0]["problems"] == 3


def test_a_file_that_is_not_in_use_is_told_with_the_cure(home, two, file):
    one, now = (said(two.mappings.history("csv")[place]) for place in (1, 0))
    file.write_text(version("one"))
    note = f"mapping csv: mappings/csv.yaml holds version {one}; version {now} is in use"
    cure = "`connector mapping publish csv` puts the file in use"
    assert home("check").output.splitlines()[1] == f"{note}; {cure}"
    assert f"{note}; {cure}".replace("mapping csv", "mapping   csv") in home("status").output
    file.write_text(version("three"))
    assert "csv: mappings/csv.yaml holds a text that was never published; " in home("status").output


def test_check_asks_no_store_that_cannot_be_read(home, two, file):
    (home.folder / "connector.db").write_bytes(b"this is no database" * 100)
    file.write_text(version("three"))
    said = home("check").output.splitlines()[0]
    assert said == "config.yaml is right: 1 source, 1 target, 1 sync"
    file.write_text("fields: [")
    assert len(home("check").stderr.splitlines()) == 1


def test_a_broken_file_stops_no_start_while_a_version_is_there(home, two, file):
    file.write_text("fields: [")
    assert home.process("_prepare").returncode == 0


def test_a_broken_file_stops_the_start_when_nothing_can_be_used(home, store, file):
    text = version("one").replace("kind: csv", "kind: rest")
    file.write_text("fields: [")
    for _ in range(2):
        run = home.process("_prepare")
        assert run.returncode == 2
        assert "csv.yaml:1:" in run.stderr
        store.mappings.publish("csv", "rest", digest(text), text)  # none that the target could take


def test_what_else_is_wrong_stops_the_start(home, two, file):
    file.write_text("fields: [")
    path = home.folder / "config.yaml"
    path.write_text(path.read_text().replace("target: crm}", "target: crm, when: crn ==}"))
    run = home.process("_prepare")
    assert run.returncode == 2
    assert [line.split(":")[0] for line in run.stderr.splitlines()] == ["config.yaml"]


@pytest.fixture
def ledger(two):
    "d1 failed and was made by version one; d2 failed and was made by none."
    for number in (1, 2):
        arrive(two, customer=f"c{number}")
    one, other = turn(two).claims
    ends = [settled(one, Fail("no"), mapping_hash=digest(version("one"))), settled(other, Fail("no"))]
    turn(two, ends, limit=0)
    return two


def test_deliveries_say_which_version_made_them(home, ledger):
    other, made = home.json("deliveries", "list")
    assert (made["mapping"], made["mapping_name"]) == (digest(version("one")), "csv")
    assert made["mapping_published_at"].endswith("Z")
    assert (other["mapping"], other["mapping_name"], other["mapping_published_at"]) == (None, None, None)
    assert home.json("deliveries", "show", "d1")["mapping"] == digest(version("one"))
    output = home("deliveries", "show", "d1").output
    assert re.search(rf"^mapping +{digest(version('one'))}$", output, re.MULTILINE)
    assert re.search(r"^mapping published at +20..-..-.. ..:..:..$", output, re.MULTILINE)
    assert "mapping" not in home("deliveries", "show", "d2").output


def test_a_replay_with_the_mapping_of_then(home, ledger):
    told = home.json("replay", "--state", "failed", "--mapping", "then", code=1)
    assert told == {"replayed": ["d1"], "left": {"d2": "no mapping has made it yet: replay it with --mapping now"}}
    assert home.json("deliveries", "show", "d1")["pinned_mapping"] == digest(version("one"))
    (claim,) = turn(ledger).claims
    assert claim.pinned_mapping == digest(version("one"))


@pytest.mark.parametrize("how", [[], ["--mapping", "now"]])
def test_a_replay_with_the_mapping_of_now(home, ledger, how):
    home("replay", "d1", "--mapping", "then")
    (claim,) = turn(ledger).claims
    turn(ledger, [settled(claim, Fail("no"))], limit=0)
    assert home.json("replay", "d1", *how)["replayed"] == ["d1"]
    assert turn(ledger).claims[0].pinned_mapping is None


@pytest.mark.parametrize("what", [["e1"], ["d1", "e1"], ["--state", "rejected"], ["--state", "ignored"]], ids=" ".join)
def test_an_event_has_no_mapping_of_then(home, ledger, what):
    result = home("replay", *what, "--mapping", "then")
    assert result.exit_code == 2
    assert "--mapping then is for deliveries (d34): an event is read and routed anew" in result.stderr
    assert {row["state"] for row in home.json("deliveries", "list")} == {"failed"}


def test_time_is_told_by_the_clock_on_the_wall(two):
    newest = two.mappings.history("csv")[0]
    assert said(newest).endswith(time.strftime("%Y-%m-%d %H:%M", time.localtime(newest.published_at / 1000)))

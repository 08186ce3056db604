import json
import time
from dataclasses import replace

import pytest
import structlog

from connector.models import Fail, Hold, Retry, Skip, Trouble
from tests.delivery.conftest import SYNC, Book
from tests.installation import SAMPLE, wait_for


def test_an_event_becomes_one_mapped_record(start, arrive, until, book, store):
    start()
    arrive(1)
    row = until(1, "delivered")
    assert (row["remote_id"], row["attempts"]) == ("r-c1", 1)
    ((request,),) = book.sent
    assert request.customer == "c1"
    assert request.record["phone"] == "+966550000001"
    assert ("phone", "+966550000001") in request.match
    assert store.links.owner("crm", "acct", "r-c1") == "c1"
    assert book.owners["c1"][0] is True


def test_a_warning_of_the_mapping_stands_on_the_delivery(start, arrive, until):
    start()
    arrive(1)
    assert any("email" in warning for warning in until(1, "delivered")["warnings"])


def test_a_retry_comes_again_and_keeps_its_key(start, arrive, until, book):
    book.script = [Retry("500 from the target")]
    start()
    arrive(1)
    assert until(1, "delivered")["attempts"] == 2
    assert book.sent[0][0].idempotency_key == book.sent[1][0].idempotency_key


def test_a_lost_answer_makes_the_next_attempt_look_first(start, arrive, until, book):
    book.script = [Retry("timeout", maybe_sent=True, after=0.1)]
    start()
    arrive(1)
    until(1, "delivered")
    assert [sent[0].maybe_sent for sent in book.sent] == [False, True]


def test_an_unchanged_customer_is_not_sent_again(start, arrive, until, book):
    start()
    arrive(1)
    until(1, "delivered")
    arrive(1, xid="again", branch="a field that nothing maps")
    unchanged = until(2, "delivered")
    assert (unchanged["reason"], unchanged["remote_id"]) == ("unchanged", "r-c1")
    assert len(book.sent) == 1


def test_a_replay_is_sent_again_although_nothing_changed(start, arrive, until, book, store):
    start()
    arrive(1)
    until(1, "delivered")
    store.desk.replay([1])
    wait_for(lambda: len(book.sent) == 2)
    assert book.sent[1][0].remote_id == "r-c1"
    assert book.sent[1][0].idempotency_key != book.sent[0][0].idempotency_key  # or a vendor would repeat its answer


def test_a_fault_of_ours_is_tried_again_and_stops_nobody(start, arrive, until, book):
    book.script = [ZeroDivisionError("a fault"), None]
    start(push_threads=1)
    arrive(1)
    arrive(2)
    until(2, "delivered")
    assert until(1, "delivered")["attempts"] == 2


def test_a_busy_target_pauses_without_spending_attempts(start, arrive, until, book, store):
    book.script = [Retry("429", spent=False, trouble=Trouble("busy", "429", after=0.5))]
    start(push_threads=1)
    for n in range(5):
        arrive(n)
    wait_for(lambda: store.states.all()["crm"].state == "paused")
    for n in range(5):
        assert until(n + 1, "delivered")["attempts"] == 1
    assert len(book.sent) == 6
    assert store.states.all()["crm"].state == "open"


def test_refused_credentials_hold_the_target_until_a_check_succeeds(start, arrive, until, book, store, monkeypatch):
    monkeypatch.setattr("connector.delivery.worker.CHECK_HELD", 0.0)
    book.script = [Retry("401", spent=False, trouble=Trouble("refused", "the key is refused"))]
    book.checks = [False, False, True]
    said = []
    start(said=said, lease=0.3)
    arrive(1)
    row = until(1, "delivered")
    assert row["attempts"] == 1
    wait_for(lambda: len(said) >= 2)
    assert "crm is held: the key is refused" in said[0]
    assert "targets check crm" in said[0]
    assert "works again" in " ".join(said)


@pytest.mark.parametrize(
    ("outcome", "state"), [(Fail("the name is too long"), "failed"), (Hold("?", "two_matches"), "held")]
)
def test_what_needs_a_person_is_told(start, arrive, until, book, outcome, state):
    book.script = [outcome]
    said = []
    start(said=said)
    arrive(1)
    assert until(1, state)["reason"] == outcome.reason
    wait_for(lambda: said)
    assert outcome.reason in said[0]


def test_a_killed_workers_deliveries_are_taken_over(start, arrive, until, book, store):
    arrive(1)
    store.leases.beat("dead", 300)
    store.queue.turn("dead", [], {"crm": 1}, lambda state, outcomes, now: state)
    assert store.desk.deliveries()  # running, owned by a worker that will never beat again
    store.states.register(["crm"])
    store.queue.turn("dead", [], {"crm": 1}, lambda state, outcomes, now: state)
    start(lease=0.3)
    until(1, "delivered")
    assert book.sent[0][0].maybe_sent


def test_two_workers_share_without_overlap(start, arrive, book, store):
    for n in range(60):
        arrive(n)
    start("w1")
    start("w2")
    wait_for(lambda: store.desk.counts() == {("crm", "delivered"): 60}, 20)
    assert sorted(sent[0].customer for sent in book.sent) == sorted(f"c{n}" for n in range(60))


def test_a_batch_goes_in_one_call_and_equal_values_apart(start, arrive, book, store):
    book.batch_size = 10
    for n in range(9):
        arrive(n)
    arrive(100, user={"phone": "0550000001"})
    start(push_threads=1)
    wait_for(lambda: store.desk.counts() == {("crm", "delivered"): 10})
    assert [len(sent) for sent in book.sent] == [9, 1]


def test_a_batch_refused_as_a_whole_is_sent_singly(start, arrive, book, store):
    book.batch_size = 10
    book.script = [Retry("refused as a whole", alone=True, spent=False)]
    for n in range(3):
        arrive(n)
    start(push_threads=1)
    wait_for(lambda: store.desk.counts() == {("crm", "delivered"): 3})
    assert [len(sent) for sent in book.sent] == [3, 1, 1, 1]


def test_a_worker_that_is_told_to_stop_finishes_what_runs(start, arrive, until, book, store):
    book.gate.clear()
    stop, thread = start()
    arrive(1)
    wait_for(lambda: book.begun)
    stop.set()
    time.sleep(0.2)
    book.gate.set()
    thread.join(10)
    assert store.desk.delivery(1)["state"] == "delivered"
    assert store.leases.beats() == {}


def test_an_observing_sync_asks_the_target_to_write_nothing(start, arrive, until, book):
    book.script = [Skip("observe: would create", proves_target=True)]
    start(syncs=(replace(SYNC, observe=True),))
    arrive(1)
    assert until(1, "skipped")["reason"] == "observe: would create"
    assert book.sent[0][0].observe


def test_a_sync_that_is_gone_holds_its_deliveries(start, arrive, until):
    start(syncs=())
    arrive(1)
    row = until(1, "held")
    assert row["code"] == "no_sync"


def test_a_condition_that_is_not_met_skips(start, arrive, until, book):
    start(syncs=(replace(SYNC, when="tax_number or crn"),))
    arrive(1)
    assert "condition" in until(1, "skipped")["reason"]
    arrive(2, crn="1010010000")
    until(2, "delivered")
    assert len(book.sent) == 1


def test_a_mapping_that_is_not_for_this_customer_skips(start, arrive, until, book, mapping_file):
    mapping_file.write_text("when: crn\n" + mapping_file.read_text().split("samples:")[0])
    start()
    arrive(1)
    row = until(1, "skipped")
    assert "crn" in row["reason"]
    assert (len(row["mapping_hash"]), book.sent) == (64, [])


def test_a_required_field_that_is_empty_holds_and_names_it(start, arrive, until, book, mapping_file):
    mapping_file.write_text("version: 1\nkind: rest\nfields: {street: {from: street, required: true}}\n")
    start()
    arrive(1)
    row = until(1, "held")
    assert (row["code"], book.sent) == ("cannot_map", [])
    assert "street is required" in row["reason"]


def test_older_data_is_not_pushed(start, arrive, until, book):
    start()
    arrive(1)
    until(1, "delivered")
    arrive(1, xid="older", city="جدة", user={"updated_at": SAMPLE["data"]["user"]["updated_at"] - 1})
    assert until(2, "skipped")["reason"] == "newer data already delivered"
    assert len(book.sent) == 1


def test_a_deleted_customer_is_not_pushed(start, arrive, until, book):
    start()
    arrive(1, deleted_at=1705548163869)
    assert "deleted" in until(1, "skipped")["reason"]
    assert book.sent == []


def test_a_body_that_is_gone_is_held(start, arrive, until, store):
    arrive(1)
    store.engine.write(lambda c, args: [c.exec_driver_sql("UPDATE events SET body = NULL") and None], None)
    start()
    assert until(1, "held")["code"] == "cannot_map"


def test_qoyods_own_id_is_handed_on_as_a_hint(start, arrive, until, book):
    book.kind = "qoyod"
    start()
    arrive(1, qoyod_id=4711)
    until(1, "delivered")
    assert (book.sent[0][0].remote_id, book.sent[0][0].remote_hint) == (None, "4711")


def test_a_link_of_another_account_is_only_a_hint(start, arrive, until, book):
    start()
    arrive(1)
    until(1, "delivered")
    book.account = "a new key"
    arrive(1, xid="x2", city="جدة")
    until(2, "delivered")
    assert (book.sent[1][0].remote_id, book.sent[1][0].remote_hint) == (None, "r-c1")


def test_a_valid_edit_is_used_and_a_broken_one_is_not(start, arrive, until, book, store, mapping_file, monkeypatch):
    monkeypatch.setattr("connector.delivery.worker.TIDY", 0.05)
    start()
    arrive(1)
    until(1, "delivered")
    good = mapping_file.read_text()
    mapping_file.write_text("fields: [")
    time.sleep(0.3)
    arrive(2)
    until(2, "delivered")
    mapping_file.write_text(good + "\n# a comment\n")
    time.sleep(0.3)
    arrive(3)
    until(3, "delivered")
    hashes = [store.desk.delivery(n)["mapping_hash"] for n in (1, 2, 3)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_mapping_broken_before_the_start_falls_back_to_the_last_good_one(start, arrive, until, mapping_file):
    stop, thread = start()
    arrive(1)
    until(1, "delivered")
    stop.set()
    thread.join(10)
    mapping_file.unlink()
    start("w2")
    arrive(2)
    until(2, "delivered")


def test_a_mapping_that_never_worked_holds(start, arrive, until, mapping_file):
    mapping_file.write_text("version: 1\nkind: [")
    start()
    arrive(1)
    row = until(1, "held")
    assert "never been valid" in row["reason"]


def test_a_slow_target_does_not_stop_another(start, store, arrive, book, until):
    slow, quick = Book(), book
    slow.gate.clear()
    other = replace(SYNC, name="to_slow", target="slow")
    start(targets={"slow": slow, "crm": quick}, syncs=(SYNC, other), push_threads=4)
    from connector import flavours

    for n in range(10):
        event = flavours.read(json.dumps(SAMPLE).encode())
        store.inbox.accept(replace(event, xid=f"s{n}", customer=f"s{n}"), b"{}", "flavours", [other])
    arrive(50)
    row = wait_for(lambda: [d for d in store.desk.deliveries(target="crm") if d["state"] == "delivered"])
    assert row
    slow.gate.set()


@pytest.fixture(autouse=True)
def quiet():
    with structlog.testing.capture_logs():
        yield


def test_a_replay_behind_a_later_arrival_writes_nothing_old(start, arrive, until, store, book):
    start()
    for name in ("First", "Second"):
        arrive(1, xid=name, user={"name": name, "updated_at": None})
    until(2, "delivered")
    store.desk.replay([1])
    assert until(1, "skipped")["reason"] == "newer data already delivered"
    assert [request.record["name"] for (request,) in book.sent] == ["First", "Second"]

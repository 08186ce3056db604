"""A worker whose store is locked, whose lease is lost, or that meets a fault of our own: nothing is lost or done twice."""

import sqlite3
import time

import pytest

from connector.models import Fail, Retry, Trouble
from tests.delivery.conftest import Book
from tests.installation import wait_for

impatient = pytest.mark.parametrize("store", [0.3], indirect=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("connector.delivery.worker.LOOK", 0.05)


def says(logged, words):
    return lambda: [line for line in logged if words in line["event"]]


@impatient
def test_a_settle_waits_for_a_locked_store(start, arrive, until, book, store, locked, logged):
    book.gate.clear()
    start()
    arrive(1)
    wait_for(lambda: book.begun)
    with locked():
        book.gate.set()
        wait_for(says(logged, "the store is busy"))
    assert until(1, "delivered")["attempts"] == 1
    assert len(book.sent) == 1


@impatient
def test_a_claim_whose_answer_never_came_is_given_back(tmp_path, start, arrive, until, book, store, logged):
    "Without this it would be running for ever, and nobody would push it."
    arrive(1)
    store.engine.write(lambda c, args: [c.exec_driver_sql("UPDATE deliveries SET due_at = due_at + 1000000")], None)
    start()
    wait_for(says(logged, "mapping published"))
    time.sleep(0.3)
    other = sqlite3.connect(tmp_path / "connector.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE deliveries SET due_at = 0")
    wait_for(says(logged, "the store is busy"))
    other.execute("COMMIT")
    other.close()
    until(1, "delivered")
    assert len(book.sent) == 1
    assert [line["deliveries"] for line in says(logged, "gave back")()] == [1]


@impatient
def test_what_runs_is_settled_before_anything_is_given_back(start, arrive, until, book, store, locked, logged):
    book.gate.clear()
    start()
    arrive(1)
    wait_for(lambda: book.begun)
    with locked():
        wait_for(says(logged, "the store is busy"))
    arrive(2)
    time.sleep(0.6)  # several turns
    assert says(logged, "gave back")() == []
    assert store.desk.delivery(2)["state"] == "pending"
    book.gate.set()
    assert until(1, "delivered")["attempts"] == 1
    until(2, "delivered")
    assert [len(sent) for sent in book.sent] == [1, 1]


@impatient
def test_a_mapping_edited_while_the_store_is_locked_is_published_later(
    start, arrive, until, store, locked, logged, mapping_file, monkeypatch
):
    monkeypatch.setattr("connector.delivery.worker.TIDY", 0.05)
    start()
    arrive(1)
    until(1, "delivered")
    text = mapping_file.read_text() + "\n# edited\n"
    with locked():
        mapping_file.write_text(text)
        wait_for(lambda: len(says(logged, "the store is busy")()) >= 3)  # the second or third is the publication's
    wait_for(lambda: store.mappings.active("rest") == text)
    arrive(2)
    until(2, "delivered")


def test_a_stored_mapping_that_is_none_for_this_program_holds(start, arrive, until, store, mapping_file, logged):
    mapping_file.unlink()
    store.mappings.publish("rest", "rest", "hash", "version: 99\n")
    start()
    arrive(1)
    assert "never been valid" in until(1, "held")["reason"]
    assert says(logged, "none for this program")()


def test_a_settle_after_the_lease_was_lost_is_refused(start, arrive, until, book, store, logged):
    "As after a long stop of the whole process: another worker took over meanwhile."
    quick = Book()
    book.gate.clear()
    book.script = [Fail("the late answer")]
    start("w1", push_threads=1)
    for n in (1, 2):  # one is pushed, one claimed ahead: w1 has no room to claim them anew
        arrive(n)
        until(n, "running")
    assert store.leases.reclaim("w1", store.leases.beats()["w1"], {}) == 2
    start("w2", targets={"crm": quick})
    until(1, "delivered")
    until(2, "delivered")
    book.gate.set()
    wait_for(lambda: len(says(logged, "the lease was lost")()) == 2)
    assert store.desk.delivery(1)["state"] == "delivered"
    assert [(a["number"], a["worker"]) for a in store.desk.attempts(1)] == [(2, "w2")]
    assert all(sent[0].maybe_sent for sent in quick.sent)


def test_a_worker_that_ends_keeps_its_lease_until_its_pushes_are_done(start, arrive, until, book, store):
    book.gate.clear()
    stop, thread = start("w1", lease=0.6)
    arrive(1)
    wait_for(lambda: book.begun)
    stop.set()
    start("w2", lease=0.6)
    time.sleep(1.8)
    book.gate.set()
    thread.join(10)
    assert store.desk.delivery(1)["state"] == "delivered"
    assert [(a["number"], a["worker"]) for a in store.desk.attempts(1)] == [(1, "w1")]


def test_a_worker_that_ends_gives_back_what_it_did_not_begin(start, arrive, until, book, store):
    book.gate.clear()
    stop, thread = start(push_threads=1)
    arrive(1)
    arrive(2)
    wait_for(lambda: book.begun)
    until(2, "running")  # claimed ahead
    time.sleep(0.2)
    stop.set()
    until(2, "pending")
    book.gate.set()
    thread.join(10)
    assert [d["state"] for d in store.desk.deliveries()] == ["pending", "delivered"]
    assert (store.desk.delivery(2)["attempts"], len(book.sent)) == (0, 1)


@impatient
def test_a_worker_that_ends_waits_for_a_locked_store(start, arrive, until, book, store, locked):
    book.gate.clear()
    stop, thread = start()
    arrive(1)
    wait_for(lambda: book.begun)
    stop.set()
    with locked():
        book.gate.set()
        time.sleep(1.2)
        assert thread.is_alive()
    thread.join(10)
    assert store.desk.delivery(1)["state"] == "delivered"
    assert store.leases.beats() == {}


@impatient
def test_a_worker_that_ends_leaves_to_others_what_it_cannot_settle(start, arrive, until, book, store, locked, logged):
    book.gate.clear()
    stop, thread = start("w1", lease=0.5)
    arrive(1)
    wait_for(lambda: book.begun)
    with locked():
        stop.set()
        time.sleep(0.1)
        book.gate.set()
        thread.join(20)
        assert not thread.is_alive()
    assert says(logged, "no heartbeat")()
    assert says(logged, "left without a word")()
    assert store.desk.delivery(1)["state"] == "running"
    start("w2", lease=0.5)
    until(1, "delivered")
    assert book.sent[1][0].maybe_sent


def test_a_held_target_is_not_checked_at_every_beat(start, arrive, book, store):
    book.script = [Retry("401", spent=False, trouble=Trouble("refused", "the key is refused"))]
    book.checks = [False]
    start(lease=0.3)
    arrive(1)
    wait_for(lambda: book.asked == 1)
    time.sleep(0.5)
    assert book.asked == 1


def test_a_fault_in_the_heart_does_not_stop_it(start, arrive, until, book, store, logged, monkeypatch):
    monkeypatch.setattr("connector.delivery.worker.CHECK_HELD", 0.0)
    book.script = [Retry("401", spent=False, trouble=Trouble("refused", "the key is refused"))]
    book.checks = [ValueError("Sara Ahmed"), True]
    start(lease=0.3)
    arrive(1)
    until(1, "delivered")
    (line,) = says(logged, "in its heart")()
    assert (line["error"], "check:" in line["places"]) == ("ValueError", True)


def test_the_log_of_a_fault_names_its_place_and_nobody(start, arrive, until, book, logged):
    book.script = [ValueError("Sara Ahmed +966551234567")]
    start()
    arrive(1)
    until(1, "delivered")
    (line,) = says(logged, "while delivering")()
    assert (line["error"], "upsert:" in line["places"]) == ("ValueError", True)
    assert "Sara" not in str(logged)

"""Many at once: the lanes keep their heads, and nothing is delivered twice."""

import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from connector.models import Hold
from connector.store import open_store, settling
from connector.store.queue import Turn, _turn
from connector.store.tables import attempts
from tests.installation import TESTS
from tests.store.conftest import arrive, settled, stay, stranded, turn

SECONDS = 20


def test_an_arrival_waits_for_the_settle_of_its_lane(store, clock):
    "Else it would block itself behind a delivery that just ended, and nobody would ever wake it."
    arrive(store, customer="c1")
    (claim,) = turn(store).claims

    def settle(connection):
        valid, _ = settling.fence(connection, "w1", [settled(claim)])
        settling.settle(connection, "w1", valid, clock.now)

    meanwhile(store, settle, lambda other: arrive(other, customer="c1"))
    assert [row["state"] for row in store.desk.deliveries()] == ["pending", "delivered"]


def test_a_replay_waits_for_the_claim_of_its_lane(store, clock):
    "Else it would put itself before a delivery that another worker is pushing."
    for _ in range(2):
        arrive(store, customer="c1")
    (first,) = turn(store).claims
    turn(store, [settled(first, Hold("look at it", "two_matches"))], limit=0)

    def claim(connection):
        _turn(connection, Turn("w1", (), {"crm": 10}, clock.now), stay)

    meanwhile(store, claim, lambda other: other.desk.replay([first.delivery]))
    assert [row["state"] for row in store.desk.deliveries()] == ["running", "blocked"]


def meanwhile(store, task, another):
    "Do one thing in a transaction that stays open until another process has had the time to do wrong."
    other, written, go = open_store(store.engine.url, store.now), threading.Event(), threading.Event()

    def slowly(connection, _args):
        task(connection)
        written.set()
        go.wait(10)
        return [None]

    threads = [
        threading.Thread(target=store.engine.write, args=(slowly, None)),
        threading.Thread(target=another, args=(other,)),
    ]
    threads[0].start()
    written.wait(10)
    threads[1].start()
    time.sleep(0.3)  # too short only spares a wrong program
    go.set()
    for thread in threads:
        thread.join(10)
    other.close()


@pytest.mark.slow
def test_two_doors_and_three_workers_on_eight_customers(url):
    store = open_store(url)
    people = [("door", "d1"), ("door", "d2"), ("worker", "w1"), ("worker", "w2"), ("worker", "w3")]
    command = [sys.executable, "-m", "tests.store.crowd"]
    processes = [
        subprocess.Popen([*command, *who, url, str(SECONDS)], stdout=subprocess.PIPE, cwd=TESTS.parent, text=True)
        for who in people
    ]
    acked = []
    readers = [
        threading.Thread(target=lambda p=p: acked.extend(int(line) for line in p.stdout), daemon=True)
        for p in processes
    ]
    for reader in readers:
        reader.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert stranded(store) == 0
        time.sleep(1)
    assert [process.wait(60) for process in processes] == [0] * 5
    for reader in readers:
        reader.join(10)
    for process in processes:
        process.stdout.close()
    assert stranded(store) == 0
    assert len(acked) > 100
    assert {row["id"] for row in store.desk.events(limit=10**6)} == set(acked)
    _delivered_once(store)
    store.close()


def _delivered_once(store):
    # What still waits is delivered by one more worker: no lane was left without an end.
    while claims := turn(store, owner="last", limit=500).claims:
        turn(store, [settled(claim) for claim in claims], owner="last", limit=0)
    rows = store.desk.deliveries(limit=10**6)
    assert {row["state"] for row in rows} <= {"delivered", "held"}
    ask = sa.select(attempts.c.delivery_id).where(attempts.c.outcome == "created")
    times = Counter(store.engine.read(lambda connection: list(connection.execute(ask).scalars())))
    assert set(times.values()) == {1}
    assert set(times) == {row["id"] for row in rows if row["state"] == "delivered"}

"""A store that another process locks, a worker told to stop in the middle, one that sleeps through its lease."""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import sqlite3
import time

import pytest

from tests.installation import TOKEN, Installation, customer, wait_for


@contextlib.contextmanager
def locked_as_we_do(installed):
    with (installed.folder / "connector.db.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def locked_by_sqlite(installed):
    "As by a person's sqlite3 shell, or a backup, that knows nothing of our lock."
    other = sqlite3.connect(installed.folder / "connector.db", isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        yield


def post(installed, body):
    connection = http.client.HTTPConnection("127.0.0.1", installed.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", f"/webhooks/flavours/{TOKEN}", json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())


def states(installed):
    return [d["state"] for d in json.loads(installed.cli("deliveries", "list", "--json")[1])]


@pytest.mark.slow
@pytest.mark.parametrize("lock", [locked_as_we_do, locked_by_sqlite])
def test_a_locked_store_is_told_in_time_and_all_goes_on_afterwards(installed, crm, lock):
    installed.serve()
    wait_for(lambda: "mapping published" in installed.log())
    pids = installed.children()
    crm.mode(latency=0.5)
    assert installed.post(customer(1))[0] == 202
    wait_for(lambda: crm.all()["requests"])  # its settle meets the lock
    with lock(installed):
        asked = time.monotonic()
        status, headers, body = post(installed, customer(2))
        assert time.monotonic() - asked < 9  # Flavours waits 10 s
        assert (status, headers["Content-Type"]) == (503, "application/problem+json")
        assert int(headers["Retry-After"]) > 0
        assert "the store cannot be used now: send it again" in body["detail"]
        wait_for(lambda: "the store is busy" in installed.log())
    wait_for(lambda: installed.post(customer(2))[0] in (200, 202), 30)
    wait_for(lambda: states(installed) == ["delivered"] * 4, 60, every=0.5)
    assert crm.all()["creates"] == {"customer-1": 1, "customer-2": 1}
    assert installed.children() == pids
    assert "Traceback" not in installed.log()


@pytest.mark.slow
def test_a_worker_told_to_stop_finishes_a_push_of_two_seconds(tmp_path, crm):
    installed = Installation(tmp_path, crm.port, timeout="5s")
    try:
        installed.spawn("serve", "--no-worker")
        worker = installed.spawn("worker", wait=False)
        crm.mode(latency=0.7)  # two questions and a create
        installed.post(customer(1))
        wait_for(lambda: crm.all()["requests"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert crm.all()["creates"] == {"customer-1": 1}
        assert states(installed) == ["delivered"]
    finally:
        installed.stop()


@pytest.mark.slow
@pytest.mark.parametrize("during", ["GET", "POST"])
def test_a_worker_that_sleeps_through_its_lease_creates_nothing_twice(tmp_path, crm, during):
    installed = Installation(tmp_path, crm.port, lease="2s", timeout="2s", uncertain_wait="500ms")
    try:
        installed.spawn("serve", "--no-worker")
        sleeper = installed.spawn("worker", wait=False)
        wait_for(lambda: "mapping published" in installed.log())
        crm.mode(latency=1)
        installed.post(customer(1))
        wait_for(lambda: crm.all()["requests"].get(during), every=0.01)
        sleeper.send_signal(signal.SIGSTOP)
        crm.mode(latency=0)
        installed.spawn("worker", wait=False)
        wait_for(lambda: states(installed) == ["delivered"], 60)
        sleeper.send_signal(signal.SIGCONT)
        wait_for(lambda: "the lease was lost before the settle" in installed.log())
        installed.post(customer(2))
        wait_for(lambda: states(installed) == ["delivered"] * 2, 60)
        assert crm.all()["creates"] == {"customer-1": 1, "customer-2": 1}
        tries = json.loads(installed.cli("deliveries", "show", "d1", "--json")[1])["tries"]
        assert [one["number"] for one in tries] == [2]  # the second claim; the first one's settle was refused
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
        installed.stop()

"""A worker that is stopped (SIGSTOP) at the worst places, and wakes later: nothing twice, nobody waits for it long."""

import contextlib
import json
import os
import signal
from pathlib import Path

import pytest

from tests.installation import Installation, customer, post, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def installed(tmp_path, crm, database):
    installed = Installation(
        tmp_path, crm.port, database=database, lease="2s", timeout="2s", uncertain_wait="500ms", threads=2
    )
    assert installed.cli("db", "upgrade")[0] == 0
    installed.spawn("_door")
    yield installed
    for process in installed.processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
    installed.stop()


def stopped(process):
    "Tell whether a process was stopped: its state follows the name, which may hold spaces."
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def stopped_at(installed, place):
    "Start a worker that stops itself at this place, and wait until it has."
    worker = installed.spawn("worker", wait=False, faults={"FAULT": f"stop {place}"})
    wait_for(lambda: stopped(worker))
    return worker


def delivered(installed, count):
    states = [row["state"] for row in json.loads(installed.cli("deliveries", "list", "--json")[1])]
    return states == ["delivered"] * count


@pytest.mark.parametrize(("place", "posts"), [("before-lease-check", 0), ("after-send", 1)])
def test_a_worker_that_wakes_after_its_lease_sends_nothing_and_settles_nothing(installed, crm, place, posts):
    crm.mode(latency=0.1)
    assert installed.post(customer(1))[0] == 202
    sleeper = stopped_at(installed, place)
    wait_for(lambda: crm.all()["requests"].get("POST", 0) == posts)  # what was sent does its work meanwhile
    installed.spawn("worker", wait=False)
    wait_for(lambda: delivered(installed, 1), 60, every=0.3)
    before = crm.all()
    assert before["requests"]["POST"] == 1  # made by the second, or found by it
    os.kill(sleeper.pid, signal.SIGCONT)
    wait_for(lambda: "the lease was lost before the settle" in installed.log())
    seen = crm.all()
    assert (seen["requests"]["POST"], seen["creates"]) == (1, {"customer-1": 1})
    tries = json.loads(installed.cli("deliveries", "show", "d1", "--json")[1])["tries"]
    assert [one["number"] for one in tries] == [2]
    # It is a worker like any other again.
    assert installed.post(customer(2))[0] == 202
    wait_for(lambda: delivered(installed, 2), 60, every=0.3)
    assert sleeper.poll() is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGKILL])
def test_a_worker_stopped_inside_the_write_lock_makes_the_door_say_503_in_time(installed, crm, number):
    assert installed.post(customer(1))[0] == 202
    sleeper = stopped_at(installed, "before-settle-commit")
    for _ in range(2):
        status, retry_after, took = post(installed, 2)
        assert (status, retry_after) == (503, "5")
        assert took < 9  # Flavours waits 10 s
    os.kill(sleeper.pid, number)
    wait_for(lambda: post(installed, 2)[0] in (200, 202))
    installed.spawn("worker", wait=False)
    wait_for(lambda: delivered(installed, 2), 60, every=0.3)
    assert crm.all()["creates"] == {"customer-1": 1, "customer-2": 1}

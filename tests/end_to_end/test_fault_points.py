"""kill -9 at every named place between a request and its settle: each acked customer is at the target exactly once."""

import http.client
import signal
import time

import pytest

from connector.config import load
from connector.store import open_store
from tests.installation import Installation, customer, wait_for

pytestmark = pytest.mark.slow

DOOR = ("before-accept-commit", "after-accept-commit")
WORKER = (
    "before-publish-commit",
    "after-publish-commit",
    "before-claim-commit",
    "after-claim-commit",
    "before-lease-check",
    "before-send",
    "after-send",
    "after-answer",
    "before-settle-commit",
    "after-settle-commit",
)
CUSTOMERS = 4


@pytest.fixture
def installed(tmp_path, crm, database):
    installed = Installation(
        tmp_path, crm.port, database=database, lease="2s", timeout="1s", uncertain_wait="500ms", threads=2
    )
    assert installed.cli("db", "upgrade")[0] == 0
    yield installed
    installed.stop()


def send(installed, numbers):
    "Post as Flavours would: again until a 2xx; return what each was answered in the end."
    said = {}
    for n in numbers:
        while n not in said:
            try:
                status, _ = installed.post(customer(n), timeout=8)
            except (OSError, http.client.HTTPException):
                status = 0
                if installed.processes[0].poll() is not None:  # what a supervisor would do
                    installed.processes[0] = installed.spawn("_door")
            if 200 <= status < 300:
                said[n] = status
            else:
                time.sleep(0.1)
    return said


def all_once(installed, crm, count=CUSTOMERS):
    "Wait until every customer was made and settled; each was made once."
    store = open_store(load(installed.folder / "config.yaml", {}).database)
    try:
        wait_for(lambda: store.desk.counts() == {("crm", "delivered"): count}, 90, every=0.2)
    finally:
        store.close()
    assert crm.all()["creates"] == {f"customer-{n}": 1 for n in range(count)}


@pytest.mark.parametrize("place", DOOR)
def test_a_door_killed_around_its_commit_has_lost_nothing_and_stored_nothing_twice(installed, crm, place):
    door = installed.spawn("_door", faults={"FAULT": f"kill {place} 2"})
    said = send(installed, range(CUSTOMERS))
    assert door.wait(10) == -signal.SIGKILL
    # The sender of the second one saw no answer: sent again it is new, or known when it was committed.
    assert said[1] == (202 if place.startswith("before") else 200)
    installed.spawn("worker", wait=False)
    all_once(installed, crm)


@pytest.mark.parametrize("place", WORKER)
def test_a_worker_killed_anywhere_leaves_each_customer_once(installed, crm, place):
    installed.spawn("_door")
    send(installed, range(CUSTOMERS))
    crm.mode(latency=0.05)
    struck = installed.spawn("worker", wait=False, faults={"FAULT": f"kill {place}"})
    assert struck.wait(30) == -signal.SIGKILL, installed.log()
    installed.spawn("worker", wait=False)
    all_once(installed, crm)

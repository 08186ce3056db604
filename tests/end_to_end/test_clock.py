"""Wall clocks that are an hour wrong, or jump by hours under running processes, change nothing."""

import time
from collections import Counter

import pytest

from connector.config import load
from connector.store import open_store
from tests.installation import Installation, customer, wait_for

pytestmark = pytest.mark.slow

HOUR = 3600


@pytest.fixture
def clocks(tmp_path):
    "The seconds by which each machine's clock is wrong, in a file; on SQLite all are one machine's."
    files = {"CLOCK_FILE": tmp_path / "clock"}
    files["CLOCK_FILE"].write_text("0")
    return files


@pytest.fixture
def installed(tmp_path, crm, database):
    installed = Installation(tmp_path, crm.port, database=database, lease="3s", timeout="1s", uncertain_wait="500ms")
    assert installed.cli("db", "upgrade")[0] == 0
    yield installed
    installed.stop()


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_clock_that_jumps_under_door_and_worker_keeps_nobody_waiting(installed, crm, clocks, jump):
    faults = {name: str(file) for name, file in clocks.items()}
    installed.spawn("_door", faults=faults)
    workers = [installed.spawn("worker", wait=False, faults=faults) for _ in range(2)]
    for n in range(3):
        assert installed.post(customer(n))[0] == 202
    wait_for(lambda: len(crm.all()["contacts"]) == 3, 60)
    crm.mode(status=500)
    for n in range(3, 6):
        assert installed.post(customer(n))[0] == 202
    wait_for(lambda: crm.all()["requests"]["GET"] >= 5)  # some wait for their next try, or for their target's pause
    clocks["CLOCK_FILE"].write_text(str(jump))
    for n in range(6, 9):
        assert installed.post(customer(n))[0] == 202
    time.sleep(4)  # more than a lease
    asked = crm.all()["requests"]["GET"]
    time.sleep(3)
    assert crm.all()["requests"]["GET"] - asked < 30  # no flood of early tries
    crm.mode(status=0)
    wait_for(lambda: len(crm.all()["contacts"]) == 9, 90, every=0.2)
    store = open_store(load(installed.folder / "config.yaml", {}).database)
    wait_for(lambda: store.desk.counts() == {("crm", "delivered"): 9}, 30)
    store.close()
    assert Counter(crm.all()["creates"].values()) == {1: 9}
    assert [worker.poll() for worker in workers] == [None, None]
    assert "took over" not in installed.log()
    assert "the lease was lost" not in installed.log()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("fast", [HOUR, -HOUR])
def test_one_machine_whose_clock_is_wrong_is_like_any_other(installed, crm, clocks, fast):
    clocks["CLOCK_FILE"].write_text(str(fast))
    installed.spawn("_door")
    crm.mode(latency=0.05)
    wrong = installed.spawn("worker", wait=False, faults={"CLOCK_FILE": str(clocks["CLOCK_FILE"])})
    installed.spawn("worker", wait=False)
    wait_for(lambda: installed.log().count("worker starts") == 2)
    for n in range(30):
        assert installed.post(customer(n))[0] == 202
    wait_for(lambda: len(crm.all()["contacts"]) == 30, 60)
    crm.mode(status=503, body={"error": "soon"})  # a target that is paused, by whoever
    assert installed.post(customer(30))[0] == 202
    time.sleep(1)
    crm.mode(status=0)
    wait_for(lambda: len(crm.all()["contacts"]) == 31, 60)
    store = open_store(load(installed.folder / "config.yaml", {}).database)
    wait_for(lambda: store.desk.counts() == {("crm", "delivered"): 31}, 30)
    late = store.engine.read(lambda c: c.exec_driver_sql("SELECT max(abs(started_at - due_at)) FROM attempts JOIN deliveries ON deliveries.id = delivery_id").scalar())  # fmt: skip
    store.close()
    assert late < HOUR * 500  # the ledger's times are the database's
    assert Counter(crm.all()["creates"].values()) == {1: 31}
    assert wrong.poll() is None
    assert "took over" not in installed.log()

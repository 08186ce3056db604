"""A real payload through the real server to a real record, on true sockets."""

import csv
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.installation import SAMPLE, TESTS, TOKEN, call, customer, wait_for


def book(installed):
    path = installed.folder / "contacts.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_documented_webhook_fifty_times_is_one_contact(installed, crm):
    installed.serve()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: installed.post(SAMPLE), range(50)))
    assert sorted(status for status, _ in answers) == [200] * 49 + [202]
    assert {body["event"] for _, body in answers} == {"e1"}
    wait_for(lambda: len(crm.all()["contacts"]) == 1 and len(book(installed)) == 1)
    time.sleep(0.5)
    assert crm.all()["creates"] == {SAMPLE["data"]["id"]: 1}
    assert [row["name"] for row in book(installed)] == ["User 1"]
    code, out, _ = installed.cli("events", "list", "--json")
    assert (code, len(json.loads(out))) == (0, 1)
    code, out, _ = installed.cli("deliveries", "list", "--json")
    assert [d["state"] for d in json.loads(out)] == ["delivered", "delivered"]


def test_a_changed_customer_updates_the_same_contact(installed, crm):
    installed.serve()
    first, later = customer(1), customer(1)
    later["xid"] = "xid-later"
    later["data"]["city"] = "جدة"
    later["data"]["user"]["updated_at"] += 1000
    assert installed.post(first)[0] == 202
    assert installed.post(later)[0] == 202
    wait_for(lambda: [c.get("address", {}).get("city") for c in crm.all()["contacts"]] == ["جدة"])
    assert crm.all()["creates"] == {"customer-1": 1}


def test_older_data_never_overwrites_newer_data(installed, crm):
    installed.serve()
    newer, older = customer(1, name="New name"), customer(1, name="Old name")
    older["xid"] = "xid-older"
    older["data"]["user"]["updated_at"] -= 1000
    installed.post(newer)
    wait_for(lambda: len(crm.all()["contacts"]) == 1)
    installed.post(older)
    reasons = lambda: [d["reason"] for d in json.loads(installed.cli("deliveries", "list", "--json")[1])]  # noqa: E731
    wait_for(lambda: "newer data already delivered" in reasons())
    assert [c["name"] for c in crm.all()["contacts"]] == ["New name"]


def test_what_is_not_a_customer_is_refused_and_kept(installed, crm):
    installed.serve()
    products = json.loads((TESTS / "samples" / "products.as-customers.CREATE.json").read_text())
    status, answer = installed.post(products)
    assert status == 422
    assert answer["event"] == "e1"
    kept = json.loads(installed.cli("events", "list", "--state", "rejected", "--json")[1])
    assert [e["id"] for e in kept] == ["e1"]
    assert crm.all()["contacts"] == []


@pytest.mark.slow
def test_a_stopped_server_finishes_and_goes_on_later(installed, crm):
    supervisor = installed.serve()
    crm.mode(latency=0.5)
    assert installed.post(customer(1))[0] == 202
    wait_for(lambda: crm.all()["requests"])
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(30) == 0
    assert installed.children() == {}
    installed.serve()
    wait_for(lambda: len(crm.all()["contacts"]) == 1)
    assert crm.all()["creates"] == {"customer-1": 1}


def niceness(pid):
    "Return a process's, and that of its session where Linux weighs sessions."
    group = Path(f"/proc/{pid}/autogroup")
    session = int(group.read_text().rpartition(" ")[2]) if group.exists() else os.getpriority(os.PRIO_PROCESS, pid)
    return os.getpriority(os.PRIO_PROCESS, pid), session


def test_the_worker_stands_back_for_the_door_and_both_end_with_a_killed_supervisor(installed):
    supervisor = installed.serve()
    wait_for(lambda: len(installed.children()) == 3)
    children = installed.children()
    wait_for(lambda: all(a > b for a, b in zip(niceness(children["worker"]), niceness(children["door"]), strict=True)))
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    wait_for(lambda: not installed.children(), 40)


def test_a_dead_worker_never_takes_the_door_down(installed):
    installed.serve()
    wait_for(lambda: "worker" in installed.children())
    before = installed.children()["worker"]
    installed.kill("worker")
    assert installed.post(customer(1))[0] == 202
    wait_for(lambda: installed.children().get("worker", before) != before)


def test_no_secret_and_no_person_in_the_log(installed, crm):
    installed.serve()
    crm.mode(status=422, body={"error": "Customer 7 <someone@example.com> +966550000007 is not wanted"})
    installed.post(customer(7, email="someone@example.com"))
    wait_for(lambda: "not delivered" in installed.log())
    installed.post(customer(8), path="/webhooks/flavours/a-wrong-token-of-16-chars")
    log = installed.log()
    for secret in (TOKEN, "someone@example.com", "550000007", "Customer 7", "a-wrong-token"):
        assert secret not in log


def test_a_wrong_configuration_is_named_and_nothing_starts(installed):
    path = installed.folder / "config.yaml"
    path.write_text(path.read_text().replace("kind: rest", "kind: rset"))
    code, _, err = installed.cli("serve")
    assert code == 2
    assert "config.yaml:" in err
    assert "rest" in err


def test_readiness_tells_of_the_worker(installed):
    installed.spawn("serve", "--no-worker")
    status, answer = call(installed.port, "GET", "/readyz")
    assert status == 503
    assert "worker" in json.dumps(answer)

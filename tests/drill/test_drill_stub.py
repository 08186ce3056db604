"""The drill's CRM does what its faults are called, on true sockets."""

import http.client
import json
import subprocess
import sys
import time
from collections import Counter

import pytest

from connector.drill.stub import LATE, Crm
from tests.installation import call, wait_for


@pytest.fixture
def port():
    command = [sys.executable, "-m", "connector.drill.stub", "3"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield int(process.stdout.readline())
    process.stdin.close()  # as when the drill is gone
    assert process.wait(20) == 0
    process.stdout.close()


def tried(port, method, path, body=None, **headers):
    try:
        return call(port, method, path, body, timeout=0.3, headers=headers)
    except (OSError, http.client.HTTPException) as problem:
        return type(problem).__name__, None


def test_every_fault_happens_and_every_key_makes_one_contact(port):
    answers = Counter()
    for number in range(400):
        body = {"contact": {"external_id": f"c{number}", "phone": f"+{number}"}}
        for _ in range(2):
            answers[tried(port, "POST", "/keyed/contacts", body, **{"Idempotency-Key": f"k{number}"})[0]] += 1
        answers[tried(port, "GET", f"/keyed/contacts?phone=%2B{number}")[0]] += 1
    time.sleep(2 * LATE)
    seen = call(port, "GET", "/_all")[1]
    assert len({contact["external_id"] for contact in seen["contacts"]}) == len(seen["contacts"])
    assert len(seen["contacts"]) > 390
    assert {201, 200, 500, 429, "TimeoutError", "IncompleteRead"} <= set(answers)
    assert {"commit, then hang", "reset, then commit", "commit, then truncated", "garbage"} <= set(seen["faults"])


def test_an_outage_answers_everybody_with_500_for_a_while(port):
    assert call(port, "GET", "/_outage")[0] == 200
    assert [tried(port, "GET", f"/crm/contacts?phone={n}")[0] for n in range(5)] == [500] * 5
    wait_for(lambda: tried(port, "GET", "/crm/contacts?phone=1")[0] == 200)


def test_faults_do_not_depend_on_the_order_of_requests():
    names = [("GET", f"/crm/contacts?phone={n}", "") for n in range(200)]
    one, other = Crm("5", calm=False), Crm("5", calm=False)
    drawn = {name: one.fault(*name) for name in names}
    again = {name: other.fault(*name) for name in reversed(names)}
    assert {n: f for n, f in drawn.items() if f != "429"} | {n: "" for n in names if "429" in (drawn[n], again[n])} == {
        n: f for n, f in again.items() if f != "429"
    } | {n: "" for n in names if "429" in (drawn[n], again[n])}


def test_a_calm_one_does_no_wrong():
    crm = Crm("5", calm=True)
    assert {crm.fault("POST", "/crm/contacts", f"c{n}") for n in range(500)} == {""}


def test_without_a_key_the_same_contact_is_made_again():
    crm = Crm("1", calm=True)
    body = json.dumps({"contact": {"external_id": "c"}}).encode()
    for _ in range(2):
        crm.do("POST", "/crm/contacts", body, None)
    assert len(crm.find("crm", {"external_id": ["c"]})[1]["items"]) == 2

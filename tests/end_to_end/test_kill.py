"""kill -9 of door, worker and supervisor at random moments: every acked customer is at the target exactly once."""

import http.client
import random
import threading
import time

import pytest

from tests.installation import Crm, Installation, customer, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CUSTOMERS, SENDERS = 2000, 8


def send(installed, numbers, acked):
    "Post as Flavours would: again until a 2xx."
    for n in numbers:
        while True:
            try:
                status, _ = installed.post(customer(n), timeout=8)
            except (OSError, http.client.HTTPException):  # refused, or half an answer
                status = 0
            time.sleep(0.1)
            if 200 <= status < 300:
                acked.add(n)
                break


def reaped(installed):
    "Wait for the killed supervisor, so that the next one is started."
    installed.processes[-1].wait(10)
    return True


def test_every_acked_customer_arrives_once(tmp_path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    crm = Crm(tmp_path, "--drop", "0.05", "--seed", str(seed))
    installed = Installation(tmp_path, crm.port, lease="3s", timeout="1s", uncertain_wait="500ms")
    try:
        installed.serve()
        acked, kills = set(), 0
        shares = [range(first, CUSTOMERS, SENDERS) for first in range(SENDERS)]
        senders = [threading.Thread(target=send, args=(installed, share, acked)) for share in shares]
        for sender in senders:
            sender.start()
        while any(sender.is_alive() for sender in senders):
            time.sleep(chance.uniform(0.3, 1.5))
            victim = chance.choice(["door", "worker", "worker", "supervisor"])
            installed.kill(victim)
            kills += 1
            if installed.processes[-1].poll() is not None or (victim == "supervisor" and reaped(installed)):
                installed.spawn("serve", wait=False)
        for sender in senders:
            sender.join()
        wait_for(lambda: len(crm.all()["contacts"]) >= CUSTOMERS, 150, every=1)
        time.sleep(3)
        seen = crm.all()
        print(f"{kills} kills")
        assert len(acked) == CUSTOMERS
        assert kills >= 10
        assert {name: n for name, n in seen["creates"].items() if n != 1} == {}
        assert set(seen["creates"]) == {f"customer-{n}" for n in acked}
    finally:
        installed.stop()
        crm.stop()

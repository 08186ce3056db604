"""Be one door or one worker of many on a store, as a process of its own, for so many seconds.

A door prints one line for each ack; a worker delivers, tries again, holds; both never look at what the others do.
"""

import random
import sys
import time

from connector.errors import StoreBusy
from connector.models import Delivered, Hold, Retry
from connector.store import open_store
from tests.store.conftest import arrive, settled, turn

CUSTOMERS = 8


def door(store, name, until, chance):
    n = 0
    while time.monotonic() < until:
        n += 1
        receipt = arrive(store, f"{name}-{n}", f"c{chance.randrange(CUSTOMERS)}")
        print(receipt.event, flush=True)
        # By one door only: between the look and the replay of two, a delivery can have ended, and is opened once more.
        if name == "d1" and chance.random() < 0.1:
            held = [row["id"] for row in store.desk.deliveries(state="held", limit=5)]
            store.desk.replay(held)
        time.sleep(0.002)


def worker(store, name, until, chance):
    claims = []
    while time.monotonic() < until or claims:
        done = [settled(claim, _outcome(claim, chance)) for claim in claims]
        limit = 4 if time.monotonic() < until else 0
        claims = turn(store, done, owner=name, limit=limit).claims
        time.sleep(0.001 * chance.random())


def _outcome(claim, chance):
    dice = chance.random()
    if dice < 0.8:
        return Delivered("created", f"r-{claim.customer}")
    return Retry("busy", after=0.0) if dice < 0.95 else Hold("look at it", "two_matches")


def main(role, name, url, seconds):
    store, until = open_store(url), time.monotonic() + float(seconds)
    store.states.register(["crm"])
    task = {"door": door, "worker": worker}[role]
    while True:
        try:
            task(store, name, until, random.Random(name))
        except StoreBusy as busy:
            print(busy, file=sys.stderr)
            continue
        break
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Run one drill from beginning to end: start, send under kills, let it settle, and gather what is to be judged."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.drill.chaos import Chaos
from connector.drill.house import House
from connector.drill.judging import UNFINISHED, Evidence, Kept
from connector.drill.plan import plan
from connector.drill.sender import Sender
from connector.drill.stub import LATE
from connector.errors import ConnectorError, StoreError
from connector.store import Store, open_store
from connector.store.migrate import upgrade

START = 60.0  # seconds for the first door to come up; a cold disk is slow
STILL = 60.0  # seconds without any delivery ended, and without a kill, after which what waits will not end
KILLING = 90.0  # seconds after the last letter at most in which the killing goes on
LOOK = 0.5
ALL = 10**9
EVENTS = ("accepted", "ignored", "rejected")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Drill:
    """Say what is to be drilled."""

    seed: int
    customers: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold what a drill has to show: the evidence, and the figures that go with it."""

    evidence: Evidence
    answers: Mapping[str, int]
    kills: Mapping[str, int]
    faults: Mapping[str, int]
    seconds: float


def run(drill: Drill, house: House, database: str, progress: Progress) -> Seen:
    """Run a drill in a house that is open; `progress` is told (what, done, of how many). Raises ConnectorError.

    The house is the caller's to close, whatever happens.
    """
    began = time.monotonic()
    upgrade(database)
    house.keep_up("supervisor")
    _up(house)
    house.keep_up()
    sender = Sender(plan(drill.seed, drill.customers), house.ports, house.token, drill.seed)
    chaos = Chaos(house, drill.seed)
    store = open_store(database)
    try:
        sender.start()
        chaos.start()
        _send(sender, house, progress)
        _settle(store, chaos, progress)
        time.sleep(2 * LATE)  # what the CRM commits late
        evidence, faults = _evidence(store, sender, house)
    finally:
        sender.stop()
        chaos.end()
        store.close()
    return Seen(
        evidence,
        dict(sender.answers),
        dict(house.kills.items()),
        faults,
        time.monotonic() - began,
    )


def _up(house: House) -> None:
    began = time.monotonic()
    while time.monotonic() < began + START:
        if house.ended() is not None:
            raise ConnectorError(f"the server ended with code {house.ended()}; see {house.folder / 'serve.log'}")
        if _get(house.ports[0], "/healthz") is not None:
            house.measure(time.monotonic() - began)
            return
        time.sleep(0.1)
    raise ConnectorError(f"the server did not come up; see {house.folder / 'serve.log'}")


def _get(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _send(sender: Sender, house: House, progress: Progress) -> None:
    letters, outages = len(sender.plan.letters), [0.33, 0.66]
    while sender.busy:
        progress("sending", sender.done, letters)
        if outages and sender.done >= outages[0] * letters:
            _get(house.crm, "/_outage")
            outages.pop(0)
        time.sleep(LOOK / 5)
    progress("sending", letters, letters)


def _settle(store: Store, chaos: Chaos, progress: Progress) -> None:
    sent, most, moved = time.monotonic(), 0, time.monotonic()
    while True:
        counts = _counts(store)
        total, waiting = sum(counts.values()), sum(counts[state] for state in UNFINISHED)
        progress("delivering", total - waiting, total)
        now = time.monotonic()
        # While there is killing, a worker of a busy machine may be killed before it can do anything.
        if total - waiting > most or not chaos.over:
            most, moved = total - waiting, now
        if waiting * 10 < total or now - sent > KILLING:
            chaos.calm()
        if (total and not waiting) or now - moved > STILL:
            return
        time.sleep(LOOK)


def _counts(store: Store) -> Counter[str]:
    counts: Counter[str] = Counter()
    try:
        for (_, state), number in store.desk.counts().items():
            counts[state] += number
    except StoreError:  # busy for a moment
        counts["pending"] = 1
    return counts


def _evidence(store: Store, sender: Sender, house: House) -> tuple[Evidence, dict[str, int]]:
    held = _get(house.crm, "/_all")
    if held is None:
        raise ConnectorError("the drill's own CRM does not answer")
    events = [Kept(row["id"], row["customer"], row["state"]) for row in store.desk.events(limit=ALL)]
    deliveries = [
        Kept(row["event_id"], row["customer"], row["state"], row["reason"] or "")
        for row in store.desk.deliveries(limit=ALL)
    ]
    return Evidence(sender.thanked, events, deliveries, held["contacts"], sender.wrong), held["faults"]

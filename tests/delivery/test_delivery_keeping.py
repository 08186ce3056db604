"""The worker's purge: by itself, again and again, and quietly where the store is busy."""

import threading
from dataclasses import replace

import pytest

from connector.delivery import keeping
from connector.store.keeping import SETTLED
from connector.store.tables import deliveries, events
from tests.delivery.conftest import config
from tests.installation import wait_for


@pytest.fixture
def following(tmp_path, store, monkeypatch):
    monkeypatch.setattr(keeping, "PAUSE", 0.05)
    monkeypatch.setattr(keeping, "BREATH", 0.01)
    short = replace(config(tmp_path), keep_bodies=SETTLED / 1000, keep_ledger=1e9)
    stop = threading.Event()
    thread = threading.Thread(target=keeping.follow, args=(short, store, stop, 0.01))
    thread.start()
    yield store
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def aged(store):
    def back(connection, args):
        connection.execute(events.update().values(received_at=events.c.received_at - 2 * SETTLED))
        connection.execute(deliveries.update().values(state="skipped", finished_at=1))
        return args

    store.engine.write(back, None)


def full(store):
    return [row["id"] for row in store.desk.events() if store.desk.event(row["id"])["body"] is not None]


def test_it_purges_what_becomes_old(arrive, store, following, logged):
    for n in range(3):
        arrive(n)
    assert len(full(store)) == 3
    aged(store)
    wait_for(lambda: not full(store))
    wait_for(lambda: any(line["event"] == "purged" for line in logged))
    arrive(9)
    aged(store)
    wait_for(lambda: not full(store))


@pytest.mark.parametrize("store", [0.2], indirect=True)
def test_it_waits_for_a_busy_store(arrive, store, locked, following, logged):
    arrive(1)
    aged(store)
    with locked():
        wait_for(lambda: any("purged later: the store is busy" in line["event"] for line in logged))
    wait_for(lambda: not full(store))

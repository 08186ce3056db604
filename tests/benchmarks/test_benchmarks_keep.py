"""What a purge of 200,000 events costs: its longest write, and the acks meanwhile beside those of the same run without.

pytest -m benchmark -s tests/benchmarks/test_benchmarks_keep.py
"""

import itertools
import json
import multiprocessing
import os
import threading
import time

import pytest
import sqlalchemy as sa

from connector.models import Event
from connector.store import open_store
from connector.store.migrate import upgrade
from tests import postgres
from tests.store.conftest import SYNC

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

COUNT = int(os.environ.get("FLAVOURS_COUNT", "200000"))
RATE = 40  # acks a second
TURN = 1.5  # seconds with the purge, and then without
WINDOW = float(
    os.environ.get("FLAVOURS_WINDOW", "60")
)  # seconds of such turns; then the purge goes on alone, and without a breath
BODY = json.dumps({"action": "customers.CREATE", "data": {"id": "c", "user": {"name": "Sara", "note": "x" * 1300}}})
DAY = 86_400_000


def fill(url):
    postgresql = url.startswith("postgresql")
    numbers = f"generate_series(1, {COUNT}) AS i" if postgresql else "n"
    before = "" if postgresql else f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT}) "
    body = f"convert_to('{BODY}' || i, 'UTF8')" if postgresql else f"CAST('{BODY}' || i AS BLOB)"
    old = int(time.time() * 1000) - 100 * DAY
    engine = sa.create_engine(url)
    with engine.begin() as c:
        c.exec_driver_sql(
            "INSERT INTO events (source, state, xid, fingerprint, action, customer, received_at, body) "
            f"{before}SELECT 'flavours', 'accepted', 'x' || i, 'f' || i, 'customers.CREATE', 'c' || i, {old}, {body} "
            f"FROM {numbers}"
        )
        c.exec_driver_sql(
            "INSERT INTO deliveries (event_id, source, sync, target, customer, state, due_at, created_at, finished_at) "
            f"SELECT id, 'flavours', 'crm_sync', 'crm', customer, 'delivered', {old}, {old}, {old} FROM events ORDER BY id"
        )
        c.exec_driver_sql(
            "INSERT INTO attempts (delivery_id, number, started_at, took_ms, outcome, reason, answer, worker) "
            f"SELECT id, 1, {old}, 5, 'created', 'created', 'HTTP 201', 'w' FROM deliveries ORDER BY id"
        )
        c.exec_driver_sql("ANALYZE")  # as autovacuum does
    engine.dispose()


def purge(url, go, hurry, told):
    "Be the worker's purge, while `go` is set; tell how long each write took, on the wall and of the processor."
    from connector.delivery.keeping import BREATH

    store = open_store(url)
    writer, took = store.engine.writer, []
    name = "_answer" if url.startswith("postgresql") else "_together"
    real = getattr(writer, name)

    def timed(group):
        began, used = time.perf_counter(), time.thread_time()
        try:
            return real(group)
        finally:
            took.append((time.perf_counter() - began, time.thread_time() - used))

    setattr(writer, name, timed)
    cuts = store.keeping.cuts(90 * 86_400, 730 * 86_400)
    emptied, more = 0, True
    while more:
        go.wait()
        step = store.keeping.step(cuts)
        emptied, more = emptied + step.emptied, step.more
        time.sleep(0.0 if hurry.is_set() else BREATH)
    store.close()
    told.put((emptied, took))


def acks(store, go, ended):
    "Accept at a fixed rate; latencies count from when each was due: (without, with) the purge."
    seen, lock, numbers, start = ([], []), threading.Lock(), itertools.count(), time.perf_counter()

    def run():
        while not ended.is_set():
            n = next(numbers)
            due = start + n / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            with_it = go.is_set()
            event = Event(f"new{n}", "customers.CREATE", 1, {}, f"new{n}", None, False, f"p{n}")
            store.inbox.accept(event, BODY.encode(), "flavours", [SYNC])
            with lock:
                seen[with_it].append(time.perf_counter() - due)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    return seen, threads


def at(values, share):
    return sorted(values)[int(len(values) * share)] * 1000


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_purge_beside_the_acks(kind, tmp_path):
    if kind == "postgres":
        with postgres.database() as url:
            measure(url)
    else:
        url = f"sqlite:///{tmp_path}/c.db"
        upgrade(url)
        measure(url)


def measure(url):
    fill(url)
    spawn = multiprocessing.get_context("spawn")
    go, hurry, told = spawn.Event(), spawn.Event(), spawn.Queue()
    child = spawn.Process(target=purge, args=(url, go, hurry, told))
    child.start()
    store, ended = open_store(url), threading.Event()
    seen, threads = acks(store, go, ended)
    began = time.perf_counter()
    while time.perf_counter() - began < WINDOW:
        time.sleep(TURN)
        go.clear() if go.is_set() else go.set()
    ended.set()
    for thread in threads:
        thread.join()
    go.set()
    hurry.set()
    emptied, took = told.get(timeout=1500)
    child.join()
    store.close()
    wall, used = [one[0] for one in took], [one[1] for one in took]
    print(
        f"\n{url.split(':')[0]}: {emptied} bodies in {len(took)} writes over {time.perf_counter() - began:.0f} s; a write: "
        f"p50 {at(wall, 0.5):.1f}, p99 {at(wall, 0.99):.1f}, longest {max(wall) * 1000:.1f} ms (processor: p50 "
        f"{at(used, 0.5):.1f}, longest {max(used) * 1000:.1f} ms)\nacks p50 / p99: without {at(seen[0], 0.5):.1f} / "
        f"{at(seen[0], 0.99):.1f} ms ({len(seen[0])}), with {at(seen[1], 0.5):.1f} / {at(seen[1], 0.99):.1f} ms "
        f"({len(seen[1])}): p99 x {at(seen[1], 0.99) / at(seen[0], 0.99):.2f}"
    )
    assert emptied == COUNT

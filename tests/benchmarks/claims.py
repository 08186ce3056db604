"""What a claim and a settlement of fifty cost where millions wait or are finished, beside a store where a thousand wait."""

import contextlib
import itertools
import shutil
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from connector.delivery import policy
from connector.models import Delivered, Link, Settlement
from connector.store import open_store
from connector.store.migrate import upgrade
from tests.benchmarks import filling, stage
from tests.benchmarks.figures import Figure, Goal

AT_ONCE = 50
FEW = 1000
WHO = "a-worker-of-the-benchmarks"


@dataclass(eq=False)
class Place:
    "A store in which as many come as are taken, so that the number of those who wait stays."

    url: str
    backends: object = tuple  # () -> the processes that the database spends for us
    first: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self):
        self.store = open_store(self.url)
        self.store.states.register(["crm", "other"])

    def fill(self, count, **more):
        with self._alone(count):
            filling.waiting(self.url, count, first=self._next(count), **more)

    def finish(self, count):
        with self._alone(count):
            filling.finished(self.url, count, first=self._next(count))

    @contextlib.contextmanager
    def _alone(self, count):
        # A great fill wants the file for itself.
        if count >= filling.MANY:
            self.store.close()
        yield
        if count >= filling.MANY:
            self.store = open_store(self.url)

    def _next(self, count):
        first = next(self.first)
        self.first = itertools.count(first + count)
        return first

    def turn(self, settlements, wanted):
        "One turn: what it came to, its CPU in ms (ours and the database's), and its time in ms."
        backends = self.backends()
        before = time.process_time() + _spent(backends), time.perf_counter()
        turned = self.store.queue.turn(WHO, settlements, wanted, _advance)
        after = time.process_time() + _spent(backends), time.perf_counter()
        return turned, [1000 * (b - a) for a, b in zip(before, after, strict=True)]

    def once(self):
        "Claim fifty and settle them; return the costs of both."
        claimed, claim = self.turn([], {"crm": AT_ONCE, "other": AT_ONCE})
        assert len(claimed.claims) == AT_ONCE
        settled, settle = self.turn([_settlement(claim, self.store.now()) for claim in claimed.claims], {})
        assert len(settled.settled) == AT_ONCE
        self.fill(AT_ONCE)
        return claim, settle


def _advance(state, outcomes, now):
    return policy.advance(state, outcomes, now, lambda: 0.5)


def _settlement(claim, now):
    link = Link("crm", claim.customer, claim.customer, "a", now, claim.event, "h", "m")
    return Settlement(
        claim, Delivered("created", claim.customer), "delivered", None, "", spent=True, maybe_sent=False,
        started_at=now, took_ms=20, mapping_hash="m", link=link,
    )  # fmt: skip


def _spent(pids):
    "CPU seconds of these processes, by the nanosecond."
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def claims_sqlite(bench):
    "Line 6, on SQLite."
    folder = bench.room()
    try:
        few, many = (f"sqlite:///{folder}/{name}.db" for name in ("few", "many"))
        upgrade(few)
        upgrade(many)
        yield from _compared(bench, "SQLite", Place(few), Place(many), lambda: None)
    finally:
        shutil.rmtree(folder)


def claims_postgres(bench):
    "Line 6, on PostgreSQL, whose own CPU counts."
    with stage.postgres() as (few, cluster), stage.postgres() as (many, _):

        def tidy():
            for url in (few, many):
                filling.alone(url, "VACUUM ANALYZE")  # as its autovacuum does within minutes

        places = [Place(url, _backends(url, cluster)) for url in (few, many)]
        yield from _compared(bench, "PostgreSQL", *places, tidy)


def _backends(url, cluster):
    name = url.rpartition("/")[2].partition("?")[0]
    asked = f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND backend_type = 'client backend'"
    return lambda: [pid for (pid,) in cluster.sql(asked)]


def _compared(bench, engine, few, many, tidy):
    million, millions = bench.some(1_000_000, 100_000), bench.some(5_000_000, 300_000)
    many.store.states.pause("other", None, "a benchmark")
    few.fill(FEW)
    steps = {
        "waiting": (f"{million:,} waiting", lambda: many.fill(million)),
        "paused": (f"and {million:,} more for a paused target", lambda: many.fill(million, target="other")),
        "finished": (f"and {millions:,} finished", lambda: many.finish(millions)),
    }
    for name, (where, step) in steps.items():
        step()
        tidy()
        yield from _figures(bench, f"{engine.lower()}_{name}", f"{engine}, {where}", few, many)
    for place in (few, many):
        place.store.close()


def _figures(bench, key, where, few, many):
    seen = {few: [], many: []}
    for place in (few, many):
        place.once()
    for _ in range(bench.rounds):
        rounds = {few: [], many: []}
        for _ in range(bench.some(15, 8)):
            for place in (few, many):
                rounds[place].append(place.once())
        for place, turns in rounds.items():
            seen[place].append(
                [[statistics.median(turn[what][how] for turn in turns) for what in (0, 1)] for how in (0, 1)]
            )
    column = lambda place, how, what: [one[how][what] for one in seen[place]]  # noqa: E731
    beside, goal = f"a store where {FEW:,} wait", Goal("ratio", "at most", 1.5)
    for what, name in enumerate(("claim", "settlement")):
        yield Figure(
            6,
            f"{name}_{key}",
            f"CPU of a {name} of 50: {where}",
            "ms",
            column(many, 0, what),
            column(few, 0, what),
            beside,
            goal,
        )
    took = [[sum(one[1]) for one in seen[place]] for place in (many, few)]
    yield Figure(6, f"turn_{key}", f"time of both: {where}", "ms", *took, beside)

"""Answer operators and their monitors: is the process up, can it store, is a worker there, how much is waiting."""

import threading
import time
from collections.abc import Callable, Iterable

from flask import Blueprint, Response

from connector.errors import StoreError
from connector.store import Store
from connector.web.problem import answer
from connector.web.tally import Labels, Tally

_HELP = {
    "flavours_webhooks_total": ("counter", "Webhooks taken in by this process, by what became of them."),
    "flavours_error_webhooks_total": ("counter", "Error Webhooks that Flavours sent to this process."),
    "flavours_events": ("gauge", "Events in the store by state."),
    "flavours_deliveries": ("gauge", "Deliveries in the store by target and state."),
    "flavours_workers": ("gauge", "Workers by whether they gave a sign of life within their lease."),
}


_SHARE = 50  # counting may take so small a part of the time

Counts = dict[tuple[str, Labels], int]


class Count:
    """Count what is in the store, but not all the time: at millions of rows it takes seconds, and monitors ask often."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._counted: Counts = {}
        self._again = float("-inf")
        self._counting = threading.Lock()

    def __call__(self) -> Counts:
        """Return the counts, of now or of a little before. Raises StoreBusy."""
        with self._counting:
            began = self._clock()
            if began >= self._again:
                self._counted = self._now()
                self._again = self._clock() + _SHARE * (self._clock() - began)
            return self._counted

    def _now(self) -> Counts:
        desk = self._store.desk
        states = {("flavours_events", (("state", state),)): n for state, n in desk.event_counts().items()}
        return states | {
            ("flavours_deliveries", (("target", target), ("state", state))): n
            for (target, state), n in desk.counts().items()
        }


def ops(store: Store, tally: Tally) -> Blueprint:
    """Make /healthz, /readyz and /metrics."""
    routes, count = Blueprint("ops", __name__), Count(store)
    routes.add_url_rule("/healthz", "healthz", lambda: answer(200, {"status": "ok"}))
    routes.add_url_rule("/readyz", "readyz", lambda: _readyz(store))
    routes.add_url_rule("/metrics", "metrics", lambda: _metrics(store, tally, count))
    return routes


def _readyz(store: Store) -> Response:
    workers: dict[str, int] = {}

    def alive() -> bool:
        workers.update(_workers(store))
        return workers["alive"] > 0

    checks = {
        "store": _line(store.writable, ""),
        "schema": _line(store.schema_current, "not this program's: run `connector db upgrade`"),
        "worker": _line(alive, "no sign of life: is `connector worker` running?"),
    }
    ready = all(line == "ok" for line in checks.values())
    facts = {"status": "ready" if ready else "not ready", "checks": checks}
    return answer(200 if ready else 503, facts | ({"workers": workers} if workers else {}))


def _workers(store: Store) -> dict[str, int]:
    # Counted only: anybody may ask, and their names tell the names of machines.
    alive = [sign.alive for sign in store.leases.signs()]
    return {"alive": alive.count(True), "silent": alive.count(False)}


def _line(holds: Callable[[], bool | None], cure: str) -> str:
    try:
        return cure if holds() is False else "ok"
    except StoreError as problem:
        return str(problem)


def _metrics(store: Store, tally: Tally, count: Count) -> Response:
    """Write the Prometheus text format, version 0.0.4."""
    found: Counts = tally.counts() | count()
    for state, workers in _workers(store).items():
        found["flavours_workers", (("state", state),)] = workers
    lines = [line for name in _HELP for line in _family(name, found)]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _family(name: str, found: Counts) -> Iterable[str]:
    kind, text = _HELP[name]
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for (owner, labels), count in sorted(found.items()):
        if owner == name:
            # Names of sources and targets are plain words (the configuration sees to it): nothing to escape.
            named = ",".join(f'{key}="{value}"' for key, value in labels)
            yield f"{name}{{{named}}} {count}"

"""Share one target's request limit among all workers: each request has its turn in one row (GCRA)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from connector.store import bulk
from connector.store.engine import Engine
from connector.store.tables import turns

JUMP = 10_000  # milliseconds; two workers that ask at once may differ by less, for a write waits 8 s at most


@dataclass(frozen=True, slots=True)
class _Order:
    target: str
    count: int
    every: float
    burst: int
    now: int


class Turns:
    """Give the turns of one target (see targets/base.py), by the store's clock."""

    def __init__(self, engine: Engine, clock: Callable[[], int], target: str) -> None:
        self._engine, self._clock, self._target = engine, clock, target

    def reserve(self, count: int, every: float, burst: int) -> float:
        """Take the next `count` turns, `every` seconds apart; return the seconds until the first.

        Less than 0: it could have been taken so long ago, which is how a burst is given. Raises StoreBusy.
        """
        wait: float = self._engine.write(_reserve, _Order(self._target, count, every, burst, self._clock()))
        return wait


def _reserve(connection: sa.Connection, orders: Sequence[_Order]) -> list[float]:
    bulk.lock(connection, {("turns", order.target) for order in orders})
    return [_reserved(connection, order) for order in orders]


def _reserved(connection: sa.Connection, order: _Order) -> float:
    every = order.every * 1000
    first = max(_next(connection, order), order.now - (order.burst - 1) * every)
    row = {"target": order.target, "next_at": first + order.count * every, "asked_at": order.now}
    bulk.insert(connection, turns, [row], over=("target",))
    return (first - order.now) / 1000


def _next(connection: sa.Connection, order: _Order) -> float:
    ask = sa.select(turns.c.next_at, turns.c.asked_at).where(turns.c.target == order.target)
    row = connection.execute(ask).first()
    if row is None:
        return float("-inf")
    # The clock was put back: what was reserved goes back with it, or everybody would wait for the old time to come.
    back = row.asked_at - order.now
    return float(row.next_at - back if back > JUMP else row.next_at)

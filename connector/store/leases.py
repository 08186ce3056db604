"""Keep the workers' signs of life, and take back what a lost worker held."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from connector.store import bulk, lanes
from connector.store.engine import Engine
from connector.store.lanes import arrange
from connector.store.tables import RUNNING, UNFINISHED, deliveries, targets, workers
from connector.store.turns import JUMP


@dataclass(frozen=True, slots=True)
class Sign:
    """Hold a worker's last sign of life: when it was (epoch ms), and whether its lease has ended since."""

    worker: str
    seen_at: int
    alive: bool


class Leases:
    """Renew leases by a beat per worker; tell who is silent."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def beat(self, owner: str, lease_ms: int) -> None:
        """Give a sign of life, which renews every lease of this worker. Raises StoreBusy."""
        self._engine.write(_beat, (owner, lease_ms, self._clock()))

    def beats(self) -> dict[str, int]:
        """Return each owner of running deliveries, and each worker, with its last beat (0 when it has none)."""
        running = sa.select(deliveries.c.owner).where(RUNNING).distinct()

        def ask(connection: sa.Connection) -> dict[str, int]:
            known = {row.owner: row.beat for row in connection.execute(sa.select(workers.c.owner, workers.c.beat))}
            return {owner: 0 for owner in connection.execute(running).scalars() if owner} | known

        return self._engine.read(ask)

    def reclaim(self, owner: str, beat: int, waits: Mapping[str, int]) -> int:
        """Take back everything a lost worker held, unless it has beaten again; return how many deliveries.

        Each may have been sent, so it begins with the look-up, after its target's wait (milliseconds in `waits`).
        """
        count: int = self._engine.write(_reclaim, (owner, beat, dict(waits), self._clock()))
        return count

    def leave(self, owner: str) -> None:
        """Forget a worker that ends in order; what it still holds comes back by the lease."""
        self._engine.write(_leave, owner)

    def signs(self) -> list[Sign]:
        """Return the last sign of life of each worker that did not leave in order, the newest first."""
        ask = sa.select(workers.c.owner, workers.c.seen_at, workers.c.lease_ms).order_by(workers.c.seen_at.desc())
        now = self._clock()
        rows = self._engine.read(lambda c: list(c.execute(ask)))
        return [Sign(owner, seen_at, now - seen_at <= lease_ms) for owner, seen_at, lease_ms in rows]


def _beat(connection: sa.Connection, beats: Sequence[tuple[str, int, int]]) -> list[None]:
    _follow_the_clock(connection, max(now for *_, now in beats))
    for owner, lease_ms, now in beats:
        row = {"owner": owner, "beat": 0, "seen_at": now, "lease_ms": lease_ms}
        bulk.insert(connection, workers, [row], once=True)
        mine = sa.update(workers).where(workers.c.owner == owner)
        connection.execute(mine.values(beat=workers.c.beat + 1, seen_at=now))
    return [None] * len(beats)


def _follow_the_clock(connection: sa.Connection, now: int) -> None:
    # A clock that is put back would keep everybody waiting for the old time to come; what it was shows at the beats.
    if _put_back(connection, now) <= JUMP:
        return
    bulk.lock(connection, {("clock", "")})
    back = _put_back(connection, now)  # another worker may just have seen to it
    if back <= JUMP:
        return
    sooner = sa.case((deliveries.c.due_at - back < now, now), else_=deliveries.c.due_at - back)
    connection.execute(sa.update(deliveries).where(UNFINISHED, deliveries.c.due_at > now).values(due_at=sooner))
    connection.execute(sa.update(targets).where(targets.c.until > now).values(until=targets.c.until - back))
    connection.execute(sa.update(workers).values(seen_at=workers.c.seen_at - back))


def _put_back(connection: sa.Connection, now: int) -> int:
    return (connection.execute(sa.select(sa.func.max(workers.c.seen_at))).scalar() or now) - now


def _leave(connection: sa.Connection, owners: Sequence[str]) -> list[None]:
    connection.execute(sa.delete(workers).where(workers.c.owner.in_(owners)))
    return [None] * len(owners)


def _reclaim(connection: sa.Connection, orders: Sequence[tuple[str, int, dict[str, int], int]]) -> list[int]:
    return [_reclaim_one(connection, *order) for order in orders]


def _reclaim_one(connection: sa.Connection, owner: str, beat: int, waits: dict[str, int], now: int) -> int:
    mine = (deliveries.c.owner == owner, RUNNING)
    held = sa.select(deliveries.c.id, deliveries.c.target, deliveries.c.customer).where(*mine)
    lanes.lock(connection, {(row.target, row.customer) for row in connection.execute(held)})
    today = connection.execute(sa.select(workers.c.beat).where(workers.c.owner == owner).with_for_update()).scalar()
    if today is not None and today != beat:
        return 0
    rows = connection.execute(held.order_by(deliveries.c.id).with_for_update()).all()
    for row in rows:
        lost = sa.update(deliveries).where(deliveries.c.id == row.id)
        due = now + waits.get(row.target, 0)
        connection.execute(lost.values(state="pending", owner=None, maybe_sent=True, due_at=due))
    arrange(connection, {(row.target, row.customer) for row in rows})
    probing = (targets.c.prober == owner, targets.c.state == "probing")
    connection.execute(sa.update(targets).where(*probing).values(state="paused", until=now, prober=None))
    connection.execute(sa.delete(workers).where(workers.c.owner == owner))
    return len(rows)

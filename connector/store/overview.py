"""Say how things are without reading everything: capped counts, and ranges of ids found by their time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.store.desk import DELIVERY, Row
from connector.store.engine import Engine
from connector.store.tables import PENDING, RARE, attempts, deliveries, deliveries_in, events, targets

MOST = 1000  # counted one by one; more is said as "1,000+"
WINDOW = 20_000  # deliveries looked at for one page of a list
THROUGH = ("created", "updated", "unchanged")  # what a try came to that the target took


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one page of deliveries; `further` is the id to go on from, None at the end."""

    rows: list[Row]
    further: int | None


class Span(NamedTuple):
    """Hold a range of ids: from `first` on, up to `end`, which is not in it any more (None: to the newest)."""

    first: int
    end: int | None

    def before(self, asked: int | None) -> int | None:
        """Return the id that a page of this range ends before, when a page before `asked` is wanted."""
        return min((one for one in (asked, self.end) if one is not None), default=None)


class Overview:
    """Answer what the home page and the lists ask; every answer takes milliseconds at a million deliveries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self) -> dict[str, int]:
        """Count pending, running, held and failed deliveries, each up to 1,000."""
        states = ("pending", "running", "held", "failed")
        return self._engine.read(lambda c: {state: _count(c, deliveries_in(state)) for state in states})

    def oldest_waiting(self) -> Row | None:
        """Return the oldest of the pending deliveries that are due first, one of each target.

        As `id`, `event_id`, `created_at`; None when nothing waits.
        """
        first = sa.select(deliveries.c.id).where(deliveries.c.target == targets.c.name, PENDING)
        first = first.order_by(deliveries.c.due_at, deliveries.c.id).limit(1).correlate(targets)
        ask = sa.select(deliveries.c.id, deliveries.c.event_id, deliveries.c.created_at)
        ask = ask.where(deliveries.c.id.in_(sa.select(first.scalar_subquery()).select_from(targets)))
        oldest = self._first(ask.order_by(deliveries.c.id).limit(1))
        if oldest is not None:
            return oldest
        # A target that no worker has seen yet has no row of its own.
        any_one = sa.select(deliveries.c.id, deliveries.c.event_id, deliveries.c.created_at).where(PENDING)
        return self._first(any_one.order_by(deliveries.c.target, deliveries.c.due_at, deliveries.c.id).limit(1))

    def arrived(self, since: Sequence[int]) -> list[int]:
        """Return how many events arrived between each time (epoch ms) and the next, by their ids; the last: till now."""

        def ask(connection: sa.Connection) -> list[int]:
            newest = int(connection.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0)
            starts = [first_since(connection, events.c.id, events.c.received_at, at, newest) for at in since]
            return [after - start for start, after in zip(starts, [*starts[1:], newest + 1], strict=True)]

        return self._engine.read(ask)

    def became(self, since: int) -> dict[str, int]:
        """Count by state the deliveries made since a time (epoch ms), the newest 10,000 at most."""

        def ask(connection: sa.Connection) -> dict[str, int]:
            newest = int(connection.execute(sa.select(sa.func.max(deliveries.c.id))).scalar() or 0)
            start = first_since(connection, deliveries.c.id, deliveries.c.created_at, since, newest)
            start = max(start, newest - 10 * MOST + 1)
            grouped = sa.select(deliveries.c.state, sa.func.count()).where(deliveries.c.id >= start)
            return {str(row[0]): int(row[1]) for row in connection.execute(grouped.group_by(deliveries.c.state))}

        return self._engine.read(ask)

    def last_of(self, sources: Sequence[str]) -> dict[str, int | None]:
        """Return when the last event of each source arrived (epoch ms), looking at the newest 20,000."""

        def ask(connection: sa.Connection) -> dict[str, int | None]:
            newest = int(connection.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0)
            recent = sa.select(events.c.received_at).where(events.c.id > newest - WINDOW).order_by(events.c.id.desc())
            return {
                name: connection.execute(recent.where(events.c.source == name).limit(1)).scalar() for name in sources
            }

        return self._engine.read(ask)

    def last_delivered(self) -> dict[str, int]:
        """Return when a try last came through to each target (epoch ms), looking at the newest 20,000 tries."""

        def ask(connection: sa.Connection) -> dict[str, int]:
            newest = int(connection.execute(sa.select(sa.func.max(attempts.c.id))).scalar() or 0)
            through = sa.select(deliveries.c.target, sa.func.max(attempts.c.started_at)).join(deliveries)
            through = through.where(attempts.c.id > newest - WINDOW, attempts.c.outcome.in_(THROUGH))
            return {str(row[0]): int(row[1]) for row in connection.execute(through.group_by(deliveries.c.target))}

        return self._engine.read(ask)

    def between(self, since: int | None, until: int | None) -> tuple[Span, Span]:
        """Return the ids of the events, and of the deliveries, that came at or after `since` and before `until`.

        Both are times in epoch milliseconds; None: there is no such end.
        """

        def ask(connection: sa.Connection, ids: sa.Column[int], times: sa.Column[int]) -> Span:
            newest = int(connection.execute(sa.select(sa.func.max(ids))).scalar() or 0)
            low, high = (
                None if at is None else first_since(connection, ids, times, at, newest) for at in (since, until)
            )
            return Span(low or 1, high)

        return (
            self._engine.read(lambda c: ask(c, events.c.id, events.c.received_at)),
            self._engine.read(lambda c: ask(c, deliveries.c.id, deliveries.c.created_at)),
        )

    def deliveries(self, wanted: Mapping[str, str], before: int | None, limit: int = 50, first: int = 1) -> Page:
        """Return a page of deliveries, newest first, with the states, target or sync `wanted`; `first` is the least id.

        Those in rare states have an index; the others are found by walking over 20,000 at most: a page may hold less
        than `limit` and still go `further`.
        """

        def ask(connection: sa.Connection) -> Page:
            newest = int(connection.execute(sa.select(sa.func.max(deliveries.c.id))).scalar() or 0)
            upper = newest + 1 if before is None else before
            rare = wanted.get("state") in RARE
            lower = max(first, 0 if rare else upper - WINDOW)
            asked = sa.select(*DELIVERY).join(events).where(deliveries.c.id < upper)
            asked = asked if rare and first == 1 else asked.where(deliveries.c.id >= lower)
            for name, value in wanted.items():
                asked = asked.where(deliveries_in(value) if name == "state" else deliveries.c[name] == value)
            found = connection.execute(asked.order_by(deliveries.c.id.desc()).limit(limit))
            rows: list[Row] = [dict(row._mapping) for row in found]
            if len(rows) == limit:
                return Page(rows, int(rows[-1]["id"]))
            return Page(rows, lower if lower > first else None)

        return self._engine.read(ask)

    def of_events(self, ids: Sequence[int]) -> list[Row]:
        """Return the deliveries of these events, newest first."""
        ask = sa.select(*DELIVERY).join(events).where(deliveries.c.event_id.in_(ids))
        ask = ask.order_by(deliveries.c.id.desc()).limit(10 * len(ids) + 1)
        return self._engine.read(lambda c: [dict(row._mapping) for row in c.execute(ask)])

    def _first(self, ask: sa.Select[Any]) -> Row | None:
        row = self._engine.read(lambda c: c.execute(ask).first())
        return None if row is None else dict(row._mapping)


def _count(connection: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    some = sa.select(sa.literal(1)).select_from(deliveries).where(where).limit(MOST).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar() or 0)


def first_since(connection: sa.Connection, ids: sa.Column[int], times: sa.Column[int], at: int, newest: int) -> int:
    """Return the first id at or after a time: ids and times grow together, so a handful of looks is enough."""
    low, high = 1, newest + 1
    while low < high:
        middle = (low + high) // 2
        ask = sa.select(ids, times).where(ids >= middle).order_by(ids).limit(1)
        row = connection.execute(ask).first()
        if row is None or row[1] >= at:
            high = middle
        else:
            low = row[0] + 1
    return low

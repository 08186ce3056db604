"""Find events by what people know of a customer; the keys are written behind the ack, in small steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector.store import bulk, erasing, finding
from connector.store.engine import Engine
from connector.store.tables import events, marks, search_keys

STEP = 100  # events in one transaction: well under 50 ms, so that the door is never kept waiting
MARK = "search"
LATE = 20_000  # ms after which an id that is missing was never used: a transaction is not left open for so long


@dataclass(frozen=True, slots=True)
class _Keys:
    """Hold the keys of some events: by what they carry, and by their ids alone, in case that they were emptied."""

    found: Mapping[int, tuple[set[str], set[str]]]
    upto: int


class Search:
    """Write what events are found by, and find them."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def follow(self) -> int:
        """Write the keys of the next events, 100 at most, and return how many events these were. Raises StoreBusy."""
        last = self._engine.read(_mark)
        ask = sa.select(events.c.id, events.c.xid, events.c.customer, events.c.body, events.c.received_at)
        ask = ask.where(events.c.id > last).order_by(events.c.id).limit(STEP)
        found = _unbroken(self._engine.read(lambda c: list(c.execute(ask))), last, self._clock())
        if found:
            made = {
                row.id: (finding.keys(row.body, row.xid, row.customer), finding.keys(None, row.xid, row.customer))
                for row in found
            }
            self._engine.write(_keep_many, _Keys(made, found[-1].id))
        return len(found)

    def behind(self) -> int:
        """Return how many events, about, cannot be found yet."""
        newest = sa.select(sa.func.max(events.c.id))
        return self._engine.read(lambda c: max(0, int(c.execute(newest).scalar() or 0) - _mark(c)))

    def events(self, text: str, limit: int = 50, before: int | None = None) -> list[int]:
        """Return the ids of the events that a text finds, newest first; `before` is an id to page on from.

        The text is a name (one word or several), a phone in any spelling, an e-mail, a tax number, an xid or a
        customer's id.
        """
        wanted = finding.asked(text)
        if not wanted:
            return []
        first = search_keys.alias()
        ask = sa.select(first.c.event_id).distinct().where(first.c.key.in_(sorted(wanted[0])))
        for more in wanted[1:]:
            also = search_keys.alias()
            ask = ask.where(sa.exists().where(also.c.key.in_(sorted(more)), also.c.event_id == first.c.event_id))
        ask = ask if before is None else ask.where(first.c.event_id < before)
        ask = ask.order_by(first.c.event_id.desc()).limit(limit)
        return self._engine.read(lambda c: list(c.execute(ask).scalars()))


def not_yet(connection: sa.Connection, most: int) -> int:
    """Return the first event id that cannot be found by its keys yet; of more than `most` such, of the newest ones."""
    newest = int(connection.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0)
    return max(_mark(connection), newest - most) + 1


def _mark(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(marks.c.value).where(marks.c.name == MARK)).scalar() or 0)


def _unbroken(rows: Sequence[Any], last: int, now: int) -> list[Any]:
    """Return the rows up to a gap that may still be filled: another machine may commit a smaller id later."""
    found: list[Any] = []
    for row in rows:
        if row.id != last + 1 and now - row.received_at < LATE:
            break
        found.append(row)
        last = row.id
    return found


_FULL = bulk.gather(
    sa.select(events.c.id, events.c.body.is_not(None)).where(events.c.id.in_(sa.bindparam("ids", expanding=True)))
)


def _rows(connection: sa.Connection, step: _Keys) -> list[dict[str, Any]]:
    # What was read may have been purged meanwhile, or forgotten: nothing of it must come back as a key.
    full = {row[0]: bool(row[1]) for row in bulk.rows(connection, _FULL, ids=list(step.found))}
    return [
        {"key": key, "event_id": number}
        for number, (carried, bare) in step.found.items()
        if number in full
        for key in sorted(carried if full[number] else bare)
    ]


def _keep_many(connection: sa.Connection, steps: Sequence[_Keys]) -> list[None]:
    bulk.lock(connection, {erasing.SEARCH})
    for step in steps:
        bulk.insert(connection, search_keys, _rows(connection, step), once=True)
        further = sa.update(marks).where(marks.c.name == MARK, marks.c.value < step.upto).values(value=step.upto)
        if not connection.execute(further).rowcount:
            bulk.insert(connection, marks, [{"name": MARK, "value": step.upto}], once=True)
    return [None] * len(steps)

"""Keep what came in no longer than told: bodies are emptied, old rows deleted, in steps that nobody has to wait for.

Events are walked by their id, which grows with their time: a mark says how far, so that a step costs the same however
much is stored. What is past its time and not finished is set aside (`overdue`) and looked at again every few hours.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from connector.store import bulk, erasing
from connector.store.engine import Engine
from connector.store.overview import first_since
from connector.store.tables import audit, deliveries, events, marks, overdue

AGAIN = 6 * 3_600_000  # ms until what is not finished is looked at again
DAY = 86_400_000
SETTLED = 60_000  # ms; younger than this, another machine may still commit a smaller id
MOST, FEWEST, FIRST = 200, 5, 50  # events in one step
LONG, SHORT = 0.020, 0.008  # seconds of one step: beyond it is made smaller, below it larger
BYTES = 1 << 20  # of bodies in one step
_UNFINISHED = ("pending", "blocked", "running", "held")


@dataclass(frozen=True, slots=True)
class Cuts:
    """Say since when (epoch ms) bodies are kept, and whole events; `ledger` is not after `bodies`."""

    bodies: int
    ledger: int


@dataclass(frozen=True, slots=True)
class Step:
    """Count what one step did: bodies emptied, rows deleted (events, and notes of the audit log), events set aside.

    `passed` is how far the walk came, in ids; `more` is false when nothing is left to do now, for nobody.
    """

    emptied: int = 0
    deleted: int = 0
    notes: int = 0
    aside: int = 0
    passed: int = 0
    more: bool = False

    def __add__(self, other: "Step") -> "Step":
        return Step(
            self.emptied + other.emptied,
            self.deleted + other.deleted,
            self.notes + other.notes,
            self.aside + other.aside,
            self.passed + other.passed,
            other.more,
        )


@dataclass(frozen=True, slots=True)
class _Order:
    cuts: Cuts
    now: int
    until: int  # what was set aside is looked at again when it is due before this
    most: int
    marks: tuple[int, int] = (0, 0)  # how far the walks over bodies and over whole events came
    firm: bool = True  # False: only look


@dataclass(frozen=True, slots=True)
class _Plan:
    """Say what a step is to do: ids to empty, to delete, to set aside, to set aside no more, and the marks after it."""

    marks: tuple[int, int]
    passed: int = 0
    empty: Sequence[int] = ()
    delete: Sequence[int] = ()
    aside: Sequence[int] = ()
    done: Sequence[int] = ()


class Keeping:
    """Purge a step at a time; many processes may do it at once, one of them does each step."""

    def __init__(
        self, engine: Engine, clock: Callable[[], int], stopwatch: Callable[[], float] = time.perf_counter
    ) -> None:
        self._engine, self._clock, self._stopwatch = engine, clock, stopwatch
        self._most = FIRST

    def cuts(self, bodies: float, ledger: float, older_than: float | None = None) -> Cuts:
        """Return the cuts for so many seconds; `older_than` takes the place of `bodies`, and nothing younger goes."""
        now = self._clock()
        age = bodies if older_than is None else older_than
        return Cuts(now - max(int(age * 1000), SETTLED), now - max(int(max(age, ledger) * 1000), SETTLED))

    def step(self, cuts: Cuts, since: int | None = None) -> Step:
        """Do the next step, within some 20 ms; `more` tells whether there is another. Raises StoreBusy.

        `since`: when a person asked for it (epoch ms). What was set aside before that is looked at too.
        """
        now = max(self._clock(), since or 0)
        order = _Order(cuts, now, now if since is None else since + AGAIN, self._most)
        step, took = self._engine.write(_timed(self._stopwatch), order)
        if took > LONG:
            self._most = max(FEWEST, self._most // 2)
        elif took < SHORT:
            self._most = min(MOST, self._most * 2)
        done: Step = step
        return done

    def would(self, cuts: Cuts) -> Iterator[Step]:
        """Yield what steps would do, and do nothing."""
        now = self._clock()
        bodies, ledger = self._engine.read(_marks)
        order = _Order(cuts, now, now, 1000, (bodies, ledger), firm=False)
        for walk in (_by_age, _by_body):
            while (plan := self._engine.read(partial(walk, order=order))) is not None:
                yield _counted(plan)
                order = replace(order, marks=plan.marks)
        waiting = self._engine.read(lambda c: list(c.execute(sa.select(overdue.c.event_id)).scalars()))
        for first in range(0, len(waiting), order.most):
            ids = waiting[first : first + order.most]
            yield _counted(self._engine.read(partial(_again, order=order, ids=ids)))
        old = sa.select(sa.func.count()).select_from(audit).where(audit.c.at < cuts.ledger)
        yield Step(notes=self._engine.read(lambda c: c.execute(old).scalar_one()))

    def ahead(self, cuts: Cuts) -> int:
        """Return how far the walks have to go, in ids: what `passed` of all steps adds up to."""

        def ask(connection: sa.Connection) -> int:
            bodies, ledger = _marks(connection)
            newest = int(connection.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0)
            to = [first_since(connection, events.c.id, events.c.received_at, at, newest) - 1 for at in _pair(cuts)]
            deleted = max(0, to[1] - ledger)
            return deleted + max(0, to[0] - max(bodies, ledger, to[1]))

        return self._engine.read(ask)


def _pair(cuts: Cuts) -> tuple[int, int]:
    return cuts.bodies, cuts.ledger


def _timed(stopwatch: Callable[[], float]) -> Callable[[sa.Connection, Sequence[_Order]], list[tuple[Step, float]]]:
    def run(connection: sa.Connection, orders: Sequence[_Order]) -> list[tuple[Step, float]]:
        done = []
        for order in orders:
            began = stopwatch()
            step = _step(connection, order)
            done.append((step, stopwatch() - began))
        return done

    return run


_NAMES = ("keep bodies", "keep ledger")
_MARKS = sa.select(marks.c.name, marks.c.value).where(marks.c.name.in_(_NAMES)).order_by(marks.c.name)


def _marks(connection: sa.Connection) -> tuple[int, int]:
    found = {row.name: int(row.value) for row in connection.execute(_MARKS)}
    return found.get(_NAMES[0], 0), found.get(_NAMES[1], 0)


def _taken(connection: sa.Connection) -> tuple[int, int] | None:
    """Return both marks, to be moved by us alone; None while another process moves them."""
    ask = _MARKS.with_for_update(skip_locked=True)
    found = connection.execute(ask).all()
    if len(found) < len(_NAMES):
        bulk.insert(connection, marks, [{"name": name, "value": 0} for name in _NAMES], once=True)
        found = connection.execute(ask).all()
    return (int(found[0].value), int(found[1].value)) if len(found) == len(_NAMES) else None


def _step(connection: sa.Connection, order: _Order) -> Step:
    taken = _taken(connection)
    if taken is None:
        return Step(more=True)  # another process does this one
    order = replace(order, marks=taken)
    plan = _by_age(connection, order) or _by_body(connection, order) or _due(connection, order)
    if plan is None:
        return Step(notes=(notes := _forget_notes(connection, order)), more=notes > 0)
    erasing.delete(connection, plan.delete)
    erasing.empty(connection, plan.empty)
    _set_aside(connection, order, plan)
    for name, before, after in zip(_NAMES, taken, plan.marks, strict=True):
        if after != before:
            connection.execute(sa.update(marks).where(marks.c.name == name).values(value=after))
    return _counted(plan)


def _counted(plan: _Plan) -> Step:
    return Step(len(plan.empty), len(plan.delete), aside=len(plan.aside), passed=plan.passed, more=True)


_EVENT = (events.c.id, events.c.received_at, sa.func.length(events.c.body).label("bytes"))
_PAGE = bulk.gather(
    sa.select(*_EVENT)
    .where(events.c.id > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(events.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_THESE = bulk.gather(sa.select(*_EVENT).where(events.c.id.in_(sa.bindparam("ids", expanding=True))))


def _by_age(connection: sa.Connection, order: _Order) -> _Plan | None:
    """Plan the next step over events that are older than the ledger is kept; None at its end."""
    bodies, after = order.marks
    page = _old(connection, order, after, order.cuts.ledger)
    if not page:
        return None
    ready, aside = _parted(connection, order, page, order.cuts.ledger)
    return _Plan((bodies, page[-1][0]), page[-1][0] - after, delete=ready, aside=aside)


def _by_body(connection: sa.Connection, order: _Order) -> _Plan | None:
    """Plan the next step over events that are older than bodies are kept; None at its end."""
    after = max(order.marks)
    page = _old(connection, order, after, order.cuts.bodies)
    if not page:
        return None
    ready, aside = _parted(connection, order, page, order.cuts.bodies)
    full = {number for number, _, size in page if size is not None}
    marks_then = (page[-1][0], order.marks[1])
    return _Plan(marks_then, page[-1][0] - after, empty=[number for number in ready if number in full], aside=aside)


def _old(connection: sa.Connection, order: _Order, after: int, cut: int) -> list[list[Any]]:
    """Return the events after a mark up to the last old one of a page, and not more bytes than a step may hold."""
    page = sorted(bulk.rows(connection, _PAGE, after=after, most=order.most))
    last = max((place for place, (_, at, _) in enumerate(page) if at < cut), default=-1)
    return _bounded(page[: last + 1])


def _bounded(page: list[list[Any]]) -> list[list[Any]]:
    total = 0
    for place, (_, _, size) in enumerate(page):
        total += size or 0
        if total > BYTES and place:
            return page[:place]
    return page


def _parted(
    connection: sa.Connection, order: _Order, page: Sequence[Sequence[Any]], cut: int
) -> tuple[list[int], list[int]]:
    """Part the events of a page into those that may go and those that are to be looked at again."""
    old = [row[0] for row in page if row[1] < cut]
    waits = _waiting(connection, order, old, cut)
    ready = [number for number in old if number not in waits]
    return ready, [row[0] for row in page if row[0] not in set(ready)]


_ENDS = bulk.gather(
    sa.select(deliveries.c.event_id)
    .where(
        deliveries.c.event_id.in_(sa.bindparam("ids", expanding=True)),
        sa.or_(deliveries.c.state.in_(_UNFINISHED), deliveries.c.finished_at >= sa.bindparam("late", type_=sa.BigInteger)),
    )
    .distinct()
)  # fmt: skip


def _waiting(connection: sa.Connection, order: _Order, ids: Sequence[int], cut: int) -> set[int]:
    """Return the events that are not finished, or finished so late that their time counts from then."""
    if not ids:
        return set()
    if order.firm:
        erasing.lock(connection, ids)
    late = min(cut + DAY, order.now)
    return {row[0] for row in bulk.rows(connection, _ENDS, ids=list(ids), late=late)}


def _due(connection: sa.Connection, order: _Order) -> _Plan | None:
    """Plan a look at what was set aside; None when nothing of it is due."""
    ask = sa.select(overdue.c.event_id).where(overdue.c.look_at < order.until)
    ask = ask.order_by(overdue.c.look_at, overdue.c.event_id).limit(order.most)
    ids = list(connection.execute(ask).scalars())
    return _again(connection, order, ids) if ids else None


def _again(connection: sa.Connection, order: _Order, ids: Sequence[int]) -> _Plan:
    found = sorted(bulk.rows(connection, _THESE, ids=list(ids)))
    page = _bounded(found)
    aged = [row for row in page if row[1] < order.cuts.ledger]
    delete, _ = _parted(connection, order, aged, order.cuts.ledger)
    ready, aside = _parted(connection, order, [row for row in page if row[0] not in delete], order.cuts.bodies)
    full = {row[0] for row in page if row[2] is not None}
    # Whom the walk over whole events has passed, it will not meet again.
    passed = [number for number in ready if number <= order.marks[1]]
    done = {number for number in ready if number > order.marks[1]} | (set(ids) - {row[0] for row in found})
    empty = [number for number in ready if number in full]
    return _Plan(order.marks, 0, empty, delete, aside=[*aside, *passed], done=sorted(done))


def _set_aside(connection: sa.Connection, order: _Order, plan: _Plan) -> None:
    if plan.done:
        connection.execute(sa.delete(overdue).where(overdue.c.event_id.in_(plan.done)))
    rows = [{"event_id": number, "look_at": order.now + AGAIN} for number in plan.aside]
    bulk.insert(connection, overdue, rows, over=("event_id",))


def _forget_notes(connection: sa.Connection, order: _Order) -> int:
    ask = sa.select(audit.c.id, audit.c.at).order_by(audit.c.id).limit(order.most)
    old = [row.id for row in connection.execute(ask) if row.at < order.cuts.ledger]
    if old:
        connection.execute(sa.delete(audit).where(audit.c.id.in_(old)))
    return len(old)

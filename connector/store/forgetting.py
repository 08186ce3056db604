"""Forget a customer: find all that the store holds of one, end what waits, and erase it, a few events at a time."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa

from connector.store import bulk, erasing, lanes
from connector.store.engine import Engine
from connector.store.tables import RARE_EVENT, attempts, deliveries, events, links, targets

PAGE = 5000  # ids looked at in one question
CHUNK = 50  # events erased in one transaction: well under 50 ms, so that the door is never kept waiting
BYTES = 1 << 20  # and of their bodies
WAITING = ("pending", "blocked", "held", "failed")
_IDS = re.compile(r"(?:customer|user)_id")
_GROUPS = ("customer", "user", "data")

Contact = tuple[str, str]  # a target's name, and the id of a record there


@dataclass(frozen=True, slots=True)
class Known:
    """Hold what the store knows of a customer: its events by their source, oldest first, and its contacts at targets."""

    customer: str
    events: Mapping[str, Sequence[int]] = field(default_factory=dict)
    contacts: frozenset[Contact] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.events or self.contacts)


@dataclass(frozen=True, slots=True)
class Erased:
    """Say which events were erased, and how many deliveries ended by it.

    `running` are deliveries that a worker is sending just now, or must look up because an answer was lost: their events
    were left. `uncertain` are the targets of ended ones that may have a contact of which nobody knows.
    """

    events: frozenset[int] = frozenset()
    ended: int = 0
    running: frozenset[int] = frozenset()
    contacts: frozenset[Contact] = frozenset()
    uncertain: frozenset[str] = frozenset()


class Forgetting:
    """Find and erase one customer's data."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def newest(self) -> int:
        """Return how far `find` has to look, in ids."""
        return self._engine.read(lambda c: int(c.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0))

    def find(self, customer: str, source: str | None, progress: Callable[[int], None]) -> Known:
        """Find what there is of a customer (of one source), also in what was rejected or ignored.

        No index leads from a customer to its events, for each webhook would pay for it: all are walked, without
        keeping anybody waiting. `progress` is told of every id.
        """
        found: dict[str, list[int]] = {}
        for after in range(0, self.newest(), PAGE):
            for row in self._engine.read(partial(_page, customer=customer, after=after)):
                if row.source == (source or row.source) and (row.body is None or names(row.body, customer)):
                    found.setdefault(row.source, []).append(row.id)
            progress(PAGE)
        ids = sorted(number for some in found.values() for number in some)
        return Known(customer, found, frozenset(self._engine.read(lambda c: _contacts(c, customer, ids))))

    def erase(self, ids: Sequence[int], *, firm: bool = False) -> Erased:
        """Erase the last of these events, 50 at most; those that are being sent just now are left. Raises StoreBusy.

        So are those of which an answer was lost: whoever ended them would never learn the contact's id, and who comes
        again at once might be created twice. `firm`: erase these too.
        """
        erased: Erased = self._engine.write(_erase_many, (tuple(ids[-CHUNK:]), firm, self._clock()))
        return erased

    def unlink(self, customer: str, ids: Sequence[int]) -> frozenset[Contact]:
        """Delete the customer's links, but for those that newer events made; return the contacts that they led to."""
        contacts: frozenset[Contact] = self._engine.write(_unlink_many, (customer, frozenset(ids)))
        return contacts


def names(body: bytes, customer: str) -> bool:
    """Tell whether a body that is no customer of ours carries the data of this one."""
    try:
        return _named(json.loads(body), customer, "")
    except (ValueError, RecursionError):
        spelled = "|".join(re.escape(spelling.decode()) for spelling in _spellings(customer))
        return bool(re.search(rf'id"\s*:\s*"?(?:{spelled})(?![\w-])', body.decode("utf-8", "replace")))


def _named(value: Any, customer: str, key: str) -> bool:
    if isinstance(value, list):
        return any(_named(one, customer, key) for one in value)
    if not isinstance(value, dict):
        return False
    for name, inner in value.items():
        if _IDS.fullmatch(name) or (name == "id" and key in _GROUPS):
            if isinstance(inner, str | int) and str(inner) == customer:
                return True
        elif _named(inner, customer, name):
            return True
    return False


def _spellings(customer: str) -> tuple[bytes, ...]:
    return tuple({json.dumps(customer, ensure_ascii=plain)[1:-1].encode() for plain in (True, False)})


def _page(connection: sa.Connection, customer: str, after: int) -> Sequence[Any]:
    held = sa.or_(
        *[bulk.holds(events.c.body, sa.literal(spelling, sa.LargeBinary)) for spelling in _spellings(customer)]
    )
    theirs = events.c.customer == customer
    body = sa.case((theirs, sa.null()), else_=events.c.body).label("body")
    ask = sa.select(events.c.id, events.c.source, body).where(events.c.id > after, events.c.id <= after + PAGE)
    ask = ask.where(sa.or_(theirs, sa.and_(RARE_EVENT, events.c.customer.is_(None), held))).order_by(events.c.id)
    return connection.execute(ask).all()


def _contacts(connection: sa.Connection, customer: str, ids: Sequence[int]) -> set[Contact]:
    found = {(row.target, row.remote_id) for row in _links(connection, customer, set(ids))}
    for first in range(0, len(ids), PAGE):
        sent = sa.select(deliveries.c.target, deliveries.c.remote_id).where(deliveries.c.remote_id.is_not(None))
        rows = connection.execute(sent.where(deliveries.c.event_id.in_(ids[first : first + PAGE])))
        found |= {(row.target, row.remote_id) for row in rows}
    return found


def _links(connection: sa.Connection, customer: str, ids: set[int] | frozenset[int]) -> list[Any]:
    """Return the customer's links that these events made, or events that are there no more."""
    ask = sa.select(links, sa.exists().where(events.c.id == links.c.arrival).label("there"))
    ask = ask.where(links.c.target.in_(sa.select(targets.c.name)), links.c.customer == customer)
    return [row for row in connection.execute(ask) if row.arrival in ids or not row.there]


def _erase_many(connection: sa.Connection, orders: Sequence[tuple[tuple[int, ...], bool, int]]) -> list[Erased]:
    return [_erase(connection, *order) for order in orders]


_SENT = [deliveries.c[name] for name in ("id", "event_id", "target", "state", "remote_id", "maybe_sent")]


def _erase(connection: sa.Connection, ids: Sequence[int], firm: bool, now: int) -> Erased:
    ids = _bounded(connection, ids)
    theirs = erasing.lock(connection, ids)
    sent = connection.execute(sa.select(*_SENT).where(deliveries.c.event_id.in_(ids))).all()
    running = [
        row for row in sent if row.state == "running" or (row.maybe_sent and row.state == "pending" and not firm)
    ]
    stay = {row.event_id for row in running}
    gone = [number for number in ids if number not in stay]
    ended = [row for row in sent if row.event_id not in stay and row.state in WAITING]
    erasing.empty(connection, gone, reason=erasing.FORGOTTEN)
    _silence(connection, gone)
    _end(connection, [row.id for row in ended], now)
    lanes.arrange(connection, theirs)
    return Erased(
        frozenset(gone),
        len(ended),
        frozenset(row.id for row in running),
        frozenset((row.target, row.remote_id) for row in sent if row.remote_id and row.event_id not in stay),
        frozenset(row.target for row in ended if row.maybe_sent),
    )


def _bounded(connection: sa.Connection, ids: Sequence[int]) -> list[int]:
    ask = sa.select(events.c.id, sa.func.length(events.c.body).label("bytes")).where(events.c.id.in_(ids))
    total = 0
    some: list[int] = []
    for row in connection.execute(ask.order_by(events.c.id.desc())):
        total += row.bytes or 0
        if some and total > BYTES:
            break
        some.append(row.id)
    return some


def _silence(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Leave of the deliveries of these events when they were, where to, and how they ended."""
    mine = deliveries.c.event_id.in_(ids)
    connection.execute(sa.update(attempts).where(erasing.tried(connection, ids)).values(reason=None))
    silent = {"reason": erasing.FORGOTTEN, "code": None, "warnings": sa.null(), "remote_id": None}
    connection.execute(sa.update(deliveries).where(mine).values(silent))


def _end(connection: sa.Connection, ids: Sequence[int], now: int) -> None:
    ends = {"state": "skipped", "finished_at": now, "owner": None}
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(ends))


def _unlink_many(connection: sa.Connection, orders: Sequence[tuple[str, frozenset[int]]]) -> list[frozenset[Contact]]:
    return [_unlink(connection, customer, ids) for customer, ids in orders]


def _unlink(connection: sa.Connection, customer: str, ids: frozenset[int]) -> frozenset[Contact]:
    names = connection.execute(sa.select(targets.c.name)).scalars()
    lanes.lock(connection, {(name, customer) for name in names})
    rows = _links(connection, customer, ids)
    for row in rows:
        mine = (links.c.target == row.target, links.c.customer == customer)
        connection.execute(sa.delete(links).where(*mine))
    return frozenset((row.target, row.remote_id) for row in rows)

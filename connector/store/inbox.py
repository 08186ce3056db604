"""Take events in: stored once, routed to deliveries, on disk before the door says thanks."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from connector.config import SyncConfig
from connector.errors import AlreadyStored, NotFound, Purged
from connector.models import Event
from connector.store import bulk, erasing, lanes
from connector.store.engine import Engine
from connector.store.lanes import arrange
from connector.store.tables import NOT_REJECTED, REJECTED, UNFINISHED, deliveries, events

_Name = tuple[str, str]

NO_SYNC = "no sync wants this action"

Status = Literal["accepted", "duplicate", "conflict", "ignored"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Say what became of a webhook, and under which event id it is kept."""

    status: Status
    event: int


@dataclass(frozen=True, slots=True)
class _Arrival:
    event: Event
    body: bytes
    source: str
    syncs: tuple[SyncConfig, ...]
    now: int


@dataclass(frozen=True, slots=True)
class _Route:
    event: Event
    id: int
    source: str
    syncs: Sequence[SyncConfig]
    generation: int
    now: int


@dataclass(frozen=True, slots=True)
class _Order:
    id: int
    event: Event
    syncs: Sequence[SyncConfig]
    now: int


@dataclass(frozen=True, slots=True)
class _Reject:
    source: str
    body: bytes
    reason: str
    xid: str | None
    action: str | None
    now: int


class Inbox:
    """Keep every event that arrived authenticated, once."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def accept(self, event: Event, body: bytes, source: str, syncs: Sequence[SyncConfig]) -> Receipt:
        """Store an event and its deliveries in one transaction; return after it is on disk.

        `syncs` are those that want this action; none: the event is kept as ignored. Raises StoreBusy.
        """
        arrival = _Arrival(event, body, source, tuple(syncs), self._clock())
        receipt: Receipt = self._engine.write(accept_many, arrival)
        return receipt

    def reject(self, source: str, body: bytes, reason: str, xid: str | None, action: str | None) -> int:
        """Keep a body that is not what it should be, once per body; return its event id. Raises StoreBusy."""
        event: int = self._engine.write(_reject_many, _Reject(source, body, reason, xid, action, self._clock()))
        return event

    def route_again(self, event_id: int, event: Event, syncs: Sequence[SyncConfig]) -> list[int]:
        """Route a kept event by today's syncs, as a new generation; return the new deliveries' ids.

        Raises NotFound for an unknown event, AlreadyStored when another event is the same, Purged, StoreBusy.
        """
        ids: list[int] = self._engine.write(_route_again, _Order(event_id, event, tuple(syncs), self._clock()))
        return ids


def accept_many(connection: sa.Connection, arrivals: Sequence[_Arrival]) -> list[Receipt]:
    """Store a group of arrivals; one receipt each. An arrival that comes twice in the group is stored once."""
    # Locked first, and in one order: the lanes, in which ids are the order of arrival, and the xids, so that of two
    # doors the second one sees what the first one stored.
    wanted = {lane for arrival in arrivals for lane in _lanes(arrival.event, arrival.syncs)}
    lanes.lock(connection, wanted, *{name for arrival in arrivals for name in _xid(arrival.source, arrival.event)})
    ids, kept, busy = _known(connection, arrivals)
    new: list[dict[str, Any]] = []
    found: list[tuple[Status, int]] = []
    for arrival in arrivals:
        # Whoever comes again with this identity, also later in this group, is a duplicate: without an xid never.
        siblings = {} if arrival.event.xid is None else kept.setdefault((arrival.source, arrival.event.xid), {})
        place = siblings.get(arrival.event.fingerprint)
        if place is not None:
            found.append(("duplicate", place))
            continue
        found.append((_status(arrival, bool(siblings)), len(ids) + len(new)))
        new.append(_row(arrival, bool(siblings)))
        siblings[arrival.event.fingerprint] = found[-1][1]
    ids += bulk.insert_numbered(connection, events, new)
    receipts = [Receipt(status, ids[place]) for status, place in found]
    _route(connection, [_first(a, r) for a, r in zip(arrivals, receipts, strict=True) if r.status != "duplicate"], busy)
    return receipts


def _first(arrival: _Arrival, receipt: Receipt) -> _Route:
    return _Route(arrival.event, receipt.event, arrival.source, arrival.syncs, 0, arrival.now)


def _lanes(event: Event, syncs: Sequence[SyncConfig]) -> set[lanes.Lane]:
    return {(sync.target, event.customer) for sync in syncs if event.customer is not None}


def _xid(source: str, event: Event) -> set[tuple[str, ...]]:
    return set() if event.xid is None else {("xid", source, event.xid)}


def _status(arrival: _Arrival, conflict: bool) -> Status:
    if not arrival.syncs:
        return "ignored"
    return "conflict" if conflict else "accepted"


_KEPT = sa.select(events.c.id, events.c.source, events.c.xid, events.c.fingerprint).where(
    NOT_REJECTED,
    bulk.among(events.c.source, sa.bindparam("sources", type_=sa.Text)),
    bulk.among(events.c.xid, sa.bindparam("xids", type_=sa.Text)),
)
_BUSY_LANES = sa.select(deliveries.c.target, deliveries.c.customer).where(
    bulk.among(deliveries.c.customer, sa.bindparam("customers", type_=sa.Text)), UNFINISHED
)
_KNOWN, _BUSY = bulk.together(_KEPT, _BUSY_LANES), bulk.together(_BUSY_LANES)


def _row(arrival: _Arrival, conflict: bool) -> dict[str, Any]:
    return {
        "source": arrival.source,
        "state": "accepted" if arrival.syncs else "ignored",
        "xid": arrival.event.xid,
        "fingerprint": arrival.event.fingerprint,
        "action": arrival.event.action,
        "customer": arrival.event.customer,
        "conflict": conflict,
        "received_at": arrival.now,
        "body": arrival.body,
        "reason": None if arrival.syncs else NO_SYNC,
    }


def _known(
    connection: sa.Connection, arrivals: Sequence[_Arrival]
) -> tuple[list[int], dict[_Name, dict[str, int]], set[lanes.Lane]]:
    # Ids; (source, xid) -> fingerprint -> which of these ids; the lanes of these customers in which something waits.
    xids = {a.event.xid for a in arrivals if a.event.xid is not None}
    customers = {a.event.customer for a in arrivals if a.event.customer is not None}
    sources = {a.source for a in arrivals}
    kept, busy = bulk.answers(connection, _KNOWN, xids=xids, sources=sources, customers=customers)
    names: dict[_Name, dict[str, int]] = {}
    for place, (_, source, xid, fingerprint) in enumerate(kept):
        names.setdefault((source, xid), {})[fingerprint] = place
    return [row[0] for row in kept], names, {(target, customer) for target, customer in busy}


def _route(connection: sa.Connection, routed: Sequence[_Route], busy: set[lanes.Lane]) -> None:
    rows = []
    for route in routed:
        for sync in route.syncs:
            lane = (sync.target, str(route.event.customer))
            rows.append(_delivery(route, sync, "blocked" if lane in busy else "pending"))
            busy.add(lane)
    bulk.insert(connection, deliveries, rows)


def _delivery(route: _Route, sync: SyncConfig, state: str) -> dict[str, Any]:
    return {
        "event_id": route.id,
        "source": route.source,
        "sync": sync.name,
        "target": sync.target,
        "customer": route.event.customer,
        "generation": route.generation,
        "state": state,
        "due_at": route.now,
        "created_at": route.now,
    }


_KEPT_ONE = sa.select(events.c.source, events.c.reason, events.c.body.is_(None).label("purged"))


def _route_again(connection: sa.Connection, orders: Sequence[_Order]) -> list[list[int]]:
    return [_route_one_again(connection, order) for order in orders]


def _route_one_again(connection: sa.Connection, order: _Order) -> list[int]:
    source = connection.execute(sa.select(events.c.source).where(events.c.id == order.id)).scalar()  # it never changes
    if source is None:
        raise NotFound(f"there is no event e{order.id}")
    lanes.lock(connection, _lanes(order.event, order.syncs), *_xid(source, order.event))
    kept = connection.execute(_KEPT_ONE.where(events.c.id == order.id).with_for_update()).first()
    if kept is None:
        raise NotFound(f"there is no event e{order.id}")
    if kept.purged:  # since it was read
        raise Purged(erasing.gone(kept.reason))
    event = order.event
    twin = _twin(connection, order, kept.source)
    if twin is not None:
        raise AlreadyStored(f"e{order.id} was stored again meanwhile, as e{twin}: replay that one")
    read = {"xid": event.xid, "fingerprint": event.fingerprint, "action": event.action, "customer": event.customer}
    state = {"state": "accepted", "reason": None} if order.syncs else {"state": "ignored", "reason": NO_SYNC}
    connection.execute(sa.update(events).where(events.c.id == order.id).values(**read, **state))
    routed = deliveries.c.event_id == order.id
    last = connection.execute(sa.select(sa.func.max(deliveries.c.generation)).where(routed)).scalar()
    generation = 0 if last is None else last + 1
    (busy,) = bulk.answers(connection, _BUSY, customers=[event.customer] if event.customer else [])
    route = _Route(event, order.id, kept.source, order.syncs, generation, order.now)
    _route(connection, [route], {(target, customer) for target, customer in busy})
    arrange(connection, _lanes(event, order.syncs))
    made = sa.select(deliveries.c.id).where(routed, deliveries.c.generation == generation)
    return list(connection.execute(made).scalars())


def _twin(connection: sa.Connection, order: _Order, source: str) -> int | None:
    # A rejected event has no key; today's reading may give it one that another event has.
    if order.event.xid is None:
        return None
    same = (
        events.c.source == source,
        events.c.xid == order.event.xid,
        events.c.fingerprint == order.event.fingerprint,
        NOT_REJECTED,
        events.c.id != order.id,
    )
    found: int | None = connection.execute(sa.select(events.c.id).where(*same)).scalar()
    return found


def _reject_many(connection: sa.Connection, rejects: Sequence[_Reject]) -> list[int]:
    return [_reject_one(connection, reject) for reject in rejects]


def _storable(said: str | None) -> str | None:
    # What could be read of a broken body may be broken too.
    return None if said is None else bulk.storable(said)


def _reject_one(connection: sa.Connection, reject: _Reject) -> int:
    body_hash = hashlib.sha256(reject.body).hexdigest()
    row = {
        "source": reject.source,
        "state": "rejected",
        "xid": _storable(reject.xid),
        "body_hash": body_hash,
        "action": _storable(reject.action),
        "received_at": reject.now,
        "reason": _storable(reject.reason),
        "body": reject.body,
    }
    bulk.insert(connection, events, [row], once=True)
    same = (events.c.source == reject.source, events.c.body_hash == body_hash, REJECTED)
    return int(connection.execute(sa.select(events.c.id).where(*same)).scalar_one())

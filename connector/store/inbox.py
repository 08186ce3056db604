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

_Name = tuple[str, str | None]

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
    lanes.lock(connection, wanted, *{("xid", a.source, a.event.xid) for a in arrivals if a.event.xid is not None})
    new = bulk.insert_new(connection, events, [_row(arrival) for arrival in arrivals], _NAMES)
    kept = _kept(connection, new, arrivals)
    fresh = {row[0] for row in new}
    receipts: list[Receipt] = []
    routed: list[_Route] = []
    conflicts: list[int] = []
    for arrival in arrivals:
        siblings = kept[arrival.source, arrival.event.xid]
        event_id, *_ = waiting = siblings[arrival.event.fingerprint]
        if event_id not in fresh:
            receipts.append(Receipt("duplicate", abs(event_id)))
            continue
        # Whoever comes again with this identity, also later in this group, is a duplicate: without an xid never.
        siblings[arrival.event.fingerprint] = waiting[1:] or [-event_id]
        if arrival.event.xid is not None and any(abs(ids[0]) < event_id for ids in siblings.values()):
            conflicts.append(event_id)
        receipts.append(Receipt(_status(arrival, event_id in conflicts), event_id))
        routed.append(_Route(arrival.event, event_id, arrival.source, arrival.syncs, 0, arrival.now))
    if conflicts:
        connection.execute(sa.update(events).where(events.c.id.in_(conflicts)).values(conflict=True))
    _route(connection, routed)
    return receipts


def _lanes(event: Event, syncs: Sequence[SyncConfig]) -> set[lanes.Lane]:
    return {(sync.target, event.customer) for sync in syncs if event.customer is not None}


def _status(arrival: _Arrival, conflict: bool) -> Status:
    if not arrival.syncs:
        return "ignored"
    return "conflict" if conflict else "accepted"


_NAMES = ("id", "source", "xid", "fingerprint")
_KEPT = bulk.gather(
    sa.select(*[events.c[name] for name in _NAMES]).where(
        NOT_REJECTED,
        events.c.source.in_(sa.bindparam("sources", expanding=True)),
        events.c.xid.in_(sa.bindparam("xids", expanding=True)),
    )
)
_BUSY_LANES = bulk.gather(
    sa.select(deliveries.c.target, deliveries.c.customer).where(
        deliveries.c.customer.in_(sa.bindparam("customers", expanding=True)), UNFINISHED
    )
)


def _row(arrival: _Arrival) -> dict[str, Any]:
    return {
        "source": arrival.source,
        "state": "accepted" if arrival.syncs else "ignored",
        "xid": arrival.event.xid,
        "fingerprint": arrival.event.fingerprint,
        "action": arrival.event.action,
        "customer": arrival.event.customer,
        "received_at": arrival.now,
        "body": arrival.body,
        "reason": None if arrival.syncs else NO_SYNC,
    }


def _kept(
    connection: sa.Connection, new: Sequence[list[Any]], arrivals: Sequence[_Arrival]
) -> dict[_Name, dict[str, list[int]]]:
    # (source, xid) -> fingerprint -> ids, oldest first; several ids only for events without an xid.
    found = [row for row in new if row[2] is None]
    xids = {a.event.xid for a in arrivals if a.event.xid is not None}
    if xids:
        sources = {a.source for a in arrivals}
        found += bulk.rows(connection, _KEPT, xids=list(xids), sources=list(sources))
    kept: dict[_Name, dict[str, list[int]]] = {}
    for event_id, source, xid, fingerprint in sorted(found):
        kept.setdefault((source, xid), {}).setdefault(fingerprint, []).append(event_id)
    return kept


def _route(connection: sa.Connection, routed: Sequence[_Route]) -> None:
    customers = {r.event.customer for r in routed if r.syncs}
    if not customers:
        return
    busy = {(lane[0], lane[1]) for lane in bulk.rows(connection, _BUSY_LANES, customers=list(customers))}
    rows = []
    for route in routed:
        for sync in route.syncs:
            lane = (sync.target, route.event.customer)
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
    lanes.lock(connection, _lanes(order.event, order.syncs))
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
    mine = deliveries.c.event_id == order.id
    last = connection.execute(sa.select(sa.func.max(deliveries.c.generation)).where(mine)).scalar()
    generation = 0 if last is None else last + 1
    _route(connection, [_Route(event, order.id, kept.source, order.syncs, generation, order.now)])
    arrange(connection, _lanes(event, order.syncs))
    made = sa.select(deliveries.c.id).where(mine, deliveries.c.generation == generation)
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

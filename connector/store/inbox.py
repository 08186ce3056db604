"""Take events in: stored once, routed to deliveries, on disk before the door says thanks."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from connector.config import SyncConfig
from connector.errors import NotFound
from connector.models import Event
from connector.store.engine import Engine, insert_once
from connector.store.lanes import arrange
from connector.store.tables import NOT_REJECTED, REJECTED, UNFINISHED, deliveries, events

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

        Raises NotFound for an unknown event, StoreBusy.
        """
        ids: list[int] = self._engine.write(_route_again, _Order(event_id, event, tuple(syncs), self._clock()))
        return ids


def accept_many(connection: sa.Connection, arrivals: Sequence[_Arrival]) -> list[Receipt]:
    """Store a group of arrivals; one receipt each. An arrival that comes twice in the group is stored once."""
    fresh = _insert_events(connection, arrivals)
    kept = _kept(connection, {a.event.xid for a in arrivals if a.event.xid is not None})
    receipts: list[Receipt] = []
    routed: list[_Route] = []
    conflicts: list[int] = []
    for arrival in arrivals:
        event_id = next(fresh[_identity(arrival)], None)
        siblings = kept.get((arrival.source, arrival.event.xid), {})
        if event_id is None:
            receipts.append(Receipt("duplicate", siblings[arrival.event.fingerprint]))
            continue
        if any(sibling < event_id for sibling in siblings.values()):
            conflicts.append(event_id)
        receipts.append(Receipt(_status(arrival, event_id in conflicts), event_id))
        routed.append(_Route(arrival.event, event_id, arrival.source, arrival.syncs, 0, arrival.now))
    if conflicts:
        connection.execute(sa.update(events).where(events.c.id.in_(conflicts)).values(conflict=True))
    _route(connection, routed)
    return receipts


def _identity(arrival: _Arrival) -> tuple[str, str | None, str]:
    return arrival.source, arrival.event.xid, arrival.event.fingerprint


def _status(arrival: _Arrival, conflict: bool) -> Status:
    if not arrival.syncs:
        return "ignored"
    return "conflict" if conflict else "accepted"


_INSERT = insert_once(events).returning(events.c.id, events.c.source, events.c.xid, events.c.fingerprint)
_KEPT = sa.select(events.c.id, events.c.source, events.c.xid, events.c.fingerprint).where(
    events.c.xid.in_(sa.bindparam("xids", expanding=True)), NOT_REJECTED
)
_BUSY_LANES = sa.select(deliveries.c.target, deliveries.c.customer).where(
    deliveries.c.customer.in_(sa.bindparam("customers", expanding=True)), UNFINISHED
)


def _insert_events(
    connection: sa.Connection, arrivals: Sequence[_Arrival]
) -> dict[tuple[str, str | None, str], Iterator[int]]:
    rows = [
        {
            "source": a.source,
            "state": "accepted" if a.syncs else "ignored",
            "xid": a.event.xid,
            "fingerprint": a.event.fingerprint,
            "action": a.event.action,
            "customer": a.event.customer,
            "received_at": a.now,
            "body": a.body,
            "reason": None if a.syncs else NO_SYNC,
        }
        for a in arrivals
    ]
    ids: dict[tuple[str, str | None, str], list[int]] = {_identity(a): [] for a in arrivals}
    for row in connection.execute(_INSERT, rows):
        ids[row.source, row.xid, row.fingerprint].append(row.id)
    return {identity: iter(sorted(found)) for identity, found in ids.items()}


def _kept(connection: sa.Connection, xids: Iterable[str]) -> dict[tuple[str, str | None], dict[str, int]]:
    kept: dict[tuple[str, str | None], dict[str, int]] = {}
    wanted = list(xids)
    for row in connection.execute(_KEPT, {"xids": wanted}) if wanted else ():
        kept.setdefault((row.source, row.xid), {})[row.fingerprint] = row.id
    return kept


def _route(connection: sa.Connection, routed: Sequence[_Route]) -> None:
    customers = {r.event.customer for r in routed if r.syncs}
    if not customers:
        return
    busy = {(row.target, row.customer) for row in connection.execute(_BUSY_LANES, {"customers": list(customers)})}
    rows = []
    for route in routed:
        for sync in route.syncs:
            lane = (sync.target, route.event.customer)
            rows.append(_delivery(route, sync, "blocked" if lane in busy else "pending"))
            busy.add(lane)
    connection.execute(sa.insert(deliveries), rows)


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


def _route_again(connection: sa.Connection, orders: Sequence[_Order]) -> list[list[int]]:
    return [_route_one_again(connection, order) for order in orders]


def _route_one_again(connection: sa.Connection, order: _Order) -> list[int]:
    kept = connection.execute(sa.select(events.c.source).where(events.c.id == order.id)).first()
    if kept is None:
        raise NotFound(f"there is no event e{order.id}")
    event = order.event
    read = {"xid": event.xid, "fingerprint": event.fingerprint, "action": event.action, "customer": event.customer}
    state = {"state": "accepted", "reason": None} if order.syncs else {"state": "ignored", "reason": NO_SYNC}
    connection.execute(sa.update(events).where(events.c.id == order.id).values(**read, **state))
    mine = deliveries.c.event_id == order.id
    last = connection.execute(sa.select(sa.func.max(deliveries.c.generation)).where(mine)).scalar()
    generation = 0 if last is None else last + 1
    _route(connection, [_Route(event, order.id, kept.source, order.syncs, generation, order.now)])
    arrange(connection, {(sync.target, event.customer) for sync in order.syncs if event.customer})
    made = sa.select(deliveries.c.id).where(mine, deliveries.c.generation == generation)
    return list(connection.execute(made).scalars())


def _reject_many(connection: sa.Connection, rejects: Sequence[_Reject]) -> list[int]:
    return [_reject_one(connection, reject) for reject in rejects]


def _reject_one(connection: sa.Connection, reject: _Reject) -> int:
    body_hash = hashlib.sha256(reject.body).hexdigest()
    row = {
        "source": reject.source,
        "state": "rejected",
        "xid": reject.xid,
        "body_hash": body_hash,
        "action": reject.action,
        "received_at": reject.now,
        "reason": reject.reason,
        "body": reject.body,
    }
    connection.execute(insert_once(events), row)
    same = (events.c.source == reject.source, events.c.body_hash == body_hash, REJECTED)
    return int(connection.execute(sa.select(events.c.id).where(*same)).scalar_one())

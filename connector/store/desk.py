"""Answer what people ask at the desk, and carry out what they decide: lists, one event, resolve, replay."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from connector.errors import NotFound
from connector.models import Link
from connector.store import erasing
from connector.store import links as link_room
from connector.store.engine import Engine
from connector.store.lanes import arrange, lock
from connector.store.tables import attempts, deliveries, deliveries_in, events, events_in, links

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """Say what a person decided about a held or failed delivery."""

    delivery: int
    how: Literal["link", "create", "skip"]
    remote_id: str | None = None
    account: str = ""


EVENT = (
    events.c.id,
    events.c.source,
    events.c.state,
    events.c.xid,
    events.c.action,
    events.c.customer,
    events.c.conflict,
    events.c.received_at,
    events.c.reason,
)
_CUSTOMERS = (events.c.state == "accepted", events.c.body.is_not(None))  # what is no customer, no sync gets
DELIVERY = (
    deliveries.c.id,
    deliveries.c.event_id,
    events.c.xid,
    deliveries.c.customer,
    deliveries.c.source,
    deliveries.c.sync,
    deliveries.c.target,
    deliveries.c.state,
    deliveries.c.attempts,
    deliveries.c.remote_id,
    deliveries.c.due_at,
    deliveries.c.code,
    deliveries.c.reason,
    deliveries.c.warnings,
    deliveries.c.mapping_hash,
    deliveries.c.pinned_mapping,
    deliveries.c.created_at,
    deliveries.c.finished_at,
    events.c.body.is_(None).label("purged"),
    events.c.reason.label("event_reason"),
)


class Desk:
    """Read the ledger, and reopen or settle deliveries by a person's word."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def events(self, state: str | None = None, limit: int = 50, before: int | None = None) -> list[Row]:
        """Return events, newest first, without their bodies; `before` is an event id to page on from."""
        ask = sa.select(*EVENT).order_by(events.c.id.desc()).limit(limit)
        ask = ask if state is None else ask.where(events_in(state))
        ask = ask if before is None else ask.where(events.c.id < before)
        return self._rows(ask)

    def event(self, event_id: int) -> Row:
        """Return one event with its `body` (bytes, None once purged). Raises NotFound."""
        return self._one(sa.select(*EVENT, events.c.body).where(events.c.id == event_id), f"event e{event_id}")

    def customers(self, limit: int, before: int | None = None) -> list[Row]:
        """Return accepted events of customers that still have their body: `id`, `customer`, `body`; newest first.

        A body has up to 1 MiB: ask for few at a time, and page on with `before`, an event id.
        """
        ask = sa.select(events.c.id, events.c.customer, events.c.body).where(*_CUSTOMERS)
        ask = ask.order_by(events.c.id.desc()).limit(limit)
        return self._rows(ask if before is None else ask.where(events.c.id < before))

    def count_customers(self, most: int) -> int:
        """Count what `customers` would return in all its pages, up to `most`."""
        some = sa.select(sa.literal(1)).select_from(events).where(*_CUSTOMERS).limit(most).subquery()
        return int(self._rows(sa.select(sa.func.count().label("n")).select_from(some))[0]["n"])

    def deliveries(
        self,
        *,
        state: str | None = None,
        target: str | None = None,
        event: int | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Row]:
        """Return deliveries with their event's xid, newest first; `before` is a delivery id to page on from."""
        wanted = {deliveries.c.target: target, deliveries.c.event_id: event}
        which = [column == value for column, value in wanted.items() if value is not None]
        which += [] if state is None else [deliveries_in(state)]
        which += [] if before is None else [deliveries.c.id < before]
        if state in ("pending", "running"):
            # Found by their index and then ordered: walking from the newest could pass by millions that are finished.
            some = sa.select(deliveries.c.id).where(*which).order_by((deliveries.c.id + 0).desc()).limit(limit)
            which = [deliveries.c.id.in_(some)]
        ask = sa.select(*DELIVERY).join(events).where(*which)
        return self._rows(ask.order_by(deliveries.c.id.desc()).limit(limit))

    def delivery(self, delivery_id: int) -> Row:
        """Return one delivery. Raises NotFound."""
        ask = sa.select(*DELIVERY).join(events).where(deliveries.c.id == delivery_id)
        return self._one(ask, f"delivery d{delivery_id}")

    def attempts(self, delivery_id: int) -> list[Row]:
        """Return the attempts of a delivery, oldest first."""
        return self._rows(sa.select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id))

    def counts(self) -> dict[tuple[str, str], int]:
        """Count deliveries by (target, state)."""
        ask = sa.select(deliveries.c.target, deliveries.c.state, sa.func.count().label("n"))
        rows = self._rows(ask.group_by(deliveries.c.target, deliveries.c.state))
        return {(row["target"], row["state"]): row["n"] for row in rows}

    def event_counts(self) -> dict[str, int]:
        """Count events by state."""
        rows = self._rows(sa.select(events.c.state, sa.func.count().label("n")).group_by(events.c.state))
        return {row["state"]: row["n"] for row in rows}

    def replay(self, delivery_ids: Sequence[int], *, then: bool = False) -> int:
        """Reopen finished deliveries at their arrival place; return how many. Raises NotFound for an unknown one.

        Those of an event without its body stay as they are: there is nothing to be sent.
        `then`: each with the version of the mapping that made it last (those that none made stay as they are); else
        with the active one.
        """
        count: int = self._engine.write(_replay_many, (tuple(delivery_ids), then, self._clock()))
        return count

    def resolve(self, decision: Decision) -> None:
        """Carry out a person's decision about a held or failed delivery. Raises NotFound, ValueError."""
        self._engine.write(_resolve_many, (decision, self._clock()))

    def _rows(self, ask: sa.Select[Any]) -> list[Row]:
        return self._engine.read(lambda c: [dict(row._mapping) for row in c.execute(ask)])

    def _one(self, ask: sa.Select[Any], what: str) -> Row:
        rows = self._rows(ask)
        if not rows:
            raise NotFound(f"there is no {what}")
        return rows[0]


FINISHED = ("delivered", "skipped", "held", "failed")
_FRESH = {
    "state": "pending",
    "attempts": 0,
    "active_since": None,
    "finished_at": None,
    "reason": None,
    "code": None,
    "alone": False,
    # A new life has a new idempotency key; not while a lost answer may mean that the contact is there.
    "reopened": deliveries.c.reopened + sa.case((deliveries.c.maybe_sent, 0), else_=1),
}
_FULL = sa.exists().where(events.c.id == deliveries.c.event_id, events.c.body.is_not(None))


def _replay_many(connection: sa.Connection, orders: Sequence[tuple[tuple[int, ...], bool, int]]) -> list[int]:
    made = (deliveries.c.mapping_hash.is_not(None),)
    return [
        _replay(connection, ids, now, made, pinned_mapping=deliveries.c.mapping_hash)
        if then
        else _replay(connection, ids, now, pinned_mapping=None)
        for ids, then, now in orders
    ]


def _replay(
    connection: sa.Connection,
    ids: Sequence[int],
    now: int,
    only: Sequence[sa.ColumnElement[bool]] = (),
    **changes: Any,
) -> int:
    chosen = (deliveries.c.id.in_(ids), deliveries.c.state.in_(FINISHED), _FULL, *only)
    ask = sa.select(deliveries.c.id, deliveries.c.target, deliveries.c.customer)
    known = connection.execute(ask.where(deliveries.c.id.in_(ids))).all()
    missing = sorted(set(ids) - {row.id for row in known})
    if missing:
        raise NotFound("there is no delivery " + ", ".join(f"d{i}" for i in missing))
    lock(connection, {(row.target, row.customer) for row in known})
    reopened = connection.execute(ask.where(*chosen).order_by(deliveries.c.id).with_for_update()).all()
    connection.execute(sa.update(deliveries).where(*chosen).values(_FRESH | {"due_at": now} | changes))
    arrange(connection, {(row.target, row.customer) for row in reopened})
    return len(reopened)


def _resolve_many(connection: sa.Connection, orders: Sequence[tuple[Decision, int]]) -> list[None]:
    for decision, now in orders:
        _resolve(connection, decision, now)
    return [None] * len(orders)


def _resolve(connection: sa.Connection, decision: Decision, now: int) -> None:
    mine = deliveries.c.id == decision.delivery
    lane = connection.execute(sa.select(deliveries.c.target, deliveries.c.customer).where(mine)).first()
    if lane is None:
        raise NotFound(f"there is no delivery d{decision.delivery}")
    record = ("link", lane.target, decision.account, decision.remote_id or "")
    lock(connection, [(lane.target, lane.customer)], *[record] * (decision.how == "link"))
    row = connection.execute(sa.select(deliveries).where(mine).with_for_update()).one()
    if row.state not in ("held", "failed"):
        raise ValueError(f"d{row.id} is {row.state}; only held and failed deliveries are resolved")
    if decision.how != "skip":
        _full(connection, row)
    if decision.how == "skip":
        skipped = {"state": "skipped", "reason": "skipped by a person's decision", "code": None, "finished_at": now}
        connection.execute(sa.update(deliveries).where(mine).values(**skipped))
    elif decision.how == "create":
        connection.execute(sa.delete(links).where(links.c.target == row.target, links.c.customer == row.customer))
        _replay(connection, [row.id], now, create_anyway=True, maybe_sent=False, reopened=row.reopened + 1)
    else:
        _link(connection, row, decision, now)
        _replay(connection, [row.id], now, create_anyway=False)


def _full(connection: sa.Connection, row: Any) -> None:
    ask = sa.select(events.c.reason, events.c.body.is_(None).label("purged")).where(events.c.id == row.event_id)
    event = connection.execute(ask).one()
    if event.purged:
        raise ValueError(f"d{row.id} cannot be sent: {erasing.gone(event.reason)}; or --skip it")


def _link(connection: sa.Connection, row: Any, decision: Decision, now: int) -> None:
    remote_id = decision.remote_id or ""
    key = (row.target, decision.account, remote_id)
    owner = link_room.owners(connection, [key]).get(key)
    if owner not in (None, row.customer):
        raise ValueError(f"{remote_id} is linked to the Flavours customer {owner}")
    fresh = Link(row.target, row.customer, remote_id, decision.account, None, row.event_id, "", "")
    link_room.put(connection, [_as_new_as(_linked(connection, row), fresh)], now)


def _linked(connection: sa.Connection, row: Any) -> Any:
    mine = (links.c.target == row.target, links.c.customer == row.customer)
    return connection.execute(sa.select(links).where(*mine)).first()


def _as_new_as(known: Any, fresh: Link) -> Link:
    # What arrived after the held delivery may be in this record already: the held one must not write over it.
    if known is None or (known.remote_id, known.account) != (fresh.remote_id, fresh.account):
        return fresh
    return replace(fresh, source_updated_at=known.source_updated_at, arrival=max(known.arrival, fresh.arrival))

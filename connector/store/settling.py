"""Apply what claims came to: fenced on (delivery, owner, fence); attempt, link and lane in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from connector.models import Delivered, Hold, Settlement
from connector.store import bulk, lanes, links
from connector.store.lanes import arrange
from connector.store.tables import attempts, deliveries

# The state is compared on our side: PostgreSQL would take the index of the running ones for the shorter way, because
# few run, and step over all that ever ran and were not vacuumed yet.
_HELD_BY = bulk.gather(
    lambda within: (
        sa.select(deliveries.c.id, deliveries.c.owner, deliveries.c.fence, deliveries.c.state)
        .where(within(deliveries.c.id, "ids"))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
)


def fence(
    connection: sa.Connection, owner: str, settlements: Sequence[Settlement]
) -> tuple[list[Settlement], list[Settlement]]:
    """Split settlements into those whose claim is still this owner's and those whose lease was lost."""
    if not settlements:
        return [], []
    lanes.lock(connection, {(s.claim.target, s.claim.customer) for s in settlements}, *_found(settlements))
    ids = [s.claim.delivery for s in settlements]
    held = {tuple(row) for row in bulk.rows(connection, _HELD_BY, ids=ids)}
    valid: list[Settlement] = []
    refused: list[Settlement] = []
    for settlement in settlements:
        ours = (settlement.claim.delivery, owner, settlement.claim.fence, "running") in held
        (valid if ours else refused).append(settlement)
    return valid, refused


def _found(settlements: Sequence[Settlement]) -> set[tuple[str, ...]]:
    # Two workers may link one record at the same time: the second one must see what the first one linked.
    return {("link", s.link.target, s.link.account, s.link.remote_id) for s in settlements if s.link and not _sure(s)}


def _without_stolen_links(connection: sa.Connection, settlements: list[Settlement]) -> list[Settlement]:
    # Two customers can find the same unlinked record at the same time; the second one needs a person's decision.
    doubtful = [s.link for s in settlements if s.link and not _sure(s)]
    if not doubtful:
        return settlements
    owned = links.owners(connection, [(k.target, k.account, k.remote_id) for k in doubtful])
    checked = []
    for settlement in settlements:
        link = settlement.link
        if link is not None and not _sure(settlement):
            key = (link.target, link.account, link.remote_id)
            if owned.setdefault(key, link.customer) != link.customer:
                checked.append(_stolen(settlement))
                continue
        checked.append(settlement)
    return checked


def _sure(settlement: Settlement) -> bool:
    made = isinstance(settlement.outcome, Delivered) and settlement.outcome.how == "created"
    known = settlement.claim.link
    return made or (known is not None and settlement.link is not None and known.remote_id == settlement.link.remote_id)


def _stolen(settlement: Settlement) -> Settlement:
    remote_id = settlement.link.remote_id if settlement.link else ""
    hold = Hold(
        f"the contact {remote_id} is linked to another Flavours customer; link this one to a contact of its own "
        f"(deliveries resolve --link or --create) or skip it",
        "already_linked",
    )
    return replace(settlement, outcome=hold, state="held", due_at=None, reason=hold.reason, link=None)


_SETTLE = bulk.update(
    deliveries,
    "id",
    lambda sent: {
        "state": sent("state"),
        "owner": None,
        "due_at": sa.func.coalesce(sent("due_at"), deliveries.c.due_at),
        "attempts": deliveries.c.attempts + sent("spent"),
        "active_since": sa.func.coalesce(deliveries.c.active_since, sent("active_since")),
        "maybe_sent": sent("maybe_sent"),
        "alone": sent("alone"),
        "remote_id": sa.func.coalesce(sent("remote_id"), deliveries.c.remote_id),
        "mapping_hash": sa.func.coalesce(sent("mapping_hash"), deliveries.c.mapping_hash),
        "code": sent("code"),
        "reason": sent("reason"),
        "warnings": sent("warnings"),
        "finished_at": sent("finished_at"),
    },
)


def settle(connection: sa.Connection, owner: str, valid: list[Settlement], now: int) -> list[Settlement]:
    """Write delivery, attempt, link and lane of each fenced settlement; return them as they were written."""
    if not valid:
        return []
    settlements = _without_stolen_links(connection, valid)
    bulk.run(connection, _SETTLE, [_settled(s, now) for s in settlements])
    bulk.insert(connection, attempts, [_attempt(s, owner) for s in settlements])
    made = [s.link for s in settlements if s.link is not None]
    if made:
        links.put(connection, made, now)
    arrange(connection, {(s.claim.target, s.claim.customer) for s in settlements})
    return settlements


def _settled(s: Settlement, now: int) -> dict[str, Any]:
    outcome = s.outcome
    return {
        "id": s.claim.delivery,
        "state": s.state,
        "due_at": s.due_at,
        "spent": int(s.spent),
        "active_since": s.started_at - s.claim.stopped_ms,
        "maybe_sent": s.maybe_sent,
        "alone": getattr(outcome, "alone", False),
        "remote_id": _contact(s),
        "mapping_hash": s.mapping_hash,
        "code": getattr(outcome, "code", None),
        "reason": bulk.storable(s.reason),
        "warnings": [bulk.storable(warning) for warning in s.warnings],
        "finished_at": None if s.state == "pending" else now,
    }


def _contact(s: Settlement) -> str | None:
    # A delivery that ends without a call writes no link, and yet is about the contact of the one there is.
    remote_id = s.link.remote_id if s.link else None
    if remote_id is None and isinstance(s.outcome, Delivered):
        remote_id = s.outcome.remote_id
    return None if remote_id is None else bulk.storable(remote_id)


def _attempt(s: Settlement, owner: str) -> dict[str, Any]:
    how = s.outcome.how if isinstance(s.outcome, Delivered) else type(s.outcome).__name__.lower()
    return {
        "delivery_id": s.claim.delivery,
        "number": s.claim.fence,
        "started_at": s.started_at,
        "took_ms": s.took_ms,
        "outcome": how,
        "reason": bulk.storable(s.reason),
        "answer": bulk.storable(getattr(s.outcome, "answer", "")),
        "worker": owner,
    }

"""Hand out deliveries and take back what they came to: settle and claim in one transaction, in lane order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connector.models import Claim, Link, Settlement, TargetState
from connector.store import bulk, settling, states
from connector.store.engine import Engine
from connector.store.states import Advance
from connector.store.tables import PENDING, deliveries, events
from connector.store.tables import links as link_table


@dataclass(frozen=True, slots=True)
class Turn:
    """Ask for one turn of a worker: settle what is done, then claim for the free push slots of each target."""

    owner: str
    settlements: Sequence[Settlement]
    wanted: Mapping[str, int]
    now: int


@dataclass(frozen=True, slots=True)
class Turned:
    """Tell what a turn came to: what was refused (the lease was lost), what was settled and how, claims, and states."""

    refused: Sequence[Settlement]
    settled: Sequence[Settlement]
    claims: Sequence[Claim]
    targets: Mapping[str, TargetState]
    changed: Sequence[TargetState] = field(default_factory=tuple)


class Queue:
    """Give each delivery to one worker at a time, and apply what came of it."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def turn(
        self, owner: str, settlements: Sequence[Settlement], wanted: Mapping[str, int], advance: Advance
    ) -> Turned:
        """Settle, move the targets' states by `advance`, and claim up to `wanted` deliveries per target.

        One transaction, on disk when it returns. Raises StoreBusy; then nothing was settled and nothing claimed.
        """
        turn = Turn(owner, settlements, wanted, self._clock())

        def run(connection: sa.Connection, turns: Sequence[Turn]) -> list[Turned]:
            return [_turn(connection, t, advance) for t in turns]

        turned: Turned = self._engine.write(run, turn)
        return turned

    def version(self) -> int:
        """Return a number that changes when another process has committed; cheap enough to ask every few ms."""
        return self._engine.version()


def _turn(connection: sa.Connection, turn: Turn, advance: Advance) -> Turned:
    valid, refused = settling.fence(connection, turn.owner, turn.settlements)
    applied = settling.settle(connection, turn.owner, valid, turn.now)
    known = states.load(connection)
    changed = states.move(connection, known, applied, turn.now, advance)
    claims: list[Claim] = []
    for name, limit in turn.wanted.items():
        if name in known and limit > 0:
            claims += _claim(connection, known[name], limit, turn)
    return Turned(refused, applied, claims, known, changed)


_DUE = bulk.gather(
    lambda _within: (
        sa.select(deliveries.c.id)
        .where(
            deliveries.c.target == sa.bindparam("wanted_target"),
            PENDING,
            deliveries.c.due_at <= sa.bindparam("wanted_now"),
        )
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )
)
_TAKE = bulk.update(
    deliveries,
    "id",
    lambda sent: {"state": "running", "owner": sent("owner"), "fence": deliveries.c.fence + 1},
)
_joined = deliveries.join(events, events.c.id == deliveries.c.event_id).outerjoin(
    link_table,
    sa.and_(link_table.c.target == deliveries.c.target, link_table.c.customer == deliveries.c.customer),
)
_WANTED = (
    deliveries.c.due_at,
    deliveries.c.id,
    deliveries.c.event_id,
    deliveries.c.source,
    deliveries.c.sync,
    deliveries.c.target,
    deliveries.c.customer,
    deliveries.c.fence,
    deliveries.c.attempts,
    deliveries.c.generation,
    deliveries.c.maybe_sent,
    deliveries.c.alone,
    deliveries.c.active_since,
    deliveries.c.mapping_hash,
    deliveries.c.pinned_mapping,
    deliveries.c.create_anyway,
    deliveries.c.reopened,
    events.c.action,
    bulk.hexed(events.c.body).label("body"),
    link_table.c.remote_id.label("link_remote_id"),
    link_table.c.account,
    link_table.c.source_updated_at,
    link_table.c.arrival,
    link_table.c.record_hash,
    link_table.c.mapping_hash.label("link_mapping_hash"),
)
_CLAIMED = bulk.gather(lambda within: sa.select(*_WANTED).select_from(_joined).where(within(deliveries.c.id, "ids")))
_NAMES = [column.name for column in _WANTED]


def _claim(connection: sa.Connection, state: TargetState, limit: int, turn: Turn) -> list[Claim]:
    probes = state.state == "paused" and state.until is not None and state.until <= turn.now
    if state.state != "open" and not probes:
        return []
    most = 1 if probes else limit
    due = bulk.rows(connection, _DUE, wanted_target=state.name, wanted_now=turn.now, most=most)
    if not due:
        return []
    if probes and not states.probe(connection, state, turn.owner):
        return []
    ids = [row[0] for row in due]
    bulk.run(connection, _TAKE, [{"id": delivery, "owner": turn.owner} for delivery in ids])
    return [
        _made(dict(zip(_NAMES, row, strict=True)), state.stopped_ms)
        for row in sorted(bulk.rows(connection, _CLAIMED, ids=ids))
    ]


def _made(row: Mapping[str, Any], stopped_ms: int) -> Claim:
    return Claim(
        delivery=row["id"],
        event=row["event_id"],
        source=row["source"],
        sync=row["sync"],
        target=row["target"],
        customer=row["customer"],
        action=row["action"] or "",
        body=bytes.fromhex(row["body"] or ""),
        fence=row["fence"],
        attempts=row["attempts"],
        generation=row["generation"],
        maybe_sent=bool(row["maybe_sent"]),
        alone=bool(row["alone"]),
        active_since=row["active_since"],
        link=_link(row),
        mapping_hash=row["mapping_hash"],
        pinned_mapping=row["pinned_mapping"],
        create_anyway=bool(row["create_anyway"]),
        reopened=row["reopened"],
        stopped_ms=stopped_ms,
    )


def _link(row: Mapping[str, Any]) -> Link | None:
    if row["link_remote_id"] is None:
        return None
    return Link(
        row["target"],
        row["customer"],
        row["link_remote_id"],
        row["account"],
        row["source_updated_at"],
        row["arrival"],
        row["record_hash"],
        row["link_mapping_hash"],
    )

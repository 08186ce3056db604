"""Keep the deliveries of one customer to one target in arrival order: one at the head, the others blocked behind it."""

from collections.abc import Iterable

import sqlalchemy as sa

from connector.store import bulk
from connector.store.tables import UNFINISHED, deliveries

Lane = tuple[str, str]

_UNFINISHED = bulk.gather(
    lambda within: (
        sa.select(deliveries.c.id, deliveries.c.target, deliveries.c.customer, deliveries.c.state)
        .where(
            within(deliveries.c.customer, "customers"),  # what the index begins with
            within(sa.tuple_(deliveries.c.target, deliveries.c.customer), "lanes"),
            UNFINISHED,
        )
        .order_by(deliveries.c.id)
        # A worker may be claiming the head: what it did is seen, or it takes another. No row of another lane is touched:
        # two workers that settle one customer at two targets would wait for each other.
        .with_for_update()
    )
)
_MOVE = bulk.update(deliveries, "id", lambda sent: {"state": sent("state")})


def lock(connection: sa.Connection, lanes: Iterable[Lane], *others: tuple[str, ...]) -> None:
    """Keep everybody else out of these lanes until the transaction ends (and from what the other names stand for).

    Call it first in every transaction that adds a delivery to a lane or takes one out, before ids are drawn: ids are
    the order of arrival. A claim needs no lane: it takes the head, which stays the head.
    """
    bulk.lock(connection, [*(("lane", *lane) for lane in lanes), *others])


def arrange(connection: sa.Connection, lanes: Iterable[Lane]) -> None:
    """Give each of these lanes its head: the running delivery, else the oldest unfinished one; block the others.

    Call it in the transaction that changed the lanes, after the change. Costs one indexed query when nothing waits.
    """
    wanted = set(lanes)
    if not wanted:
        return
    by_lane: dict[Lane, list[tuple[int, str]]] = {}
    customers = list({customer for _, customer in wanted})
    found = bulk.rows(connection, _UNFINISHED, customers=customers, lanes=sorted(wanted))
    for delivery, target, customer, state in sorted(found):
        by_lane.setdefault((target, customer), []).append((delivery, state))
    moves = [move for lane in wanted for move in _moves(by_lane.get(lane, []))]
    if moves:
        bulk.run(connection, _MOVE, [{"id": delivery, "state": state} for delivery, state in moves])


def _moves(lane: list[tuple[int, str]]) -> list[tuple[int, str]]:
    running = any(state == "running" for _, state in lane)
    moves = []
    for place, (delivery, state) in enumerate(lane):
        should = state if state == "running" else "pending" if place == 0 and not running else "blocked"
        if should != state:
            moves.append((delivery, should))
    return moves

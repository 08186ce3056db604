"""Empty events of what is personal, and delete them: what a purge and a request to be forgotten have in common."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connector.store import bulk, finding, lanes
from connector.store.tables import attempts, deliveries, events, overdue, search_keys

FORGOTTEN = "forgotten by request"
_PURGED = "what Flavours sent was purged, as `keep` in config.yaml says"
_ANEW = "save the customer in Flavours again, and it comes anew"
SEARCH = ("search", "")  # the lock of whoever writes search keys, or erases what they are made of


def gone(reason: str | None) -> str:
    """Return why an event has no body any more, and what to do; `reason` is the event's."""
    return f"its customer was {FORGOTTEN}: {_ANEW}" if reason == FORGOTTEN else f"{_PURGED}: {_ANEW}"


_THEIRS = bulk.gather(
    sa.select(deliveries.c.target, deliveries.c.customer)
    .where(deliveries.c.event_id.in_(sa.bindparam("ids", expanding=True)))
    .distinct()
)
_SENT = bulk.gather(sa.select(deliveries.c.id).where(deliveries.c.event_id.in_(sa.bindparam("ids", expanding=True))))
_EVENTS = bulk.gather(
    sa.select(events.c.id)
    .where(events.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(events.c.id)
    .with_for_update()
)
_NAMES = bulk.gather(
    sa.select(events.c.xid, events.c.customer).where(events.c.id.in_(sa.bindparam("ids", expanding=True)))
)


def lock(connection: sa.Connection, ids: Sequence[int]) -> set[lanes.Lane]:
    """Keep everybody else from these events and the lanes of their deliveries, until the transaction ends.

    Returns the lanes. Whoever is reopening a delivery, or routing an event again, has ended before; what they did is
    seen by what is asked after this.
    """
    theirs = {(target, customer) for target, customer in bulk.rows(connection, _THEIRS, ids=list(ids))}
    lanes.lock(connection, theirs, SEARCH)
    bulk.rows(connection, _EVENTS, ids=list(ids))
    return theirs


def empty(connection: sa.Connection, ids: Sequence[int], **more: Any) -> None:
    """Erase what these events carried: bodies, the targets' answers, what they are found by but for their own ids.

    What makes a repeat harmless stays. A rejected event has no such key: it is kept once for each body, and the same
    body that comes again is another one. `more` is written into the events too.
    """
    if not ids:
        return
    chosen = events.c.id.in_(ids)
    connection.execute(sa.update(events).where(chosen).values(body=None, body_hash=None, **more))
    connection.execute(sa.update(attempts).where(tried(connection, ids)).values(answer=None))
    known = {key for xid, customer in bulk.rows(connection, _NAMES, ids=list(ids)) for key in _bare(xid, customer)}
    theirs = (search_keys.c.event_id.in_(ids), search_keys.c.key.not_in(sorted(known)))
    connection.execute(sa.delete(search_keys).where(*theirs))


def delete(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete these events and all that became of them; links to the targets' records stay."""
    if not ids:
        return
    connection.execute(sa.delete(attempts).where(tried(connection, ids)))
    connection.execute(sa.delete(deliveries).where(deliveries.c.event_id.in_(ids)))
    connection.execute(sa.delete(search_keys).where(search_keys.c.event_id.in_(ids)))
    connection.execute(sa.delete(overdue).where(overdue.c.event_id.in_(ids)))
    connection.execute(sa.delete(events).where(events.c.id.in_(ids)))


def tried(connection: sa.Connection, ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """Return the condition of attempts at these events: their deliveries' ids are asked for first.

    As a question within the statement, PostgreSQL may rather read all attempts there are.
    """
    found = bulk.rows(connection, _SENT, ids=list(ids))
    return attempts.c.delivery_id.in_([row[0] for row in found])


def _bare(xid: str | None, customer: str | None) -> set[str]:
    return finding.keys(None, xid, customer)

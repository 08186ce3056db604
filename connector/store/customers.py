"""Tell all that is known of one customer: what came, what became of it, and which record of each target they are."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connector.store import finding
from connector.store.desk import EVENT, Row
from connector.store.engine import Engine
from connector.store.search import not_yet
from connector.store.tables import attempts, events, links, search_keys

TAIL = 20_000  # of the newest events that the search does not know yet, how many are looked at


class Customers:
    """Read what belongs to one customer; every answer takes milliseconds at a million events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def events(self, customer: str, limit: int = 20, before: int | None = None) -> list[Row]:
        """Return the customer's events with their `body`, newest first; `before` is an event id to page on from."""

        def ask(connection: sa.Connection) -> list[Row]:
            fresh = not_yet(connection, TAIL)
            chosen = sa.select(*EVENT, events.c.body).where(events.c.customer == customer)
            chosen = chosen if before is None else chosen.where(events.c.id < before)
            chosen = chosen.order_by(events.c.id.desc()).limit(limit)
            known = chosen.join(search_keys, search_keys.c.event_id == events.c.id)
            known = known.where(search_keys.c.key == finding.whole(customer), events.c.id < fresh)
            # The key is walked backwards: without a word on its order SQLite walks all events instead.
            known = known.order_by(None).order_by(search_keys.c.event_id.desc())
            rows: list[Row] = [dict(row._mapping) for row in connection.execute(chosen.where(events.c.id >= fresh))]
            rows += [dict(row._mapping) for row in connection.execute(known)]
            return rows[:limit]

        return self._engine.read(ask)

    def links(self, customer: str, targets: Sequence[str]) -> list[Row]:
        """Return the customer's record at each of these targets that has one."""
        ask = sa.select(links).where(links.c.target.in_(targets), links.c.customer == customer)
        return self._engine.read(lambda c: [dict(row._mapping) for row in c.execute(ask.order_by(links.c.target))])

    def last_tries(self, delivery_ids: Sequence[int]) -> dict[int, Row]:
        """Return the newest attempt of each of these deliveries that was tried."""
        ask: sa.Select[Any] = sa.select(attempts).where(attempts.c.delivery_id.in_(delivery_ids))
        rows = self._engine.read(lambda c: [dict(row._mapping) for row in c.execute(ask.order_by(attempts.c.id))])
        return {row["delivery_id"]: row for row in rows}

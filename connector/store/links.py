"""Remember which Flavours customer is which record of a target."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from connector.models import Link
from connector.store.engine import Engine
from connector.store.tables import links

_OWNERS = sa.select(links.c.target, links.c.remote_id, links.c.account, links.c.customer).where(
    links.c.remote_id.in_(sa.bindparam("remote_ids", expanding=True))
)
_COLUMNS = ("remote_id", "account", "source_updated_at", "arrival", "record_hash", "mapping_hash", "linked_at")
_insert = sqlite.insert(links)
_PUT = _insert.on_conflict_do_update(
    index_elements=[links.c.target, links.c.customer], set_={name: _insert.excluded[name] for name in _COLUMNS}
)


class Links:
    """Answer whose a remote record is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def owner(self, target: str, account: str, remote_id: str) -> str | None:
        """Return the customer that this remote id of this account is linked to, or None."""
        return self._engine.read(lambda c: owners(c, [(target, account, remote_id)])).get((target, account, remote_id))


def owners(connection: sa.Connection, wanted: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Return the linked customer of each (target, account, remote id) that has one."""
    rows = connection.execute(_OWNERS, {"remote_ids": [remote_id for _, _, remote_id in wanted]})
    return {
        (r.target, r.account, r.remote_id): r.customer for r in rows if (r.target, r.account, r.remote_id) in wanted
    }


def put(connection: sa.Connection, made: Sequence[Link], now: int) -> None:
    """Write links, over older ones of the same target and customer."""
    connection.execute(
        _PUT,
        [
            {
                "target": link.target,
                "customer": link.customer,
                "remote_id": link.remote_id,
                "account": link.account,
                "source_updated_at": link.source_updated_at,
                "arrival": link.arrival,
                "record_hash": link.record_hash,
                "mapping_hash": link.mapping_hash,
                "linked_at": now,
            }
            for link in made
        ],
    )

"""Remember which Flavours customer is which record of a target."""

from collections.abc import Sequence

import sqlalchemy as sa

from connector.models import Link
from connector.store import bulk
from connector.store.engine import Engine
from connector.store.tables import links

_OWNERS = bulk.gather(
    sa.select(links.c.target, links.c.remote_id, links.c.account, links.c.customer).where(
        links.c.target.in_(sa.bindparam("targets", expanding=True)),  # what the index begins with
        links.c.remote_id.in_(sa.bindparam("remote_ids", expanding=True)),
    )
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
    targets, remote_ids = {target for target, _, _ in wanted}, [remote_id for _, _, remote_id in wanted]
    rows = bulk.rows(connection, _OWNERS, targets=sorted(targets), remote_ids=remote_ids)
    found = {(target, account, remote_id): customer for target, remote_id, account, customer in rows}
    return {key: found[key] for key in wanted if key in found}


def put(connection: sa.Connection, made: Sequence[Link], now: int) -> None:
    """Write links, over older ones of the same target and customer."""
    bulk.insert(
        connection,
        links,
        [
            {
                "target": link.target,
                "customer": link.customer,
                "remote_id": bulk.storable(link.remote_id),
                "account": link.account,
                "source_updated_at": link.source_updated_at,
                "arrival": link.arrival,
                "record_hash": link.record_hash,
                "mapping_hash": link.mapping_hash,
                "linked_at": now,
            }
            for link in made
        ],
        over=("target", "customer"),
    )

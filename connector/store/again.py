"""Try again what a person names: finished deliveries are reopened, events are read and routed by today's configuration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector import flavours
from connector.config import Config
from connector.errors import AlreadyStored, BadWebhook, Purged
from connector.store.desk import FINISHED, Desk, Row
from connector.store.erasing import gone

if TYPE_CHECKING:
    from connector.store import Store

CHUNK = 100  # deliveries in one transaction: well under 50 ms, so that the door is never kept waiting


def reopen(desk: Desk, numbers: Sequence[int], *, then: bool = False) -> dict[int, str]:
    """Reopen finished deliveries, 100 at most; return those that are left as they are, each with the reason.

    Raises NotFound.
    """
    left = {number: why for number in numbers if (why := _left(desk.delivery(number), then=then))}
    desk.replay([number for number in numbers if number not in left], then=then)
    return left


def route(config: Config, store: "Store", number: int) -> str:
    """Read an event again and route it by today's configuration; return why it is left, or nothing. Raises NotFound."""
    row = store.desk.event(number)
    if row["body"] is None:
        return gone(row["reason"])
    try:
        event = flavours.read(row["body"])
    except BadWebhook as bad:
        return f"is still not usable: {bad.detail}"
    syncs = [sync for sync in config.syncs.values() if sync.source == row["source"]]
    try:
        made = store.inbox.route_again(number, event, flavours.wanting(syncs, event))
    except (AlreadyStored, Purged) as why_not:
        return str(why_not)
    return "" if made else "no sync wants it"


def _left(row: Row, *, then: bool) -> str:
    if row["state"] not in FINISHED:
        return f"is {row['state']}: it will be tried anyway"
    if row["purged"]:
        return gone(row["event_reason"])
    if then and row["mapping_hash"] is None:
        return "no mapping has made it yet: replay it with --mapping now"
    return ""

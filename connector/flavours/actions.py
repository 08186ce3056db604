"""Compare action names, which Flavours spells in three styles: customers.CREATE, products.UPDATED, order.delivery.created."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from connector.config import SyncConfig
from connector.models import Event

_NOUNS = {"customer": "customers"}
_VERBS = {"created": "create", "updated": "update", "deleted": "delete"}


def wants(patterns: Sequence[str], action: str) -> bool:
    """Tell whether one of a sync's patterns takes this action.

    Any case; CREATE = CREATED (so with UPDATE and DELETE), customer = customers; `customers.*` takes all of them.
    """
    return any(_takes(pattern, action) for pattern in patterns)


def wanting(syncs: Iterable[SyncConfig], event: Event) -> list[SyncConfig]:
    """Return those of a source's syncs that take this event; orders and products go to none, whatever a sync asks."""
    if event.customer is None:
        return []
    return [sync for sync in syncs if wants(sync.actions, event.action)]


def is_customers(action: str) -> bool:
    """Tell whether the action promises a customer."""
    return _usual(action)[0] == "customers"


def _takes(pattern: str, action: str) -> bool:
    wanted, got = _usual(pattern), _usual(action)
    return got[: len(wanted) - 1] == wanted[:-1] if wanted[-1] == "*" else got == wanted


@lru_cache(maxsize=1024)
def _usual(action: str) -> tuple[str, ...]:
    words = action.strip().casefold().split(".")
    words[0] = _NOUNS.get(words[0], words[0])
    words[-1] = _VERBS.get(words[-1], words[-1])
    return tuple(words)

"""Open a target for one command, with what it shares with the workers that run beside it."""

from collections.abc import Iterator
from contextlib import contextmanager

from connector.config import Config
from connector.delivery.around import around
from connector.errors import StoreOutdated
from connector.store import Store, open_store
from connector.targets import kinds
from connector.targets.base import Around, Target


@contextmanager
def reached(config: Config, name: str) -> Iterator[Target]:
    """Open the target of this name. Raises StoreBusy; StoreOutdated, for a target whose tokens are in the store."""
    store = _store(config, name)
    try:
        yield kinds.open_target(config.targets[name], around(config, store, name) if store else Around())
    finally:
        if store:
            store.close()


def _store(config: Config, name: str) -> Store | None:
    """Return the store; None where there is none yet, if the target can be asked without it."""
    try:
        return open_store(config.database)
    except StoreOutdated:
        oauth2 = kinds.oauth2(config.targets[name])
        if oauth2 is not None and oauth2.keeps:
            raise  # a refresh token that the vendor exchanges for another would be lost
        return None

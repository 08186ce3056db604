"""Give each target what it shares with all workers: its turns, and the vault of its tokens with the keys to it."""

from connector.config import Config
from connector.store import Store
from connector.targets.base import Around


def around(config: Config, store: Store, name: str) -> Around:
    """Return the surroundings of the target of this name."""
    return Around(turns=store.turns(name), vault=store.vault(name), keys=config.secret_keys)

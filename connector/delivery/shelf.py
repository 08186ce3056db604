"""Keep the mappings at hand, compiled: exactly what the store says is in use now, and any version of then."""

from collections.abc import Mapping
from functools import lru_cache

import structlog

from connector.config import Config, SyncConfig
from connector.delivery.deliver import Route
from connector.errors import MappingError
from connector.mapping import document
from connector.mapping.template import condition
from connector.store import Store, standing

log = structlog.get_logger()

VERSIONS = 64  # how many are kept compiled


class Shelf:
    """Follow what is published, by whatever process or machine; hand out each sync's route with its mapping."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._last = 0
        self._documents: dict[str, document.Mapping] = {}
        self._conditions = {name: condition(s.when) for name, s in config.syncs.items() if s.when}
        self.routes: Mapping[str, Route] = {}
        self.version = lru_cache(maxsize=VERSIONS)(self._version)

    def follow(self) -> None:
        """Take over what was published since the last call: one cheap question when nothing was. Raises StoreBusy."""
        published = self._store.mappings.since(self._last)
        if self.routes and not published:
            return
        for name in sorted({version.name for version in published} & set(standing.used(self._config))):
            self._take(name)
        self.routes = {name: self._route(name, sync) for name, sync in self._config.syncs.items()}
        self._last = published[-1].id if published else self._last

    def _take(self, name: str) -> None:
        # The newest one that this program can read: another machine's may run a newer program.
        for version in self._store.mappings.history(name):
            try:
                self._documents[name] = self.version(version.hash)
            except MappingError as error:
                log.error("a mapping in use is none for this program", mapping=name, problem=str(error))
            else:
                log.info("mapping in use", mapping=name, hash=version.hash[:12])
                return

    def _version(self, digest: str) -> document.Mapping:
        """Return the version with this hash. Raises NotFound, MappingError, StoreBusy."""
        return document.read(self._store.mappings.text(digest), f"version {digest[:12]}")

    def _route(self, name: str, sync: SyncConfig) -> Route:
        target = self._config.targets.get(sync.target)
        kind = target.kind if target else None
        return Route(sync, self._conditions.get(name), self._documents.get(sync.mapping), kind, self.version)

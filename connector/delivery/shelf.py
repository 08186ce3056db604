"""Keep the mappings at hand: what the folder holds when it is valid, else what worked last."""

from collections.abc import Mapping
from pathlib import Path

import structlog

from connector.config import Config, SyncConfig
from connector.delivery.deliver import Route
from connector.errors import MappingError
from connector.mapping import document
from connector.mapping.template import condition
from connector.store import Store

log = structlog.get_logger()


class Shelf:
    """Publish valid changes of the mappings folder; a broken edit never replaces a working mapping."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._stamps: dict[str, tuple[int, int] | None] = {}
        self._documents: dict[str, document.Mapping] = {}
        self._conditions = {name: condition(s.when) for name, s in config.syncs.items() if s.when}
        self.routes: Mapping[str, Route] = {}

    def refresh(self) -> None:
        """Look at the files that syncs use; read what changed. Cheap when nothing did.

        Raises StoreBusy; the files that could not be published are looked at again by the next call.
        """
        for name in sorted({sync.mapping for sync in self._config.syncs.values()}):
            stamp = self._stamp(name)
            if name not in self._stamps or self._stamps[name] != stamp:
                self._read(name)
                self._stamps[name] = stamp
        self.routes = {name: self._route(name, sync) for name, sync in self._config.syncs.items()}

    def _route(self, name: str, sync: SyncConfig) -> Route:
        return Route(sync, self._conditions.get(name), self._documents.get(sync.mapping))

    def _path(self, name: str) -> Path:
        return self._config.mappings / f"{name}.yaml"

    def _stamp(self, name: str) -> tuple[int, int] | None:
        try:
            facts = self._path(name).stat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_size

    def _read(self, name: str) -> None:
        path = self._path(name)
        try:
            text = path.read_text(encoding="utf-8")
            mapping = document.read(text, str(path))
        except (OSError, UnicodeDecodeError, MappingError) as problem:
            log.error("mapping not usable; the last good one stays", mapping=name, problem=str(problem))
            self._fall_back(name, path)
            return
        if self._store.mappings.publish(name, mapping.kind, mapping.hash, text, "the mappings folder"):
            log.info("mapping published", mapping=name, hash=mapping.hash[:12])
        self._documents[name] = mapping

    def _fall_back(self, name: str, path: Path) -> None:
        text = None if name in self._documents else self._store.mappings.active(name)
        if text is None:
            return
        try:
            self._documents[name] = document.read(text, str(path))
        except MappingError as problem:  # what an older program took
            log.error("the last good mapping is none for this program", mapping=name, problem=str(problem))

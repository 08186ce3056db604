"""Keep the text of every mapping that was ever used, by its hash, and which one a name means now."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector.errors import NotFound
from connector.mapping.shape import Mapping
from connector.store import bulk
from connector.store.engine import Engine
from connector.store.tables import mapping_versions, mappings

SHORTEST = 6  # characters of a hash that may stand for it
LENGTH = 64
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Version:
    """Say what was published under a name: which text (by its hash), for which kind, when (epoch ms), by whom.

    `id` grows with every publication; a text that is published again is a new version.
    """

    id: int
    name: str
    hash: str
    kind: str
    published_at: int
    published_by: str


@dataclass(frozen=True, slots=True)
class _Publication:
    name: str
    kind: str
    digest: str
    text: str
    by: str
    at: int
    after: int | None = None


_VERSIONS = sa.select(
    mapping_versions.c.id,
    mapping_versions.c.name,
    mapping_versions.c.hash,
    mappings.c.kind,
    mapping_versions.c.published_at,
    mapping_versions.c.published_by,
).join(mappings, mapping_versions.c.hash == mappings.c.hash)
_SINCE = _VERSIONS.where(mapping_versions.c.id > sa.bindparam("last")).order_by(mapping_versions.c.id)


class Mappings:
    """Publish mappings and find what was published."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def publish(self, name: str, kind: str, digest: str, text: str, by: str = "") -> bool:
        """Make a text the active one of a name; return False when it is so already. Raises StoreBusy."""
        fresh: bool = self._engine.write(_publish_many, _Publication(name, kind, digest, text, by, self._clock()))
        return fresh

    def publish_after(self, base: int, name: str, document: Mapping, text: str, by: str) -> bool:
        """Publish a document as `publish` does, if `base` (0: none) is still the newest version of its name.

        Raises ValueError when somebody published meanwhile: nothing of theirs is written over. Raises StoreBusy.
        """
        new = _Publication(name, document.kind, document.hash, text, by, self._clock(), base)
        fresh: bool = self._engine.write(_publish_many, new)
        return fresh

    def rollback(self, name: str, digest: str, by: str = "") -> bool:
        """Publish an older version of a name again, as a new one; return False when it is the active one.

        Raises NotFound when the name never had this version, StoreBusy.
        """
        older = next((version for version in self.history(name) if version.hash == digest), None)
        if older is None:
            raise NotFound(f"the mapping {name} never had a version {digest[:12]}")
        return self.publish(name, older.kind, digest, self.text(digest), by)

    def active(self, name: str) -> str | None:
        """Return the text published last under a name, or None."""
        newest = self.history(name)[:1]
        return self.text(newest[0].hash) if newest else None

    def history(self, name: str) -> list[Version]:
        """Return all that was published under a name, newest first: the first one is active."""
        return self._versions(_VERSIONS.where(mapping_versions.c.name == name).order_by(mapping_versions.c.id.desc()))

    def since(self, last: int) -> list[Version]:
        """Return what was published after the version `last` (0: ever), oldest first; 0.1 ms when nothing was."""
        return self._versions(_SINCE, last=last)

    def known(self, digests: Iterable[str]) -> dict[str, Version]:
        """Return, for each of these hashes that was published, its newest version under any name."""
        ask = _VERSIONS.where(mapping_versions.c.hash.in_(set(digests))).order_by(mapping_versions.c.id)
        return {version.hash: version for version in self._versions(ask)}

    def text(self, digest: str) -> str:
        """Return the text with this hash, whether it is active or not. Raises NotFound."""
        ask = sa.select(mappings.c.text).where(mappings.c.hash == digest)
        text: str | None = self._engine.read(lambda connection: connection.execute(ask).scalar())
        if text is None:
            raise NotFound(f"no mapping with the hash {digest[:12]} was ever published")
        return text

    def find(self, prefix: str, name: str | None = None) -> str:
        """Return the one hash that begins so, of all or of a name's versions.

        Raises NotFound for less than 6 characters, when none begins so, and when several do.
        """
        start = prefix.lower()
        if not SHORTEST <= len(start) <= LENGTH or set(start) - _HEX:
            raise NotFound(f"{prefix!r} is not a version: give at least {SHORTEST} characters of its hash (0-9, a-f)")
        ask = sa.select(mapping_versions.c.hash).distinct().order_by(mapping_versions.c.hash)
        ask = ask.where(mapping_versions.c.hash.between(start, start.ljust(LENGTH, "f")))
        ask = ask if name is None else ask.where(mapping_versions.c.name == name)
        found = self._engine.read(lambda connection: list(connection.execute(ask).scalars()))
        if len(found) > 1:
            raise NotFound(f"several versions begin with {start}: {', '.join(found)}; give more characters")
        if not found:
            raise NotFound(f"no version{f' of the mapping {name}' if name else ''} begins with {start}")
        return str(found[0])

    def _versions(self, ask: sa.Select[Any], **values: Any) -> list[Version]:
        return self._engine.read(lambda connection: [Version(*row) for row in connection.execute(ask, values)])


def _publish_many(connection: sa.Connection, publications: Sequence[_Publication]) -> list[bool]:
    bulk.lock(connection, [("mappings",)])  # whoever asks for what is new since an id must not miss a smaller one
    return [_publish(connection, publication) for publication in publications]


def _publish(connection: sa.Connection, new: _Publication) -> bool:
    versions = mapping_versions
    last = sa.select(versions.c.hash).where(versions.c.name == new.name).order_by(versions.c.id.desc()).limit(1)
    if new.after is not None:
        newest = sa.select(sa.func.max(versions.c.id)).where(versions.c.name == new.name)
        if (connection.execute(newest).scalar() or 0) != new.after:
            raise ValueError(f"the mapping {new.name} was published by somebody else meanwhile")
    if connection.execute(last).scalar() == new.digest:
        return False
    row = {"hash": new.digest, "kind": new.kind, "text": new.text, "stored_at": new.at}
    bulk.insert(connection, mappings, [row], once=True)
    version = {"name": new.name, "hash": new.digest, "published_at": new.at, "published_by": new.by}
    connection.execute(sa.insert(versions), version)
    return True

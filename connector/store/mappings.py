"""Keep the text of every mapping that was ever used, by its hash, and which one a name means now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from connector.store.engine import Engine, insert_once
from connector.store.tables import mapping_versions, mappings


@dataclass(frozen=True, slots=True)
class _Publication:
    name: str
    kind: str
    digest: str
    text: str
    by: str
    at: int


class Mappings:
    """Publish mappings and find what was published."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def publish(self, name: str, kind: str, digest: str, text: str, by: str = "") -> bool:
        """Make a text the active one of a name; return False when it is so already. Raises StoreBusy."""
        fresh: bool = self._engine.write(_publish_many, _Publication(name, kind, digest, text, by, self._clock()))
        return fresh

    def active(self, name: str) -> str | None:
        """Return the text published last under a name, or None."""
        ask = (
            sa.select(mappings.c.text)
            .join(mapping_versions, mapping_versions.c.hash == mappings.c.hash)
            .where(mapping_versions.c.name == name)
            .order_by(mapping_versions.c.id.desc())
            .limit(1)
        )
        return self._engine.read(lambda connection: connection.execute(ask).scalar())


def _publish_many(connection: sa.Connection, publications: Sequence[_Publication]) -> list[bool]:
    return [_publish(connection, publication) for publication in publications]


def _publish(connection: sa.Connection, new: _Publication) -> bool:
    versions = mapping_versions
    last = sa.select(versions.c.hash).where(versions.c.name == new.name).order_by(versions.c.id.desc()).limit(1)
    if connection.execute(last).scalar() == new.digest:
        return False
    row = {"hash": new.digest, "kind": new.kind, "text": new.text, "stored_at": new.at}
    connection.execute(insert_once(mappings), row)
    version = {"name": new.name, "hash": new.digest, "published_at": new.at, "published_by": new.by}
    connection.execute(sa.insert(versions), version)
    return True

"""Bring a store's schema up to this program's (Alembic is imported here only, and only then: it is slow to load)."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from connector.store import open_store
from connector.store.engines import open_engine
from connector.store.tables import REVISION, metadata

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig


def upgrade(url: str) -> tuple[str | None, str]:
    """Upgrade the store at `url`, making it when it is not there; return the revisions (before, after).

    Nobody else migrates meanwhile. Raises StoreBusy, StoreError.
    """
    engine = open_engine(url)
    try:
        with engine.migrating():
            before = engine.revision()
            if before != REVISION:
                _migrate(url)
        return before, REVISION
    finally:
        engine.close()


def _migrate(url: str) -> None:
    from alembic import command  # noqa: PLC0415 - every start looks whether it has to, and hardly one does

    command.upgrade(alembic_config(url), "head")


def prepare(url: str) -> None:
    """Bring a store up to date as `serve` does: one that many machines share is only looked at.

    Raises StoreOutdated with the cure, StoreBusy.
    """
    engine = open_engine(url)
    engine.close()
    if engine.migrates:
        upgrade(url)
    else:
        open_store(url).close()


def make(url: str) -> None:
    """Make the store at `url` where there is none; one of another schema is left as it is. Raises StoreBusy."""
    engine = open_engine(url)
    made = engine.revision() is not None
    engine.close()
    if not made:
        upgrade(url)


def unmake(url: str) -> None:
    """Drop the tables of a store that nobody needs any more, with all that is in them: a drill's, never a business's."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))


def alembic_config(url: str) -> "AlembicConfig":
    """Return Alembic's configuration for a store."""
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415 - see _migrate

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["url"] = url
    return config

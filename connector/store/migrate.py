"""Bring a store's schema up to this program's (Alembic is imported here only: it is slow to load)."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig

from connector.store.engine import Engine
from connector.store.tables import REVISION


def upgrade(url: str) -> tuple[str | None, str]:
    """Upgrade the store at `url`, making it when it is not there; return the revisions (before, after).

    Holds the write lock meanwhile. Raises StoreBusy.
    """
    engine = Engine(url)
    try:
        engine.path.parent.mkdir(parents=True, exist_ok=True)
        before = engine.revision()
        if before != REVISION:
            with engine.writer.lock:
                command.upgrade(alembic_config(url), "head")
        return before, REVISION
    finally:
        engine.close()


def make(url: str) -> None:
    """Make the store at `url` where there is none; one of another schema is left as it is. Raises StoreBusy."""
    engine = Engine(url)
    made = engine.revision() is not None
    engine.close()
    if not made:
        upgrade(url)


def alembic_config(url: str) -> AlembicConfig:
    """Return Alembic's configuration for a store."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["url"] = url
    return config

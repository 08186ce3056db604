"""Choose the form of a store's database by its address."""

from connector.store.engine import Engine
from connector.store.postgres import PostgresEngine
from connector.store.sqlite import SqliteEngine
from connector.store.writer import PATIENCE


def open_engine(url: str, patience: float = PATIENCE) -> Engine:
    """Return the database at this address, not asked yet. Raises StoreError when its driver is not installed."""
    return PostgresEngine(url, patience) if url.startswith("postgresql") else SqliteEngine(url, patience)

"""Be the store in one SQLite file, written durably by one thread, read by many."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.store.checkpoints import Checkpoints
from connector.store.engine import Engine
from connector.store.writer import PATIENCE, FileLock, Op, Writer

# synchronous=FULL: in WAL mode only FULL syncs the log at each commit; NORMAL loses acked events at a power cut.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "wal_autocheckpoint=20000",  # only if checkpoints.py cannot: an ack would wait for it
    "secure_delete=ON",  # what is erased is written over, not only left to be used again
    "journal_size_limit=67108864",
)


def now_ms() -> int:
    """Return the wall clock in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class SqliteEngine(Engine):
    """Hold the file; its time is this machine's."""

    clock = staticmethod(now_ms)

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.path = Path(sa.make_url(url).database or "")
        lock = self.path.with_name(self.path.name + ".lock")
        self.lock = FileLock(lock)
        engine = _opened(url)
        super().__init__(url, engine, Writer(engine, self.lock, patience))
        self.checkpoints = Checkpoints(engine.raw_connection, FileLock(lock))
        self._watch: Any = None
        self._version = 0

    @property
    def name(self) -> str:
        """Return the file's path."""
        return str(self.path)

    def write(self, op: Op, arg: Any) -> Any:
        """Run a write operation in the next group commit; see Writer.write."""
        self.checkpoints.start()
        return super().write(op, arg)

    def version(self) -> int:
        """Return SQLite's own count of changes; another number while it cannot be asked, so that the store is tried."""
        try:
            if self._watch is None:
                self._watch = self._engine.raw_connection()
            self._version = int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])
        except (sqlite3.Error, sa.exc.DBAPIError):
            if self._watch is not None:
                self._watch.invalidate()
            self._watch, self._version = None, self._version + 1
        return self._version

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Hold the write lock; make the folder."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.lock:
            yield

    def close(self) -> None:
        """Finish what waits to be written and let go of the file."""
        self.writer.close()
        self.checkpoints.close()
        if self._watch is not None:
            self._watch.close()
        self._engine.dispose()

    def revision(self) -> str | None:
        """Return the schema's revision, or None for a store that was never made."""
        return super().revision() if self.path.exists() else None


def _opened(url: str) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=32, connect_args={"check_same_thread": False, "timeout": 5.0})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver's own would upgrade a read in the middle
        for pragma in _PRAGMAS:
            connection.execute("PRAGMA " + pragma)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine

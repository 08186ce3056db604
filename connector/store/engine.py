"""Open the store: one SQLite file, written durably by one thread, read by many."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from connector.errors import StoreBusy
from connector.store import tables
from connector.store.writer import PATIENCE, FileLock, Op, Writer

Result = TypeVar("Result")

# synchronous=FULL: in WAL mode only FULL syncs the log at each commit; NORMAL loses acked events at a power cut.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "journal_size_limit=67108864",
)


class Engine:
    """Hold the database: `read` sees the last commit, `write` returns when it is on disk."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.url = url
        self.path = Path(sa.make_url(url).database or "")
        self._engine = _sqlite(url)
        self.writer = Writer(self._engine, FileLock(self.path.with_name(self.path.name + ".lock")), patience)
        self._watch: Any = None

    def read(self, question: Callable[[sa.Connection], Result]) -> Result:
        """Run a question on a connection of its own. Raises StoreBusy when the store cannot be read."""
        try:
            with self._engine.connect().execution_options(reads_only=True) as connection:
                return question(connection)
        except sa.exc.DBAPIError as problem:
            raise StoreBusy(f"the store cannot be read now: {problem.orig}") from problem

    def write(self, op: Op, arg: Any) -> Any:
        """Run a write operation in the next group commit; see Writer.write."""
        return self.writer.write(op, arg)

    def version(self) -> int:
        """Return a number that changes with every commit to the store; one thread may ask, every few milliseconds."""
        if self._watch is None:
            self._watch = self._engine.raw_connection()
        return int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Finish what waits to be written and let go of the file."""
        self.writer.close()
        if self._watch is not None:
            self._watch.close()
        self._engine.dispose()

    def revision(self) -> str | None:
        """Return the schema's revision, or None for a store that was never made."""
        if not self.path.exists():
            return None

        def ask(connection: sa.Connection) -> str | None:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

        return self.read(ask)

    def current(self) -> bool:
        """Tell whether the schema is this program's."""
        return self.revision() == tables.REVISION


def insert_once(table: sa.Table) -> Any:
    """Return an insert that leaves a row alone that is there already (by any of its unique keys)."""
    return sqlite.insert(table).on_conflict_do_nothing()


def _sqlite(url: str) -> sa.Engine:
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

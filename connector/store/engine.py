"""Say what a store's database does for the rooms, whichever it is: read, write, tell that something changed, the time.

Two forms are built on this: one SQLite file (sqlite.py), and PostgreSQL (postgres.py); engines.py chooses.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import sqlalchemy as sa

from connector.errors import StoreBusy
from connector.store import tables
from connector.store.writer import Op, Writer, told

Result = TypeVar("Result")


class Engine(ABC):
    """Hold the database: `read` sees the last commit, `write` returns when it is on disk."""

    clock: Callable[[], int]  # epoch milliseconds, the same for everybody who uses this store
    migrates = True  # whether `serve` brings it up to date by itself

    def __init__(self, url: str, engine: sa.Engine, writer: Writer) -> None:
        self.url, self.writer, self._engine = url, writer, engine

    @property
    def name(self) -> str:
        """Return the database's address as it may be shown: without its password."""
        return sa.make_url(self.url).render_as_string(hide_password=True)

    def read(self, question: Callable[[sa.Connection], Result]) -> Result:
        """Run a question on a connection of its own. Raises StoreBusy when the store cannot be read."""
        try:
            with self._engine.connect().execution_options(reads_only=True) as connection:
                return question(connection)
        except sa.exc.DBAPIError as problem:
            raise StoreBusy(f"the store cannot be read now: {told(problem)}") from problem
        except sa.exc.TimeoutError as problem:
            raise StoreBusy("the store cannot be read now: every connection is in use") from problem

    def write(self, op: Op, arg: Any) -> Any:
        """Run a write operation in the next group commit; see Writer.write."""
        return self.writer.write(op, arg)

    @abstractmethod
    def version(self) -> int:
        """Return a number that changes with every commit to the store; one thread may ask, every few milliseconds."""

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Any]:
        """Keep everybody else from migrating meanwhile; make room for a store that is not there yet."""

    def close(self) -> None:
        """Finish what waits to be written and let go of the database."""
        self.writer.close()
        self._engine.dispose()

    def revision(self) -> str | None:
        """Return the schema's revision, or None for a store that was never made."""

        def ask(connection: sa.Connection) -> str | None:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

        return self.read(ask)

    def current(self) -> bool:
        """Tell whether the schema is this program's."""
        return self.revision() == tables.REVISION

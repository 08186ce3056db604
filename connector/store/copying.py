"""Move a stopped installation from its SQLite file into an empty PostgreSQL: all of it, or nothing."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.errors import NotFound, StoreBusy, StoreError
from connector.store import bulk, open_store
from connector.store.tables import metadata
from connector.store.writer import told

CHUNK = 200  # rows that are held at once: a body has up to 1 MiB
_SIZE = 2**256


@dataclass(slots=True)
class Content:
    """Hold how many rows a table has, and a hash of all of them that does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, row: Sequence[Any]) -> None:
        """Count one more row."""
        plain = [value.hex() if isinstance(value, bytes) else value for value in row]
        digest = hashlib.sha256(json.dumps(plain).encode()).digest()
        self.rows, self.total = self.rows + 1, (self.total + int.from_bytes(digest, "big")) % _SIZE

    @property
    def hash(self) -> str:
        """Return the hash in hexadecimal digits."""
        return f"{self.total:064x}"


Progress = Callable[[int], None]


def size(file: Path) -> int:
    """Count the rows of a store in a SQLite file. Raises NotFound, StoreError, StoreBusy while a process holds it."""
    with _alone(file) as old:
        return sum(_count(old, table) for table in metadata.sorted_tables)


def copy(file: Path, url: str, progress: Progress) -> dict[str, Content]:
    """Copy a store from a SQLite file into the PostgreSQL at `url`, in one transaction; return each table's content.

    `progress` is told of every row twice: when it was copied, and when it was read back and compared. Raises NotFound,
    StoreOutdated, StoreBusy while a process holds the file, StoreError when the target is not empty or differs.
    """
    open_store(url).close()
    engine = sa.create_engine(url, hide_parameters=True)
    try:
        with _alone(file) as old, engine.begin() as new:
            _hold(new)
            contents = {table.name: _copied(old, new, table, progress) for table in metadata.sorted_tables}
            for table in metadata.sorted_tables:
                _compare(new, table, contents[table.name], progress)
            _go_on(old, new)
    except sa.exc.DBAPIError as problem:
        raise StoreBusy(f"nothing was copied: {told(problem)}") from problem
    finally:
        engine.dispose()
    return contents


@contextmanager
def _alone(file: Path) -> Iterator[sa.Connection]:
    if not file.is_file():
        raise NotFound(f"there is no file {file}")
    url = f"sqlite:///{file}"
    store = open_store(url)  # raises StoreOutdated; and its log is written into the file when it closes
    store.close()
    engine = sa.create_engine(url, poolclass=sa.pool.StaticPool, connect_args={"timeout": 0})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # SQLite gives this only to one who is alone: doors and workers keep their connections open.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")

    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
    except sa.exc.OperationalError as problem:
        raise StoreBusy(
            f"{file} is in use ({problem.orig}): stop `connector serve` and every `connector worker` first"
        ) from problem
    finally:
        engine.dispose()


def _hold(new: sa.Connection) -> None:
    # A door that was started too early waits, and answers 503.
    new.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    new.exec_driver_sql("SET LOCAL synchronous_commit = on")
    names = ", ".join(table.name for table in metadata.sorted_tables)
    new.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
    for table in metadata.sorted_tables:
        if there := _count(new, table):
            raise StoreError(f"the target is not empty: {table.name} has {there} rows; give it a database of its own")


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _copied(old: sa.Connection, new: sa.Connection, table: sa.Table, progress: Progress) -> Content:
    content = Content()
    driver: Any = new.connection.driver_connection
    names = ", ".join(column.name for column in table.columns)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as out:
        for rows in old.execute(sa.select(table).order_by(*table.primary_key)).partitions(CHUNK):
            for row in rows:
                plain = _plain(table, row)
                content.add(plain)
                out.write_row(plain)
            progress(len(rows))
    return content


def _plain(table: sa.Table, row: Sequence[Any]) -> list[Any]:
    # PostgreSQL keeps no NUL in a text, where SQLite does.
    return [
        json.dumps(value) if isinstance(column.type, sa.JSON) and value is not None
        else bulk.storable(value) if isinstance(value, str)
        else value
        for column, value in zip(table.columns, row, strict=True)
    ]  # fmt: skip


def _compare(new: sa.Connection, table: sa.Table, content: Content, progress: Progress) -> None:
    there = Content()
    with new.execute(sa.select(table).execution_options(stream_results=True)) as result:
        for rows in result.partitions(CHUNK):
            for row in rows:
                there.add(_plain(table, row))
            progress(len(rows))
    if there != content:
        raise StoreError(f"nothing was copied: {table.name} came out as {there.rows} rows instead of {content.rows}")


def _go_on(old: sa.Connection, new: sa.Connection) -> None:
    # Ids are never used again, not even those of rows that were purged.
    for name, last in old.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").all():
        if name in metadata.tables and last:
            new.execute(
                sa.text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"), {"name": name, "last": last}
            )

"""Be the store in PostgreSQL: any number of doors and workers on any number of machines, by the database's own clock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa

from connector.errors import StoreBusy, StoreError
from connector.store.engine import Engine
from connector.store.transactions import TransactionWriter
from connector.store.writer import PATIENCE

NO_DRIVER = "PostgreSQL needs its driver: run `pip install 'flavours-connector[postgres]'`"
POLL = 0.05  # seconds between two looks whether anything was committed; a round trip each
MEASURE = 5.0  # seconds between two looks at the database's clock
READING = 30.0  # a question of a person may take longer than a write, which Flavours waits for
LEFT_OPEN = 10.0  # a machine that stopped in the middle of a transaction gives its locks back after this
_MIGRATING = 0x466C61766F757273  # the advisory lock: "Flavours"

# A link that is cut, or a machine that is gone, is noticed within seconds instead of TCP's quarter of an hour.
_LINK = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 4000,
    "application_name": "flavours-connector",
}
_SNAPSHOT = sa.text("SELECT pg_current_snapshot()::text")
_TIME = sa.text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8")


class DatabaseClock:
    """Tell the database's time (epoch ms) by this machine's monotonic clock, which no one can set.

    What lies between the two is measured on first use, and again every few seconds beside the work; nobody waits for
    it, and while the database is away the last measure holds.
    """

    def __init__(self, ask: Callable[[], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._monotonic = ask, monotonic
        self._offset: float | None = None
        self._measured = float("-inf")
        self._measuring = threading.Lock()

    def __call__(self) -> int:
        """Return the database's time. Raises StoreBusy when it could never be asked."""
        if self._offset is None:
            self._offset = self._measure()
        elif self._monotonic() - self._measured > MEASURE and self._measuring.acquire(blocking=False):
            self._measured = self._monotonic()
            threading.Thread(target=self._again, name="store-clock", daemon=True).start()
        return int(self._offset + self._monotonic() * 1000)

    def _again(self) -> None:
        try:
            with suppress(StoreBusy):
                self._offset = self._measure()
        finally:
            self._measuring.release()

    def _measure(self) -> float:
        asked = self._monotonic()
        there = self._ask()
        self._measured = answered = self._monotonic()
        return there - (asked + answered) / 2 * 1000


class PostgresEngine(Engine):
    """Hold the connections: one that writes for all threads of this process, one that watches, and some that read."""

    migrates = False  # which of many machines does it, and when, is for a person to say

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self._writing = _opened(url, statement=patience * 0.9, lock=patience * 0.8, size=1)
        reading = _opened(url, statement=READING, lock=READING, size=8)
        super().__init__(url, reading, TransactionWriter(self._writing, patience))
        self.clock = DatabaseClock(lambda: float(self.read(lambda c: c.execute(_TIME).scalar_one())))
        self._watch: sa.Connection | None = None
        self._version, self._asked = 0, float("-inf")

    def version(self) -> int:
        """Return a number that changes with every commit; also while the database is away, so that it is tried."""
        if time.monotonic() - self._asked >= POLL:
            self._version = self._snapshot()
            self._asked = time.monotonic()
        return self._version

    def _snapshot(self) -> int:
        try:
            if self._watch is None:
                self._watch = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            return hash(self._watch.execute(_SNAPSHOT).scalar_one())
        except (sa.exc.DBAPIError, sa.exc.TimeoutError):
            self._let_go()
            return self._version + 1

    def _let_go(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            with suppress(sa.exc.DBAPIError):
                watch.close()

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """Hold an advisory lock, for as long as it takes."""
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("SET statement_timeout = 0")
                connection.exec_driver_sql("SET lock_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATING})")
                try:
                    yield
                finally:
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_MIGRATING})")
                    connection.invalidate()  # with its other timeouts it must not go back to the pool
        except sa.exc.OperationalError as problem:
            raise StoreBusy(f"the store cannot be upgraded now: {problem.orig}") from problem

    def close(self) -> None:
        """Finish what waits to be written and let go of all connections."""
        self.writer.close()
        self._let_go()
        self._writing.dispose()
        self._engine.dispose()


def _opened(url: str, *, statement: float, lock: float, size: int) -> sa.Engine:
    address = sa.make_url(url)
    link = {name: value for name, value in _LINK.items() if name not in address.query}
    try:
        engine = sa.create_engine(
            address,
            isolation_level="READ COMMITTED",
            pool_size=size,
            max_overflow=24,
            pool_timeout=5.0,
            pool_pre_ping=True,  # a connection that died with the server is replaced, not handed out
            connect_args=link,
            hide_parameters=True,
        )
    except ModuleNotFoundError as problem:
        raise StoreError(NO_DRIVER) from problem
    # Set for the session, and not in the address: a pooler in front of the database takes no start options.
    settings = (
        "SET synchronous_commit = on",  # an ack stands for what is on disk, whatever the server's default is
        f"SET statement_timeout = {int(statement * 1000)}",
        f"SET lock_timeout = {int(lock * 1000)}",
        f"SET idle_in_transaction_session_timeout = {int(LEFT_OPEN * 1000)}",
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("; ".join(settings))
        connection.commit()

    return engine

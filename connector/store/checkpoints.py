"""Carry what was committed from SQLite's log into its file, beside the writing.

SQLite does it by itself within a commit, every thousand pages: whoever waits for that commit waits for the writing of
four megabytes and two more syncs, and everybody else for the lock.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import sqlalchemy as sa

from connector.store.writer import PATIENCE, WriteLock

EVERY = 2.0  # seconds
LARGE = 4_000  # pages of the log (16 MB), from which on it begins anew, though somebody always writes


class Checkpoints:
    """Carry every few seconds, in a thread of its own.

    `connect` gives a connection of the pool; `lock` keeps all others from writing and must be one of its own: a lock
    that the writer of this process holds as well would keep nobody out.
    """

    def __init__(self, connect: Callable[[], Any], lock: WriteLock, every: float = EVERY) -> None:
        self._connect, self._lock, self._every = connect, lock, every
        self._starting, self._ended = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, where it was not begun before."""
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._loop, name="store-checkpoints", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Stop, before the connections are closed."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def carry(self, large: int = LARGE) -> tuple[int, int]:
        """Carry what is in the log; return how many pages it has and how many of them were carried.

        The log begins anew when all of it was carried. Of a large one, what came meanwhile is carried while nobody writes.
        """
        with closing(self._connect()) as connection:
            pages, carried = _passive(connection)
            if pages > large:
                with self._lock:
                    pages, carried = _passive(connection)
            return pages, carried

    def _loop(self) -> None:
        while not self._ended.wait(self._every):
            # A disk that refuses this refuses the writes too, and they tell. Should it be this alone, SQLite's own
            # checkpoints come in the end.
            with suppress(sqlite3.Error, sa.exc.DBAPIError, sa.exc.TimeoutError, OSError):
                self.carry()


def _passive(connection: Any) -> tuple[int, int]:
    # It waits for nobody and keeps nobody waiting; another process that is at it leaves nothing to do.
    _busy, pages, carried = connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return pages, carried

"""One thread that writes: what waits at the same time is committed as one transaction, synced once (group commit).

SQLite lets one connection write at a time and makes the others sleep; 32 request threads that each commit get 74 rows
a second. One writer that commits whatever waits gets 2,800, and nobody sleeps.
"""

import fcntl
import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from connector.errors import StoreBusy

PATIENCE = 5.0
GRACE = 3.0  # Flavours waits 10 s in all
GROUP = 256

Op = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]


class WriteLock(Protocol):
    """Keep other processes from writing while we do."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *exc: object) -> None: ...


@dataclass(slots=True)
class FileLock:
    """Hold an exclusive lock on a file; the kernel releases it when the process dies.

    Opened on first use, in the process that uses it: a lock inherited through a fork would be shared.
    """

    path: Path
    _fd: int | None = None

    def __enter__(self) -> None:
        if self._fd is None:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *exc: object) -> None:
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)


class Request:
    """Hold one write that waits for its group; a bare lock wakes its thread, which costs a tenth of a Future."""

    __slots__ = ("_begun", "_done", "answer", "arg", "op")

    def __init__(self, op: Op, arg: Any) -> None:
        self.op, self.arg = op, arg
        self.answer: Any = None
        self._begun = threading.Lock()  # taken once, by whoever is first: the writer, or a thread that waits no longer
        self._done = threading.Lock()
        self._done.acquire()

    def begin(self) -> bool:
        """Let the writer begin; False when it was withdrawn."""
        return self._begun.acquire(blocking=False)

    def wait(self, seconds: float) -> Any:
        """Return the answer, or raise it. Raises StoreBusy when the write was not begun in time; it never will be.

        One that was begun is waited for a little longer, so that what is refused is hardly ever stored all the same.
        """
        if not self._done.acquire(timeout=seconds) and (
            self._begun.acquire(blocking=False) or not self._done.acquire(timeout=GRACE)
        ):
            raise StoreBusy(f"the store did not take the write within {seconds:g} s")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def done(self, answer: Any) -> None:
        """Hand the answer over and wake the thread that waits."""
        self.answer = answer
        self._done.release()


class Writer:
    """Run write operations of this process one group at a time; `write` returns after the commit is on disk."""

    def __init__(self, engine: sa.Engine, lock: WriteLock, patience: float = PATIENCE) -> None:
        self._engine, self.lock, self._patience = engine, lock, patience
        self._waiting: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, op: Op, arg: Any) -> Any:
        """Run `op` on `[arg]`, perhaps together with others' args, and return its result once it is committed.

        Raises StoreBusy when it was not committed within the patience (5 s); what still waits then is withdrawn.
        """
        return self.submit(op, arg).wait(self._patience)

    def submit(self, op: Op, arg: Any) -> Request:
        """Queue a write and return it at once, to be waited for."""
        if self._thread is None:
            self._start()
        request = Request(op, arg)
        self._waiting.put(request)
        return request

    def close(self) -> None:
        """Finish what waits, then stop."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(self._patience)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, more = self._gather(first)
            self._commit(group)
            if not more:
                break

    def _gather(self, first: Request) -> tuple[list[Request], bool]:
        group = [first]
        with suppress(queue.Empty):
            while len(group) < GROUP:
                request = self._waiting.get_nowait()
                if request is None:
                    return group, False
                group.append(request)
        return group, True

    def _commit(self, group: list[Request]) -> None:
        try:
            with self.lock:
                group = [request for request in group if request.begin()]
                answers = self._together(group) if group else []
        except Exception as problem:  # noqa: BLE001 - every waiting thread must be answered
            answers = [translated(problem)] * len(group)
        for request, answer in zip(group, answers, strict=True):
            request.done(answer)

    def _together(self, group: list[Request]) -> list[Any]:
        try:
            with self._engine.begin() as connection:
                return answered(connection, group)
        except Exception:
            if len(group) == 1:
                raise
        return self._one_by_one(group)

    def _one_by_one(self, group: list[Request]) -> list[Any]:
        # One bad row must not cost its neighbours their acks: each runs again behind a savepoint of its own.
        answers: list[Any] = []
        with self._engine.begin() as connection:
            for request in group:
                try:
                    with connection.begin_nested():
                        answers += answered(connection, [request])
                except Exception as problem:  # noqa: BLE001 - it is this request's answer
                    answers.append(translated(problem))
        return answers


def answered(connection: sa.Connection, group: Sequence[Request]) -> list[Any]:
    """Run a group's operations in the transaction that is open; return an answer for each."""
    by_op: dict[Op, list[int]] = {}
    for place, request in enumerate(group):
        by_op.setdefault(request.op, []).append(place)
    answers: list[Any] = [None] * len(group)
    for op, places in by_op.items():
        for place, answer in zip(places, op(connection, [group[p].arg for p in places]), strict=True):
            answers[place] = answer
    return answers


def translated(problem: Exception) -> Exception:
    """Return what a thread is told that waited for a write: StoreBusy for whatever the database would not do."""
    if isinstance(problem, sa.exc.DBAPIError | sa.exc.TimeoutError | OSError):
        return StoreBusy(f"the store cannot write now: {told(problem)}")
    return problem


def told(problem: Exception) -> str:
    """Return what a database said, on one line; PostgreSQL's details are left out, which can hold a row."""
    cause = problem.orig if isinstance(problem, sa.exc.DBAPIError) else problem
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return f"{type(cause).__name__}: {' '.join(said.split())}"

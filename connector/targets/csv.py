"""The contact book: a CSV file for Excel with one row for each customer; the target that needs no account anywhere.

People may sort it, add columns and correct cells; what they add stays. A file that cannot be read as the book is never
written over.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.config import TargetConfig
from connector.config_fields import Group, Text
from connector.errors import Refused
from connector.models import Outcome, Retry, Trouble, Upsert
from connector.targets.base import Around, Check, Kind, LeaseLost, Run
from connector.targets.book import Book, read, written
from connector.targets.outcomes import outcome

BATCH = 500
PATIENCE = 10.0
_LOOK = 0.02


class CsvSettings(Group):
    """Be the settings of a contact book."""

    path = Text(required=True, metadata={"help": "the file, beside config.yaml unless told otherwise"})


class Csv:
    """Be one contact book; several threads and processes may write it."""

    kind = "csv"
    batch_size = BATCH
    timeout = 3.0  # the write itself, once the lock is ours
    uncertain_wait = 0.0

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self.account = str(self._path)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - no list of fields
        """Read the book, and look whether its folder takes a new file; writes nothing."""
        try:
            book = self._read()
        except OSError as problem:
            return Check(ok=False, lines=(self._unusable("read", problem),))
        except Refused as broken:
            return Check(ok=False, lines=(str(broken),))
        if not os.access(self._path.parent, os.W_OK | os.X_OK):
            return Check(ok=False, lines=(f"cannot write into the folder {self._path.parent}",))
        return Check(ok=True, lines=(f"{self._path}: {len(book.rows)} contacts",))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring the records into the book with one write."""
        try:
            with self._locked():
                return self._put(requests, run)
        except Refused as broken:
            return [outcome(broken)] * len(requests)
        except OSError as problem:
            reason = self._unusable("write", problem)
            return [Retry(reason, spent=False, trouble=Trouble("busy", reason))] * len(requests)

    def _put(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        book = self._read()
        outcomes = [book.put(request) for request in requests]
        if not book.changed:
            return outcomes
        if not run.still_ours():
            return [outcome(LeaseLost())] * len(requests)
        self._write(book)
        return outcomes

    def _read(self) -> Book:
        body = self._path.read_bytes() if self._path.exists() else b""
        try:
            return read(body)
        except Refused as broken:
            raise Refused(f"{self._path} {broken}") from None

    def _write(self, book: Book) -> None:
        # Whole or not at all: a reader, a crash or a full disk never meets half a book.
        new = self._path.with_name(self._path.name + ".new")
        with new.open("wb") as file:
            file.write(written(book))
            file.flush()
            os.fsync(file.fileno())
        if self._path.exists():
            shutil.copymode(self._path, new)
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # The lock is a file of its own, for the book itself is replaced at each write.
        until = time.monotonic() + PATIENCE
        with self._path.with_name(self._path.name + ".lock").open("ab") as file:
            while not _taken(file.fileno()):
                if time.monotonic() > until:
                    raise TimeoutError("another program holds its lock")
                time.sleep(_LOOK)
            yield

    def _unusable(self, do: str, problem: OSError) -> str:
        return f"cannot {do} {self._path}: {problem.strerror or problem}"


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(config: TargetConfig, settings: Mapping[str, Any], _around: Around) -> Csv:
    return Csv(Path(config.file).absolute().parent / str(settings["path"]))


KIND = Kind(
    label="a contact book for Excel, one row for each customer",
    schema=CsvSettings(),
    open=_open,
    batch_size=BATCH,
    match="the customer's id in Flavours",
    twice="never",
    upsert="one write of the whole file",
    proved="real system: files, written by several processes",
)

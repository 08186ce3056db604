"""Keep the OAuth2 tokens of one target for all workers, and let one of them renew at a time.

The right to renew is a time in the row: nothing is locked while a vendor is asked, and a worker that dies meanwhile
keeps nobody waiting for longer than it asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector.models import Kept
from connector.store import bulk
from connector.store.engine import Engine
from connector.store.tables import tokens

LONGEST = 900_000  # milliseconds; a right that would end later was taken before the clock was put back


@dataclass(frozen=True, slots=True)
class _Change:
    target: str
    version: int
    now: int
    until: int = 0
    blob: bytes = b""


class Tokens:
    """Be the vault of one target (see targets/base.py); what it keeps is encrypted by others."""

    def __init__(self, engine: Engine, clock: Callable[[], int], target: str) -> None:
        self._engine, self._clock, self._target = engine, clock, target
        self._until = 0

    def load(self) -> Kept | None:
        """Return what is kept, None when nothing is. Raises StoreBusy."""
        row = self._row()
        return Kept(row.version, row.blob) if row is not None and row.version else None

    def kept_at(self) -> int | None:
        """Return when what is kept was kept (epoch ms), None when nothing is. Raises StoreBusy."""
        row = self._row()
        return int(row.kept_at) or None if row is not None and row.version else None

    def begin(self, version: int, seconds: float) -> bool:
        """Take the right to renew this version for so long; False when another has it, or did it. Raises StoreBusy."""
        now = self._clock()
        row = self._row()  # a look costs no commit, and those who wait look often
        if row is not None and (row.version != version or now < row.renewing_until <= now + LONGEST):
            return False
        until = now + int(seconds * 1000)
        taken: bool = self._engine.write(_begin, _Change(self._target, version, now, until))
        if taken:
            self._until = until
        return taken

    def end(self, version: int) -> None:
        """Give the right back, if it is still the one that was taken here. Raises StoreBusy."""
        self._engine.write(_end, _Change(self._target, version, self._clock(), self._until))

    def put(self, version: int, blob: bytes) -> bool:
        """Keep this in place of a version (0: of nothing), on disk when it returns; False when another was quicker.

        Raises StoreBusy: then nothing was kept.
        """
        kept: bool = self._engine.write(_put, _Change(self._target, version, self._clock(), blob=blob))
        return kept

    def _row(self) -> Any:
        ask = sa.select(tokens.c.version, tokens.c.blob, tokens.c.renewing_until, tokens.c.kept_at)
        return self._engine.read(lambda c: c.execute(ask.where(tokens.c.target == self._target)).first())


def _begin(connection: sa.Connection, changes: Sequence[_Change]) -> list[bool]:
    return [_begun(connection, change) for change in changes]


def _begun(connection: sa.Connection, new: _Change) -> bool:
    until = tokens.c.renewing_until
    free = sa.or_(until <= new.now, until > new.now + LONGEST)
    return _changed(connection, new, {"renewing_until": new.until}, free)


def _end(connection: sa.Connection, changes: Sequence[_Change]) -> list[None]:
    for change in changes:
        _changed(connection, change, {"renewing_until": 0}, tokens.c.renewing_until == change.until)
    return [None] * len(changes)


def _put(connection: sa.Connection, changes: Sequence[_Change]) -> list[bool]:
    return [_kept(connection, change) for change in changes]


def _kept(connection: sa.Connection, new: _Change) -> bool:
    values = {"version": new.version + 1, "blob": new.blob, "renewing_until": 0, "kept_at": new.now}
    return _changed(connection, new, values, sa.true())


def _changed(
    connection: sa.Connection, change: _Change, values: dict[str, object], only: sa.ColumnElement[bool]
) -> bool:
    bulk.insert(connection, tokens, [{"target": change.target, "version": 0, "blob": b""}], once=True)
    same = (tokens.c.target == change.target, tokens.c.version == change.version, only)
    return connection.execute(sa.update(tokens).where(*same).values(values)).rowcount == 1

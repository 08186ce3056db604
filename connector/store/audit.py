"""Remember what people did on the admin pages: who, when, what, and about which thing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connector.store.engine import Engine
from connector.store.tables import audit


class Audit:
    """Write down and read what people did."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def note(self, person: str, what: str, about: str = "") -> None:
        """Write down that a person did something; `what` is a word such as `replay`, `about` an id or a name."""
        self._engine.write(_note_many, {"at": self._clock(), "person": person, "what": what, "about": about})

    def list(self, limit: int = 50, before: int | None = None) -> list[Mapping[str, Any]]:
        """Return what was done, newest first; `before` is an id to page on from."""
        ask = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
        ask = ask if before is None else ask.where(audit.c.id < before)
        return self._engine.read(lambda c: [dict(row._mapping) for row in c.execute(ask)])


def _note_many(connection: sa.Connection, notes: Sequence[dict[str, Any]]) -> list[None]:
    connection.execute(sa.insert(audit), list(notes))
    return [None] * len(notes)

"""Keep who may sign in to the admin pages, their sessions, and how often someone guessed."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector.errors import NotFound
from connector.models import ROLES
from connector.store import bulk
from connector.store.engine import Engine
from connector.store.tables import people, sessions, sign_in_failures

SESSION = 12 * 3_600_000  # ms
FREE_TRIES = 5
FORGOTTEN = 15 * 60_000  # ms without a wrong password, after which nobody remembers the old ones


class LastEditor(ValueError):
    """Refuse to leave nobody who may let people in."""


@dataclass(frozen=True, slots=True)
class Person:
    """Hold who may sign in, and as what."""

    name: str
    role: str
    added_at: int

    def may(self, role: str) -> bool:
        """Tell whether this person's role includes another."""
        return ROLES.index(self.role) >= ROLES.index(role)


_PERSON = (people.c.name, people.c.role, people.c.added_at)


class People:
    """Add, remove and recognise people."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def add(self, name: str, role: str, password: str) -> None:
        """Let a person in; `password` is hashed already. Raises ValueError when there is one of this name."""
        row = {"name": name, "role": role, "password": password, "added_at": self._clock()}
        self._engine.write(_each(_add), row)

    def remove(self, name: str, *, keep_editor: bool = False) -> None:
        """Let a person in no more, and end their sessions. Raises NotFound; LastEditor where one is to be kept."""
        self._engine.write(_each(_remove), (name, keep_editor))

    def change(self, name: str, *, keep_editor: bool = False, **values: str) -> None:
        """Change a person's `password` (hashed) or `role`, and end their sessions. Raises NotFound, LastEditor."""
        self._engine.write(_each(_change), (name, values, keep_editor))

    def list(self) -> list[Person]:
        """Return all people by name."""
        ask = sa.select(*_PERSON).order_by(people.c.name)
        return self._engine.read(lambda c: [Person(*row) for row in c.execute(ask)])

    def password(self, name: str) -> str | None:
        """Return the hash of a person's password, None for a stranger."""
        ask = sa.select(people.c.password).where(people.c.name == name)
        return self._engine.read(lambda c: c.execute(ask).scalar())

    def sign_in(self, name: str) -> str:
        """Begin a session and return its token, which is kept nowhere."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        self._engine.write(_each(_sign_in), (_hash(token), name, now, now + SESSION))
        return token

    def signed_in(self, token: str) -> Person | None:
        """Return whose session this is, None when it ended."""
        ask = sa.select(*_PERSON).join(sessions, sessions.c.person == people.c.name)
        ask = ask.where(sessions.c.token == _hash(token), sessions.c.until > self._clock())
        row = self._engine.read(lambda c: c.execute(ask).first())
        return None if row is None else Person(*row)

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._engine.write(_each(_sign_out), _hash(token))

    def wait(self, keys: Sequence[str]) -> int:
        """Return for how many ms nobody may try a password under any of these keys (a name, an address)."""
        ask = sa.select(sign_in_failures).where(sign_in_failures.c.key.in_(keys))
        now = self._clock()
        found = self._engine.read(
            lambda c: [row.last_at + _pause(row._mapping["count"]) - now for row in c.execute(ask)]
        )
        return max([0, *map(int, found)])

    def failed(self, keys: Sequence[str]) -> None:
        """Count a wrong password under these keys."""
        self._engine.write(_each(_failed), (tuple(keys), self._clock()))

    def forgive(self, keys: Sequence[str]) -> None:
        """Forget the wrong passwords under these keys."""
        self._engine.write(_each(_forgive), tuple(keys))


def _pause(count: int) -> int:
    """Return how long (ms) to wait after so many wrong passwords in a row: 2 s, 4 s … up to 15 minutes."""
    return 0 if count < FREE_TRIES else int(min(FORGOTTEN, 2000 * 2 ** min(count - FREE_TRIES, 20)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _each(one: Callable[[sa.Connection, Any], None]) -> Callable[[sa.Connection, Sequence[Any]], list[None]]:
    def all_(connection: sa.Connection, args: Sequence[Any]) -> list[None]:
        for arg in args:
            one(connection, arg)
        return [None] * len(args)

    return all_


def _add(connection: sa.Connection, row: dict[str, Any]) -> None:
    if connection.execute(sa.select(people.c.name).where(people.c.name == row["name"])).first():
        raise ValueError(f"there is a person {row['name']} already")
    connection.execute(sa.insert(people), row)


def _remove(connection: sa.Connection, order: tuple[str, bool]) -> None:
    name, keep_editor = order
    bulk.lock(connection, [("people",)])  # two editors who remove each other: one of them stays
    if not connection.execute(sa.delete(people).where(people.c.name == name)).rowcount:
        raise NotFound(f"there is no person {name}")
    _one_editor(connection, keep_editor)
    connection.execute(sa.delete(sessions).where(sessions.c.person == name))


def _one_editor(connection: sa.Connection, wanted: bool) -> None:
    """Refuse a change after which nobody could let anybody in."""
    if wanted and connection.execute(sa.select(people.c.name).where(people.c.role == "editor")).first() is None:
        raise LastEditor("there is no other editor")


def _change(connection: sa.Connection, order: tuple[str, dict[str, str], bool]) -> None:
    name, values, keep_editor = order
    bulk.lock(connection, [("people",)])
    if not connection.execute(sa.update(people).where(people.c.name == name).values(**values)).rowcount:
        raise NotFound(f"there is no person {name}")
    _one_editor(connection, keep_editor)
    connection.execute(sa.delete(sessions).where(sessions.c.person == name))


def _sign_in(connection: sa.Connection, order: tuple[str, str, int, int]) -> None:
    token, name, now, until = order
    connection.execute(sa.delete(sessions).where(sessions.c.until <= now))
    connection.execute(sa.insert(sessions), {"token": token, "person": name, "until": until})


def _sign_out(connection: sa.Connection, token: str) -> None:
    connection.execute(sa.delete(sessions).where(sessions.c.token == token))


def _failed(connection: sa.Connection, order: tuple[tuple[str, ...], int]) -> None:
    keys, now = order
    table = sign_in_failures
    connection.execute(sa.delete(table).where(table.c.last_at < now - FORGOTTEN))
    for key in sorted(keys):
        more = sa.update(table).where(table.c.key == key).values(count=table.c.count + 1, last_at=now)
        if not connection.execute(more).rowcount:
            connection.execute(sa.insert(table), {"key": key, "count": 1, "last_at": now})


def _forgive(connection: sa.Connection, keys: tuple[str, ...]) -> None:
    connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.key.in_(keys)))

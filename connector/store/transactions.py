"""Write in PostgreSQL: a transaction for each kind of write in a group, tried again where two met the wrong way round.

Grouping saves commits and steps of Python, as on SQLite; but a database that many write to takes locks row by row, and
the locks of two kinds of writes in one transaction would be taken in no order.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connector.store.writer import Op, Request, Writer, answered, translated

TRIES = 4
AGAIN = frozenset({"40P01", "40001"})  # deadlock, serialization failure: PostgreSQL says to try again


class NoLock:
    """Be the lock of a store that needs none: its database lets many write."""

    def __enter__(self) -> None: ...
    def __exit__(self, *exc: object) -> None: ...


class TransactionWriter(Writer):
    """Run each kind of write of a group in a transaction of its own."""

    def __init__(self, engine: sa.Engine, patience: float) -> None:
        super().__init__(engine, NoLock(), patience)

    def _commit(self, group: list[Request]) -> None:
        by_op: dict[Op, list[Request]] = {}
        for request in group:
            by_op.setdefault(request.op, []).append(request)
        for requests in by_op.values():
            self._answer(requests)

    def _answer(self, requests: list[Request]) -> None:
        answers: Sequence[Any]
        try:
            # Connected first: while that takes its time, whoever cannot wait longer may still withdraw.
            with self._engine.connect() as connection:
                requests = [request for request in requests if request.begin()]
                answers = _together(connection, requests) if requests else []
        except Exception as problem:  # noqa: BLE001 - every waiting thread must be answered
            answers = [translated(problem)] * len(requests)
        for request, answer in zip(requests, answers, strict=True):
            request.done(answer)


def _together(connection: sa.Connection, requests: list[Request]) -> list[Any]:
    try:
        return _tried(connection, requests)
    except sa.exc.OperationalError:
        raise  # the database is away, or somebody holds a lock: the next one would only wait as long
    except Exception:
        if len(requests) == 1 or connection.invalidated:
            raise
    return [_alone(connection, request) for request in requests]


def _alone(connection: sa.Connection, request: Request) -> Any:
    # One bad row must not cost its neighbours their acks.
    try:
        return _tried(connection, [request])[0]
    except Exception as problem:  # noqa: BLE001 - it is this request's answer
        return translated(problem)


def _tried(connection: sa.Connection, requests: list[Request]) -> list[Any]:
    for left in reversed(range(TRIES)):
        try:
            with connection.begin():
                return answered(connection, requests)
        except sa.exc.OperationalError as problem:
            if not left or getattr(problem.orig, "sqlstate", None) not in AGAIN:
                raise
    raise AssertionError("unreachable")

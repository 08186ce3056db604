"""Do for many rows what costs one step: Python lets go of its lock at every step of SQLite, and 16 threads want it.

Fetching 16 rows, or inserting them one by one, would hand the interpreter to other threads 16 times in the middle of
the one transaction that all of them wait for.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

MOST_VALUES = 30_000  # SQLite takes 32,766 in one statement


def insert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, once: bool = False
) -> None:
    """Insert rows that have the same keys; with `once`, leave alone what is there already."""
    if not rows:
        return
    names = tuple(column.name for column in table.columns if column.name in rows[0])
    most = MOST_VALUES // len(names)
    for first in range(0, len(rows), most):
        part = rows[first : first + most]
        values = tuple(row[name] for row in part for name in names)
        connection.exec_driver_sql(_insert(table, names, len(part), once), values)


@lru_cache(maxsize=512)
def _insert(table: sa.Table, names: tuple[str, ...], count: int, once: bool) -> str:
    rows = [{name: sa.bindparam(f"{name}_{n}", type_=table.c[name].type) for name in names} for n in range(count)]
    statement = sqlite.insert(table).values(rows)
    return str((statement.on_conflict_do_nothing() if once else statement).compile(dialect=sqlite.dialect()))


def gather(*columns: sa.ColumnElement[Any]) -> sa.Select[tuple[str]]:
    """Return a select whose many rows come as one JSON text; read it with `rows`."""
    return sa.select(sa.func.json_group_array(sa.func.json_array(*columns)))


def rows(connection: sa.Connection, ask: sa.Select[tuple[str]], **values: Any) -> list[list[Any]]:
    """Return the rows of a gathered select."""
    found: list[list[Any]] = json.loads(str(connection.execute(ask, values).one()[0]))
    return found

"""Do for many rows what costs one step: Python lets go of its lock at every step of SQLite, and 16 threads want it.

Fetching 16 rows, or inserting them one by one, would hand the interpreter to other threads 16 times in the middle of
the one transaction that all of them wait for.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

MOST_VALUES = 30_000  # SQLite takes 32,766 in one statement


def insert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    once: bool = False,
    over: tuple[str, ...] = (),
) -> None:
    """Insert rows that have the same keys.

    `once`: leave alone what is there already, by any unique key. `over`: write over the row with the same values in
    these columns, which are a key.
    """
    if not rows:
        return
    names = tuple(column.name for column in table.columns if column.name in rows[0])
    most = MOST_VALUES // len(names)
    for first in range(0, len(rows), most):
        part = rows[first : first + most]
        values = tuple(row[name] for row in part for name in names)
        connection.exec_driver_sql(_insert(table, names, len(part), once, over), values)


@lru_cache(maxsize=512)
def _insert(table: sa.Table, names: tuple[str, ...], count: int, once: bool, over: tuple[str, ...]) -> str:
    rows = [{name: sa.bindparam(f"{name}_{n}", type_=table.c[name].type) for name in names} for n in range(count)]
    statement = sqlite.insert(table).values(rows)
    if once:
        statement = statement.on_conflict_do_nothing()
    if over:
        changes = {name: statement.excluded[name] for name in names if name not in over}
        statement = statement.on_conflict_do_update(index_elements=[table.c[name] for name in over], set_=changes)
    return str(statement.compile(dialect=sqlite.dialect()))


Sent = Callable[[str], sa.ColumnElement[Any]]


def update(table: sa.Table, key: str, changes: Callable[[Sent], dict[str, Any]]) -> sa.Update:
    """Return an update of many rows, for `run`; what is sent is a list of objects whose `key` names the row.

    `changes` gets a function from the name of a sent value to its expression, and gives each column its value.
    """
    each = sa.func.json_each(sa.bindparam("sent", type_=sa.Text)).table_valued("value", name="sent")

    def sent(name: str) -> sa.ColumnElement[Any]:
        return sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{name}'"))

    return sa.update(table).where(table.c[key] == sent(key)).values(changes(sent))


def run(connection: sa.Connection, statement: sa.Update, sent: Sequence[Mapping[str, Any]]) -> None:
    """Run an update on many rows in one step."""
    connection.execute(statement, {"sent": json.dumps(sent)})


def gather(ask: sa.Select[Any]) -> sa.Select[tuple[str]]:
    """Return a select whose many rows come as one JSON text, in no order; read it with `rows`."""
    inner = ask.subquery()
    return sa.select(sa.func.json_group_array(sa.func.json_array(*inner.c)))


def rows(connection: sa.Connection, ask: sa.Select[tuple[str]], **values: Any) -> list[list[Any]]:
    """Return the rows of a gathered select."""
    found: list[list[Any]] = json.loads(str(connection.execute(ask, values).one()[0]))
    return found


def storable(said: str) -> str:
    """Return text that a database takes: a target can answer with half a character or a NUL, and must be settled."""
    return said.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")

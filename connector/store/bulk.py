"""Do for many rows what costs one step, in the words of either database: the only place that knows which one it is.

On SQLite, Python lets go of its lock at every step, and 16 threads want it: fetching 16 rows, or inserting them one by
one, would hand the interpreter to other threads 16 times in the middle of the one transaction that all of them wait
for. So many rows come as one JSON text. PostgreSQL hands a whole result over at once, and needs locks that SQLite,
where only one writes at a time, does not.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.ext.compiler import compiles

MOST_VALUES = 30_000  # SQLite takes 32,766 in one statement
ANY_SIZE = 64  # rows; larger inserts come in few sizes: each size is a statement that we and the database keep at hand


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
    for statement, values in _parts(connection, table, rows, (once, over, ())):
        connection.exec_driver_sql(statement, values)


def insert_numbered(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows that have the same keys, each of which must be new; return their ids, which grow in this order."""
    ids: list[int] = []
    numbered = () if not _postgres(connection) else ("id",)
    for statement, values in _parts(connection, table, rows, (False, (), numbered)):
        done = connection.exec_driver_sql(statement, values)
        if numbered:
            ids += sorted(done.scalars())
        else:  # the writer has the store to itself: the ids of one statement follow each other
            ids += range(done.lastrowid + 1 - len(values) // len(rows[0]), done.lastrowid + 1)
    return ids


_dialect: Any = PGDialect_psycopg
_PSYCOPG = _dialect(paramstyle="format")
_How = tuple[bool, tuple[str, ...], tuple[str, ...]]


def _parts(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], how: _How
) -> Iterable[tuple[str, tuple[Any, ...]]]:
    if not rows:
        return
    names = tuple(column.name for column in table.columns if column.name in rows[0])
    first = 0
    for size in _sizes(len(rows), MOST_VALUES // len(names)):
        values = tuple(row[name] for row in rows[first : first + size] for name in names)
        first += size
        yield _insert(_postgres(connection), table, names, size, how), values


def _sizes(count: int, most: int) -> Iterable[int]:
    while count > ANY_SIZE:
        size = 1 << (min(count, most).bit_length() - 1)
        yield size
        count -= size
    if count:
        yield count


@lru_cache(maxsize=512)
def _insert(postgres: bool, table: sa.Table, names: tuple[str, ...], count: int, how: _How) -> str:
    # Written for one row, whose values are repeated as text: to compile 64 rows takes 10 ms, and a worker that begins
    # meets every size, each within a transaction that the door waits for.
    before, row, after = _insert_one(postgres, table, names, how)
    return f"{before}{', '.join([row] * count)}{after}"


_ROW = re.compile(r"(?<= VALUES )(\(.+?\))(?= ON CONFLICT | RETURNING |$)")


@lru_cache(maxsize=64)
def _insert_one(postgres: bool, table: sa.Table, names: tuple[str, ...], how: _How) -> tuple[str, str, str]:
    once, over, returned = how
    row = {name: sa.bindparam(f"sent_{name}", type_=table.c[name].type) for name in names}
    statement: Any = (postgresql.insert(table) if postgres else sqlite.insert(table)).values([row])
    if once:
        statement = statement.on_conflict_do_nothing()
    if over:
        changes = {name: statement.excluded[name] for name in names if name not in over}
        statement = statement.on_conflict_do_update(index_elements=[table.c[name] for name in over], set_=changes)
    if returned:
        statement = statement.returning(*[table.c[name] for name in returned])
    before, sent, after = _ROW.split(str(statement.compile(dialect=_PSYCOPG if postgres else sqlite.dialect())))
    return before, sent, after


Sent = Callable[[str], sa.ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Many:
    """Hold an update of many rows in the words of each database."""

    sqlite: sa.Update
    postgres: sa.Update


def update(table: sa.Table, key: str, changes: Callable[[Sent], dict[str, Any]]) -> Many:
    """Return an update of many rows, for `run`; what is sent is a list of objects whose `key` names the row.

    `changes` gets a function from the name of a sent value to its expression, and gives each column its value; a sent
    value has the type of the column of its name, or is a whole number.
    """
    each = sa.func.json_each(sa.bindparam("sent", type_=sa.Text)).table_valued("value", name="sent")
    every = sa.func.jsonb_array_elements(sa.cast(sa.bindparam("sent", type_=sa.Text), postgresql.JSONB))
    one = every.table_valued("value", name="sent")

    def extracted(name: str) -> sa.ColumnElement[Any]:
        return sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{name}'"))

    def cast(name: str) -> sa.ColumnElement[Any]:
        kind = table.c[name].type if name in table.c else sa.BigInteger()
        return sa.cast(one.c.value.op("->>")(sa.literal_column(f"'{name}'")), kind)

    def made(sent: Sent) -> sa.Update:
        return sa.update(table).where(table.c[key] == sent(key)).values(changes(sent))

    return Many(made(extracted), made(cast))


def run(connection: sa.Connection, statement: Many, sent: Sequence[Mapping[str, Any]]) -> None:
    """Run an update on many rows in one step."""
    if _postgres(connection):
        connection.execute(statement.postgres, {"sent": json.dumps(sent)})
    else:
        _at_once(connection, statement.sqlite, {"sent": list(sent)})


Within = Callable[[sa.ColumnElement[Any], str], sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Hold a select of many rows in the words of each database; `ready`: its SQLite text is always the same."""

    sqlite: sa.Select[tuple[str]]
    postgres: sa.Select[Any]
    ready: bool


def gather(ask: sa.Select[Any] | Callable[[Within], sa.Select[Any]]) -> Gathered:
    """Return a select of many rows, in no order; read it with `rows`.

    `ask` may be a function, which gets another: within(column, name) tells whether a column (or a tuple of some) is in
    the list that is sent under this name. On SQLite it comes as one JSON text, so that nothing is compiled anew for
    each length of the list.
    """
    if isinstance(ask, sa.Select):
        return Gathered(_as_json(ask), ask, ready=False)
    return Gathered(_as_json(ask(_in_sent)), ask(_in_list), ready=True)


def _as_json(ask: sa.Select[Any]) -> sa.Select[tuple[str]]:
    inner = ask.subquery()
    return sa.select(sa.func.json_group_array(sa.func.json_array(*inner.c)))


def _in_list(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    return column.in_(sa.bindparam(name, expanding=True))


def _in_sent(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    each = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value", name=f"sent_{name}").c.value
    if not isinstance(column, sa.Tuple):
        return column.in_(sa.select(each))
    places = range(len(column.clauses))
    return column.in_(sa.select(*[sa.func.json_extract(each, sa.literal_column(f"'$[{n}]'")) for n in places]))


def rows(connection: sa.Connection, ask: Gathered, **values: Any) -> list[list[Any]]:
    """Return the rows of a gathered select; what is true or false may come as 1 or 0."""
    if _postgres(connection):
        return [list(row) for row in connection.execute(ask.postgres, values)]
    if ask.ready:
        (found,) = _at_once(connection, ask.sqlite, values).one()
    else:
        (found,) = connection.execute(ask.sqlite, values).one()
    made: list[list[Any]] = json.loads(found)
    return made


def _at_once(connection: sa.Connection, statement: Any, values: Mapping[str, Any]) -> Any:
    # To find again what it compiled, and to write the list's length into it, SQLAlchemy takes longer than SQLite to
    # answer: a fifth of a turn, within the lock.
    text, names, fixed = _compiled(statement, False)
    sent = (values[name] if name in values else fixed[name] for name in names)
    return connection.exec_driver_sql(text, tuple(json.dumps(v) if isinstance(v, list) else v for v in sent))


class among(sa.sql.functions.FunctionElement[int]):  # noqa: N801 - it is used as a function
    """Tell whether a text is in a list that is sent as one JSON text, so that the statement is always the same."""

    type = sa.Integer()  # as a boolean it would be written "… = 1", for which SQLite takes no index
    inherit_cache = True


@compiles(among)
def _in_json(element: Any, compiler: Any, **more: Any) -> str:
    text, sent = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{text} IN (SELECT value FROM json_each({sent}))"  # noqa: S608 - both are SQL already


@compiles(among, "postgresql")
def _any_of_json(element: Any, compiler: Any, **more: Any) -> str:
    text, sent = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{text} = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST({sent} AS JSONB))))"


class _listed(sa.sql.functions.FunctionElement[str]):  # noqa: N801 - it is used as a function
    type = sa.Text()
    inherit_cache = True


@compiles(_listed)
def _group(element: Any, compiler: Any, **more: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **more)}))"


@compiles(_listed, "postgresql")
def _agg(element: Any, compiler: Any, **more: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **more)})) AS TEXT)"


def together(*asks: sa.Select[Any]) -> sa.Select[Any]:
    """Return several selects as one question; read it with `answers`."""
    inner = [ask.subquery() for ask in asks]
    return sa.select(*[sa.select(_listed(*rows.c)).scalar_subquery() for rows in inner])


def answers(connection: sa.Connection, ask: sa.Select[Any], **sent: Iterable[str]) -> list[list[list[Any]]]:
    """Return the rows of each select of a question, in no order; what is sent are the lists of its `among`."""
    statement, names, _ = _compiled(ask, _postgres(connection))
    values = tuple(json.dumps(list(sent[name])) for name in names)
    return [json.loads(found or "[]") for found in connection.exec_driver_sql(statement, values).one()]


@lru_cache(maxsize=64)
def _compiled(ask: Any, postgres: bool) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    made: Any = ask.compile(dialect=_PSYCOPG if postgres else sqlite.dialect())
    return str(made), tuple(made.positiontup), made.params


class hexed(sa.sql.functions.FunctionElement[str]):  # noqa: N801 - it is used as a function
    """Be bytes as hexadecimal digits, which a JSON text can hold."""

    type = sa.Text()
    inherit_cache = True


@compiles(hexed)
def _hex(element: Any, compiler: Any, **more: Any) -> str:
    return f"hex({compiler.process(element.clauses, **more)})"


@compiles(hexed, "postgresql")
def _encode(element: Any, compiler: Any, **more: Any) -> str:
    return f"encode({compiler.process(element.clauses, **more)}, 'hex')"


class holds(sa.sql.functions.FunctionElement[bool]):  # noqa: N801 - it is used as a function
    """Tell whether bytes hold others: holds(where, what)."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(holds)
def _instr(element: Any, compiler: Any, **more: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **more)}) > 0)"


@compiles(holds, "postgresql")
def _position(element: Any, compiler: Any, **more: Any) -> str:
    where, what = (compiler.process(clause, **more) for clause in element.clauses)
    return f"(position({what} in {where}) > 0)"


_LOCK = sa.text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


def lock(connection: sa.Connection, names: Iterable[tuple[str, ...]]) -> None:
    """Keep other transactions from what has one of these names, until this one ends.

    Name all that a transaction needs at once: they are taken in one order, so that no two wait for each other.
    Nothing on SQLite, where the write transaction itself is the lock.
    """
    if _postgres(connection):
        keys = sorted({_key(name) for name in names})
        if keys:
            connection.execute(_LOCK, {"keys": keys})


def _key(name: tuple[str, ...]) -> int:
    # Two names with one key only wait for each other without need.
    digest = hashlib.blake2b("\0".join(name).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _postgres(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def storable(said: str) -> str:
    """Return text that a database takes: a target can answer with half a character or a NUL, and must be settled."""
    if said.isprintable():  # nearly every text
        return said
    return said.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")

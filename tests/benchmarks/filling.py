"""Fill a store by the million in SQL, past the door: what waits, and what is finished; on both engines."""

import contextlib
import time

import sqlalchemy as sa

from connector.store.tables import attempts, deliveries, events, links
from tests.benchmarks.customers import in_sql

MANY = 50_000  # from here on the indexes are made afterwards
SYNC = "customers_to_crm"
DAY = 86_400_000


@contextlib.contextmanager
def _writing(url, count):
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite and count >= MANY:  # nobody else may have it open
            connection.exec_driver_sql("PRAGMA journal_mode = OFF")
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
        elif not sqlite:
            connection.exec_driver_sql("SET session_replication_role = replica")  # no foreign key is looked up
        yield connection
        connection.commit()
        if sqlite and count >= MANY:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        elif not sqlite:
            for table in (events, deliveries, attempts):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), coalesce(max(id), 1)) FROM {table.name}"
                )
            connection.commit()
    engine.dispose()


@contextlib.contextmanager
def _quickly(connection, count, *tables):
    indexes = [index for table in tables for index in table.indexes] if count >= MANY else []
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def _numbers(connection, count):
    if connection.dialect.name == "sqlite":
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        return f"{numbers} SELECT %s FROM n"
    return f"SELECT %s FROM generate_series(1, {count}) AS n(i)"


def _blob(connection):
    text = in_sql("(i+{first})")
    return f"CAST({text} AS BLOB)" if connection.dialect.name == "sqlite" else f"convert_to({text}, 'UTF8')"


def _insert(connection, table, count, **columns):
    select = _numbers(connection, count) % ", ".join(str(value) for value in columns.values())
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(columns)}) {select}")


def _base(connection, table):
    return connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table.name}").scalar_one()


def _event(connection, count, first, body):
    base, now = _base(connection, events), int(time.time() * 1000)
    who = f"(i+{first})"
    _insert(
        connection, events, count,
        id=f"i+{base}", source="'flavours'", state="'accepted'", xid=f"'bench-'||{who}", fingerprint=f"'f'||{who}",
        action="'customers.CREATE'", customer=f"'customer-'||{who}", received_at=now, body=body,
    )  # fmt: skip
    return base


def waiting(url, count, *, target="crm", first=0):
    "Let customers `first` + 1 and on wait for a target, since now, in their order."
    with _writing(url, count) as connection, _quickly(connection, count, events, deliveries):
        base, now = (
            _event(connection, count, first, _blob(connection).replace("{first}", str(first))),
            int(time.time() * 1000),
        )
        _insert(
            connection, deliveries, count,
            id=f"i+{_base(connection, deliveries)}", event_id=f"i+{base}", source="'flavours'", sync=f"'{SYNC}'",
            target=f"'{target}'", customer=f"'customer-'||(i+{first})", state="'pending'", due_at=now, created_at=now,
        )  # fmt: skip


def finished(url, count, *, target="crm", first=0):
    "Let as many customers be delivered, each with its attempt and its link; their bodies are purged."
    with _writing(url, count) as connection, _quickly(connection, count, events, deliveries, attempts, links):
        base, now = _event(connection, count, first, "NULL"), int(time.time() * 1000)
        made, who = _base(connection, deliveries), f"'customer-'||(i+{first})"
        _insert(
            connection, deliveries, count,
            id=f"i+{made}", event_id=f"i+{base}", source="'flavours'", sync=f"'{SYNC}'", target=f"'{target}'",
            customer=who, state="'delivered'", due_at=now - DAY, created_at=now - DAY, finished_at=now - DAY,
            attempts=1, fence=1, remote_id=who, reason="'created'",
        )  # fmt: skip
        _insert(
            connection, attempts, count,
            id=f"i+{_base(connection, attempts)}", delivery_id=f"i+{made}", number=1, started_at=now - DAY,
            took_ms=20, outcome="'created'", reason="''", answer="'201'", worker="'another'",
        )  # fmt: skip
        _insert(
            connection, links, count,
            target=f"'{target}'", customer=who, remote_id=who, account="'a'", arrival=f"i+{base}",
            record_hash="'h'", mapping_hash="'m'", linked_at=now - DAY,
        )  # fmt: skip


def rows(url, question):
    "Ask a store, past its rooms."
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(question)]
    engine.dispose()
    return found


def alone(url, statement):
    "Run a statement that must not be in a transaction."
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()

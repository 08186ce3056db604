import fcntl
import os
import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa

from connector.errors import StoreBusy, StoreOutdated
from connector.store import Receipt, bulk, open_store
from connector.store.checkpoints import Checkpoints
from connector.store.migrate import upgrade
from connector.store.tables import REVISION, events, links, metadata
from connector.store.writer import FileLock
from tests.installation import wait_for
from tests.store.conftest import SYNC, arrive, event


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_every_commit_is_synced(store):
    "NORMAL would lose acked events at a power cut."
    ask = lambda pragma: store.engine.read(lambda c: c.exec_driver_sql(f"PRAGMA {pragma}").scalar())  # noqa: E731
    assert (ask("synchronous"), ask("journal_mode"), ask("foreign_keys")) == (2, "wal", 1)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_no_commit_waits_until_the_log_is_carried_into_the_file(store):
    ask = lambda pragma: store.engine.read(lambda c: c.exec_driver_sql(f"PRAGMA {pragma}").scalar())  # noqa: E731
    arrive(store)
    assert ask("wal_autocheckpoint") == 20000
    assert "store-checkpoints" in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_log_begins_anew_though_somebody_always_writes(store):
    for _ in range(10):
        arrive(store)
    behind = sqlite3.connect(store.engine.path, isolation_level=None)
    behind.execute("BEGIN")
    behind.execute("SELECT count(*) FROM events").fetchone()  # what this reader still needs cannot be carried over
    arrive(store)
    pages, carried = store.engine.checkpoints.carry()
    assert 0 < carried < pages
    behind.close()
    assert store.engine.checkpoints.carry(large=1) == (pages, pages)
    arrive(store)
    assert store.engine.checkpoints.carry()[0] < pages
    assert len(store.desk.events()) == 12


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_rest_of_a_large_log_is_carried_while_nobody_writes(store):
    arrive(store)
    held = []

    class Lock:
        def __enter__(self):
            held.append("taken")
            behind.close()

        def __exit__(self, *exc):
            held.append("given back")

    behind = sqlite3.connect(store.engine.path, isolation_level=None, check_same_thread=False)
    behind.execute("BEGIN")
    behind.execute("SELECT count(*) FROM events").fetchone()
    arrive(store)
    checkpoints = Checkpoints(store.engine._engine.raw_connection, Lock())
    pages, carried = checkpoints.carry(large=1)
    assert pages == carried
    assert held == ["taken", "given back"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_log_is_carried_by_itself(store):
    arrive(store)
    own = Checkpoints(store.engine._engine.raw_connection, store.engine.lock, every=0.01)
    before = store.engine.path.read_bytes()
    own.start()
    try:
        wait_for(lambda: store.engine.path.read_bytes() != before, every=0.01)
    finally:
        own.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_store_that_cannot_be_asked_for_news_is_looked_into(store):
    before = store.queue.version()
    store.engine._watch.driver_connection.close()
    assert store.queue.version() == before + 1
    assert store.queue.version() == store.queue.version()


def test_one_bad_row_costs_its_neighbours_nothing(store):
    "Writes that wait together are one transaction; the bad one alone is told of its fault."
    gate, answers = threading.Event(), {}

    def slow(connection, args):
        gate.wait(5)
        return args

    def bad(connection, args):
        raise ValueError("bad row")

    def send(n):
        try:
            answers[n] = store.engine.write(bad, n) if n == 7 else arrive(store, f"x{n}", f"c{n}")
        except ValueError as problem:
            answers[n] = problem

    holder = threading.Thread(target=store.engine.write, args=(slow, None))
    threads = [threading.Thread(target=send, args=(n,)) for n in range(16)]
    for thread in (holder, *threads):
        thread.start()
    gate.set()
    for thread in (holder, *threads):
        thread.join()
    assert isinstance(answers.pop(7), ValueError)
    assert {a.status for a in answers.values()} == {"accepted"}
    assert len(store.desk.deliveries()) == 15


def test_a_row_that_the_database_refuses_costs_its_neighbours_nothing(store):
    from connector.store.inbox import _Arrival, accept_many
    from connector.store.writer import Request

    broken = event("x2", "c2")
    arrivals = [_Arrival(e, b"{}", "flavours", (SYNC,), 5) for e in (event("x1", "c1"), broken, event("x3", "c3"))]
    object.__setattr__(arrivals[1], "now", None)
    group = [Request(accept_many, arrival) for arrival in arrivals]
    store.engine.writer._commit(group)
    assert [isinstance(r.answer, Receipt) for r in group] == [True, False, True]
    assert isinstance(group[1].answer, StoreBusy)
    assert len(store.desk.deliveries()) == 2


def test_a_locked_store_is_reported_in_time_not_waited_for(tmp_path):
    url = f"sqlite:///{tmp_path}/c.db"
    upgrade(url)
    store = open_store(url, patience=0.2)
    other = os.open(tmp_path / "c.db.lock", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(StoreBusy, match=r"within 0\.2 s"):
        arrive(store)
    os.close(other)
    assert arrive(store).status == "accepted"
    store.close()
    assert len(open_and(url, lambda s: s.desk.deliveries())) == 1


def test_a_write_that_was_begun_is_waited_for(tmp_path):
    "Who is told to send again would find a duplicate."
    url = f"sqlite:///{tmp_path}/c.db"
    upgrade(url)
    store = open_store(url, patience=0.1)

    def slow(connection, args):
        time.sleep(0.5)
        return args

    assert store.engine.write(slow, "stored") == "stored"
    store.close()


def open_and(url, ask):
    store = open_store(url)
    try:
        return ask(store)
    finally:
        store.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_file_that_cannot_be_written_is_reported(store):
    def fail(connection, args):
        connection.exec_driver_sql("PRAGMA query_only=ON")
        try:
            connection.exec_driver_sql("DELETE FROM events")
        finally:
            connection.exec_driver_sql("PRAGMA query_only=OFF")

    with pytest.raises(StoreBusy, match="readonly"):
        store.engine.write(fail, None)


def test_a_store_that_was_never_made_names_the_cure(tmp_path):
    with pytest.raises(StoreOutdated, match="connector db upgrade"):
        open_store(f"sqlite:///{tmp_path}/none.db")


def test_upgrade_twice_changes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/c.db"
    assert upgrade(url) == (None, REVISION)
    assert upgrade(url) == (REVISION, REVISION)


def test_the_migrations_make_the_tables_of_the_program(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from connector.store.migrate import alembic_config

    url = f"sqlite:///{tmp_path}/c.db"
    upgrade(url)
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    assert ScriptDirectory.from_config(alembic_config(url)).get_current_head() == REVISION


def test_a_store_without_a_table_of_revisions_is_not_current(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/c.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id INTEGER)")
    engine.dispose()
    with pytest.raises(StoreOutdated):
        open_store(f"sqlite:///{tmp_path}/c.db")


def test_what_waits_is_written_before_the_store_closes(tmp_path):
    url = f"sqlite:///{tmp_path}/c.db"
    upgrade(url)
    store = open_store(url)
    from connector.store.inbox import _Arrival, accept_many

    requests = [
        store.engine.writer.submit(accept_many, _Arrival(event(f"x{n}", f"c{n}"), b"{}", "f", (SYNC,), 5))
        for n in range(300)
    ]
    store.close()
    assert all(f.wait(0).status == "accepted" for f in requests)


def test_readiness(store):
    store.writable()
    assert store.schema_current()
    assert not store.worker_alive()
    store.leases.beat("w1", 60_000)
    assert store.worker_alive()


def test_no_rows_are_no_insert(store):
    store.engine.write(lambda connection, args: [bulk.insert(connection, events, [])], None)
    assert store.desk.events() == []


def test_inserts_of_every_size_come_in_few_statements():
    "Each text of a statement is kept at hand, by us and by the database: a thousand of them would be megabytes."
    sizes = [list(bulk._sizes(count, 15_000)) for count in range(1, 20_000)]
    assert [sum(parts) for parts in sizes] == list(range(1, 20_000))
    assert len({size for parts in sizes for size in parts}) < 80
    assert sizes[799] == [512, 256, 32]
    assert sizes[15] == [16]


@pytest.mark.parametrize("postgres", [False, True])
@pytest.mark.parametrize("how", [(False, (), ()), (True, (), ()), (False, ("target", "customer"), ("remote_id",))])
def test_an_insert_of_many_rows_says_what_one_of_each_would(postgres, how):
    names = tuple(column.name for column in links.columns)
    one, three = (bulk._insert(postgres, links, names, count, how) for count in (1, 3))
    sent = one[one.index("(", one.index(" VALUES ")) : one.index(")", one.index(" VALUES ")) + 1]
    assert sent.count("%s" if postgres else "?") == len(names)
    assert three == one.replace(sent, f"{sent}, {sent}, {sent}")


def test_a_lock_that_was_never_had_is_let_go(tmp_path):
    FileLock(tmp_path / "c.db.lock").__exit__()
    assert not (tmp_path / "c.db.lock").exists()


def test_two_first_writes_at_once_start_one_writer(store, tmp_path):
    fresh = open_store(store.engine.url)
    writer = fresh.engine.writer
    with writer._starting:  # both have seen that there is none
        threads = [threading.Thread(target=arrive, args=(fresh, f"x{n}")) for n in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        before = writer._thread
    for thread in threads:
        thread.join()
    names = [thread.name for thread in threading.enumerate()]
    assert (before, names.count("store-writer")) == (None, 2)  # this one and the fixture's own
    fresh.close()
    assert len(store.desk.events()) == 2

"""What is PostgreSQL's own: its clock, its connections, its locks, and the settings that a promise rests on."""

import builtins
import contextlib
import threading
import time

import pytest
import sqlalchemy as sa

from connector.errors import StoreBusy, StoreError, StoreOutdated
from connector.models import TargetState
from connector.store import lanes, open_store
from connector.store import postgres as room
from connector.store.migrate import alembic_config, prepare, upgrade
from connector.store.postgres import DatabaseClock
from connector.store.tables import REVISION, events
from connector.store.transactions import TRIES
from tests import postgres
from tests.installation import wait_for
from tests.store.conftest import arrive, settled, stranded, turn


@pytest.fixture
def url():
    with postgres.database() as fresh:
        yield fresh


@pytest.fixture
def other(url, clock):
    "Another process, perhaps on another machine."
    store = open_store(url, clock)
    yield store
    store.close()


def both(*tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_the_settings_that_a_promise_rests_on(store):
    def ask(connection, _args):
        names = ("synchronous_commit", "statement_timeout", "lock_timeout", "transaction_isolation")
        return [[connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]]

    postgres.cluster().sql("ALTER ROLE test SET synchronous_commit = off")
    try:
        fresh = open_store(store.engine.url)
        assert fresh.engine.write(ask, None) == ["on", "4500ms", "4s", "read committed"]
        fresh.close()
    finally:
        postgres.cluster().sql("ALTER ROLE test RESET synchronous_commit")


def test_the_time_is_the_databases_whatever_this_machine_says(url, monkeypatch):
    (before,) = postgres.cluster().sql("SELECT extract(epoch FROM clock_timestamp()) * 1000")[0]
    monkeypatch.setattr(time, "time_ns", lambda: int((float(before) + 3_600_000) * 1_000_000))
    monkeypatch.setattr(time, "time", lambda: float(before) / 1000 + 3600)
    store = open_store(url)
    now = store.now()
    (after,) = postgres.cluster().sql("SELECT extract(epoch FROM clock_timestamp()) * 1000")[0]
    assert float(before) - 2 <= now <= float(after) + 2
    arrive(store)
    assert store.desk.deliveries()[0]["due_at"] - now < 60_000
    store.close()


def test_the_clock_is_measured_again_and_holds_while_the_database_is_away():
    class Monotonic:
        now = 100.0

        def __call__(self):
            return self.now

    monotonic, answers = Monotonic(), [5_000_000.0, StoreBusy("away"), 5_120_000.0]

    def ask():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = DatabaseClock(ask, monotonic)
    assert clock() == 5_000_000
    monotonic.now += 4
    assert (clock(), len(answers)) == (5_004_000, 2)
    monotonic.now += 4
    assert clock() == 5_008_000
    wait_for(lambda: len(answers) == 1 and not clock._measuring.locked())
    assert clock() == 5_008_000
    monotonic.now += 6
    clock()
    wait_for(lambda: clock() == 5_120_000)


def test_a_clock_that_could_never_be_asked_says_so():
    def away():
        raise StoreBusy("away")

    with pytest.raises(StoreBusy):
        DatabaseClock(away)()


def test_a_server_that_restarts_costs_no_connection(store):
    arrive(store)
    before = store.queue.version()
    postgres.cluster().stop()
    try:
        with pytest.raises(StoreBusy, match="cannot write now"):
            arrive(store)
        with pytest.raises(StoreBusy, match="cannot be read now"):
            store.desk.events()
        wait_for(lambda: store.queue.version() != before)
    finally:
        postgres.cluster().start()
    assert arrive(store).status == "accepted"
    assert len(store.desk.events()) == 2
    known = store.queue.version()
    arrive(store)
    wait_for(lambda: store.queue.version() != known)


def test_a_connection_that_is_cut_in_the_middle_is_busy_and_nothing_was_stored(store):
    def cut(connection, _args):
        connection.execute(sa.insert(events), {"source": "f", "state": "ignored", "received_at": 1})
        own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        postgres.cluster().sql(f"SELECT pg_terminate_backend({own})")
        connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreBusy):
        store.engine.write(cut, None)
    assert store.desk.events() == []
    assert arrive(store).status == "accepted"


def test_a_lane_that_somebody_holds_is_reported_in_time(store, url):
    "As by a worker that was stopped in the middle of a settle."
    waiting = open_store(url, patience=0.5)
    held, free = threading.Event(), threading.Event()

    def hold(connection, _args):
        lanes.lock(connection, [("crm", "c1")])
        held.set()
        free.wait(10)
        return [None]

    holder = threading.Thread(target=store.engine.write, args=(hold, None))
    holder.start()
    held.wait(5)
    with pytest.raises(StoreBusy, match="lock timeout"):
        arrive(waiting, customer="c1")
    assert arrive(waiting, customer="c2").status == "accepted"
    free.set()
    holder.join()
    assert arrive(waiting, customer="c1").status == "accepted"
    waiting.close()


def test_two_that_wait_for_each_other_are_tried_again(store, other):
    first, tried = threading.Barrier(2), []

    def crossing(keys):
        def op(connection, args):
            tried.append(keys)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({keys[0]})")
            if tried.count(keys) == 1:
                first.wait(5)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({keys[1]})")
            return [keys]

        return op

    both(lambda: store.engine.write(crossing((1, 2)), None), lambda: other.engine.write(crossing((2, 1)), None))
    assert sorted(set(tried)) == [(1, 2), (2, 1)]
    assert len(tried) == 3


def test_what_never_succeeds_is_not_tried_for_ever(store):
    tried = []

    def op(connection, _args):
        tried.append(1)
        connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(StoreBusy, match="again"):
        store.engine.write(op, None)
    assert len(tried) == TRIES


def test_two_doors_store_one_event_once(store, other):
    got, barrier = [], threading.Barrier(2)

    def send(door):
        for n in range(40):
            barrier.wait(10)
            got.append(arrive(door, f"x{n}", f"c{n % 4}").status)

    both(lambda: send(store), lambda: send(other))
    assert (got.count("accepted"), got.count("duplicate")) == (40, 40)
    assert len(store.desk.deliveries(limit=100)) == 40
    assert stranded(store) == 0


def test_of_two_events_with_one_xid_at_two_doors_one_is_the_conflict(store, other):
    got, barrier = [], threading.Barrier(2)

    def send(door, print_):
        for n in range(20):
            barrier.wait(10)
            got.append(arrive(door, f"x{n}", f"{print_}{n}", fingerprint=print_).status)

    both(lambda: send(store, "a"), lambda: send(other, "b"))
    assert (got.count("accepted"), got.count("conflict")) == (20, 20)


def test_two_workers_never_get_the_same_delivery(store, other):
    for n in range(60):
        arrive(store, customer=f"c{n}")
    got, barrier = [], threading.Barrier(2)

    def claim(of, owner):
        barrier.wait(10)
        for _ in range(12):
            got.extend(c.delivery for c in turn(of, owner=owner, limit=5).claims)

    both(lambda: claim(store, "w1"), lambda: claim(other, "w2"))
    assert sorted(got) == sorted(set(got))
    assert len(got) == 60


def test_one_of_many_workers_probes(store, other, clock):
    for n in range(8):
        arrive(store, customer=f"c{n}")
    for _ in range(5):
        store.states.pause("crm", clock.now, "busy")
        got, barrier = [], threading.Barrier(2)

        def claim(of, owner, got=got, barrier=barrier):
            barrier.wait(10)
            got.extend((owner, c) for c in turn(of, owner=owner).claims)

        both(lambda: claim(store, "w1"), lambda: claim(other, "w2"))
        ((owner, probe),) = got
        assert (store.states.all()["crm"].state, store.states.all()["crm"].prober) == ("probing", owner)
        turn(store, [settled(probe)], owner=owner, limit=0)


def test_what_two_workers_tell_of_one_target_is_counted_twice(store, other):
    "A move that was decided on what the other had not told yet would undo it."
    for n in range(40):
        arrive(store, customer=f"c{n}")
    mine, theirs = turn(store, owner="w1", limit=20).claims, turn(other, owner="w2", limit=20).claims

    def count(state, outcomes, now):
        return TargetState(
            **{name: getattr(state, name) for name in state.__slots__} | {"failures": state.failures + 1}
        )

    def settle(of, owner, claims):
        for claim in claims:
            turn(of, [settled(claim)], owner=owner, limit=0, advance=count)

    both(lambda: settle(store, "w1", mine), lambda: settle(other, "w2", theirs))
    assert store.states.all()["crm"].failures == 40


def test_an_upgrade_waits_for_the_one_that_runs():
    with postgres.database("template0") as url:
        done = []
        both(*[lambda: done.append(upgrade(url))] * 3)
        assert sorted(done, key=str) == [(REVISION, REVISION)] * 2 + [(None, REVISION)]


def test_serve_upgrades_no_store_that_others_share():
    from alembic import command

    with postgres.database("template0") as url:
        with pytest.raises(StoreOutdated, match="was never made: run `connector db upgrade`"):
            prepare(url)
        command.upgrade(alembic_config(url), "0001")
        with pytest.raises(StoreOutdated, match=f"has schema 0001, this program needs {REVISION}: run `connector db"):
            prepare(url)
        upgrade(url)
        prepare(url)


def test_a_door_one_revision_behind_goes_on(store):
    postgres.cluster().sql(
        "UPDATE alembic_version SET version_num = '9999'", store.engine.url.split("/")[3].split("?")[0]
    )
    assert arrive(store).status == "accepted"
    assert not store.schema_current()
    with pytest.raises(StoreOutdated, match="upgraded by a newer program"):
        open_store(store.engine.url)


def test_a_missing_driver_names_the_cure(monkeypatch):
    real = builtins.__import__

    def without(name, *more, **others):
        if name == "psycopg":
            raise ModuleNotFoundError(name)
        return real(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StoreError) as told:
        open_store("postgresql+psycopg://u:geheim@127.0.0.1/x")
    assert str(told.value) == room.NO_DRIVER


def test_a_server_that_is_not_there_is_reported_without_the_password():
    with (
        pytest.raises(StoreBusy) as told,
        contextlib.closing(open_store("postgresql+psycopg://u:geheim@127.0.0.1:1/x")),
    ):
        pass
    assert "geheim" not in str(told.value)
    assert "\n" not in str(told.value)

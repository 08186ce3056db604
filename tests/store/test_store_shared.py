"""What the workers of one target share: its tokens, and its turns; two programs on one file."""

import threading

import pytest
import sqlalchemy as sa
from alembic import command

from connector.models import Kept
from connector.store import open_store
from connector.store.migrate import alembic_config, make, upgrade
from connector.store.tables import REVISION


@pytest.fixture
def other(store, clock):
    "Another process on the same file."
    opened = open_store(store.engine.url, clock)
    yield opened
    opened.close()


def test_nothing_is_kept_at_first(store):
    assert store.vault("crm").load() is None


def test_what_was_put_is_there_for_everybody_and_after_a_restart(store, other):
    assert store.vault("crm").put(0, b"one")
    assert other.vault("crm").load() == Kept(1, b"one")
    assert other.vault("books").load() is None
    store.close()
    again = open_store(store.engine.url)
    assert again.vault("crm").load() == Kept(1, b"one")
    again.close()


def test_a_put_over_another_version_changes_nothing(store, other):
    assert store.vault("crm").put(0, b"one")
    assert not other.vault("crm").put(0, b"two")
    assert not other.vault("crm").put(2, b"two")
    assert store.vault("crm").load() == Kept(1, b"one")
    assert other.vault("crm").put(1, b"two")
    assert store.vault("crm").load() == Kept(2, b"two")


def test_one_at_a_time_may_renew(store, other):
    assert store.vault("crm").begin(0, 30)
    assert not other.vault("crm").begin(0, 30)
    assert other.vault("books").begin(0, 30)
    assert store.vault("crm").load() is None


def test_who_comes_late_may_not_renew_what_was_renewed(store, other):
    store.vault("crm").put(0, b"one")
    assert store.vault("crm").begin(1, 30)
    store.vault("crm").put(1, b"two")
    assert not other.vault("crm").begin(1, 30)
    assert other.vault("crm").begin(2, 30)


def test_a_version_that_never_was_cannot_be_renewed(store):
    assert not store.vault("crm").begin(7, 30)


def test_the_right_of_a_worker_that_died_ends(store, other, clock):
    store.vault("crm").begin(0, 30)
    clock.now += 29_999
    assert not other.vault("crm").begin(0, 30)
    clock.now += 1
    assert other.vault("crm").begin(0, 30)


def test_a_right_that_was_given_back_is_free_at_once(store, other):
    vault = store.vault("crm")
    vault.begin(0, 30)
    vault.end(0)
    assert other.vault("crm").begin(0, 30)


def test_nobody_gives_back_the_right_of_another(store, other, clock):
    late = store.vault("crm")
    late.begin(0, 30)
    clock.now += 30_000
    other.vault("crm").begin(0, 30)
    late.end(0)
    assert not store.vault("crm").begin(0, 30)


def test_a_clock_that_was_put_back_locks_nobody_out(store, other, clock):
    store.vault("crm").begin(0, 30)
    clock.now -= 3_600_000
    assert other.vault("crm").begin(0, 30)


def test_of_many_at_once_one_gets_the_right(store, other):
    got, barrier = [], threading.Barrier(8)

    def begin(of):
        vault = of.vault("crm")
        barrier.wait()
        got.append(vault.begin(0, 30))

    threads = [threading.Thread(target=begin, args=(of,)) for of in (store, other) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_the_bytes_of_a_vault_do_not_show_themselves(store):
    store.vault("crm").put(0, b"sealed")
    assert "sealed" not in repr(store.vault("crm").load())


def test_turns_are_given_one_after_another_to_all(store, other):
    mine, theirs = store.turns("crm"), other.turns("crm")
    assert [mine.reserve(5, 0.2, 1), theirs.reserve(5, 0.2, 1), mine.reserve(1, 0.2, 1)] == [0.0, 1.0, 2.0]
    assert theirs.reserve(1, 0.2, 1) == pytest.approx(2.2)
    assert other.turns("books").reserve(1, 0.2, 1) == 0.0


def test_a_burst_is_given_by_turns_that_could_have_been_taken(store, clock):
    turns = store.turns("crm")
    assert turns.reserve(1, 1.0, 3) == -2.0
    assert [turns.reserve(1, 1.0, 3) for _ in range(3)] == [-1.0, 0.0, 1.0]
    clock.now += 60_000
    assert turns.reserve(1, 1.0, 3) == -2.0


def test_fractions_of_a_millisecond_are_not_lost(store):
    turns = store.turns("crm")
    turns.reserve(10_000, 0.00025, 1)
    assert turns.reserve(1, 0.00025, 1) == pytest.approx(2.5)


def test_a_clock_that_was_put_back_makes_nobody_wait_for_the_old_time(store, other, clock):
    store.turns("crm").reserve(5, 0.2, 1)
    clock.now -= 86_400_000
    assert other.turns("crm").reserve(5, 0.2, 1) == pytest.approx(1.0)
    assert store.turns("crm").reserve(5, 0.2, 1) == pytest.approx(2.0)


def test_a_clock_that_was_ahead_for_a_while_makes_nobody_wait(store, clock):
    clock.now += 86_400_000
    store.turns("crm").reserve(5, 0.2, 1)
    clock.now -= 86_400_000
    assert store.turns("crm").reserve(5, 0.2, 1) == pytest.approx(1.0)


def test_a_clock_that_was_put_forward_gives_one_burst_and_no_more(store, clock):
    turns = store.turns("crm")
    turns.reserve(5, 0.2, 2)
    clock.now += 86_400_000
    assert turns.reserve(5, 0.2, 2) == pytest.approx(-0.2)
    assert turns.reserve(5, 0.2, 2) == pytest.approx(0.8)


def test_a_worker_that_asks_a_little_late_does_not_put_the_turns_back(store, clock):
    "Its order waited for the write lock, and was given by the time at which it was made."
    store.turns("crm").reserve(50, 0.2, 1)
    clock.now -= 5_000
    assert store.turns("crm").reserve(1, 0.2, 1) == pytest.approx(15.0)


def test_a_store_of_the_first_release_is_brought_up_with_what_is_in_it(tmp_path):
    url = f"sqlite:///{tmp_path}/c.db"
    command.upgrade(alembic_config(url), "0001")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO targets (name) VALUES ('crm')")
    engine.dispose()
    assert upgrade(url) == ("0001", REVISION)
    store = open_store(url)
    assert "crm" in store.states.all()
    assert store.vault("crm").put(0, b"one")
    assert store.turns("crm").reserve(1, 1.0, 1) == 0.0
    store.close()


def test_a_store_is_made_where_there_is_none_and_left_alone_where_there_is_one(tmp_path):
    url = f"sqlite:///{tmp_path}/c.db"
    make(url)
    open_store(url).close()
    old = f"sqlite:///{tmp_path}/old.db"
    command.upgrade(alembic_config(old), "0001")
    make(old)
    assert upgrade(old)[0] == "0001"

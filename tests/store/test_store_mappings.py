"""Versions of mappings: what was published under a name, when, and how an older one comes back."""

import hashlib

import pytest
import sqlalchemy as sa

from connector.errors import NotFound
from connector.models import Fail, Hold, Retry
from connector.store import open_store
from connector.store.mappings import _SINCE
from connector.store.migrate import alembic_config, upgrade
from connector.store.tables import REVISION
from tests.store.conftest import arrive, explained, settled, turn


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def publish(store, clock):
    "Publish a text as `kind` csv, each a minute after the one before."

    def publish(text, name="csv", by="sara"):
        clock.now += 60_000
        return store.mappings.publish(name, "csv", digest(text), text, by)

    return publish


def texts(store, name="csv"):
    return [store.mappings.text(version.hash) for version in store.mappings.history(name)]


def test_the_history_of_a_name_is_told_newest_first(store, publish, clock):
    publish("one")
    publish("other", name="rest")
    publish("two", by="omar")
    newest, oldest = store.mappings.history("csv")
    assert (newest.hash, newest.kind, newest.name) == (digest("two"), "csv", "csv")
    assert (newest.published_at, newest.published_by) == (clock.now, "omar")
    assert (oldest.hash, oldest.published_by) == (digest("one"), "sara")
    assert store.mappings.active("csv") == "two"
    assert (store.mappings.history("none"), store.mappings.active("none")) == ([], None)


def test_the_active_text_is_not_published_again(store, publish):
    assert [publish("one"), publish("one"), publish("two"), publish("one")] == [True, False, True, True]
    assert texts(store) == ["one", "two", "one"]


def test_only_what_is_new_is_told_oldest_first(store, publish):
    assert store.mappings.since(0) == []
    publish("one")
    publish("two")
    (_, two) = store.mappings.since(0)
    assert store.mappings.since(two.id) == []
    publish("three", name="rest")
    publish("four")
    assert [(version.name, version.hash) for version in store.mappings.since(two.id)] == [
        ("rest", digest("three")),
        ("csv", digest("four")),
    ]


def test_what_is_new_is_found_by_the_primary_key(store, publish):
    "It is asked before each claim: it must not cost what the history costs."
    plan = explained(store, _SINCE, last=5)
    by_key = {
        "sqlite": "SEARCH mapping_versions USING INTEGER PRIMARY KEY (rowid>?)",
        "postgresql": "mapping_versions_pkey",
    }
    assert by_key[store.engine.url.split(":")[0].split("+")[0]] in plan
    assert "SCAN" not in plan
    assert "Seq Scan" not in plan


def test_a_rollback_is_a_new_version(store, publish):
    publish("one")
    publish("two")
    assert store.mappings.rollback("csv", digest("one"), "omar")
    assert texts(store) == ["one", "two", "one"]
    assert store.mappings.history("csv")[0].published_by == "omar"
    assert not store.mappings.rollback("csv", digest("one"))
    assert store.mappings.rollback("csv", digest("two"))
    assert texts(store) == ["two", "one", "two", "one"]


def test_a_rollback_to_what_the_name_never_had(store, publish):
    publish("one")
    publish("other", name="rest")
    with pytest.raises(NotFound, match=f"the mapping csv never had a version {digest('other')[:12]}"):
        store.mappings.rollback("csv", digest("other"))
    assert texts(store) == ["one"]


def test_a_text_by_its_hash(store, publish):
    publish("one")
    publish("two")
    assert store.mappings.text(digest("one")) == "one"
    with pytest.raises(NotFound, match="no mapping with the hash aaaaaaaaaaaa "):
        store.mappings.text("a" * 64)


def test_a_hash_by_its_beginning(store, publish):
    publish("one")
    publish("two")
    publish("other", name="rest")
    one = digest("one")
    assert store.mappings.find(one[:6]) == store.mappings.find(one[:9].upper()) == store.mappings.find(one) == one
    assert store.mappings.find(one[:6], "csv") == one
    with pytest.raises(NotFound, match=f"no version of the mapping csv begins with {digest('other')[:8]}"):
        store.mappings.find(digest("other")[:8], "csv")


@pytest.mark.parametrize("prefix", ["", "abcde", "abcdeg", "%%%%%%", "a" * 65])
def test_what_is_no_beginning_of_a_hash(store, publish, prefix):
    publish("one")
    with pytest.raises(NotFound, match="is not a version: give at least 6 characters"):
        store.mappings.find(prefix)


def test_a_beginning_that_several_have_names_them(store):
    hashes = ["abcdef" + "0" * 58, "abcdef" + "f" * 58, "abcdee" + "0" * 58]
    for number, each in enumerate(hashes):
        store.mappings.publish("csv", "csv", each, f"text {number}")
    with pytest.raises(NotFound) as told:
        store.mappings.find("abcdef")
    assert str(told.value) == f"several versions begin with abcdef: {hashes[0]}, {hashes[1]}; give more characters"
    assert store.mappings.find("abcdeff") == hashes[1]


def test_of_hashes_those_that_are_known_are_told_with_their_newest_version(store, publish, clock):
    publish("one")
    publish("two")
    publish("one")
    known = store.mappings.known([digest("one"), digest("two"), "a" * 64])
    assert {each: (version.name, version.published_at) for each, version in known.items()} == {
        digest("one"): ("csv", clock.now),
        digest("two"): ("csv", clock.now - 60_000),
    }
    assert store.mappings.known([]) == {}


@pytest.fixture
def failed(store):
    "A failed delivery that a mapping made, and one that none did."
    arrive(store, customer="c1")
    arrive(store, customer="c2")
    one, two = turn(store).claims
    ends = [settled(one, Fail("no"), mapping_hash="made it"), settled(two, Hold("?", "no_sync"))]
    turn(store, ends, limit=0)
    return one.delivery, two.delivery


def test_a_replay_with_the_mapping_of_then_pins_it(store, failed):
    assert store.desk.replay([failed[0]], then=True) == 1
    assert store.desk.delivery(failed[0])["pinned_mapping"] == "made it"
    (claim,) = turn(store).claims
    assert (claim.delivery, claim.pinned_mapping, claim.mapping_hash) == (failed[0], "made it", "made it")


def test_what_no_mapping_made_stays_as_it_is(store, failed):
    assert store.desk.replay(failed, then=True) == 1
    assert store.desk.delivery(failed[1])["state"] == "held"


def test_a_pin_survives_what_it_comes_to(store, failed):
    store.desk.replay([failed[0]], then=True)
    (claim,) = turn(store).claims
    (again,) = turn(store, [settled(claim, Retry("later"), mapping_hash="made it")]).claims
    assert again.pinned_mapping == "made it"
    store.leases.reclaim("w1", 0, {})
    (taken,) = turn(store, owner="w2").claims
    assert taken.pinned_mapping == "made it"
    turn(store, [settled(taken, Fail("no"), mapping_hash="made it")], owner="w2", limit=0)
    assert store.desk.delivery(failed[0])["pinned_mapping"] == "made it"


def test_a_replay_with_the_mapping_of_now_clears_the_pin(store, failed):
    store.desk.replay([failed[0]], then=True)
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Fail("no"))], limit=0)
    store.desk.replay([failed[0]])
    assert turn(store).claims[0].pinned_mapping is None


def test_an_attempt_that_no_mapping_made_forgets_nothing(store, failed):
    "What made it last is still known after a fault, or a skip that asked no mapping."
    store.desk.replay([failed[0]])
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Hold("the sync is gone", "no_sync"))], limit=0)
    assert store.desk.delivery(failed[0])["mapping_hash"] == "made it"


def test_an_upgrade_from_the_first_schema_keeps_every_row(tmp_path):
    from alembic import command

    url = f"sqlite:///{tmp_path}/c.db"
    command.upgrade(alembic_config(url), "0001")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO events (id, source, state, xid, fingerprint, action, customer, received_at, body)"
            " VALUES (7, 'flavours', 'accepted', 'x1', 'f', 'customers.CREATE', 'c1', 5, '{}')",
            "INSERT INTO deliveries (id, event_id, source, sync, target, customer, state, due_at, mapping_hash,"
            " created_at) VALUES (9, 7, 'flavours', 'crm_sync', 'crm', 'c1', 'failed', 5, 'h1', 5)",
            "INSERT INTO mappings VALUES ('h1', 'csv', 'the text', 5)",
            "INSERT INTO mapping_versions (name, hash, published_at) VALUES ('csv', 'h1', 5)",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert upgrade(url) == ("0001", REVISION)
    store = open_store(url)
    row = store.desk.delivery(9)
    assert (row["xid"], row["state"], row["mapping_hash"], row["pinned_mapping"]) == ("x1", "failed", "h1", None)
    assert [(version.hash, version.published_by) for version in store.mappings.history("csv")] == [("h1", "")]
    store.states.register(["crm"])
    store.desk.replay([9], then=True)
    assert [claim.pinned_mapping for claim in turn(store).claims] == ["h1"]
    store.close()

from dataclasses import replace

import pytest
import sqlalchemy as sa

from connector.errors import NotFound
from connector.models import Fail, Hold
from connector.store.desk import Decision
from connector.store.tables import events
from tests.store.conftest import SYNC, arrive, event, settled, turn


@pytest.fixture
def held(store):
    arrive(store, "x1", "c1")
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Hold("two contacts match", "two_matches"))], limit=0)
    return claim.delivery


def test_a_held_delivery_says_why(store, held):
    row = store.desk.delivery(held)
    assert (row["state"], row["code"], row["reason"]) == ("held", "two_matches", "two contacts match")


def test_resolve_by_link_writes_the_link_and_tries_again(store, held):
    store.desk.resolve(Decision(held, "link", "r-7", "acct"))
    (claim,) = turn(store).claims
    assert claim.link is not None
    assert claim.link.remote_id == "r-7"


def test_a_link_to_the_same_contact_stays_as_new_as_it_is(store, held):
    arrive(store, "x2", "c1")
    (claim,) = turn(store).claims
    newer = replace(settled(claim).link, source_updated_at=2_000, arrival=claim.event)
    turn(store, [settled(claim, link=newer)], limit=0)
    store.desk.resolve(Decision(held, "link", newer.remote_id, newer.account))
    (again,) = turn(store).claims
    assert (again.delivery, again.link.source_updated_at, again.link.arrival) == (held, 2_000, newer.arrival)
    assert again.link.record_hash == ""  # nobody knows what the contact holds of it: it is compared anew


def test_resolve_by_create_asks_for_a_new_contact(store, held):
    store.desk.resolve(Decision(held, "create"))
    (claim,) = turn(store).claims
    assert claim.create_anyway


@pytest.mark.parametrize(("maybe_sent", "reopened"), [(False, 1), (True, 0)])
def test_a_replay_counts_as_a_new_life_unless_an_answer_was_lost(store, maybe_sent, reopened):
    "The count is part of the idempotency key: a vendor's memory must not hide a replay, but it must hide a second create."
    arrive(store, "x1", "c1")
    for _ in range(2):
        (claim,) = turn(store).claims
        turn(store, [settled(claim, Fail("given up"), maybe_sent=maybe_sent)], limit=0)
        assert store.desk.replay([1]) == 1
    (claim,) = turn(store).claims
    assert claim.reopened == 2 * reopened
    turn(store, [settled(claim, Hold("it may already be there", "maybe_there"), maybe_sent=maybe_sent)], limit=0)
    store.desk.resolve(Decision(1, "create"))  # a person looked: it is not there
    assert turn(store).claims[0].reopened == 2 * reopened + 1


def test_resolve_by_skip_ends_it(store, held):
    store.desk.resolve(Decision(held, "skip"))
    assert store.desk.delivery(held)["state"] == "skipped"
    assert turn(store).claims == []


def test_a_contact_of_another_customer_is_not_linked(store, held):
    arrive(store, "x2", "c2")
    (claim,) = turn(store).claims
    turn(store, [settled(claim)], limit=0)
    with pytest.raises(ValueError, match="linked to the Flavours customer c2"):
        store.desk.resolve(Decision(held, "link", "r-c2", "acct"))


def test_only_held_and_failed_deliveries_are_resolved(store):
    arrive(store)
    with pytest.raises(ValueError, match="d1 is pending"):
        store.desk.resolve(Decision(1, "skip"))


def test_what_does_not_exist_is_named(store):
    for ask in (
        lambda: store.desk.delivery(9),
        lambda: store.desk.replay([9]),
        lambda: store.desk.resolve(Decision(9, "skip")),
    ):
        with pytest.raises(NotFound, match="d9"):
            ask()
    with pytest.raises(NotFound, match="e9"):
        store.desk.event(9)
    with pytest.raises(NotFound, match="crm9"):
        store.states.resume("crm9")


def test_replay_starts_the_count_anew(store):
    arrive(store)
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Fail("refused"))], limit=0)
    assert store.desk.replay([claim.delivery]) == 1
    (again,) = turn(store).claims
    assert (again.attempts, again.active_since) == (0, None)


def test_replaying_what_is_under_way_does_nothing(store):
    arrive(store)
    (claim,) = turn(store).claims
    assert store.desk.replay([claim.delivery]) == 0


def test_lists_page_and_filter(store):
    for n in range(5):
        arrive(store, customer=f"c{n}")
    assert [r["id"] for r in store.desk.deliveries(limit=2)] == [5, 4]
    assert [r["id"] for r in store.desk.deliveries(limit=2, before=4)] == [3, 2]
    assert [r["event_id"] for r in store.desk.deliveries(event=3)] == [3]
    assert store.desk.deliveries(state="failed") == []
    assert [r["id"] for r in store.desk.events(limit=1, before=3)] == [2]


def test_counts(store):
    arrive(store)
    arrive(store, syncs=())
    assert store.desk.counts() == {("crm", "pending"): 1}
    assert store.desk.event_counts() == {"accepted": 1, "ignored": 1}
    assert store.overview.last_of(["flavours", "other"]) == {"flavours": 1_700_000_000_000, "other": None}


def test_customers_come_newest_first_with_their_bodies(store):
    for n in range(1, 6):
        store.inbox.accept(event(f"x{n}", f"c{n}"), b"{%d}" % n, "flavours", (SYNC,))
    rows = store.desk.customers(2)
    assert [(r["id"], r["customer"], r["body"]) for r in rows] == [(5, "c5", b"{5}"), (4, "c4", b"{4}")]
    assert [r["id"] for r in store.desk.customers(10, before=4)] == [3, 2, 1]
    assert (store.desk.count_customers(3), store.desk.count_customers(10)) == (3, 5)


def test_only_accepted_customers_with_a_body_come(store):
    arrive(store, "x1", "c1")
    arrive(store, "x2", "c2", syncs=())
    arrive(store, "x3", None, syncs=())
    store.inbox.reject("flavours", b"[]", "no object", None, None)
    arrive(store, "x5", "c5")
    store.engine.write(_purge, 5)
    assert [r["id"] for r in store.desk.customers(10)] == [1]
    assert store.desk.count_customers(10) == 1


def _purge(connection, ids):
    for each in ids:
        connection.execute(sa.update(events).where(events.c.id == each).values(body=None))
    return ids

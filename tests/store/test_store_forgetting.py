"""A customer is forgotten: nothing that tells of a person is left, nothing waits, and whoever comes again is welcome."""

import contextlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.config import SyncConfig
from connector.models import Fail, Hold, Retry
from connector.store import again, open_store
from connector.store.forgetting import names
from connector.store.tables import metadata
from tests.store.conftest import SYNC, event, settled, stranded, turn

NAME, PHONE = "Canary Alharbi", "0551234567"
BOOKS = SyncConfig("books_sync", "flavours", ("customers.CREATE",), "rest", "books")


def body(customer, **more):
    data = {"id": customer, "user": {"name": NAME, "phone": PHONE}} | more
    return json.dumps({"action": "customers.CREATE", "data": data}).encode()


def come(store, xid, customer="c1", source="flavours", syncs=(SYNC, BOOKS)):
    return store.inbox.accept(event(xid, customer), body(customer), source, syncs).event


def forget(store, customer="c1", source=None):
    "Do it as the command does; what was found, and what is being sent just now."
    known = store.forgetting.find(customer, source, lambda _: None)
    ids = sorted(number for some in known.events.values() for number in some)
    left, running = list(ids), frozenset()
    while left:
        erased = store.forgetting.erase(left)
        running |= erased.running
        left = [number for number in left if number not in erased.events]
        if not erased.events:
            break
    store.forgetting.unlink(customer, ids)
    return known, running


def dumped(store):
    def ask(connection):
        return [str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))]

    return "\n".join(store.engine.read(ask))


@pytest.fixture
def store(store):
    store.states.register(["books"])
    return store


def test_nothing_of_the_person_is_left(store):
    come(store, "x1")
    come(store, "x2", "c2")
    claims = turn(store, targets=("crm", "books")).claims
    ends = [Fail(f"refused {NAME}", answer=f"{NAME} is not welcome"), Hold(f"two called {NAME}", "two_matches")]
    mine = [claim for claim in claims if claim.customer == "c1"]
    turn(store, [settled(c, end, warnings=(f"name: {NAME}",)) for c, end in zip(mine, ends, strict=True)], limit=0)
    store.inbox.reject("flavours", b'{"data": {"id": "c1", "user": {"name": "Canary', f"not JSON: {NAME}", "x9", None)
    store.search.follow()
    known, running = forget(store)
    assert (known.events, running) == ({"flavours": [1, 3]}, frozenset())
    said = dumped(store)
    assert said.count("Canary") == said.count(NAME)  # c2's body alone, and its search keys are folded
    assert NAME not in "".join(line for line in said.splitlines() if "'c2'" not in line)
    rows = {row["id"]: row for row in store.desk.deliveries() if row["customer"] == "c1"}
    assert {(row["state"], row["reason"], row["warnings"]) for row in rows.values()} == {
        ("skipped", "forgotten by request", None)
    }
    assert [one["reason"] for row in rows for one in store.desk.attempts(row)] == [None, None]
    assert store.search.events(NAME) == [2]
    assert store.search.events("x1") == [1]


def test_the_file_holds_nothing_of_the_person(tmp_path, url, clock):
    if not url.startswith("sqlite"):
        pytest.skip("what PostgreSQL leaves in its files is VACUUM's")
    with contextlib.closing(open_store(url, clock)) as store:
        store.states.register(["crm", "books"])
        for n in range(30):
            come(store, f"x{n}", "c1" if n % 2 else f"d{n}")
        store.search.follow()
        assert b"Canary" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
        for n in range(30):
            forget(store, "c1" if n % 2 else f"d{n}")
    assert b"canary" not in Path(tmp_path, "connector.db").read_bytes().lower()


def test_what_waits_ends_and_nobody_is_stranded(store):
    for n in range(3):
        come(store, f"x{n}")
        come(store, f"y{n}", "c2")
    forget(store)
    states = {(row["customer"], row["state"]) for row in store.desk.deliveries()}
    assert states == {("c1", "skipped"), ("c2", "pending"), ("c2", "blocked")}
    assert stranded(store) == 0
    assert {claim.customer for claim in turn(store).claims} == {"c2"}


def test_what_is_being_sent_is_waited_for(store):
    come(store, "x1", syncs=(SYNC,))
    (claim,) = turn(store).claims
    come(store, "x2", syncs=(SYNC,))
    known, running = forget(store)
    assert (known.contacts, running) == (frozenset(), {1})
    assert [row["state"] for row in store.desk.deliveries()] == ["skipped", "running"]
    assert stranded(store) == 0
    turn(store, [settled(claim)], limit=0)
    known, running = forget(store)
    assert (known.contacts, running) == ({("crm", "r-c1")}, frozenset())
    assert store.links.owner("crm", "acct", "r-c1") is None
    assert "r-c1" not in dumped(store)


def test_a_retry_that_comes_meanwhile_ends_too(store):
    come(store, "x1", syncs=(SYNC,))
    (claim,) = turn(store).claims
    forget(store)
    turn(store, [settled(claim, Retry("later"))], limit=0)
    forget(store)
    assert turn(store).claims == []
    assert store.desk.delivery(1)["state"] == "skipped"


def test_a_lost_answer_is_looked_up_first_unless_it_takes_too_long(store):
    "Or nobody would know the contact's id, and who comes again at once might be there twice."
    come(store, "x1", syncs=(SYNC,))
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Retry("timeout"), maybe_sent=True)], limit=0)
    assert forget(store)[1] == {1}
    assert store.desk.event(1)["body"] is not None
    erased = store.forgetting.erase([1], firm=True)
    assert (erased.events, erased.uncertain) == ({1}, {"crm"})
    assert turn(store).claims == []


def test_a_repeat_stays_a_duplicate_and_a_new_webhook_is_welcome(store):
    come(store, "x1", syncs=(SYNC,))
    (claim,) = turn(store).claims
    turn(store, [settled(claim)], limit=0)
    forget(store)
    assert store.inbox.accept(event("x1"), body("c1"), "flavours", [SYNC]).status == "duplicate"
    assert store.desk.event(1)["body"] is None
    assert store.inbox.accept(event("x2"), body("c1"), "flavours", [SYNC]).status == "accepted"
    (claim,) = turn(store).claims
    assert (claim.link, claim.body) == (None, body("c1"))
    assert again.reopen(store.desk, [1])[1].startswith("its customer was forgotten by request: save the customer")
    with_link = settled(claim)
    turn(store, [with_link], limit=0)
    store.forgetting.unlink("c1", [1])  # the link is of a newer event
    assert store.links.owner("crm", "acct", "r-c1") == "c1"


def test_two_sources_have_customers_of_one_id(store):
    come(store, "x1", source="flavours")
    come(store, "x1", source="other")
    known = store.forgetting.find("c1", None, lambda _: None)
    assert known.events == {"flavours": [1], "other": [2]}
    forget(store, source="other")
    assert (store.desk.event(1)["body"], store.desk.event(2)["body"]) == (body("c1"), None)


def test_a_link_whose_event_is_there_no_more_is_forgotten_too(store, clock):
    come(store, "x1", syncs=(SYNC,))
    (claim,) = turn(store).claims
    turn(store, [settled(claim)], limit=0)
    clock.now += 1000 * 86_400_000
    while store.keeping.step(store.keeping.cuts(1, 1)).more:
        pass
    known, _ = forget(store)
    assert (known.events, known.contacts) == ({}, {("crm", "r-c1")})
    assert store.links.owner("crm", "acct", "r-c1") is None
    assert not store.forgetting.find("c1", None, lambda _: None)


def test_many_events_are_erased_a_few_at_a_time(store):
    for n in range(120):
        come(store, f"x{n}", syncs=(SYNC,))
    known = store.forgetting.find("c1", None, lambda _: None)
    first = store.forgetting.erase(known.events["flavours"])
    assert (len(first.events), first.ended, min(first.events)) == (50, 50, 71)  # the head of the lane goes last
    assert stranded(store) == 0
    forget(store)
    assert {row["state"] for row in store.desk.deliveries(limit=200)} == {"skipped"}


@pytest.mark.parametrize(
    ("sent", "theirs"),
    [
        ('{"action": "orders.CREATE", "data": {"id": "c1", "customer_id": "c9"}}', True),
        ('{"action": "orders.CREATE", "data": {"id": "o1", "customer": {"id": "c1"}}}', True),
        ('{"action": "orders.CREATE", "data": {"id": "o1", "lines": [{"id": "c1"}], "customer_id": "c1"}}', True),
        ('{"action": "orders.CREATE", "data": {"id": "o1", "lines": [{"id": "c1"}]}}', False),
        ('{"action": "orders.CREATE", "data": {"id": "o1", "note": "c1"}}', False),
        ('{"data": {"user_id": 17, "id": "c1', True),
        ('{"data": {"id": "c12', False),
        ("c1", False),
    ],
)
def test_whose_data_a_body_carries(sent, theirs):
    assert names(sent.encode(), "c1") is theirs


def test_a_number_is_an_id_too(store):
    assert names(b'{"data": {"customer_id": 17}}', "17")
    assert names('{"data": {"id": "زبون"}}'.encode(), "زبون")
    assert names(json.dumps({"data": {"id": "زبون"}}).encode()[:-1], "زبون")
    store.inbox.reject("flavours", json.dumps({"data": {"id": "زبون", "user": 1}}).encode(), "no user", None, None)
    assert store.forgetting.find("زبون", None, lambda _: None).events == {"flavours": [1]}

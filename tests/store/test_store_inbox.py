import threading

import pytest
import sqlalchemy as sa

from connector.config import SyncConfig
from connector.errors import AlreadyStored, NotFound
from connector.store.tables import events
from tests.store.conftest import SYNC, arrive, event, explained

OTHER = SyncConfig("books_sync", "flavours", ("customers.CREATE",), "qoyod", "books")


def test_an_event_is_stored_with_its_delivery(store):
    receipt = arrive(store, "x1", "c1")
    assert (receipt.status, receipt.event) == ("accepted", 1)
    (delivery,) = store.desk.deliveries()
    assert (delivery["customer"], delivery["state"], delivery["target"]) == ("c1", "pending", "crm")


def test_the_same_event_again_is_a_duplicate(store):
    first = arrive(store, "x1")
    again = arrive(store, "x1")
    assert (again.status, again.event) == ("duplicate", first.event)
    assert len(store.desk.deliveries()) == 1


def test_the_same_xid_with_other_data_is_kept_as_a_conflict(store):
    first = arrive(store, "x1", "c1")
    other = arrive(store, "x1", "c2")
    assert other.status == "conflict"
    assert other.event != first.event
    assert store.desk.event(other.event)["conflict"] is True
    assert store.desk.event(first.event)["conflict"] is False
    assert len(store.desk.deliveries()) == 2


def test_a_duplicate_of_a_conflict_is_a_duplicate_of_that_one(store):
    arrive(store, "x1", "c1")
    other = arrive(store, "x1", "c2")
    assert arrive(store, "x1", "c2") == type(other)("duplicate", other.event)


def test_the_same_xid_from_another_source_is_another_event(store):
    arrive(store, "x1")
    receipt = store.inbox.accept(event("x1"), b"{}", "branch", [SYNC])
    assert receipt.status == "accepted"


def test_without_an_xid_nothing_is_deduplicated(store):
    one = store.inbox.accept(event(None), b"{}", "flavours", [SYNC])
    two = store.inbox.accept(event(None), b"{}", "flavours", [SYNC])
    assert (one.status, two.status) == ("accepted", "accepted")
    assert one.event != two.event


def test_an_event_that_no_sync_wants_is_kept_as_ignored(store):
    receipt = arrive(store, "x1", syncs=())
    assert receipt.status == "ignored"
    assert store.desk.event(receipt.event)["state"] == "ignored"
    assert store.desk.deliveries() == []


def test_each_sync_gets_a_delivery(store):
    arrive(store, "x1", syncs=(SYNC, OTHER))
    assert {d["sync"] for d in store.desk.deliveries()} == {"crm_sync", "books_sync"}


def test_a_rejected_body_is_kept_once(store):
    first = store.inbox.reject("flavours", b"not json", "not JSON", None, None)
    again = store.inbox.reject("flavours", b"not json", "not JSON", None, None)
    assert first == again
    assert store.desk.event(first)["body"] == b"not json"
    assert store.desk.events(state="rejected")[0]["reason"] == "not JSON"


def test_a_rejected_event_occupies_no_key(store):
    store.inbox.reject("flavours", b"{}", "not a customer", "x1", "customers.CREATE")
    assert arrive(store, "x1").status == "accepted"


def test_a_rejected_event_can_be_routed_again(store):
    rejected = store.inbox.reject("flavours", b"{}", "not a customer", "x9", "customers.CREATE")
    (delivery,) = store.inbox.route_again(rejected, event("x9", "c9"), [SYNC])
    assert store.desk.event(rejected)["state"] == "accepted"
    assert store.desk.delivery(delivery)["customer"] == "c9"


def test_routing_again_makes_a_new_generation_behind_the_old_one(store):
    receipt = arrive(store, "x1", "c1")
    (delivery,) = store.inbox.route_again(receipt.event, event("x1", "c1"), [SYNC])
    assert store.desk.delivery(delivery)["state"] == "blocked"
    assert store.inbox.route_again(receipt.event, event("x1", "c1"), []) == []


def test_a_rejected_event_with_an_accepted_twin_is_not_routed_again(store):
    rejected = store.inbox.reject("flavours", b"{}", "not a customer", "x1", "customers.CREATE")
    twin = arrive(store, "x1", "c1").event
    with pytest.raises(AlreadyStored, match=f"as e{twin}"):
        store.inbox.route_again(rejected, event("x1", "c1"), [SYNC])


def test_routing_an_unknown_event_again_is_an_error(store):
    with pytest.raises(NotFound, match="e77"):
        store.inbox.route_again(77, event(), [SYNC])


def test_many_threads_with_one_event_store_it_once(store):
    receipts = []
    threads = [threading.Thread(target=lambda: receipts.append(arrive(store, "same"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.status for r in receipts) == ["accepted"] + ["duplicate"] * 15
    assert len(store.desk.deliveries()) == 1


def test_an_event_twice_in_one_group_is_stored_once(store):
    from connector.store.inbox import _Arrival, accept_many

    arrival = _Arrival(event("x1"), b"{}", "flavours", (SYNC,), 5)
    with store.engine._engine.begin() as connection:
        receipts = accept_many(connection, [arrival, arrival])
    assert [r.status for r in receipts] == ["accepted", "duplicate"]
    assert receipts[0].event == receipts[1].event


def test_the_body_is_kept_as_bytes(store):
    body = b'{"name": "\xff\x00"}'
    kept = store.inbox.accept(event("x1"), body, "flavours", [SYNC]).event
    assert store.desk.event(kept)["body"] == body


def test_looking_up_an_xid_uses_its_index(store):
    rejected = sa.literal_column("'rejected'")
    ask = sa.select(events.c.id).where(events.c.source == "f", events.c.xid == "x", events.c.state != rejected)
    assert "ux_events_identity" in explained(store, ask)

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connector.models import Delivered, Fail, Hold, Retry, Skip, TargetState
from connector.store import open_store
from connector.store.queue import _DUE
from tests.installation import wait_for
from tests.store.conftest import SYNC, arrive, explained, settled, stranded, turn


def test_what_is_due_is_claimed_oldest_first(store, clock):
    arrive(store, "x1", "c1")
    clock.now += 1
    arrive(store, "x2", "c2")
    claims = turn(store).claims
    assert [c.customer for c in claims] == ["c1", "c2"]
    assert claims[0].body == b"{}"


def test_a_claimed_delivery_is_not_claimed_again(store):
    arrive(store)
    assert len(turn(store, owner="w1").claims) == 1
    assert turn(store, owner="w2").claims == []


def test_no_more_than_asked_is_claimed(store):
    for n in range(5):
        arrive(store, customer=f"c{n}")
    assert len(turn(store, limit=2).claims) == 2


def test_what_is_due_later_waits(store, clock):
    arrive(store)
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Retry("later"), due_at=clock.now + 1000)], limit=0)
    assert turn(store).claims == []
    clock.now += 1000
    (again,) = turn(store).claims
    assert (again.delivery, again.attempts) == (claim.delivery, 1)


def test_settling_writes_delivery_attempt_and_link(store):
    arrive(store, "x1", "c1")
    (claim,) = turn(store).claims
    turn(store, [settled(claim, warnings=("email left out",))])
    row = store.desk.delivery(claim.delivery)
    assert (row["state"], row["remote_id"], row["warnings"]) == ("delivered", "r-c1", ["email left out"])
    assert [a["outcome"] for a in store.desk.attempts(claim.delivery)] == ["created"]
    assert store.links.owner("crm", "acct", "r-c1") == "c1"
    assert store.links.owner("crm", "another account", "r-c1") is None


def test_a_claim_carries_the_link(store):
    arrive(store, "x1", "c1")
    (claim,) = turn(store).claims
    turn(store, [settled(claim)])
    arrive(store, "x2", "c1")
    (next_claim,) = turn(store).claims
    assert next_claim.link is not None
    assert (next_claim.link.remote_id, next_claim.link.account) == ("r-c1", "acct")


def test_a_late_settle_is_fenced(store):
    arrive(store)
    (claim,) = turn(store, owner="w1").claims
    store.leases.reclaim("w1", 0, {})
    (taken,) = turn(store, owner="w2").claims
    late = turn(store, [settled(claim)], owner="w1")
    assert [s.claim.delivery for s in late.refused] == [claim.delivery]
    assert store.desk.delivery(claim.delivery)["state"] == "running"
    assert taken.maybe_sent


def test_a_settle_of_the_same_owner_with_an_old_fence_is_refused(store):
    arrive(store)
    (claim,) = turn(store).claims
    store.leases.reclaim("w1", 0, {})
    turn(store)
    assert len(turn(store, [settled(claim)]).refused) == 1


def test_a_lane_goes_in_arrival_order(store):
    for n in range(3):
        arrive(store, f"x{n}", "c1")
    seen = []
    for _ in range(3):
        (claim,) = turn(store).claims
        seen.append(claim.event)
        turn(store, [settled(claim)], limit=0)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("outcome", [Delivered("updated", "r"), Hold("?", "two_matches"), Fail("no")])
def test_each_end_frees_the_lane(store, outcome):
    arrive(store, "x1", "c1")
    arrive(store, "x2", "c1")
    (claim,) = turn(store).claims
    (after,) = turn(store, [settled(claim, outcome)]).claims
    assert after.event == 2
    assert stranded(store) == 0


def test_a_retry_keeps_its_place_at_the_head(store):
    arrive(store, "x1", "c1")
    arrive(store, "x2", "c1")
    (claim,) = turn(store).claims
    (again,) = turn(store, [settled(claim, Retry("later"))]).claims
    assert again.event == claim.event


def test_a_replayed_delivery_reenters_at_its_arrival_place(store, clock):
    arrive(store, "x1", "c1")
    (first,) = turn(store).claims
    turn(store, [settled(first, Fail("bad"))], limit=0)
    arrive(store, "x2", "c1")
    store.desk.replay([first.delivery])
    states = {d["id"]: d["state"] for d in store.desk.deliveries()}
    assert (states[first.delivery], states[first.delivery + 1]) == ("pending", "blocked")
    (claim,) = turn(store).claims
    assert claim.delivery == first.delivery


def test_a_replay_behind_a_running_delivery_waits(store):
    arrive(store, "x1", "c1")
    (first,) = turn(store).claims
    turn(store, [settled(first, Fail("bad"))], limit=0)
    arrive(store, "x2", "c1")
    (running,) = turn(store).claims
    store.desk.replay([first.delivery])
    assert store.desk.delivery(first.delivery)["state"] == "blocked"
    (promoted,) = turn(store, [settled(running)]).claims
    assert promoted.delivery == first.delivery


def test_other_targets_are_other_lanes(store):
    from tests.store.test_store_inbox import OTHER

    store.states.register(["books"])
    arrive(store, "x1", "c1", syncs=(SYNC, OTHER))
    assert {c.target for c in turn(store, targets=("crm", "books")).claims} == {"crm", "books"}


def test_a_paused_target_is_not_claimed_from(store, clock):
    arrive(store)
    store.states.pause("crm", clock.now + 1000, "busy")
    assert turn(store).claims == []


def test_a_target_whose_pause_is_over_gets_one_probe(store, clock):
    for n in range(5):
        arrive(store, customer=f"c{n}")
    store.states.pause("crm", clock.now + 1000, "busy")
    clock.now += 1000
    assert len(turn(store, owner="w1").claims) == 1
    assert store.states.all()["crm"].state == "probing"
    assert turn(store, owner="w2").claims == []


def test_a_target_paused_by_a_person_waits_for_a_person(store, clock):
    arrive(store)
    store.states.pause("crm", None, "paused by a person")
    clock.now += 10**9
    assert turn(store).claims == []
    store.states.resume("crm")
    assert len(turn(store).claims) == 1
    assert store.states.all()["crm"].stopped_ms == 10**9


def test_a_lost_prober_gives_the_probe_back(store, clock):
    arrive(store)
    store.states.pause("crm", clock.now, "busy")
    turn(store, owner="w1")
    store.leases.reclaim("w1", 0, {"crm": 0})
    assert store.states.all()["crm"].state == "paused"
    assert len(turn(store, owner="w2").claims) == 1


def test_the_target_moves_by_what_its_deliveries_came_to(store):
    arrive(store)
    (claim,) = turn(store).claims
    held = TargetState("crm", "held", reason="key refused")
    turned = turn(store, [settled(claim, Retry("401"))], advance=lambda *_: held)
    assert turned.changed == [held]
    assert turned.claims == []
    assert store.states.all()["crm"] == held


def test_two_customers_that_find_the_same_record_do_not_share_it(store):
    arrive(store, "x1", "c1")
    arrive(store, "x2", "c2")
    one, two = turn(store).claims
    same = Delivered("updated", "r-same")
    turn(store, [settled(one, same), settled(two, same)])
    assert store.desk.delivery(one.delivery)["state"] == "delivered"
    row = store.desk.delivery(two.delivery)
    assert (row["state"], row["code"]) == ("held", "already_linked")


def test_claiming_uses_the_partial_index(store):
    "A bound state would hide the partial index from SQLite, and a claim would cost what the table costs."
    values = {"wanted_target": "crm", "wanted_now": 1, "most": 1}
    ask = _DUE.postgres if store.engine.url.startswith("postgresql") else _DUE.sqlite
    assert "ix_deliveries_due" in explained(store, ask, **values)


def test_what_a_target_says_in_broken_unicode_is_settled(store):
    arrive(store)
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Fail("bad \ud800 name\0", answer="\udfff"), warnings=("w \ud800",))], limit=0)
    row = store.desk.delivery(claim.delivery)
    assert (row["state"], row["reason"], row["warnings"]) == ("failed", "bad \\ud800 name\\0", ["w \\ud800"])


def test_a_remote_id_in_broken_unicode_is_settled(store):
    arrive(store)
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Delivered("created", "r\ud800"))], limit=0)
    assert store.desk.delivery(claim.delivery)["remote_id"] == "r\\ud800"


def test_the_version_changes_with_a_commit(store):
    before = store.queue.version()
    assert store.queue.version() == before
    arrive(store)
    wait_for(lambda: store.queue.version() != before, 5)


def test_waiting_deliveries_of_an_unknown_target_stay(store):
    arrive(store)
    assert turn(store, targets=("gone",)).claims == []


def test_a_found_record_and_a_skip_are_settled_together(store):
    "The one has a link that must be looked at, the other has none."
    arrive(store, customer="c1")
    arrive(store, customer="c2")
    first, second = turn(store).claims
    found = settled(first, Delivered("updated", "r1"))
    assert turn(store, [found, settled(second, Skip("older data"))]).refused == []
    assert [d["state"] for d in store.desk.deliveries()] == ["skipped", "delivered"]
    assert store.links.owner("crm", "acct", "r1") == "c1"


def test_a_worker_without_targets_registers_nothing(store):
    store.states.register([])
    assert list(store.states.all()) == ["crm"]


def test_of_two_workers_that_find_one_record_at_the_same_moment_one_gets_it(store, url, clock):
    other = open_store(url, clock)
    found = Delivered("updated", "r-7")

    try:
        with ThreadPoolExecutor(2) as pool:
            for n in range(10):
                arrive(store, customer=f"a{n}")
                arrive(store, customer=f"b{n}")
                claims = [turn(here, owner=owner, limit=1).claims[0] for here, owner in ((store, "w1"), (other, "w2"))]
                links = [replace(settled(claim).link, remote_id=f"shared-{n}") for claim in claims]
                start = threading.Barrier(2)

                def settle(here, owner, claim, link, start=start):
                    start.wait()
                    (done,) = turn(here, [settled(claim, found, link=link)], owner=owner, limit=0).settled
                    return done.state

                states = pool.map(settle, (store, other), ("w1", "w2"), claims, links)
                assert sorted(states) == ["delivered", "held"]
    finally:
        other.close()

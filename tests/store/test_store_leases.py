from dataclasses import replace

from connector.models import Retry, Trouble
from tests.store.conftest import arrive, settled, stranded, turn


def test_a_lost_workers_deliveries_come_back_after_the_wait(store, clock):
    arrive(store)
    (claim,) = turn(store, owner="w1").claims
    assert store.leases.reclaim("w1", 0, {"crm": 30_000}) == 1
    assert turn(store, owner="w2").claims == []
    clock.now += 30_000
    (again,) = turn(store, owner="w2").claims
    assert again.maybe_sent
    assert again.fence > claim.fence


def test_a_worker_that_beat_again_keeps_what_it_holds(store):
    arrive(store)
    store.leases.beat("w1", 1000)
    turn(store, owner="w1")
    seen = store.leases.beats()["w1"]
    store.leases.beat("w1", 1000)
    assert store.leases.reclaim("w1", seen, {}) == 0


def test_an_owner_without_a_row_is_seen_too(store):
    arrive(store)
    turn(store, owner="w1")
    assert store.leases.beats() == {"w1": 0}


def test_leaving_forgets_the_worker_but_not_its_deliveries(store):
    arrive(store)
    store.leases.beat("w1", 1000)
    turn(store, owner="w1")
    store.leases.leave("w1")
    assert store.leases.beats() == {"w1": 0}
    assert store.leases.signs() == []


def test_which_workers_are_alive(store, clock):
    store.leases.beat("w1", 1000)
    clock.now += 1500
    store.leases.beat("w2", 1000)
    assert [(sign.worker, sign.alive) for sign in store.leases.signs()] == [("w2", True), ("w1", False)]
    assert store.worker_alive()
    clock.now += 1500
    assert not store.worker_alive()


def test_taking_back_keeps_the_lanes(store):
    for n in range(3):
        arrive(store, f"x{n}", "c1")
    turn(store, owner="w1")
    store.leases.reclaim("w1", 0, {})
    assert stranded(store) == 0
    (claim,) = turn(store, owner="w2").claims
    assert claim.event == 1
    turn(store, [settled(claim)], owner="w2", limit=0)
    assert stranded(store) == 0


def test_mappings_are_kept_by_hash_with_history(store):
    assert store.mappings.publish("rest", "rest", "h1", "one")
    assert not store.mappings.publish("rest", "rest", "h1", "one")
    assert store.mappings.publish("rest", "rest", "h2", "two")
    assert store.mappings.publish("rest", "rest", "h1", "one")
    assert store.mappings.active("rest") == "one"
    assert store.mappings.active("other") is None


HOUR = 3_600_000


def test_a_clock_that_is_put_back_takes_along_what_waits_and_does_so_once(store, clock):
    began = clock.now
    arrive(store, customer="c1")
    (claim,) = turn(store, owner="w1").claims
    turn(store, [settled(claim, Retry("again"), due_at=clock.now + 60_000)], owner="w1", limit=0)
    arrive(store, customer="c2")
    arrive(store, customer="c2")  # blocked behind the other
    for owner in ("w1", "w2"):
        store.leases.beat(owner, 1000)
    clock.now -= HOUR
    assert turn(store, owner="w1").claims == []  # all of it would wait for an hour
    for owner in ("w1", "w2", "w1"):
        store.leases.beat(owner, 1000)
    rows = {row["id"]: row for row in store.desk.deliveries()}
    assert rows[claim.delivery]["due_at"] == began - HOUR + 60_000
    claims = turn(store, owner="w1").claims
    assert [claim.customer for claim in claims] == ["c2"]
    turn(store, [settled(claims[0])], owner="w1", limit=0)
    assert [claim.customer for claim in turn(store, owner="w1").claims] == ["c2"]
    assert store.worker_alive()


def test_a_pause_goes_back_with_the_clock(store, clock):
    arrive(store)
    (claim,) = turn(store, owner="w1").claims
    until = clock.now + 30_000
    pause = lambda state, outcomes, now: replace(state, state="paused", until=until)  # noqa: E731
    store.leases.beat("w1", 1000)
    turn(store, [settled(claim, Retry("busy", trouble=Trouble("busy", "503")))], owner="w1", advance=pause, limit=0)
    clock.now -= HOUR
    store.leases.beat("w1", 1000)
    assert store.states.all()["crm"].until == until - HOUR


def test_a_small_step_back_is_none(store, clock):
    arrive(store)
    store.leases.beat("w1", 1000)
    clock.now -= 5000
    store.leases.beat("w1", 1000)
    assert store.desk.deliveries()[0]["due_at"] == clock.now + 5000

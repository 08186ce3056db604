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
    assert store.leases.newest() is None


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

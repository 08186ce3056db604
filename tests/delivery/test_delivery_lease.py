from connector.delivery.lease import Lease, Silence


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_lease_counts_from_when_the_beat_was_asked_for():
    clock = Clock()
    lease = Lease(60, clock)
    assert not lease.holds_for(0)
    lease.renew(100.0)
    assert lease.holds_for(59)
    assert not lease.holds_for(60)
    clock.now = 161.0
    assert not lease.holds_for(0)


def test_what_was_claimed_before_the_lease_ended_is_not_ours_after_a_late_beat():
    clock = Clock()
    lease = Lease(60, clock)
    lease.renew(100.0)
    term = lease.term
    clock.now = 150.0
    lease.renew(150.0)
    assert lease.holds_for(0, term)
    clock.now = 211.0  # asleep: others may have taken over; or the beat itself took that long
    lease.renew(209.0)
    assert lease.holds_for(0)
    assert lease.holds_for(0, lease.term)
    assert not lease.holds_for(0, term)


def test_an_older_beat_that_comes_through_late_shortens_nothing():
    lease = Lease(60, Clock())
    lease.renew(100.0)
    lease.renew(50.0)
    assert lease.holds_for(59)


def test_a_beat_unchanged_for_a_whole_lease_is_lost():
    clock = Clock()
    silence = Silence(60, clock)
    assert silence.lost({"w1": 1, "w2": 5}) == {}
    clock.now += 59
    assert silence.lost({"w1": 1, "w2": 6}) == {}
    clock.now += 1
    assert silence.lost({"w1": 1, "w2": 6}) == {"w1": 1}


def test_a_worker_that_went_and_came_is_seen_anew():
    clock = Clock()
    silence = Silence(60, clock)
    silence.lost({"w1": 1})
    silence.lost({})
    clock.now += 100
    assert silence.lost({"w1": 1}) == {}

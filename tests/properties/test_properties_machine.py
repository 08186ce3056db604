"""Whatever comes in whatever order: nothing is lost, nothing is there twice, nothing goes out of order.

2,000 steps on SQLite and 300 on PostgreSQL among the slow tests, from a seed; FLAVOURS_STEPS (a number) and
FLAVOURS_SEED ask for more and for others.
"""

import os
from collections import deque

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from connector import flavours
from connector.errors import Purged
from connector.store.desk import Decision
from tests.properties.world import FINISHED, TARGETS, World, on_postgres, on_sqlite

STEPS_EACH = 50
STEPS = {place: int(os.environ.get("FLAVOURS_STEPS", n)) for place, n in ((on_sqlite, 2000), (on_postgres, 300))}
SEED = int(os.environ.get("FLAVOURS_SEED", "5"))

CUSTOMERS = st.sampled_from(["c0", "c1", "c2"])
TROUBLES = st.sampled_from(
    ["timeout", "connect", "lost", "arrives_late", "garbage", "sick", "busy", "keyless", "invalid", "slow", "asleep"]
)
WHICH = st.integers(0, 1000)


class Deliveries(RuleBasedStateMachine):
    "Events, faults and people in any order; after each step the model is asked."

    place = staticmethod(on_sqlite)

    def __init__(self):
        super().__init__()
        self.world = World(self.place)

    def pick(self, things, which):
        return things[which % len(things)]

    def worker(self, which):
        return self.pick(self.world.workers, which)

    @rule(customer=CUSTOMERS, times=st.sampled_from(["none", "now", "old", "same"]), city=st.booleans())
    def receive(self, customer, times, city):
        w, n = self.world, next(self.world.numbers)
        updated = {"none": None, "now": w.now + n, "old": w.now - 10**7 + n, "same": 1_700_000_000_000}[times]
        answer, event = w.post(customer, f"N{n}", updated, city, f"x{n}")
        assert (answer.status_code, answer.json["status"]) == (202, "accepted")
        assert event.id not in w.events
        w.events[event.id] = event

    @precondition(lambda self: self.world.events)
    @rule(which=WHICH)
    def duplicate(self, which):
        w = self.world
        e = self.pick(list(w.events.values()), which)
        answer, again = w.post(e.customer, e.name, e.updated, e.city, e.xid)
        assert (answer.status_code, answer.json["status"], again.id) == (200, "duplicate", e.id)

    @precondition(lambda self: self.world.events)
    @rule(which=WHICH, customer=CUSTOMERS)
    def conflict(self, which, customer):
        w = self.world
        e = self.pick(list(w.events.values()), which)
        answer, other = w.post(customer, f"N{next(w.numbers)}", e.updated, e.city, e.xid)
        assert answer.status_code == 202
        assert answer.json["conflict"] is True
        w.events[other.id] = other

    @rule(which=WHICH)
    def turn(self, which):
        self.worker(which).turn()

    @rule(which=WHICH)
    def push(self, which):
        self.worker(which).push()

    @rule(which=WHICH)
    def whole_round(self, which):
        self.worker(which).whole()

    @rule(which=WHICH)
    def beat(self, which):
        self.worker(which).live()

    @rule(which=WHICH)
    def crash(self, which):
        self.world.workers.remove(self.worker(which))
        self.world.hire()

    @rule(which=WHICH)
    def a_lease_passes(self, which):
        self.world.pass_a_lease([self.worker(which)])

    @rule(
        customer=st.sampled_from(["c0", None, None]),  # None: one who is nowhere yet
        events=st.integers(1, 2),
        name=st.sampled_from(TARGETS),
        what=st.sampled_from(["slow", "asleep"]),
        when=st.sampled_from(["check", "check", "write"]),
    )
    def sleep_in_a_push(self, customer, events, name, what, when):
        w = self.world
        newcomer = f"c{3 + len(w.events) % 90}"
        for _ in range(events):
            self.receive(customer or newcomer, "none", True)
        w.store.states.resume(name)
        w.vendors[name].troubles = deque([(what, when)])
        w.workers[0].whole()

    @rule(seconds=st.sampled_from([0.1, 5, 8, 30, 70, 700, 8000]))
    def time_passes(self, seconds):
        self.world.advance(seconds)

    @rule(name=st.sampled_from(TARGETS), what=TROUBLES, when=st.sampled_from(["find", "write", "write"]))
    def trouble(self, name, what, when):
        self.world.vendors[name].troubles.append((what, when))

    @rule(name=st.sampled_from(TARGETS))
    def end_of_trouble(self, name):
        self.world.vendors[name].troubles.clear()

    @rule(name=st.sampled_from(TARGETS), seconds=st.sampled_from([None, 10, 100]))
    def pause(self, name, seconds):
        until = None if seconds is None else self.world.now + seconds * 1000
        self.world.store.states.pause(name, until, "by a person")

    @rule(name=st.sampled_from(TARGETS))
    def resume(self, name):
        self.world.store.states.resume(name)

    @rule(strict=st.booleans())
    def edit_mapping(self, strict):
        self.world.publish(strict=strict)

    def finished(self, *states):
        return [row for row in self.world.rows().values() if row.state in states]

    @rule(which=WHICH, then=st.booleans(), many=st.integers(1, 3))
    def replay(self, which, then, many):
        w, rows = self.world, self.finished(*FINISHED)
        chosen = {self.pick(rows, which + n).id for n in range(many)} if rows else set()
        chosen = {i for i in chosen if not then or w.rows()[i].mapping_hash}
        asked, chosen = sorted(chosen), {i for i in chosen if w.rows()[i].event_id not in w.emptied()}
        assert w.store.desk.replay(asked, then=then) == len(chosen)
        self.reopened(chosen)

    def reopened(self, ids):
        for i in ids:
            self.world.spent[i] = 0
        self.world.reopened |= set(ids)

    @precondition(lambda self: self.world.events)
    @rule(which=WHICH)
    def route_again(self, which):
        w = self.world
        e = self.pick(list(w.events.values()), which)
        if e.id in w.emptied():
            with pytest.raises(Purged):
                w.store.inbox.route_again(e.id, flavours.read(e.body), list(w.config.syncs.values()))
            return
        made = w.store.inbox.route_again(e.id, flavours.read(e.body), list(w.config.syncs.values()))
        assert len(made) == len(TARGETS)
        w.generations[e.id] += 1

    @rule(which=WHICH, how=st.sampled_from(["skip", "link", "create"]))
    def resolve(self, which, how):
        rows = self.finished("held", "failed")
        if not rows:
            return
        w, row = self.world, self.pick(rows, which)
        there = w.vendors[row.target].of(row.customer)
        if (how == "link" and not there) or (how != "skip" and row.event_id in w.emptied()):
            return
        remote_id = str(there[0]["id"]) if how == "link" else None
        w.store.desk.resolve(Decision(row.id, how, remote_id, w.targets[row.target].account))
        self.reopened([row.id] if how != "skip" else [])
        w.reopened.add(row.id)
        if how == "create":
            w.created_by_hand[row.target, row.customer] += 1
            w.latest.pop((row.target, row.customer), None)

    @rule(age=st.sampled_from([0.0, 3600.0]))
    def purge(self, age):
        w = self.world
        busy = {row.event_id for row in w.rows().values() if row.state not in ("delivered", "skipped", "failed")}
        cuts = w.store.keeping.cuts(age, 1e9)
        while w.store.keeping.step(cuts, w.now).more:
            pass
        assert not busy & w.emptied(), "purged before it was finished"

    @precondition(lambda self: self.world.events)
    @rule(which=WHICH)
    def forget(self, which):
        w = self.world
        customer = self.pick(list(w.events.values()), which).customer
        mine = [e.id for e in w.events.values() if e.customer == customer]
        erased = w.store.forgetting.erase(mine)
        w.store.forgetting.unlink(customer, mine)
        self.world.reopened |= {row.id for row in w.rows().values() if row.event_id in erased.events}
        for name in TARGETS:
            w.latest.pop((name, customer), None)

    @rule()
    def let_everything_settle(self):
        w = self.world
        for name, vendor in w.vendors.items():
            vendor.troubles.clear()
            w.store.states.resume(name)
        for _ in range(60):
            for worker in w.workers:
                worker.whole()
            if all(row.state in FINISHED for row in w.rows().values()):
                break
            w.advance(70)
        else:
            dues = [row.due_at - w.now for row in w.rows().values() if row.state == "pending"]
            w.advance(max([0, *dues]) / 1000 + 1)
            for worker in w.workers * 60:
                worker.whole()
                w.advance(70)
        w.check_end()

    @invariant()
    def all_is_as_it_must_be(self):
        self.world.check()

    def teardown(self):
        self.world.close()


class DeliveriesOnPostgres(Deliveries):
    "The same on the other engine."

    place = staticmethod(on_postgres)


@pytest.mark.slow
@pytest.mark.timeout(600 + max(STEPS.values()) // 2)
@pytest.mark.parametrize("machine", [Deliveries, DeliveriesOnPostgres])
def test_never_lost_never_twice_never_out_of_order(machine):
    told = settings(
        max_examples=max(1, STEPS[machine.place] // STEPS_EACH),
        stateful_step_count=STEPS_EACH,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate],  # a failure is told as it was found; shrinking takes longer than reading it
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(SEED)(machine), settings=told)

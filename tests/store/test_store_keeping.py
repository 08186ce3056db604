"""What is older than told goes, in small steps: bodies first, whole rows later; what is not finished stays."""

import json
import threading

import pytest
import sqlalchemy as sa

from connector.errors import NotFound, Purged
from connector.models import Fail, Hold, Retry
from connector.store import again, erasing, keeping, open_store
from connector.store.desk import Decision
from connector.store.keeping import AGAIN, DAY, Cuts, Step
from connector.store.tables import attempts, audit, events, overdue, search_keys
from tests.store.conftest import SYNC, arrive, event, settled, stranded, turn

BODY = json.dumps({"action": "customers.CREATE", "data": {"id": "c1", "user": {"name": "Sara Alharbi"}}}).encode()


def come(store, xid="x1", customer="c1", syncs=(SYNC,), body=BODY):
    return store.inbox.accept(event(xid, customer), body, "flavours", syncs).event


def deliver(store, *outcomes):
    "Claim what waits, and settle it: delivered unless told."
    claims = turn(store, limit=1000).claims
    outcomes += (None,) * (len(claims) - len(outcomes))
    turn(store, [settled(claim, outcome) for claim, outcome in zip(claims, outcomes, strict=True)], limit=0)


def purge(store, bodies=90 * 86_400, ledger=730 * 86_400, older_than=None, since=None):
    "Do all steps; what they did."
    cuts, done = store.keeping.cuts(bodies, ledger, older_than), Step()
    while (step := store.keeping.step(cuts, since)).more:
        done += step
    return done


def later(clock, days):
    clock.now += days * DAY


def held(store, table):
    return store.engine.read(lambda c: [dict(row._mapping) for row in c.execute(sa.select(table))])


def full(store):
    return [row["id"] for row in held(store, events) if row["body"] is not None]


def test_an_old_finished_event_loses_its_body_and_keeps_its_keys(store, clock):
    come(store)
    deliver(store, Fail("the target refused", answer="Sara Alharbi is refused"))
    store.desk.replay([1])
    deliver(store)
    store.search.follow()
    later(clock, 92)
    assert purge(store) == Step(emptied=1, passed=1, more=True)
    (row,) = held(store, events)
    assert (row["body"], row["xid"], row["fingerprint"], row["customer"]) == (None, "x1", "print-x1-c1", "c1")
    assert [(row["number"], row["answer"], row["outcome"]) for row in held(store, attempts)] == [
        (1, None, "fail"),
        (2, None, "created"),
    ]
    assert {row["key"] for row in held(store, search_keys)} == {"=x1", "=c1"}
    assert store.links.owner("crm", "acct", "r-c1") == "c1"
    assert arrive(store, "x1").status == "duplicate"
    assert purge(store) == Step()


def test_a_young_event_stays(store, clock):
    come(store)
    deliver(store)
    later(clock, 89)
    assert purge(store) == Step()
    assert full(store) == [1]
    assert purge(store, older_than=30 * 86_400).emptied == 1


@pytest.mark.parametrize("state", ["pending", "blocked", "running", "held", "retried"])
def test_what_is_not_finished_stays_until_it_is(store, clock, state):
    first = come(store, "x1")
    come(store, "x2")
    claims = () if state == "pending" else turn(store).claims
    outcome = {"held": Hold("who is it?", "two_matches"), "retried": Retry("later"), "blocked": Retry("later")}.get(
        state
    )
    if outcome:
        turn(store, [settled(claims[0], outcome)], limit=0)
    come(store, "x3", "c3")
    later(clock, 1000)
    assert purge(store).emptied == 0
    assert purge(store, older_than=0).deleted == 0
    assert full(store) == [1, 2, 3]
    assert {row["event_id"] for row in held(store, overdue)} == {1, 2, 3}
    assert stranded(store) == 0
    if state == "held":
        store.desk.resolve(Decision(first, "skip"))
    elif state == "running":
        turn(store, [settled(claims[0])], limit=0)
    while turn(store, limit=0).targets and (claims := turn(store).claims):
        turn(store, [settled(claim) for claim in claims], limit=0)
    clock.now += AGAIN + 1
    assert full(store) == [1, 2, 3]
    assert purge(store).emptied == 0  # their time counts from when they ended
    later(clock, 92)
    assert purge(store).emptied == 3
    later(clock, 730)
    assert purge(store).deleted == 3
    assert (held(store, events), held(store, overdue)) == ([], [])


def test_a_person_who_asks_need_not_wait_for_the_next_look(store, clock):
    come(store)
    later(clock, 100)
    purge(store)
    deliver(store)
    assert purge(store, older_than=60).emptied == 0
    later(clock, 0.1)
    assert purge(store, older_than=60, since=clock.now).emptied == 1


def test_a_failed_one_can_be_mended_for_as_long_after_its_end(store, clock):
    come(store)
    deliver(store, Retry("later"))
    later(clock, 14)
    deliver(store, Fail("given up"))
    later(clock, 80)
    assert purge(store).emptied == 0
    store.desk.replay([1])
    deliver(store)
    later(clock, 95)
    assert purge(store).emptied == 1


def test_old_rows_are_deleted_and_links_stay(store, clock):
    for n in range(5):
        come(store, f"x{n}", f"c{n}")
    store.inbox.reject("flavours", b"[]", "no object", None, None)
    deliver(store)
    store.search.follow()
    store.audit.note("Sara", "sign_in")
    later(clock, 731)
    come(store, "y", "c9")
    store.audit.note("Sara", "sign_out")
    assert purge(store) == Step(deleted=6, notes=1, passed=6, more=True)
    assert [row["id"] for row in held(store, events)] == [7]
    assert [row["id"] for row in store.desk.deliveries()] == [6]
    assert (held(store, attempts), [row["what"] for row in held(store, audit)]) == ([], ["sign_out"])
    assert {row["event_id"] for row in held(store, search_keys)} == set()
    assert store.links.owner("crm", "acct", "r-c3") == "c3"
    assert arrive(store, "x1", "c1").status == "accepted"


def test_a_rejected_body_that_comes_again_is_kept_again(store, clock):
    assert store.inbox.reject("flavours", b"[]", "no object", None, None) == 1
    later(clock, 92)
    assert purge(store).emptied == 1
    assert store.inbox.reject("flavours", b"[]", "no object", None, None) == 2
    assert store.desk.event(2)["body"] == b"[]"


def test_what_is_gone_is_not_sent_again(store, clock):
    come(store, "x1", "c1")
    come(store, "x2", "c2", syncs=())
    deliver(store, Fail("refused"))
    later(clock, 92)
    assert purge(store).emptied == 2
    anew = "what Flavours sent was purged, as `keep` in config.yaml says: save the customer in Flavours again"
    assert again.reopen(store.desk, [1])[1].startswith(anew)
    assert store.desk.replay([1]) == 0
    with pytest.raises(ValueError, match="d1 cannot be sent: what Flavours sent was purged"):
        store.desk.resolve(Decision(1, "create"))
    with pytest.raises(Purged, match=anew):
        store.inbox.route_again(2, event("x2", "c2"), [SYNC])
    assert store.desk.delivery(1)["state"] == "failed"
    store.desk.resolve(Decision(1, "skip"))
    assert store.desk.delivery(1)["state"] == "skipped"


def test_one_whose_clock_was_ahead_does_not_stop_the_walk(store, clock):
    for n, days in enumerate((0, 50, -50)):
        later(clock, days)
        come(store, f"x{n}", f"c{n}", syncs=())
    later(clock, 100)
    assert purge(store).emptied == 2
    assert full(store) == [2]
    later(clock, 50)
    assert purge(store).emptied == 1


def test_a_step_holds_few_bytes_and_few_events(store, clock):
    for n in range(3):
        come(store, f"x{n}", f"c{n}", body=b"x" * 700_000)
    for n in range(keeping.FIRST + 10):
        come(store, f"y{n}", f"d{n}", syncs=())
    deliver(store)
    later(clock, 92)
    cuts = store.keeping.cuts(90 * 86_400, 730 * 86_400)
    assert store.keeping.ahead(cuts) == keeping.FIRST + 13
    first, *others = [store.keeping.step(cuts) for _ in range(4)]
    assert first == Step(emptied=1, passed=1, more=True)
    assert [step.emptied for step in others[:1]] == [1]
    assert all(step.emptied <= keeping.MOST for step in others)
    purge(store)
    assert (full(store), store.keeping.ahead(cuts)) == ([], 0)


def test_steps_shrink_where_the_disk_is_slow(store, clock):
    ticks = iter(range(1000))
    slow = keeping.Keeping(store.engine, clock, lambda: float(next(ticks)))
    for n in range(2 * keeping.FIRST):
        come(store, f"x{n}", f"c{n}", syncs=())
    later(clock, 92)
    cuts = slow.cuts(90 * 86_400, 730 * 86_400)
    assert [slow.step(cuts).emptied for _ in range(4)] == [50, 25, 12, 6]
    assert [slow.step(cuts).emptied for _ in range(3)] == [5, 2, 0]


def test_what_would_be_done_is_what_is_done(store, clock):
    for n in range(12):
        come(store, f"x{n}", f"c{n}")
        later(clock, 80)
    deliver(store, *[Hold("who?", "two_matches")] * 3)
    later(clock, 92)
    cuts = store.keeping.cuts(90 * 86_400, 730 * 86_400)
    would = sum(store.keeping.would(cuts), Step())
    assert full(store) == list(range(1, 13))
    done = purge(store)
    assert (would.emptied, would.deleted, would.passed) == (done.emptied, done.deleted, done.passed)
    assert (done.deleted, done.emptied) > (0, 0)


def test_many_may_do_it_at_once(store, clock):
    for n in range(300):
        come(store, f"x{n}", f"c{n}", syncs=())
    later(clock, 92)
    others = [open_store(store.engine.url, clock) for _ in range(3)]
    done, start = [], threading.Barrier(3)

    def run(one):
        start.wait()
        done.append(purge(one))

    threads = [threading.Thread(target=run, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    done.append(purge(store))  # whoever meets another one leaves it to that one
    assert sum(one.emptied for one in done) == 300
    assert full(store) == []


def test_what_is_purged_while_it_is_made_findable_is_not_found(store, clock, monkeypatch):
    come(store)
    later(clock, 92)
    write = store.engine.write

    def between(op, arg):
        monkeypatch.setattr(store.engine, "write", write)
        purge(store, older_than=0)
        deliver(store)
        later(clock, 100)
        purge(store)
        return write(op, arg)

    monkeypatch.setattr(store.engine, "write", between)
    store.search.follow()
    assert full(store) == []
    assert {row["key"] for row in held(store, search_keys)} == {"=x1", "=c1"}


def plan(store, statement):
    def ask(connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        how = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        text = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(how + text))

    return store.engine.read(ask)


def test_each_question_of_a_step_has_its_index(store):
    postgres = store.engine.url.startswith("postgresql")
    page, ends = [ask.postgres if postgres else ask.sqlite for ask in (keeping._PAGE, keeping._ENDS)]
    by_key = "events_pkey" if postgres else "events USING INTEGER PRIMARY KEY"
    assert by_key in plan(store, page.params(after=5, most=50))
    assert "ux_deliveries_once" in plan(store, ends.params(ids=[1, 2], late=5))
    due = sa.select(overdue.c.event_id).where(overdue.c.look_at < 5).order_by(overdue.c.look_at, overdue.c.event_id)
    assert "ix_overdue_look" in plan(store, due.limit(50))
    keys = sa.delete(search_keys).where(search_keys.c.event_id.in_([1, 2]))
    assert "ix_search_keys_event" in plan(store, keys)
    come(store)
    theirs = store.engine.read(lambda c: erasing.tried(c, [1]))
    assert "ix_attempts_delivery" in plan(store, sa.update(attempts).where(theirs).values(answer=None))


def test_the_ledger_is_never_cut_later_than_the_bodies(store, clock):
    assert store.keeping.cuts(10, 20) == Cuts(clock.now - keeping.SETTLED, clock.now - keeping.SETTLED)
    assert store.keeping.cuts(86_400, 86_400 * 2, older_than=86_400 * 3) == Cuts(
        clock.now - 3 * DAY, clock.now - 3 * DAY
    )
    with pytest.raises(NotFound):
        store.desk.event(1)

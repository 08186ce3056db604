from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import RetryConfig
from connector.delivery.policy import Tried, advance, settlement
from connector.models import Claim, Delivered, Fail, Hold, Outcome, Retry, Skip, TargetState, Trouble

DAY = 86_400_000
NOW = 1_700_000_000_000
BUSY, SICK, REFUSED = (Trouble(kind, kind) for kind in ("busy", "sick", "refused"))


def claim(**more):
    base = {"attempts": 0, "maybe_sent": False, "active_since": None, "stopped_ms": 0}
    facts = base | more
    return Claim(1, 1, "flavours", "s", "crm", "c1", "customers.CREATE", b"", 1, facts.pop("attempts"), 0,
                 facts.pop("maybe_sent"), False, facts.pop("active_since"), None, **facts)  # fmt: skip


def settle(outcome, jitter=0.0, retry=None, **more):
    return settlement(claim(**more), Tried(outcome), (NOW - 7, NOW), retry or RetryConfig(), lambda: jitter)


ENDS = [
    (Delivered("created", "7"), "delivered"),
    (Skip("older"), "skipped"),
    (Hold("decide", "two_matches"), "held"),
    (Fail("bad"), "failed"),
    (Retry("later"), "pending"),
]


def test_no_outcome_is_forgotten():
    assert {type(outcome) for outcome, _ in ENDS} == set(get_args(Outcome))


@pytest.mark.parametrize(("outcome", "state"), ENDS)
def test_each_outcome_has_its_state(outcome, state):
    made = settle(outcome)
    assert made.state == state
    assert (made.due_at is None) == (state != "pending")
    assert made.took_ms == 7


def test_waits_grow_from_five_seconds_to_six_hours():
    waits = [(settle(Retry("x"), attempts=n).due_at - NOW) / 1000 for n in range(20)]
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 6 * 3600
    assert waits == sorted(waits)


def test_jitter_takes_off_up_to_a_fifth():
    assert settle(Retry("x"), jitter=1.0).due_at == NOW + 4000


def test_a_wait_that_is_known_is_kept():
    assert settle(Retry("x", after=1.5)).due_at == NOW + 1500


@pytest.mark.parametrize("outcome", [Retry("x", alone=True), Retry("x", spent=False)])
def test_what_tells_nothing_of_the_record_is_due_at_once(outcome):
    assert settle(outcome).due_at == NOW


def test_a_busy_target_spends_no_attempt():
    assert settle(Retry("429", spent=False, trouble=BUSY)).spent is False
    assert settle(Retry("500", trouble=SICK)).spent is True


def test_doubt_stays_until_the_record_is_there():
    assert settle(Retry("x", maybe_sent=True)).maybe_sent
    assert settle(Retry("x"), maybe_sent=True).maybe_sent
    assert settle(Hold("x", "maybe_there"), maybe_sent=True).maybe_sent
    assert settle(Fail("x"), maybe_sent=True).maybe_sent
    assert not settle(Delivered("updated", "7"), maybe_sent=True).maybe_sent


def test_a_fortnight_of_trying_ends_as_failed():
    tried_since = NOW - 14 * DAY - 1
    given_up = settle(Retry("500 from the target"), active_since=tried_since)
    assert (given_up.state, given_up.outcome.code) == ("failed", "gave_up")
    assert "14 days" in given_up.reason
    assert settle(Retry("x"), active_since=tried_since + 1).state == "pending"


def test_time_in_which_the_target_was_stopped_does_not_count():
    made = settle(Retry("x"), active_since=NOW - 15 * DAY, stopped_ms=2 * DAY)
    assert made.state == "pending"


def test_a_busy_target_never_makes_a_delivery_give_up():
    made = settle(Retry("429", spent=False, trouble=BUSY), active_since=NOW - 20 * DAY)
    assert made.state == "pending"


def move(state, *outcomes, now=NOW, jitter=0.0):
    return advance(state, list(outcomes), now, lambda: jitter)


OPEN = TargetState("crm")


def test_a_busy_target_is_paused_as_long_as_it_says():
    paused = move(OPEN, Retry("429", spent=False, trouble=Trouble("busy", "429", after=7)))
    assert (paused.state, paused.until, paused.since, paused.reason) == ("paused", NOW + 7000, NOW, "429")


def test_pauses_in_a_row_grow():
    state, waits = OPEN, []
    for _ in range(9):
        state = move(state, Retry("429", trouble=BUSY))
        waits.append((state.until - NOW) / 1000)
        state = TargetState(**{f: getattr(state, f) for f in TargetState.__slots__} | {"state": "probing"})
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_ten_sick_answers_in_a_row_pause_the_target():
    nine = move(OPEN, *[Retry("500", trouble=SICK)] * 9)
    assert (nine.state, nine.failures) == ("open", 9)
    assert move(nine, Retry("500", trouble=SICK)).state == "paused"
    assert move(nine, Delivered("created", "1"), Retry("500", trouble=SICK)).failures == 1


def test_an_answer_ends_the_count():
    assert move(move(OPEN, Retry("500", trouble=SICK)), Fail("422")) == OPEN


def test_a_delivery_of_before_the_pause_does_not_open_it():
    paused = move(OPEN, Retry("429", trouble=BUSY))
    assert move(paused, Delivered("created", "1")) == paused


def test_a_pause_is_made_longer_only_by_a_longer_word():
    paused = move(OPEN, Retry("429", trouble=Trouble("busy", "x", after=10)))
    assert move(paused, Retry("429", trouble=BUSY)).until == paused.until
    assert move(paused, Retry("429", trouble=Trouble("busy", "x", after=60))).until == NOW + 60_000


def test_a_persons_pause_is_ended_by_a_person_only():
    paused = TargetState("crm", "paused", until=None, reason="paused by a person")
    assert move(paused, Retry("429", trouble=BUSY), Delivered("created", "1")) == paused


def probing(**more):
    return TargetState("crm", "probing", since=NOW - 5000, pauses=2, prober="w1", **more)


def test_a_probe_that_is_answered_opens_the_target_and_counts_the_time():
    opened = move(probing(stopped_ms=1000), Delivered("created", "1"))
    assert opened == TargetState("crm", since=NOW, stopped_ms=6000)


def test_a_probe_that_fails_pauses_longer():
    again = move(probing(), Retry("timeout", trouble=SICK))
    assert (again.state, again.until, again.since, again.prober) == ("paused", NOW + 20_000, NOW - 5000, None)


def test_a_probe_that_never_reached_the_target_lets_another_ask():
    again = move(probing(), Hold("no name", "cannot_map"))
    assert (again.state, again.until) == ("paused", NOW)


def test_refused_credentials_hold_the_target():
    held = move(OPEN, Retry("401", trouble=REFUSED), Delivered("created", "1"))
    assert (held.state, held.until, held.since) == ("held", None, NOW)
    assert move(probing(), Retry("401", trouble=REFUSED)).since == NOW - 5000


@pytest.mark.parametrize(
    ("outcome", "proof"),
    [
        (Delivered("unchanged", "1", answer="no call"), False),
        (Skip("older data"), False),
        (Skip("observe: would create", proves_target=True), True),
        (Hold("two", "two_matches"), True),
        (Hold("?", "maybe_there"), False),
        (Fail("422"), True),
        (Fail("given up", "gave_up"), False),
        (Retry("waits", spent=False), False),
    ],
)
def test_what_proves_that_the_target_answers(outcome, proof):
    sick = move(OPEN, Retry("500", trouble=SICK))
    assert (move(sick, outcome).failures == 0) == proof


outcomes = st.one_of(
    st.builds(Delivered, st.sampled_from(["created", "updated", "unchanged"]), st.none() | st.text(max_size=3)),
    st.builds(Retry, st.text(max_size=3), after=st.none() | st.floats(0, 1e6), spent=st.booleans(),
              maybe_sent=st.booleans(), trouble=st.sampled_from([None, BUSY, SICK, REFUSED])),
    st.builds(Hold, st.text(max_size=3), st.sampled_from(["two_matches", "cannot_map"])),
    st.builds(Fail, st.text(max_size=3)),
    st.builds(Skip, st.text(max_size=3)),
)  # fmt: skip


@given(st.lists(outcomes, max_size=30), st.integers(0, 40), st.floats(0, 1))
def test_the_policy_is_total_and_never_due_in_the_past(many, attempts, jitter):
    state = OPEN
    for outcome in many:
        state = move(state, outcome, jitter=jitter)
        assert state.state in ("open", "paused", "held")
        assert state.state != "paused" or state.until >= NOW
        made = settle(outcome, jitter, attempts=attempts)
        assert made.due_at is None or made.due_at >= NOW

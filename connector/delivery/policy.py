"""Decide, purely, what an outcome means for its delivery and for its target.

A delivery:

    blocked ──(head of its lane settled)──> pending ──(claimed)──> running ──┬─ Delivered ──> delivered
                                               ^                             ├─ Skip ───────> skipped
                                               ├───────── Retry ─────────────┤
                                               │                             ├─ Hold ───────> held   (a person decides)
                                               │                             └─ Fail, or ───> failed (replayable)
                                               └── replay, resolve              time is up

A target:

    open ──(busy; ten timeouts or 5xx in a row)──> paused ──(its time is up, one delivery claimed)──> probing
      ^                                              ^  ^                                               │
      │                                              │  └───────────────(busy or sick again)────────────┤
      ├──────────────────────────────────────────────┼──────────────────(the target answered)───────────┘
      │                                              │
      └──(a check succeeds, or a person resumes)── held <──(credentials refused, from any state)

While a target is not open its deliveries wait without ageing: no attempt is spent and the fortnight stands still.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_exponential

from connector.config import RetryConfig
from connector.models import (
    Claim,
    Delivered,
    Fail,
    Hold,
    Link,
    Outcome,
    Retry,
    Settlement,
    Skip,
    TargetState,
    Trouble,
)

Jitter = Callable[[], float]
DeliveryEnd = Literal["pending", "delivered", "skipped", "held", "failed"]

SICK_IN_A_ROW = 10
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 600.0
_ENDS: Mapping[type[Outcome], DeliveryEnd] = {
    Delivered: "delivered",
    Retry: "pending",
    Hold: "held",
    Skip: "skipped",
    Fail: "failed",
}
_NOT_FROM_TARGET = ("cannot_map", "no_sync", "no_target", "maybe_there")


@dataclass(frozen=True, slots=True)
class Tried:
    """Hold what one attempt came to, and what the ledger wants to know of it."""

    outcome: Outcome
    warnings: tuple[str, ...] = ()
    mapping_hash: str | None = None
    link: Link | None = None


def settlement(claim: Claim, tried: Tried, times: tuple[int, int], retry: RetryConfig, jitter: Jitter) -> Settlement:
    """Say how a claim ends; `times` are when the attempt began and ended (epoch ms), `jitter` gives 0 to 1."""
    started_at, now = times
    outcome = _or_give_up(claim, tried.outcome, now, retry)
    doubt = not isinstance(outcome, Delivered | Skip) and (claim.maybe_sent or getattr(outcome, "maybe_sent", False))
    return Settlement(
        claim=claim,
        outcome=outcome,
        state=_ENDS[type(outcome)],
        due_at=now + _wait_ms(claim, outcome, retry, jitter) if isinstance(outcome, Retry) else None,
        reason=_reason(outcome),
        spent=outcome.spent if isinstance(outcome, Retry) else True,
        maybe_sent=doubt,
        started_at=started_at,
        took_ms=max(0, now - started_at),
        mapping_hash=tried.mapping_hash,
        link=tried.link,
        warnings=tried.warnings,
    )


def _or_give_up(claim: Claim, outcome: Outcome, now: int, retry: RetryConfig) -> Outcome:
    if not isinstance(outcome, Retry) or not outcome.spent or claim.active_since is None:
        return outcome
    age = (now - claim.stopped_ms - claim.active_since) / 1000
    if age <= retry.give_up_after:
        return outcome
    days = retry.give_up_after / 86400
    return Fail(
        f"given up after {days:g} days of trying: {outcome.reason}; mend it, then replay", "gave_up", outcome.answer
    )


def _wait_ms(claim: Claim, outcome: Retry, retry: RetryConfig, jitter: Jitter) -> int:
    if outcome.after is not None:
        return int(outcome.after * 1000)
    if outcome.alone or not outcome.spent:
        return 0
    return int(_grown(claim.attempts + 1, retry.first_wait, retry.longest_wait, jitter) * 1000)


def _grown(attempt: int, first: float, longest: float, jitter: Jitter) -> float:
    # tenacity's strategies read nothing but the attempt's number; up to a fifth is taken off, so that a thousand
    # deliveries that failed together do not come back together.
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    return wait_exponential(multiplier=first, max=longest)(state) * (1 - 0.2 * jitter())


def _reason(outcome: Outcome) -> str:
    return outcome.how if isinstance(outcome, Delivered) else outcome.reason


def advance(state: TargetState, outcomes: Sequence[Outcome], now: int, jitter: Jitter) -> TargetState:
    """Move a target by what its deliveries came to, in order; times are epoch milliseconds."""
    for outcome in outcomes:
        state = _advance(state, outcome, now, jitter)
    return state


def _advance(state: TargetState, outcome: Outcome, now: int, jitter: Jitter) -> TargetState:
    trouble = outcome.trouble if isinstance(outcome, Retry) else None
    if state.state == "held":
        return state
    if trouble is not None:
        return _troubled(state, trouble, now, jitter)
    if proves(outcome):
        return _answered(state, now)
    if state.state == "probing":  # the probe never reached the target: let another delivery ask
        return replace(state, state="paused", until=now, prober=None)
    return state


def proves(outcome: Outcome) -> bool:
    """Tell whether an outcome shows that the target is there and answers."""
    match outcome:
        case Delivered(how="unchanged", answer="no call"):
            return False
        case Delivered():
            return True
        case Skip():
            return outcome.proves_target
        case Hold():
            return outcome.code not in _NOT_FROM_TARGET
        case Fail():
            return outcome.code == "rejected"
    return False


def _troubled(state: TargetState, trouble: Trouble, now: int, jitter: Jitter) -> TargetState:
    if trouble.kind == "refused":
        since = now if state.state == "open" else state.since
        return replace(state, state="held", until=None, reason=trouble.reason, since=since, prober=None)
    failures = state.failures + (trouble.kind == "sick")
    if trouble.kind == "sick" and state.state == "open" and failures < SICK_IN_A_ROW:
        return replace(state, failures=failures)
    return _paused(replace(state, failures=failures), trouble, now, jitter)


def _paused(state: TargetState, trouble: Trouble, now: int, jitter: Jitter) -> TargetState:
    if state.state == "paused" and state.until is None:  # by a person's word, until a person's word
        return state
    if state.state == "paused":  # an answer to a push that was under way: believe it only if it asks for longer
        until = max(state.until or now, now + int((trouble.after or 0) * 1000))
        return replace(state, until=until)
    after = trouble.after if trouble.after is not None else _grown(state.pauses + 1, FIRST_PAUSE, LONGEST_PAUSE, jitter)
    since = now if state.state == "open" else state.since
    return replace(
        state,
        state="paused",
        until=now + int(after * 1000),
        reason=trouble.reason,
        since=since,
        pauses=state.pauses + 1,
        prober=None,
    )


def _answered(state: TargetState, now: int) -> TargetState:
    if state.state == "paused":  # an answer to a push from before the pause
        return state
    if state.state == "probing":
        return state.opened(now)
    return replace(state, failures=0, pauses=0) if state.failures or state.pauses else state

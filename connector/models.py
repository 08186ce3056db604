"""The nouns of the connector, frozen: what arrives, what is sent, and what it came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EVENT_STATES = ("accepted", "ignored", "rejected")
DELIVERY_STATES = ("pending", "blocked", "running", "delivered", "skipped", "held", "failed")
ROLES = ("viewer", "operator", "editor")  # of people; each may do what the one before it may
PASSWORD = (10, 200)  # characters that a password has at least, and at most

StateName = Literal["open", "paused", "held", "probing"]
OnNameTaken = Literal["suffix", "hold"]


@dataclass(frozen=True, slots=True)
class Event:
    """Hold one webhook as read: `data` is the customer as sent (a plain dict), times are epoch milliseconds.

    `customer` is `data.id`; `updated_at` is the newest change that the body tells of (None when missing or absurd);
    `deleted` is true when the body says that the customer is gone (a non-null `deleted_at`).
    """

    xid: str | None
    action: str
    timestamp: int | None
    data: Mapping[str, Any]
    customer: str | None
    updated_at: int | None
    deleted: bool
    fingerprint: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upsert:
    """Ask a target for one customer's record to be there, once.

    `match` are the mapping's match fields in order, with the record's valid values only (a nested field is dotted);
    `phones` names those of them that are phone numbers, compared as numbers. `remote_id` is what the link says (None:
    unknown); `remote_hint` is an id that may be this customer's (Flavours' `qoyod_id`, a link made for another
    account): it is verified before use. `maybe_sent`: an earlier attempt may have created the record, so nothing is
    created before a rung could be asked (else held, `maybe_there`). `observe`: look, but write nothing.
    `create_anyway`: a person decided that this is a new contact; the ladder is not climbed. `fill_if_empty` and `keep`
    name record fields (dotted) that an update writes only into an empty place, or never. `on_name_taken`: where the
    target takes each name once and another contact has it, the name gets a suffix, or a person decides.
    """

    customer: str
    record: Mapping[str, Any]
    match: tuple[tuple[str, str], ...]
    idempotency_key: str
    phones: frozenset[str] = frozenset()
    remote_id: str | None = None
    remote_hint: str | None = None
    maybe_sent: bool = False
    observe: bool = False
    create_anyway: bool = False
    fill_if_empty: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    on_name_taken: OnNameTaken = "suffix"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The target has the record; `warnings` say what it left out or changed."""

    how: Literal["created", "updated", "unchanged"]
    remote_id: str | None
    warnings: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Say what is wrong with the target as a whole, beside what happened to one delivery.

    `busy`: pause it (`after` seconds when the target said how long). `refused`: hold it until a check succeeds.
    `sick`: count it; ten in a row pause the target.
    """

    kind: Literal["busy", "refused", "sick"]
    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again: `after` seconds when known, else as the policy says.

    `alone`: a batch was refused as a whole, send this one singly and at once. `maybe_sent`: the target may have
    committed, so the next attempt waits `after` seconds and begins with the look-up. `spent` is False when the try
    tells nothing about the record (target busy, credentials refused, nothing was sent).
    """

    reason: str
    after: float | None = None
    alone: bool = False
    maybe_sent: bool = False
    spent: bool = True
    trouble: Trouble | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must decide; `code` names the decision, `reason` is one plain sentence with the one action.

    Codes: `two_matches`, `name_taken`, `already_linked`, `already_there`, `maybe_there`, `cannot_map`,
    `filter_ignored`, `id_differs`, `no_sync`, `no_target`.
    """

    reason: str
    code: str
    answer: str = ""
    warnings: tuple[str, ...] = ()
    maybe_sent: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """The target refused the data, or time is up; replayable once mended."""

    reason: str
    code: str = "rejected"
    answer: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is to be done, and the reason says why (`when` is false, older data, observe, deleted)."""

    reason: str
    warnings: tuple[str, ...] = ()
    proves_target: bool = False


Outcome = Delivered | Retry | Hold | Fail | Skip


@dataclass(frozen=True, slots=True)
class Link:
    """Tie a Flavours customer to a record of a target; times are epoch milliseconds."""

    target: str
    customer: str
    remote_id: str
    account: str
    source_updated_at: int | None
    arrival: int
    record_hash: str
    mapping_hash: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Hold one delivery that this worker may try now, with what it needs: the event's bytes and the link.

    `fence` must still be the delivery's when it is settled; `attempts` counts spent tries before this one.
    `active_since` is when it was first tried, on the target's active clock (epoch ms less `stopped_ms`, the time in
    which the target was paused or held), or None. `pinned_mapping` is the hash of the mapping that it is to be made with;
    None: the active one. `reopened` counts how often it was reopened after nothing of it could have been stored.
    """

    delivery: int
    event: int
    source: str
    sync: str
    target: str
    customer: str
    action: str
    body: bytes = field(repr=False)
    fence: int
    attempts: int
    generation: int
    maybe_sent: bool
    alone: bool
    active_since: int | None
    link: Link | None
    mapping_hash: str | None = None
    pinned_mapping: str | None = None
    create_anyway: bool = False
    stopped_ms: int = 0
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class TargetState:
    """Hold what all workers know of a target; times are epoch milliseconds.

    `failures` counts timeouts and 5xx in a row, `pauses` counts pauses in a row (they grow), `stopped_ms` is how long
    it was paused or held in all its life, `until` ends a pause, `since` is when this state began.
    """

    name: str
    state: StateName = "open"
    until: int | None = None
    reason: str = ""
    since: int = 0
    failures: int = 0
    pauses: int = 0
    stopped_ms: int = 0
    prober: str | None = None

    def opened(self, now: int) -> "TargetState":
        """Return the state of a target that works again; the time it was away counts as stopped."""
        away = max(0, now - self.since) if self.state != "open" else 0
        return TargetState(self.name, since=now, stopped_ms=self.stopped_ms + away)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Say how a claim ends: the delivery's next state and when it is due (epoch ms; None when it is not pending)."""

    claim: Claim
    outcome: Outcome
    state: Literal["pending", "delivered", "skipped", "held", "failed"]
    due_at: int | None
    reason: str
    spent: bool
    maybe_sent: bool
    started_at: int
    took_ms: int
    mapping_hash: str | None = None
    link: Link | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold what a vault keeps of a target; `version` changes with every `put`."""

    version: int
    blob: bytes = field(repr=False)

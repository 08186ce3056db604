"""Compare what was thanked for with what the store and the CRM hold, customer by customer: pure, and pitiless."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connector.drill.plan import Letter, Version

Kind = Literal[
    "lost", "twice", "wrong content", "older overwrote newer", "left waiting", "unknown to the store",
    "stored twice", "held", "failed", "from nowhere", "wrong answer",
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "lost", "twice", "wrong content", "older overwrote newer", "left waiting", "unknown to the store",
    "stored twice", "held", "failed", "from nowhere", "wrong answer",
)  # fmt: skip
UNFINISHED = ("pending", "blocked", "running")


@dataclass(frozen=True, slots=True)
class Thanked:
    """Hold a letter that the door answered as it should, with the number of the event it named (None: none)."""

    letter: Letter
    event: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold an event or a delivery of the store: an event's own number is its `event`."""

    event: int
    customer: str | None
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold all that is compared; `wrong` are answers of the door that were not as they should be."""

    thanked: Sequence[Thanked]
    events: Sequence[Kept]
    deliveries: Sequence[Kept]
    contacts: Sequence[Mapping[str, Any]]
    wrong: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one difference: what kind, whose, and a sentence."""

    kind: Kind
    customer: str
    what: str


def judge(evidence: Evidence) -> list[Finding]:
    """Return every difference; none when all is as it was promised."""
    return [
        *(Finding("wrong answer", "", said) for said in evidence.wrong),
        *_unknown(evidence),
        *_stored_twice(evidence.thanked),
        *_unfinished(evidence.deliveries),
        *_at_the_crm(evidence),
    ]


def versions(thanked: Iterable[Thanked]) -> dict[str, list[Version]]:
    """Return the versions of each customer that were thanked for, oldest first."""
    found: dict[str, dict[int, Version]] = defaultdict(dict)
    for one in thanked:
        if one.letter.version is not None:
            found[one.letter.version.customer][one.letter.version.updated_at] = one.letter.version
    return {customer: [of[at] for at in sorted(of)] for customer, of in found.items()}


def _unknown(evidence: Evidence) -> Iterator[Finding]:
    events = {event.event: event for event in evidence.events}
    routed = {delivery.event for delivery in evidence.deliveries}
    for one in evidence.thanked:
        letter = one.letter
        if letter.fate == "unauthorized":
            continue
        customer = letter.version.customer if letter.version else None
        kept = events.get(one.event or 0)
        if kept is None or kept.state != letter.fate or kept.customer != customer:
            what = f"e{one.event} was said to be {letter.fate}; the store has {_said(kept)}"
            yield Finding("unknown to the store", customer or "", what)
        elif letter.fate == "accepted" and kept.event not in routed:
            yield Finding("unknown to the store", customer or "", f"e{one.event} is stored, but without a delivery")


def _said(kept: Kept | None) -> str:
    return "no such event" if kept is None else f"it as {kept.state}, of {kept.customer}"


def _stored_twice(thanked: Iterable[Thanked]) -> Iterator[Finding]:
    events: dict[tuple[str, int], set[int | None]] = defaultdict(set)
    for one in thanked:
        if one.letter.version is not None:
            events[one.letter.version.customer, one.letter.version.updated_at].add(one.event)
    for (customer, _), ids in events.items():
        if len(ids) > 1:
            yield Finding(
                "stored twice", customer, f"one webhook is {', '.join(f'e{i}' for i in sorted(ids, key=str))}"
            )


def _unfinished(deliveries: Iterable[Kept]) -> Iterator[Finding]:
    for delivery in deliveries:
        customer, what = delivery.customer or "", f"of e{delivery.event}: {delivery.reason}"
        if delivery.state in UNFINISHED:
            yield Finding("left waiting", customer, f"a {delivery.state} delivery {what}")
        elif delivery.state == "held":
            yield Finding("held", customer, f"a delivery {what}")
        elif delivery.state == "failed":
            yield Finding("failed", customer, f"a delivery {what}")


def _at_the_crm(evidence: Evidence) -> Iterator[Finding]:
    wanted = versions(evidence.thanked)
    there: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for contact in evidence.contacts:
        there[str(contact.get("external_id"))].append(contact)
    for customer, contacts in there.items():
        if customer not in wanted:
            yield Finding("from nowhere", customer, f"{len(contacts)} at the CRM, of which no webhook told")
        elif len(contacts) > 1:
            yield Finding("twice", customer, f"{len(contacts)} contacts at the CRM")
    accounted = {d.customer for d in evidence.deliveries if d.state in (*UNFINISHED, "held", "failed")}
    for customer, told in wanted.items():
        yield from _compared(customer, told, there.get(customer, []), accounted)


def _compared(
    customer: str, told: Sequence[Version], contacts: Sequence[Mapping[str, Any]], accounted: Collection[str | None]
) -> Iterator[Finding]:
    if not contacts:
        if customer not in accounted:
            yield Finding("lost", customer, "thanked for, neither at the CRM nor waiting, held or failed")
        return
    for contact in contacts:
        holds = {name: value for name, value in contact.items() if name != "id"}
        if holds == told[-1].record:
            continue
        older = any(holds == version.record for version in told[:-1])
        if older and customer in accounted:  # the newer one is on its way, or with a person, and told of there
            continue
        kind: Kind = "older overwrote newer" if older else "wrong content"
        yield Finding(kind, customer, f"the CRM holds {holds}, the newest was {dict(told[-1].record)}")

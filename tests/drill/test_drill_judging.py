"""The judging finds each kind of difference, and nothing where there is none."""

from dataclasses import replace

import pytest

from connector.drill.judging import KINDS, Evidence, Kept, Thanked, judge
from connector.drill.plan import Letter, Version


def version(customer, at):
    return Version(customer, at, {"external_id": customer, "name": f"{customer} at {at}"})


def thanked(customer, at, event):
    return Thanked(Letter("flavours", b"", "accepted", (202, 200), version(customer, at)), event)


def contact(customer, at, number):
    return {**version(customer, at).record, "id": number}


@pytest.fixture
def right():
    "a came once and again; of b the newer came first; c is rubbish, d nobody's business."
    return Evidence(
        thanked=[
            thanked("a", 1, 1), thanked("a", 1, 1), thanked("b", 2, 2), thanked("b", 1, 3),
            Thanked(Letter("flavours", b"c", "rejected", (422,)), 4),
            Thanked(Letter("flavours", b"d", "ignored", (202,)), 5),
            Thanked(Letter("flavours", b"e", "unauthorized", (401,)), None),
        ],
        events=[Kept(1, "a", "accepted"), Kept(2, "b", "accepted"), Kept(3, "b", "accepted"),
                Kept(4, None, "rejected"), Kept(5, None, "ignored")],
        deliveries=[Kept(1, "a", "delivered"), Kept(2, "b", "delivered"), Kept(3, "b", "skipped")],
        contacts=[contact("a", 1, 7), contact("b", 2, 8)],
    )  # fmt: skip


def found(evidence):
    return [(finding.kind, finding.customer) for finding in judge(evidence)]


def test_nothing_differs(right):
    assert judge(right) == []


def contacts(*held):
    return lambda right: replace(right, contacts=held)


def of_b(state, *held):
    "The newer event of b ended like this."
    return lambda right: replace(
        right, deliveries=[right.deliveries[0], Kept(2, "b", state, "why"), right.deliveries[2]], contacts=held
    )


A, B, OLD_B = contact("a", 1, 7), contact("b", 2, 8), contact("b", 1, 8)

CASES = {
    "lost": (contacts(A), [("lost", "b")]),
    "twice": (contacts(A, B, contact("b", 2, 9)), [("twice", "b")]),
    "twice, one of them old": (contacts(A, OLD_B, contact("b", 2, 9)), [("twice", "b"), ("older overwrote newer", "b")]),
    "wrong content": (contacts(A, {**B, "name": "somebody"}), [("wrong content", "b")]),
    "a field too many": (contacts(A, {**B, "city": "Abha"}), [("wrong content", "b")]),
    "older overwrote newer": (contacts(A, OLD_B), [("older overwrote newer", "b")]),
    "from nowhere": (contacts(A, B, contact("z", 1, 9)), [("from nowhere", "z")]),
    "left waiting, nothing there": (of_b("pending", A), [("left waiting", "b")]),
    "left waiting, the older there": (of_b("blocked", A, OLD_B), [("left waiting", "b")]),
    "left running, and wrong": (of_b("running", A, {**B, "name": "x"}), [("left waiting", "b"), ("wrong content", "b")]),
    "held": (of_b("held", A), [("held", "b")]),
    "failed": (of_b("failed", A, OLD_B), [("failed", "b")]),
    "thanked, but never stored": (
        lambda right: replace(right, events=right.events[1:], deliveries=right.deliveries[1:]),
        [("unknown to the store", "a"), ("unknown to the store", "a")],
    ),
    "thanked with the number of another": (
        lambda right: replace(right, thanked=[*right.thanked, thanked("g", 1, 1)], contacts=[*right.contacts, contact("g", 1, 9)]),
        [("unknown to the store", "g")],
    ),
    "stored without a delivery": (
        lambda right: replace(right, deliveries=right.deliveries[:2]), [("unknown to the store", "b")],
    ),
    "refused, and not kept": (
        lambda right: replace(right, events=[e for e in right.events if e.event != 4]), [("unknown to the store", "")],
    ),
    "kept as something else": (
        lambda right: replace(right, events=[*right.events[:4], Kept(5, None, "rejected")]), [("unknown to the store", "")],
    ),
    "stored twice": (
        lambda right: replace(
            right, thanked=[*right.thanked, thanked("a", 1, 6)], events=[*right.events, Kept(6, "a", "accepted")],
            deliveries=[*right.deliveries, Kept(6, "a", "delivered")],
        ),
        [("stored twice", "a")],
    ),
    "a wrong answer": (lambda right: replace(right, wrong=["rubbish was answered with 202"]), [("wrong answer", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_difference_is_found(name, right):
    change, expected = CASES[name]
    assert found(change(right)) == expected


def test_every_kind_of_difference_has_a_case():
    assert {kind for _, expected in CASES.values() for kind, _ in expected} == set(KINDS)

"""The plan is the seed's, and holds what it promises: the door itself says what becomes of each letter."""

import json

import pytest

from connector import flavours
from connector.drill import papers
from connector.drill.plan import plan
from connector.errors import BadWebhook
from connector.mapping import document
from connector.mapping.rules import apply

PLAN = plan(7, 300)


def of(fate):
    return [letter for letter in PLAN.letters if letter.fate == fate]


def test_a_seed_makes_the_same_letters():
    assert plan(7, 300) == PLAN
    assert plan(8, 300) != PLAN


def test_what_is_to_be_accepted_is_a_customer_with_that_time():
    for letter in of("accepted"):
        event = flavours.read(letter.body)
        assert (event.customer, event.updated_at) == (letter.version.customer, letter.version.updated_at)


@pytest.mark.parametrize("letter", of("rejected"), ids=lambda letter: str(letter.status))
def test_rubbish_is_refused_as_foretold(letter):
    with pytest.raises(BadWebhook) as refused:
        flavours.read(letter.body)
    assert (refused.value.status,) == letter.status


def test_there_is_rubbish_of_each_kind():
    assert {letter.status for letter in of("rejected")} == {(400,), (422,)}
    assert of("unauthorized")
    assert of("ignored")


def test_it_repeats_and_reorders():
    first = {}
    for letter in of("accepted"):
        first.setdefault(letter.version.customer, []).append(letter.version.updated_at)
    assert any(times != sorted(times) for times in first.values())
    prints = [flavours.read(letter.body).fingerprint for letter in of("accepted")]
    assert len(set(prints)) < len(prints)
    assert len({letter.body for letter in of("accepted")}) > len(set(prints))  # some repeats are written otherwise


def test_the_mapping_makes_of_it_what_the_crm_is_said_to_hold():
    mapping = document.read(papers._MAPPING, "drill.yaml")
    for letter in plan(9, 3000).letters[::3]:
        if letter.fate == "accepted":
            made = apply(mapping, flavours.read(letter.body))
            assert (made.record, made.warnings) == (letter.version.record, ())


def test_nobody_shares_a_phone_and_some_versions_share_an_xid():
    phones = {}
    xids = {}
    for letter in of("accepted"):
        phones.setdefault(letter.version.record["phone"], set()).add(letter.version.customer)
        xids.setdefault(json.loads(letter.body)["xid"], set()).add(letter.version.updated_at)
    assert {len(customers) for customers in phones.values()} == {1}
    assert max(len(times) for times in xids.values()) > 1

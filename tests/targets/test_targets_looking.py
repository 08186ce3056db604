"""A look at a target shows a person whom it has who could be the customer, and writes nothing."""

import pytest

from connector.targets.looking import look
from tests.targets.conftest import LABS, able, mounted
from tests.targets.stub_vendor import Fault


def nobody(_remote_id):
    return None


@pytest.mark.parametrize("kind", able("http", "rungs", without=["unique"]))
def test_two_who_could_be_the_customer_are_both_shown(mocked, kind):
    lab = mounted(kind, mocked)
    ids = {lab.seed(name=name, **lab.alike) for name in ("Sara Ahmed", "Sara A.")}
    before = lab.contacts()
    seen = look(lab.target, lab.request(), nobody)
    assert (set(seen.contacts), seen.trouble, seen.asked) == (ids, "", True)
    assert lab.contacts() == before


@pytest.mark.parametrize("kind", LABS)
def test_nobody_is_shown_where_nobody_is_and_nothing_is_made(mocked, kind):
    lab = mounted(kind, mocked)
    seen = look(lab.target, lab.request(), nobody)
    assert (seen.contacts, seen.trouble) == ({}, "")
    assert lab.contacts() == []


@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_one_that_is_another_customers_is_shown_too(mocked, kind):
    lab = mounted(kind, mocked)
    theirs = lab.seed(name="Sara", **lab.alike)
    assert set(look(lab.target, lab.request(), lambda _: "c2").contacts) == {theirs}


@pytest.mark.parametrize("kind", able("http", "fetch"))
def test_one_that_a_person_names_is_shown_although_nothing_agrees(mocked, kind):
    lab = mounted(kind, mocked)
    other = lab.seed(name="Omar", email="omar@example.com")
    seen = look(lab.target, lab.request(remote_hint=other, phone=None), nobody)
    assert set(seen.contacts) == {other}


@pytest.mark.parametrize("kind", able("http", "names"))
def test_who_has_the_name_is_shown_where_a_name_is_taken_once(mocked, kind):
    lab = mounted(kind, mocked)
    namesake = lab.seed(name="Sara Ahmed", email="other@example.com")
    seen = look(lab.target, lab.request(email=None, phone=None, tax=None), nobody)
    assert set(seen.contacts) == {namesake}


def test_a_target_that_cannot_be_asked_says_so_in_a_sentence(rest):
    rest.vendor.faults = [Fault("GET", status=403, body=b"{}")]
    seen = look(rest.target, rest.request(), nobody)
    assert seen.contacts == {}
    assert "403" in seen.trouble
    assert "example.com" in seen.trouble


def test_where_nothing_can_be_asked_that_is_said(mocked):
    lab = mounted("webhook", mocked)
    assert not look(lab.target, lab.request(), nobody).asked

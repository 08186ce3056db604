"""Wafeq's own ways, answered as copies of its documents say."""

import pytest

from tests.targets.conftest import EMAIL, PHONE, mounted
from tests.targets.stub_vendor import Fault


@pytest.fixture
def wafeq(mocked):
    return mounted("wafeq", mocked)


def test_a_create_carries_a_uuid_and_is_repeated_after_a_lost_answer(wafeq):
    wafeq.vendor.faults = [Fault("create", 502, commits=True)]
    assert wafeq.push().how == "created"
    keys = {request.headers["X-Wafeq-Idempotency-Key"] for request in wafeq.vendor.said("POST")}
    assert (len(wafeq.contacts()), len(wafeq.vendor.said("POST")), len(keys)) == (1, 2, 1)


def test_after_the_keys_hour_the_external_id_tells_that_it_is_there(wafeq):
    wafeq.push()
    wafeq.vendor.replays.clear()
    assert wafeq.push(wafeq.request(maybe_sent=True)).how == "unchanged"
    assert len(wafeq.contacts()) == 1


def test_the_external_id_is_asked_first_and_then_the_keywords(wafeq):
    wafeq.push()
    asked = [request.query for request in wafeq.vendor.said("GET")]
    assert asked[0]["external_id"] == "c1"
    assert [query["keyword"] for query in asked[1:]] == [*wafeq.spelled, EMAIL]


def test_others_with_the_keyword_anywhere_are_no_ignored_filter(wafeq):
    "A second spelling is still asked for, although the first found a stranger."
    wafeq.seed(name=f"The friend of {PHONE}", phone="+966559999999")
    remote_id = wafeq.seed(name="Sara", phone="0551234567")
    assert wafeq.push(wafeq.request(email=None)).remote_id == remote_id


def test_a_keyword_that_many_have_is_read_through(wafeq):
    for number in range(150):
        wafeq.seed(name=f"{EMAIL} {number}")
    remote_id = wafeq.seed(name="Sara", email=EMAIL)
    assert wafeq.push(wafeq.request(phone=None)).remote_id == remote_id
    assert [r.query["page"] for r in wafeq.vendor.said("GET") if "keyword" in r.query] == ["1", "2"]


def test_only_what_changed_is_patched(wafeq):
    remote_id = wafeq.push().remote_id
    wafeq.push(wafeq.request(name="Sara Salem"))
    (patch,) = wafeq.vendor.said("PATCH")
    assert (patch.path, patch.payload) == (f"/contacts/{remote_id}/", {"name": "Sara Salem"})


def test_a_key_that_is_no_uuid_fails(wafeq):
    wafeq.keys = lambda customer: f"key-of-{customer}"
    assert "must be a UUID v4" in wafeq.push().reason


def test_what_it_does_not_keep_is_said(wafeq):
    wafeq.fixed = {"relationship[0]": "Customer"}
    body = b'{"id": "cnt_7", "name": "Sara Ahmed", "relationship": []}'
    wafeq.vendor.faults = [Fault("create", 201, body)]
    warnings = wafeq.push(wafeq.request(phone=None, email=None, tax=None)).warnings
    assert [warning for warning in warnings if "relationship" in warning] == [
        "relationship: the target did not keep it"
    ]

"""Daftra's own ways, answered as its documents and working clients say."""

import json

import pytest

from connector.models import Delivered, Fail, Hold, Retry
from connector.targets import kinds
from tests.targets.conftest import EMAIL, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.daftra.lab import KEY


@pytest.fixture
def daftra(mocked):
    return mounted("daftra", mocked)


def test_the_address_is_made_of_the_account(mocked):
    daftra = mounted("daftra", mocked)
    of = kinds.kind("daftra")
    assert of.schema.load({"subdomain": "acme", "api_key": KEY})["base_url"] is None
    daftra.push(target=daftra.make(None))
    assert {call.request.url.partition("/api2")[0] for call in mocked.calls} == {"https://acme.daftra.com"}


def test_a_client_goes_into_its_group_and_comes_out_of_it(daftra):
    outcome = daftra.push()
    (post,) = daftra.vendor.said("POST")
    assert list(post.payload) == ["Client"]
    assert (outcome.how, outcome.remote_id, outcome.answer) == ("created", "1", "202")
    assert daftra.push().how == "unchanged"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_answer_that_is_not_successful_is_a_refusal(daftra, method):
    if method == "PUT":
        daftra.seed(business_name="Sara", email=EMAIL)
    body = {"code": 200, "result": "failed", "id": 9, "message": "business_name is too long"}
    daftra.vendor.faults = [Fault(method, 200, json.dumps(body).encode())]
    outcome = daftra.push()
    assert isinstance(outcome, Fail)
    assert "business_name is too long" in outcome.reason


def test_a_list_that_is_not_successful_is_never_nobody(daftra):
    daftra.vendor.faults = [Fault("GET", 200, b'{"code": 200, "result": "failed", "data": []}')] * 3
    assert daftra.push().trouble.kind == "sick"
    assert daftra.contacts() == []


def test_a_filter_that_is_ignored_is_read_through_all_pages(daftra):
    for number in range(50):
        daftra.seed(business_name=f"Other {number}", email=f"other{number}@example.com")
    remote_id = daftra.seed(business_name="Sara", email=EMAIL.upper())
    daftra.vendor.ignores_filter = True
    assert daftra.push().remote_id == remote_id
    assert [request.query["page"] for request in daftra.vendor.said("GET")][:3] == ["1", "2", "3"]


def test_an_ignored_filter_read_to_the_end_means_nobody(daftra):
    daftra.seed(business_name="Other", email="other@example.com")
    daftra.vendor.ignores_filter = True
    assert daftra.push().how == "created"


def test_a_lost_create_of_a_client_without_an_email_is_held(daftra):
    daftra.vendor.faults = [Fault("POST", 502, commits=True)]
    assert isinstance(daftra.push(daftra.request(email=None)), Retry)
    outcome = daftra.push(daftra.request(email=None, maybe_sent=True))
    assert (type(outcome), outcome.code, len(daftra.contacts())) == (Hold, "maybe_there", 1)


def test_a_linked_client_is_written_whole(daftra):
    first = daftra.push()
    outcome = daftra.push(daftra.request(name="Sara Salem", remote_id=first.remote_id))
    (put,) = daftra.vendor.said("PUT")
    assert (type(outcome), put.payload["Client"]["email"]) == (Delivered, EMAIL)

"""Freshsales' own ways, answered as working clients saw it."""

import pytest

from connector.models import Delivered, Hold, Retry
from tests.targets.conftest import EMAIL, PHONE, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.freshsales.lab import KEY


@pytest.fixture
def freshsales(mocked):
    return mounted("freshsales", mocked)


def said(status, *sentences):
    listed = ", ".join(f'"{sentence}"' for sentence in sentences)
    return Fault("create", 400, f'{{"errors": {{"code": {status}, "message": [{listed}]}}}}'.encode())


def test_a_new_contact_is_upserted_by_the_external_id(freshsales):
    outcome = freshsales.push()
    (post,) = freshsales.vendor.said("POST")
    assert post.headers["Authorization"] == f"Token token={KEY}"
    assert post.payload["unique_identifier"] == {"external_id": "c1"}
    assert post.payload["contact"]["emails"] == [{"value": EMAIL}]
    assert (outcome.how, outcome.answer) == ("created", "201")


def test_one_that_only_the_external_id_finds_is_updated(freshsales):
    remote_id = freshsales.seed(last_name="Sara", external_id="c1")
    outcome = freshsales.push()
    assert (outcome.how, outcome.remote_id, outcome.answer) == ("updated", remote_id, "200")
    assert len(freshsales.contacts()) == 1


def test_a_second_email_of_a_contact_is_found(freshsales):
    remote_id = freshsales.vendor.seed(
        last_name="Sara", **{"emails[0].value": "work@example.com", "emails[1].value": EMAIL}
    )
    assert freshsales.push(freshsales.request(phone=None)).remote_id == remote_id


def test_a_short_row_is_read_whole_before_it_is_compared(freshsales):
    first = freshsales.push()
    freshsales.vendor.requests.clear()
    assert freshsales.push().how == "unchanged"
    assert [request.path for request in freshsales.vendor.requests] == ["/lookup", f"/contacts/{first.remote_id}"]


def test_a_row_that_cannot_be_read_any_more_is_nobody(freshsales):
    freshsales.seed(last_name="Sara", email=EMAIL)
    freshsales.vendor.faults = [Fault(), Fault("GET", 404, b'{"errors": {"code": 404, "message": ["gone"]}}')]
    outcome = freshsales.push(freshsales.request(phone=None))
    assert [request.method for request in freshsales.vendor.requests] == ["GET", "GET", "POST"]
    assert outcome.code == "already_there"  # the laboratory's vendor has it still


def test_a_phone_that_another_contact_has_is_left_out(freshsales):
    freshsales.seed(last_name="Mother", phone=PHONE)
    remote_id = freshsales.seed(last_name="Sara", email=EMAIL)
    outcome = freshsales.push()
    assert (type(outcome), outcome.remote_id) == (Delivered, remote_id)
    assert any(warning.startswith("mobile_number: left out") for warning in outcome.warnings)
    assert [contact["phone"] for contact in freshsales.contacts()] == [PHONE, None]


def test_an_email_that_another_contact_has_is_for_a_person(freshsales):
    freshsales.vendor.faults = [said(400, "Email is not unique")]
    outcome = freshsales.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")
    assert "Email is not unique" in outcome.reason


def test_a_limit_that_hides_in_a_400_pauses_the_target(freshsales):
    freshsales.vendor.faults = [said(400, "UCR contact fetch failure :: response_code :: 429")]
    outcome = freshsales.push()
    assert (type(outcome), outcome.trouble.kind, outcome.trouble.after) == (Retry, "busy", 60.0)


def test_a_check_looks_for_the_fields_of_the_mapping(freshsales):
    fields = ("external_id", "emails[0].value", "last_name", "custom_field.cf_tax_number", "custom_field.cf_vip")
    check = freshsales.target.check(fields)
    assert not check.ok
    assert [line for line in check.lines if "no field" in line] == [
        "there is no field custom_field.cf_vip there, which the mapping fills: make it, or take it out of the mapping"
    ]
    assert freshsales.target.check(fields[:-1]).ok


def test_a_list_of_fields_that_is_none_fails_the_check(freshsales):
    freshsales.vendor.faults = [Fault(), Fault("GET", 200, b'{"fields": "none"}')] * 3
    assert "not a list of fields" in freshsales.target.check(("last_name",)).lines[0]

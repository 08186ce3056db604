"""ERPNext's own ways, answered as its source says."""

import json

import pytest

from connector.models import Delivered, Fail, Hold
from tests.targets.conftest import PHONE, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.erpnext.lab import CUSTOMERS, KEY, SECRET, wrong


@pytest.fixture
def erpnext(mocked):
    return mounted("erpnext", mocked)


def fault(purpose, status, kind, said):
    answered, body = wrong(status, kind, said)
    return Fault(purpose, answered, json.dumps(body).encode())


def test_filters_are_asked_for_in_json(erpnext):
    erpnext.push(erpnext.request('c"1', tax=None, email=None))
    first, *spelled = erpnext.vendor.said("GET")
    assert first.headers["Authorization"] == f"token {KEY}:{SECRET}"
    assert json.loads(first.query["filters"]) == [["custom_flavours_id", "=", 'c"1']]
    assert [json.loads(r.query["filters"])[0][2] for r in spelled] == list(erpnext.spelled)


def test_two_customers_of_one_name_are_two(erpnext):
    "ERPNext says nothing, and calls the second one `Name - 1`."
    erpnext.seed(name="Sara Ahmed", phone="+966559999999")
    outcome = erpnext.push()
    assert (outcome.how, outcome.remote_id) == ("created", "Sara Ahmed - 1")
    assert erpnext.push(erpnext.request(remote_id="Sara Ahmed - 1")).how == "unchanged"


def test_a_name_goes_quoted_into_the_path(erpnext, mocked):
    remote_id = erpnext.push(erpnext.request(name="شركة/النخيل")).remote_id
    assert erpnext.push(erpnext.request(name="Palm", remote_id=remote_id)).how == "updated"
    assert mocked.calls[-1].request.url.endswith(
        f"{CUSTOMERS}/%D8%B4%D8%B1%D9%83%D8%A9%2F%D8%A7%D9%84%D9%86%D8%AE%D9%8A%D9%84"
    )


def test_the_address_is_sent_once_and_missed_by_nobody(erpnext):
    erpnext.fixed = {"address_line1": "King Fahd Road", "city": "Riyadh", "country": "Saudi Arabia"}
    outcome = erpnext.push()
    assert (outcome.how, outcome.warnings) == ("created", ())
    assert erpnext.vendor.addresses == [erpnext.fixed]
    again = erpnext.push(erpnext.request(name="Sara Salem", keep=("address_line1", "city", "country")))
    assert (again.how, erpnext.vendor.said("PUT")[0].payload) == ("updated", {"customer_name": "Sara Salem"})


def test_a_field_that_it_does_not_know_is_a_warning(erpnext):
    erpnext.fixed = {"custom_vip": "1"}
    assert "custom_vip: the target did not keep it" in erpnext.push().warnings


@pytest.mark.parametrize("status", [409, 417])
def test_an_id_that_another_customer_has_is_for_a_person(erpnext, status):
    erpnext.vendor.faults = [fault("create", status, "UniqueValidationError", "custom_flavours_id must be unique")]
    outcome = erpnext.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_a_refused_email_is_left_out(erpnext):
    erpnext.vendor.bad = [("email_id", None, "is not an address")]
    outcome = erpnext.push()
    assert (type(outcome), [c.get("email") for c in erpnext.contacts()]) == (Delivered, [None])
    assert any(warning.startswith("email_id: left out") for warning in outcome.warnings)


def test_what_is_not_valid_fails_at_once_with_its_sentence_alone(erpnext):
    erpnext.vendor.faults = [fault("create", 417, "LinkValidationError", "Could not find Country: KSA")]
    outcome = erpnext.push()
    assert isinstance(outcome, Fail)
    assert outcome.reason.endswith("answered 417: frappe.exceptions.LinkValidationError: Could not find Country: KSA")


def test_a_deadlock_is_tried_again(erpnext):
    erpnext.vendor.faults = [fault("find", 417, "QueryDeadlockError", "deadlock")]
    assert erpnext.push().how == "created"


def test_without_its_field_the_target_is_held(erpnext):
    erpnext.vendor.fields.remove("custom_flavours_id")
    outcome = erpnext.push()
    assert (outcome.trouble.kind, erpnext.contacts()) == ("refused", [])
    assert "Field not permitted in query: custom_flavours_id" in outcome.reason


def test_a_check_names_the_fields_that_are_missing(erpnext):
    fields = ("custom_flavours_id", "customer_name", "address_line1", "city", "custom_vip")
    check = erpnext.target.check(fields)
    assert (check.ok, [line.split()[4] for line in check.lines[1:]]) == (False, ["custom_vip"])
    assert erpnext.target.check(fields[:-1]).ok


def test_a_phone_that_was_changed_elsewhere_is_said(erpnext):
    "The number belongs to its Contact, and comes back as it is there."
    erpnext.seed(name="Sara", phone="+966550000001", tax_number="310122393500003")
    body = {"data": {"name": "Sara", "mobile_no": "+966550000001", "customer_name": "Sara Ahmed"}}
    erpnext.vendor.faults = [Fault("update", 200, json.dumps(body).encode())]
    warnings = erpnext.push().warnings
    assert "mobile_no: the target keeps another value than was sent" in warnings
    assert PHONE not in repr(warnings)

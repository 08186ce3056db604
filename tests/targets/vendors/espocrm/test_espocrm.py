"""EspoCRM's own ways, answered as its source says."""

import pytest

from connector.models import Delivered, Fail, Hold
from tests.targets.conftest import EMAIL, PHONE, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.espocrm.lab import CONTACT

PASSED_BY = "another contact has the same name; made beside it, for neither phone nor e-mail agree"


@pytest.fixture
def espocrm(mocked):
    return mounted("espocrm", mocked)


def blind(lab):
    "What staff typed is found by nobody: only EspoCRM's own check sees it."
    real = lab.vendor.listed
    lab.vendor.listed = lambda query: (200, {"total": 0, "list": []}) if "where[0][type]" in query else real(query)


def test_the_key_goes_into_its_header_and_the_record_as_it_is(espocrm):
    espocrm.push()
    (post,) = espocrm.vendor.said("POST")
    assert (post.path, post.headers["X-Api-Key"]) == (CONTACT, "espocrm-key-0123456789")
    assert post.payload == {
        "lastName": "Sara Ahmed",
        "phoneNumber": PHONE,
        "emailAddress": EMAIL,
        "cTaxNumber": "310122393500003",
        "cFlavoursId": "c1",
    }


def test_each_value_is_asked_for_as_a_condition(espocrm):
    espocrm.push(espocrm.request(phone=None))
    own, find = espocrm.vendor.said("GET")
    assert (own.query["where[0][attribute]"], own.query["where[0][value]"]) == ("cFlavoursId", "c1")
    assert find.query == {
        "where[0][type]": "equals",
        "where[0][attribute]": "emailAddress",
        "where[0][value]": EMAIL,
        "maxSize": "50",
        "offset": "0",
    }


def test_an_ignored_condition_is_read_through(espocrm):
    for number in range(120):
        espocrm.seed(name=f"Other {number}")
    remote_id = espocrm.seed(name="Sara", email=EMAIL)
    espocrm.vendor.ignores_filter = True
    assert espocrm.push().remote_id == remote_id


def test_a_stranger_of_the_same_name_is_passed_by(espocrm):
    espocrm.seed(name="Sara Ahmed", phone="+966559999999")
    outcome = espocrm.push()
    assert (type(outcome), outcome.how, len(espocrm.contacts())) == (Delivered, "created", 2)
    assert PASSED_BY in outcome.warnings
    skipped = [request.headers.get("X-Skip-Duplicate-Check") for request in espocrm.vendor.said("POST")]
    assert skipped == [None, "true"]


def test_one_with_the_same_email_is_the_contact(espocrm):
    espocrm.seed(name="Sara Ahmed", phone="+966559999999")
    remote_id = espocrm.seed(name="Sara", email=EMAIL)
    blind(espocrm)
    outcome = espocrm.push()
    assert (outcome.how, outcome.remote_id, len(espocrm.contacts())) == ("updated", remote_id, 2)


def test_two_with_the_same_email_are_for_a_person(espocrm):
    espocrm.seed(name="Sara", email=EMAIL)
    espocrm.seed(name="Sara A.", email=EMAIL)
    blind(espocrm)
    outcome = espocrm.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")
    assert "2 contacts are too much alike" in outcome.reason


def test_a_person_who_wants_it_anew_is_not_asked_again(espocrm):
    espocrm.seed(name="Sara", email=EMAIL)
    assert espocrm.push(espocrm.request(create_anyway=True)).how == "created"
    assert len(espocrm.vendor.said("POST")) == 1


def test_only_what_changed_is_put_and_not_checked_for_duplicates(espocrm):
    remote_id = espocrm.push().remote_id
    espocrm.push(espocrm.request(name="Sara Salem"))
    (put,) = espocrm.vendor.said("PUT")
    assert (put.path, put.payload) == (f"{CONTACT}/{remote_id}", {"lastName": "Sara Salem"})
    assert put.headers["X-Skip-Duplicate-Check"] == "true"


def test_another_refused_field_fails_with_the_reason(espocrm):
    espocrm.vendor.bad = [("lastName", None, "maxLength")]
    outcome = espocrm.push()
    assert isinstance(outcome, Fail)
    assert "answered 400: validationFailure" in outcome.reason


def test_a_field_that_it_does_not_know_is_a_warning(espocrm):
    espocrm.fixed = {"cVip": "1"}
    assert "cVip: the target did not keep it" in espocrm.push().warnings


def test_the_reason_of_an_empty_answer_is_told(espocrm):
    espocrm.vendor.faults = [Fault(status=403, headers={"X-Status-Reason": "No create access for Contact"})]
    outcome = espocrm.push()
    assert outcome.trouble.kind == "refused"
    assert "answered 403: No create access for Contact" in outcome.reason


def test_a_contact_that_is_refused_when_read_fails(espocrm):
    espocrm.vendor.faults = [Fault("GET", 400, headers={"X-Status-Reason": "Bad id"})]
    assert "Bad id" in espocrm.push(espocrm.request(remote_hint="x")).reason


def test_another_contact_in_the_answer_is_no_answer(espocrm):
    espocrm.vendor.faults = [Fault("GET", 200, b'{"id": "8"}')] * 3
    assert espocrm.push(espocrm.request(remote_hint="7")).trouble.kind == "sick"


def test_a_check_names_the_fields_that_are_missing(espocrm):
    check = espocrm.target.check(("lastName", "cFlavoursId", "cVip"))
    assert (check.ok, [line.split()[5] for line in check.lines[1:]]) == (False, ["cVip:"])
    assert espocrm.target.check(("lastName", "cFlavoursId")).ok


def test_the_field_of_the_id_has_the_name_that_is_said(mocked):
    espocrm = mounted("espocrm", mocked, id_field="flavoursId")
    check = espocrm.target.check(("lastName",))
    assert (check.ok, check.lines[1].split()[5]) == (False, "flavoursId:")
    espocrm.push()
    assert espocrm.vendor.said("POST")[0].payload["flavoursId"] == "c1"

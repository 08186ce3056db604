"""Dataverse's own ways, answered as its documents say."""

import json
from dataclasses import replace

import pytest

from connector.models import Fail, Hold, Retry
from connector.targets.vendors.dynamics import KIND
from tests.targets.conftest import EMAIL, PHONE, TAX, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.dynamics.lab import KEY, error, guid, settings


@pytest.fixture
def dynamics(mocked):
    return mounted("dynamics", mocked)


def said(answer, method=""):
    status, body = answer
    return Fault(method, status, json.dumps(body).encode())


def test_a_contact_is_made_at_its_key(dynamics):
    dynamics.push()
    (patch,) = dynamics.vendor.said("PATCH")
    assert patch.path == "/api/data/v9.2/contacts(new_flavoursid='c1')"
    assert patch.query == {"$select": "contactid,emailaddress1,lastname,mobilephone,new_flavoursid,new_taxnumber"}
    assert patch.headers["Prefer"] == "return=representation"
    assert patch.payload == {
        "lastname": "Sara Ahmed",
        "mobilephone": PHONE,
        "emailaddress1": EMAIL,
        "new_taxnumber": TAX,
    }


def test_who_is_found_is_updated_by_his_id_and_only_if_he_is_there(dynamics):
    remote_id = dynamics.seed(name="Sara", email=EMAIL.upper())
    dynamics.push()
    (patch,) = dynamics.vendor.said("PATCH")
    assert patch.path == f"/api/data/v9.2/contacts({remote_id})"
    assert patch.headers["If-Match"] == "*"
    assert patch.payload[KEY] == "c1"


def test_a_phone_is_asked_for_in_each_usual_spelling_at_once(dynamics):
    dynamics.push()
    filters = [get.query["$filter"] for get in dynamics.vendor.said("GET") if "$filter" in get.query]
    assert filters == [
        f"new_taxnumber eq '{TAX}'",
        " or ".join(f"mobilephone eq '{text}'" for text in ("+966551234567", "966551234567", "00966551234567", "0551234567", "551234567")),
        f"emailaddress1 eq '{EMAIL}'",
    ]  # fmt: skip


def test_quotes_cannot_end_a_filter_or_a_key(dynamics):
    email = "o'hara@example.com"
    remote_id = dynamics.seed(name="Sara", email=email)
    assert dynamics.push(dynamics.request("o'1", email=email, phone=None, tax=None)).remote_id == remote_id
    assert dynamics.push(dynamics.request("o'1", email=None, phone=None, tax=None)).remote_id == remote_id


@pytest.mark.parametrize("sign", "/<>*%&:\\?+")
def test_an_id_that_no_key_can_hold_fails(dynamics, sign):
    outcome = dynamics.push(dynamics.request(f"c{sign}1"))
    assert isinstance(outcome, Fail)
    assert "cannot be a key of Dataverse" in outcome.reason
    assert dynamics.vendor.requests == []


@pytest.mark.parametrize("hint", ["7", "7/../8", guid(1) + ")"])
def test_an_id_that_is_none_of_dataverse_is_not_asked_for(dynamics, hint):
    outcome = dynamics.push(dynamics.request(remote_hint=hint))
    assert outcome.how == "created"
    assert not any(hint in request.path for request in dynamics.vendor.requests)


def test_a_lost_create_for_one_who_is_wanted_anew_is_made_once(dynamics):
    dynamics.vendor.faults = [Fault("create", 500, commits=True)] * 3
    wanted = dynamics.request(create_anyway=True)
    assert dynamics.push(wanted).maybe_sent
    again = dynamics.push(replace(wanted, maybe_sent=True))
    assert again.how == "updated"
    assert len(dynamics.contacts()) == 1


# Keys of the organisation's own


def taken(dynamics, *, named):
    dynamics.vendor.keys.append(
        {"SchemaName": "k", "KeyAttributes": ["emailaddress1"], "EntityKeyIndexStatus": "Active"}
    )
    dynamics.vendor.names_the_other = named
    return dynamics.seed(name="Sara", email=EMAIL)


def test_who_holds_the_value_of_another_key_is_the_contact_when_he_agrees(dynamics):
    remote_id = taken(dynamics, named=True)
    nobody = said((200, {"value": []}), "find")
    dynamics.vendor.faults = [said(error(404, "0x80060891", "A record with the specified key values does not exist"), "find"), nobody, nobody, nobody]  # fmt: skip
    outcome = dynamics.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_who_holds_it_without_a_name_is_for_a_person(dynamics):
    taken(dynamics, named=False)
    outcome = dynamics.push(replace(dynamics.request(), match=()))
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_who_was_made_meanwhile_is_the_contact(dynamics):
    remote_id = dynamics.seed(name="Sara", customer="c1")
    missing = said(error(404, "0x80060891", "A record with the specified key values does not exist"), "find")
    race = said(error(412, "0x80040237", "A record with matching key values already exists."), "create")
    dynamics.vendor.faults = [missing, race]
    outcome = dynamics.push(replace(dynamics.request(), match=()))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_a_key_that_another_contact_holds_is_for_a_person(dynamics):
    mine = dynamics.seed(name="Sara", email=EMAIL)
    dynamics.seed(name="Sara A.", customer="c1")
    outcome = dynamics.push(dynamics.request(remote_id=mine))
    assert (type(outcome), outcome.code) == (Hold, "already_there")


# What can go wrong


def test_a_contact_that_went_meanwhile_is_not_made_again_by_its_id(dynamics):
    remote_id = dynamics.seed(name="Sara", email=EMAIL)
    dynamics.vendor.faults = [said(error(404, "0x80040217", "Entity 'contact' With Id = 7 Does Not Exist"), "update")]
    outcome = dynamics.push(dynamics.request(remote_id=remote_id))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert any("is gone" in warning for warning in outcome.warnings)


def test_a_column_that_is_not_there_fails_with_its_name(dynamics):
    request = dynamics.request()
    outcome = dynamics.push(replace(request, record={**request.record, "new_colour": "red"}))
    assert isinstance(outcome, Fail)
    assert "Could not find a property named 'new_colour'" in outcome.reason
    assert "code 0x80060888" in outcome.reason


def test_an_error_without_a_code_is_one(dynamics):
    dynamics.vendor.faults = [said((400, {"error": {"message": "The 'lastname' attribute is odd"}}), "create")]
    outcome = dynamics.push()
    assert isinstance(outcome, Fail)
    assert "code" not in outcome.reason


def test_a_key_that_is_none_holds_the_target(dynamics):
    dynamics.vendor.keys.clear()
    outcome = dynamics.push()
    assert outcome.trouble.kind == "refused"
    assert (
        "alternate_key names no key of the contact: make it by `connector targets check NAME --fix`" in outcome.reason
    )


def test_a_wrong_version_holds_the_target(mocked):
    outcome = mounted("dynamics", mocked, version="v8.0").push()
    assert outcome.trouble.kind == "refused"
    assert "look at base_url and version" in outcome.reason


@pytest.mark.parametrize("code", ["0x80072322", "0x80072321", "0x80072326"])
def test_limits_are_waited_for(dynamics, code):
    body = json.dumps(error(429, code, "Number of requests exceeded the limit")[1]).encode()
    dynamics.vendor.faults = [Fault(status=429, body=body, headers={"Retry-After": "37"})]
    outcome = dynamics.push()
    assert (outcome.trouble.kind, outcome.trouble.after) == ("busy", 37.0)


@pytest.mark.parametrize(
    "body", [{"value": [{"lastname": "Sara"}]}, {"value": {}}, {"value": ["x"]}, {"value": [{"contactid": "7"}]}]
)
def test_what_is_no_list_of_contacts_is_no_answer(dynamics, body):
    dynamics.vendor.faults = [Fault("find"), said((200, body), "find")]
    assert dynamics.push().trouble.kind == "sick"


@pytest.mark.parametrize("body", [{}, {"contactid": "7"}, {"hello": "world"}])
def test_a_write_that_tells_no_id_may_have_been_a_yes(dynamics, body):
    dynamics.vendor.faults = [said((200, body), "create")]
    outcome = dynamics.push()
    assert (type(outcome), outcome.maybe_sent) == (Retry, True)


def test_a_contact_that_cannot_be_read_fails(dynamics):
    dynamics.vendor.faults = [said(error(400, "0x80040203", "Invalid argument"), "find")]
    assert isinstance(dynamics.push(dynamics.request(remote_hint=guid(5))), Fail)


def test_more_than_a_page_of_strangers_is_held(dynamics):
    strangers = {"value": [{"contactid": guid(7), "new_taxnumber": "3"}], "@odata.nextLink": "https://more.example.com"}
    dynamics.vendor.faults = [Fault("find"), said((200, strangers), "find")]
    outcome = dynamics.push()
    assert (type(outcome), outcome.code) == (Hold, "filter_ignored")


# The check


def test_the_check_tells_what_is_missing(dynamics):
    dynamics.vendor.columns -= {KEY, "new_crn"}
    dynamics.vendor.keys.clear()
    check = dynamics.target.check(["lastname", "mobilphone", "new_crn", "parentcustomerid@odata.bind"])
    assert check.lines == (
        "vendor.example.com answers and takes the tokens",
        "new_flavoursid: the contact has no such column; make it by `connector targets check NAME --fix`",
        "mobilphone: the contact has no such column, did you mean `mobilephone`?; mend the mapping",
        "new_crn: the contact has no such column; make it by `connector targets check NAME --fix`",
        "new_flavoursid is no key: make it one by `connector targets check NAME --fix`",
    )
    assert not check.ok
    assert [request.method for request in dynamics.vendor.requests] == ["GET", "GET"]


def test_what_is_missing_is_made(dynamics):
    dynamics.vendor.columns -= {KEY, "new_crn"}
    dynamics.vendor.keys.clear()
    check = dynamics.target.check(["lastname", "new_crn"], fix=True)
    assert check.lines[1:] == (
        "the column new_flavoursid was made",
        "the column new_crn was made",
        "the key on new_flavoursid was made; its index is being built: check again in some minutes",
    )
    assert not check.ok  # not yet
    made = [post.payload for post in dynamics.vendor.said("POST")]
    assert [(one["SchemaName"], one.get("KeyAttributes")) for one in made] == [
        ("new_flavoursid", None), ("new_crn", None), ("new_flavoursid_key", ["new_flavoursid"]),
    ]  # fmt: skip
    assert made[0]["DisplayName"]["LocalizedLabels"][0]["Label"] == "Flavoursid"
    assert "being built (Pending)" in dynamics.target.check().lines[-1]
    dynamics.vendor.keys[0]["EntityKeyIndexStatus"] = "Active"
    assert dynamics.target.check(["new_crn"]).ok


def test_what_cannot_be_made_is_told(dynamics):
    dynamics.vendor.may_customize = False
    dynamics.vendor.columns.discard("new_crn")
    dynamics.vendor.keys.clear()
    check = dynamics.target.check(["new_crn"], fix=True)
    assert not check.ok
    assert "the column new_crn could not be made" in check.lines[1]
    assert "prvCreateAttribute" in check.lines[1]
    assert "the key on new_flavoursid could not be made" in check.lines[2]


def test_an_index_that_failed_is_told(dynamics):
    dynamics.vendor.keys[0]["EntityKeyIndexStatus"] = "Failed"
    check = dynamics.target.check()
    assert (check.ok, "contacts with the same value" in check.lines[-1]) == (False, True)


def test_definitions_that_are_no_list(dynamics):
    dynamics.vendor.faults = [said((200, {"hello": "world"}))]
    check = dynamics.target.check()
    assert (check.ok, "not a list" in check.lines[0]) == (False, True)


# The environment


@pytest.mark.parametrize(
    "base_url",
    [
        "https://acme.crm4.dynamics.com",
        "https://acme.crm4.dynamics.com/",
        "https://acme.api.crm4.dynamics.com/api/data/v9.2/",
    ],
)
def test_the_address_may_be_the_environments_or_that_of_its_web_api(base_url):
    ways = KIND.oauth2(KIND.schema.load(settings(base_url))).ways
    assert ways.scope == "https://acme.crm4.dynamics.com/.default"
    assert ways.token_url == "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"

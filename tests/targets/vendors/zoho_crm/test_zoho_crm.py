"""What only Zoho CRM does: results inside a good answer, COQL and its limits, credits, scopes, and fields that are made."""

import json
from dataclasses import replace

import pytest

from connector.config import TargetConfig
from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.kinds import open_target
from connector.targets.zoho_coql import MOST, select
from tests.targets.conftest import mount
from tests.targets.lab import EMAIL, PHONE
from tests.targets.stub_vendor import Fault, served
from tests.targets.vendors.zoho_crm.lab import KEY, error, field, lab, settings
from tests.targets.zoho_lab import ZOHO_TOKEN


@pytest.fixture
def crm(mocked):
    made = lab()
    mount(mocked, made.vendor)
    return made


def fault(status, body, purpose="create", **headers):
    return Fault(purpose, status, json.dumps(body).encode(), headers)


def outcome_of(crm, *faults, **more):
    crm.vendor.faults = list(faults)
    return crm.push(crm.request(**more))


def one(code, message="said", **details):
    return {"data": [error(code, message, **details)]}


def questions(crm):
    return [r.payload["select_query"] for r in crm.vendor.requests if r.path == "/coql"]


# Asking


def test_contacts_are_asked_for_by_our_field_then_by_the_mappings_in_its_order(crm):
    crm.push()
    columns = f"id, Email, {KEY}, Last_Name, Mobile, Tax_Number"
    spelled = "'+966551234567', '966551234567', '00966551234567', '0551234567', '551234567'"
    assert questions(crm) == [
        f"select {columns} from Contacts where ({KEY} in ('c1')) limit 200",
        f"select {columns} from Contacts where (Email in ('{EMAIL}')) limit 200",
        f"select {columns} from Contacts where (Mobile in ({spelled})) limit 200",
    ]


def test_an_email_is_asked_in_both_cases(crm):
    remote_id = crm.seed(name="Sara", email="sara@example.com")
    assert crm.push(crm.request(email="Sara@Example.com")).remote_id == remote_id


@pytest.mark.parametrize(
    "email", ["o'hara@example.com", "back\\slash@example.com", "a', 'b@example.com", "') or ('@x.sa"]
)
def test_a_value_cannot_break_out_of_its_question(crm, email):
    remote_id = crm.seed(name="O'Hara", email=email)
    crm.seed(name="Other", email="b@example.com")
    assert crm.push(crm.request(email=email)).remote_id == remote_id


def test_a_question_holds_a_hundred_values_in_two_lists():
    question = select(["Email"], "Email", [str(n) for n in range(MOST)])
    assert (question.count("Email in ("), question.count(" or ")) == (2, 1)


def test_many_spellings_take_several_questions(crm):
    crm.push_many([crm.request(f"c{n}", f"+9665512300{n:02d}", None, None) for n in range(30)])
    assert [("Mobile in" in question) for question in questions(crm)] == [False, True, True]


def test_more_contacts_than_an_answer_holds_are_asked_for_in_halves(crm):
    for n in range(250):
        crm.seed(name=f"Guest {n}", email="guest@example.com")
    remote_id = crm.seed(name="Sara", email="c2@example.com")
    emails = ["c0@example.com", "guest@example.com", "c2@example.com", None]
    outcomes = crm.push_many([crm.request(f"c{n}", None, email, None) for n, email in enumerate(emails)])
    assert [type(o) for o in outcomes] == [Delivered, Hold, Delivered, Delivered]
    assert (outcomes[1].code, outcomes[2].remote_id) == ("two_matches", remote_id)
    assert [outcome.how for outcome in (outcomes[0], *outcomes[2:])] == ["created", "updated", "created"]


def test_records_with_many_fields_are_read_in_parts(crm):
    names = [f"Text_{n}" for n in range(60)]
    crm.vendor.fields |= {name: field(name) for name in names}
    request = crm.request()
    wide = replace(request, record=request.record | dict.fromkeys(names, "x"), fill_if_empty=("Text_59",))
    first = crm.push(wide)
    assert crm.push(replace(wide, remote_id=first.remote_id)).how == "unchanged"
    crm.vendor.contacts[int(first.remote_id)]["Text_59"] = "typed by staff"
    assert crm.push(replace(wide, remote_id=None)).how == "unchanged"


def test_a_link_that_is_no_number_is_nobody(crm):
    remote_id = crm.seed(name="Sara", email=EMAIL)
    outcome = crm.push(crm.request(remote_id="1,2&fields=all"))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert [r.path for r in crm.vendor.said("GET")] == []


def test_a_field_that_zoho_does_not_know_fails_by_its_name(crm):
    request = crm.request()
    outcome = crm.push(replace(request, record=request.record | {"Emial": "x"}))
    assert (type(outcome), "INVALID_QUERY, Emial" in outcome.reason) == (Fail, True)


@pytest.mark.parametrize("body", [{"data": ["x"]}, {"data": [{"Email": "x"}]}, {"data": {}}, {"info": {}}])
def test_what_is_no_list_of_contacts_is_no_answer(crm, body):
    outcome = outcome_of(crm, *[fault(200, body, "find")] * 3)
    assert (type(outcome), crm.vendor.contacts) == (Retry, {})


# Writing


def test_a_new_contact_is_upserted_by_our_field_without_workflows(crm):
    crm.push()
    (post,) = crm.vendor.said("create")
    assert post.payload["duplicate_check_fields"] == [KEY]
    assert post.payload["trigger"] == []


def test_workflows_run_where_they_are_wanted(mocked):
    made = lab(workflows=True)
    mount(mocked, made.vendor)
    made.push()
    made.push(made.request(name="Sara Salem"))
    assert ["trigger" in r.payload for r in made.vendor.said("update")] == [False, False]


def test_only_what_changed_is_put(crm):
    first = crm.push()
    crm.push(crm.request(name="Sara Salem", remote_id=first.remote_id))
    (put,) = crm.vendor.said("PUT")
    assert put.payload["data"] == [{"id": first.remote_id, "Last_Name": "Sara Salem"}]


def test_a_customer_whom_only_zoho_remembers_is_written_over_and_it_is_said(crm):
    remote_id = crm.seed(name="Sara", customer="c1")
    crm.vendor.asked = lambda _: (204, None)  # not to be seen yet
    outcome = crm.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert outcome.warnings == (f"Zoho CRM knew this customer already by {KEY}: the whole record was written over it",)


@pytest.mark.parametrize("where", ["id", "duplicate_record"])
def test_a_duplicate_that_agrees_is_updated(crm, where):
    remote_id = crm.seed(name="Sara", email=EMAIL)
    there = {"id": remote_id} if where == "id" else {"duplicate_record": {"id": remote_id, "module": {}}}
    crm.vendor.asked = lambda _: (204, None)
    outcome = outcome_of(crm, fault(200, one("DUPLICATE_DATA", "duplicate data", api_name="Email", **there)))
    assert (outcome.how, outcome.remote_id, len(crm.contacts())) == ("updated", remote_id, 1)


def test_a_duplicate_that_does_not_agree_is_held(crm):
    other = crm.seed(name="Omar", Phone="1")
    outcome = outcome_of(crm, fault(200, one("DUPLICATE_DATA", "duplicate data", api_name="Phone", id=other)))
    assert (type(outcome), outcome.code) == (Hold, "already_there")
    assert (
        outcome_of(crm, fault(200, one("DUPLICATE_DATA", "duplicate data", api_name="Phone"))).code == "already_there"
    )


def test_a_value_that_another_contact_has_once_is_for_a_person(crm):
    crm.vendor.fields["Email"] = field("Email", once=True)
    crm.seed(name="Omar", email="new@example.com")
    first = crm.push()
    outcome = crm.push(crm.request(email="new@example.com", remote_id=first.remote_id))
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_a_contact_without_what_zoho_insists_on_fails_by_the_fields_name(crm):
    outcome = crm.push(crm.request(name=None))
    assert isinstance(outcome, Fail)
    assert "required field not found (MANDATORY_NOT_FOUND, Last_Name)" in outcome.reason


def test_a_contact_that_goes_away_before_its_update_is_made_anew(crm):
    first = crm.push()
    gone = one("INVALID_DATA", "the id given seems to be invalid", api_name="id")
    written = crm.vendor.written

    def deleted(payload, new):
        crm.vendor.written = written
        crm.vendor.contacts.clear()
        return 200, gone

    crm.vendor.written = deleted
    outcome = crm.push(crm.request(name="Sara Salem", remote_id=first.remote_id))
    assert (outcome.how, [c["name"] for c in crm.contacts()]) == ("created", ["Sara Salem"])


@pytest.mark.parametrize("code", ["RECORD_LOCKED", "INTERNAL_ERROR"])
def test_what_passes_is_tried_again(crm, code):
    outcome = outcome_of(crm, fault(200, one(code)))
    assert (type(outcome), outcome.maybe_sent) == (Retry, True)


def test_one_locked_contact_of_a_batch_waits_alone(crm):
    crm.vendor.problem = lambda given, payload, new: error("RECORD_LOCKED", "locked") if given[KEY] == "c1" else None
    outcomes = crm.push_many([crm.request(f"c{n}", None, None, None) for n in range(3)])
    assert [type(outcome) for outcome in outcomes] == [Delivered, Retry, Delivered]


def test_each_contact_has_its_own_result_also_in_an_answer_that_is_called_bad(crm):
    written = crm.vendor.written
    crm.vendor.written = lambda payload, new: (400, written(payload, new)[1])
    outcomes = crm.push_many(
        [crm.request(f"c{n}", None, None, None, name=name) for n, name in enumerate(["Sara", None])]
    )
    assert [type(outcome) for outcome in outcomes] == [Delivered, Fail]


STRANGE = [{"data": []}, {"data": "x"}, {"data": [{"status": "success", "details": {}}]}, {"data": ["x"]}]


@pytest.mark.parametrize("body", STRANGE)
def test_an_answer_without_a_word_on_the_contact_may_have_been_a_yes(crm, body):
    outcome = outcome_of(crm, *[fault(200, body)] * 3)
    assert (type(outcome), outcome.maybe_sent, "without a word" in outcome.reason) == (Retry, True, True)


# Limits and credentials


LIMITS = [
    ("The concurrency limit of the user for the app is exceeded", {}, 5.0),
    ("You have crossed the sub-concurrency limit", {}, 5.0),
    ("API credits limit exceeded", {}, 3600.0),
    ("Too many requests", {"X-API-CREDITS-REMAINING": "0"}, 3600.0),
    ("Too many requests", {"X-API-CREDITS-REMAINING": "17"}, None),
    ("API credits limit exceeded", {"Retry-After": "90"}, 90.0),
]


@pytest.mark.parametrize(("said", "headers", "wait"), LIMITS)
def test_a_limit_says_by_its_words_how_long_to_wait(crm, said, headers, wait):
    outcome = outcome_of(crm, fault(429, error("TOO_MANY_REQUESTS", said), "find", **headers))
    assert (outcome.trouble.kind, outcome.trouble.after, outcome.spent) == ("busy", wait, False)
    assert said in outcome.reason


def test_a_missing_scope_is_named(crm):
    crm.vendor.lacks = {"/coql"}
    outcome = crm.push()
    assert (outcome.trouble.kind, "ZohoCRM.coql.READ" in outcome.reason) == ("refused", True)
    assert len(crm.vendor.requests) == 1  # another token helps nothing


@pytest.mark.parametrize("code", ["INVALID_TOKEN", "AUTHENTICATION_FAILURE"])
def test_a_token_that_is_not_taken_may_be_of_another_region(crm, code):
    outcome = outcome_of(crm, *[fault(401, error(code, "invalid oauth token"), "find")] * 2)
    assert (outcome.trouble.kind, "is `region` the ending" in outcome.reason) == ("refused", True)
    assert len(crm.vendor.requests) == 2


def test_a_token_that_ended_is_renewed_once(crm):
    crm.vendor.faults = [fault(401, error("INVALID_TOKEN", "invalid oauth token"), "find")]
    assert crm.push().how == "created"


def test_an_address_that_is_not_zohos_holds_the_target(crm):
    outcome = outcome_of(crm, fault(404, error("INVALID_URL_PATTERN", "Please check if the URL is correct"), "find"))
    assert (outcome.trouble.kind, "is base_url right?" in outcome.reason) == ("refused", True)


def test_a_missing_permission_holds_the_target(crm):
    outcome = outcome_of(crm, fault(403, error("NO_PERMISSION", "permission denied"), "find"))
    assert (outcome.trouble.kind, "permission denied" in outcome.reason) == ("refused", True)


# The check


def lines(crm, *fields, **more):
    check = crm.target.check(fields, **more)
    return check.ok, check.lines


def test_the_check_looks_at_the_fields_and_at_coql(crm):
    ok, said = lines(crm, "Last_Name", "Email", KEY)
    assert ok
    assert said == (
        "vendor.example.com answers and takes the token",
        f"{KEY} is there, and takes a value only once",
        "Last_Name is there",
        "Email is there",
        "the token may look contacts up",
    )
    assert [r.path for r in crm.vendor.requests] == ["/settings/fields", "/coql"]


def test_the_check_names_what_is_missing_and_makes_what_it_can(crm):
    for name in (KEY, "Tax_Number"):
        del crm.vendor.fields[name]
    ok, said = lines(crm, "Last_Name", "Tax_Number", "Emial")
    assert not ok
    assert "--fix makes it" in said[1]
    assert "`connector targets check NAME --fix`" in said[3]
    assert "API name Emial: make it there" in said[4]
    ok, said = lines(crm, "Last_Name", "Tax_Number", fix=True)
    assert (ok, said[1:3]) == (True, (f"the field {KEY} was made", "the field Tax_Number was made"))
    assert (bool(crm.vendor.fields[KEY]["unique"]), crm.vendor.fields["Tax_Number"]["unique"]) == (True, {})
    before = len(crm.vendor.requests)
    assert lines(crm, "Last_Name", "Tax_Number", fix=True)[0]
    assert [r.method for r in crm.vendor.requests[before:]] == ["GET", "POST"]  # the fields, and a question


def test_a_field_that_zoho_does_not_make_is_still_missing(crm):
    del crm.vendor.fields[KEY]
    crm.vendor.faults = [Fault("GET"), fault(400, error("LIMIT_EXCEEDED", "Field limit exceeded"), "POST")]
    ok, said = lines(crm, fix=True)
    assert (ok, "could not be made" in said[1], "Field limit exceeded" in said[1]) == (False, True, True)
    assert "there is no field" in said[2]


def test_a_field_of_ours_that_takes_a_value_twice_is_for_a_person(crm):
    crm.vendor.fields[KEY] = field(KEY)
    ok, said = lines(crm, fix=True)
    assert (ok, "Do not allow duplicate values" in said[1]) == (False, True)


def test_the_check_says_what_zoho_insists_on(crm):
    crm.vendor.fields["Account_Name"] = field("Account_Name") | {"system_mandatory": True}
    ok, said = lines(crm, "Last_Name")
    assert (ok, said[-1]) == (False, "Zoho insists on Account_Name; fill it in the mapping")
    assert lines(crm)[0]


@pytest.mark.parametrize(("path", "scope"), [("/settings/fields", "settings.fields.READ"), ("/coql", "coql.READ")])
def test_the_check_names_the_missing_scope(crm, path, scope):
    crm.vendor.lacks = {path}
    ok, said = lines(crm)
    assert (ok, scope in said[0]) == (False, True)


def test_what_is_no_list_of_fields_fails_the_check(crm):
    crm.vendor.faults = [Fault("GET", 200, b'{"hello": "world"}')] * 3
    ok, said = lines(crm)
    assert (ok, "not a list of fields" in said[0]) == (False, True)


# Its tokens


def test_a_target_of_the_configuration_asks_for_its_token_by_itself():
    made = lab()
    work = made.vendor.work
    token = {"access_token": ZOHO_TOKEN, "api_domain": "https://www.zohoapis.sa", "expires_in": 3600}
    made.vendor.decode = lambda body: json.loads(body) if body and body.startswith(b"{") else body
    made.vendor.work = lambda request: (200, token) if request.path == "/oauth/v2/token" else work(request)
    with served(made.vendor) as base:
        said = settings(base, allow_private=True)
        said["oauth2"] = said["oauth2"] | {"token_url": f"{base}/oauth/v2/token"}
        target = open_target(TargetConfig("crm", "zoho_crm", said, "config.yaml", {"": (1, 1)}))
        assert target.check().ok
        assert made.push(made.request(phone=PHONE), target=target).how == "created"
    assert len([r for r in made.vendor.requests if r.path == "/oauth/v2/token"]) == 1

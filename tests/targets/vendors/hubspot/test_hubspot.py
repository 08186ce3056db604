"""What only HubSpot does: limits that say no time, scopes, properties, second e-mails, and answers for each contact."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.vendors.hubspot import KIND, HubSpot
from tests.targets.conftest import mount
from tests.targets.lab import EMAIL, PHONE
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.hubspot.lab import KEY, OPTIONS, error, lab, prop, settings

NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # 12:00 in Riyadh


@pytest.fixture
def hubspot(mocked):
    made = lab()
    mount(mocked, made.vendor)
    return made


def at_noon(hubspot, **more):
    "The target at noon."
    loaded = KIND.schema.load(settings(hubspot.base, **more))
    return HubSpot(loaded, Around(Clock(now=lambda: NOON, sleep=hubspot.slept.append)))


def fault(body, status, purpose="create", **headers):
    return Fault(purpose, status, json.dumps(body).encode(), headers)


def outcome_of(hubspot, *faults, target=None, **more):
    hubspot.vendor.faults = list(faults)
    return hubspot.push(hubspot.request(**more), target=target)


# Limits


LIMITS = [
    ({"message": "You have reached your ten_secondly_rolling limit.", "policyName": "TEN_SECONDLY_ROLLING", "category": "RATE_LIMITS"}, 10.0),
    ({"message": "You have reached your secondly limit.", "errorType": "RATE_LIMIT"}, 10.0),
    ({"message": "You have reached your daily limit.", "errorType": "RATE_LIMIT", "policyName": "DAILY"}, 12 * 3600.0),
    ({"message": "You have reached your daily limit."}, 12 * 3600.0),
    ({"message": "Too many requests"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wait"), LIMITS)
def test_a_limit_says_by_its_policy_how_long_to_wait(hubspot, body, wait):
    outcome = outcome_of(hubspot, fault({"status": "error"} | body, 429), target=at_noon(hubspot))
    assert (outcome.trouble.kind, outcome.trouble.after) == ("busy", wait)


def test_the_day_ends_where_the_account_is(hubspot):
    body = error("RATE_LIMITS", "You have reached your daily limit.", policyName="DAILY")
    outcome = outcome_of(hubspot, fault(body, 429), target=at_noon(hubspot, time_zone="America/New_York"))
    assert outcome.trouble.after == 20 * 3600.0


def test_a_locked_contact_is_tried_again_after_two_seconds(mocked):
    patient = lab(timeout="5s")
    mount(mocked, patient.vendor)
    outcome = outcome_of(patient, fault(error("LOCKED", "resource is locked"), 423))
    assert (outcome.how, patient.slept) == ("created", [2.0])


def test_an_account_that_moves_says_how_long(hubspot):
    moving = fault(error("MIGRATION_IN_PROGRESS", "moving"), 477, **{"Retry-After": "600"})
    assert outcome_of(hubspot, moving).trouble.after == 600.0


@pytest.mark.parametrize("status", [502, 503, 504, 521, 522, 523, 524])
def test_what_passes_is_tried_again(hubspot, status):
    outcome = outcome_of(hubspot, fault(error("INTERNAL_ERROR", "oops"), status))
    assert outcome.how == "created"


# Credentials


def test_an_expired_token_holds_the_target(hubspot):
    body = error("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired")
    outcome = outcome_of(hubspot, fault(body, 401, ""))
    assert (outcome.trouble.kind, "expired" in outcome.reason) == ("refused", True)


SHAPES = [
    {"errors": [{"message": "Scopes are required.", "context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}]},
    {"errors": [{"message": "no", "context": "{missingScopes=[crm.objects.contacts.write, x]}"}]},
    {"context": {"requiredScopes": ["crm.objects.contacts.write"]}},
]  # fmt: skip


@pytest.mark.parametrize("more", SHAPES)
def test_a_missing_scope_is_named(hubspot, more):
    outcome = outcome_of(hubspot, fault(error("MISSING_SCOPES", "not granted") | more, 403))
    assert outcome.trouble.kind == "refused"
    assert outcome.reason.endswith("needs the scope crm.objects.contacts.write")


def test_another_token_is_another_account(hubspot):
    assert at_noon(hubspot).account != at_noon(hubspot, token="another").account


# Values


def test_values_are_texts_and_lists_are_joined(hubspot):
    hubspot.vendor.properties |= {name: prop(name) for name in ("vip", "visits", "tags")}
    record = hubspot.request().record | {"vip": True, "visits": 7, "tags": ["a", "b"]}
    assert hubspot.push(replace(hubspot.request(), record=record)).how == "created"
    (there,) = hubspot.vendor.contacts.values()
    assert [there[name] for name in ("vip", "visits", "tags")] == ["true", "7", "a;b"]
    assert hubspot.push(replace(hubspot.request(), record=record)).how == "unchanged"


def test_a_record_without_our_property_gets_it(hubspot):
    request = hubspot.request()
    record = {name: value for name, value in request.record.items() if name != KEY}
    hubspot.push(replace(request, record=record))
    assert [row[KEY] for row in hubspot.vendor.contacts.values()] == ["c1"]


def test_a_language_that_is_not_on_the_list_is_left_out(hubspot):
    outcome = hubspot.push(replace(hubspot.request(), record=hubspot.request().record | {"hs_language": "ur"}))
    assert outcome.how == "created"
    assert "not one of the allowed options" in outcome.warnings[0]


def test_an_option_that_is_not_on_the_list_is_left_out_whatever_the_property(hubspot, monkeypatch):
    monkeypatch.setitem(OPTIONS, "city", ["Riyadh"])
    outcome = hubspot.push(replace(hubspot.request(), record=hubspot.request().record | {"city": "Jeddah"}))
    assert (outcome.how, outcome.warnings[0].partition(":")[0]) == ("created", "city")


def test_an_unknown_property_fails_with_its_name(hubspot):
    outcome = hubspot.push(replace(hubspot.request(), record=hubspot.request().record | {"shoe_size": "43"}))
    assert (type(outcome), 'Property "shoe_size" does not exist' in outcome.reason) == (Fail, True)
    assert "isValid" not in outcome.reason


def test_a_lifecycle_stage_that_is_there_is_left_to_hubspot(hubspot):
    def record(stage):
        return replace(hubspot.request(), record=hubspot.request().record | {"lifecyclestage": stage})

    assert hubspot.push(record("customer")).how == "created"
    assert hubspot.push(record("lead")).how == "unchanged"
    assert [row["lifecyclestage"] for row in hubspot.vendor.contacts.values()] == ["customer"]


# Who is it?


def test_a_second_email_finds_the_contact(hubspot):
    remote_id = hubspot.seed(name="Sara", email="old@example.com", hs_additional_emails=f"{EMAIL};more@example.com")
    outcome = hubspot.push(hubspot.request(fill_if_empty=("email",)))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_phone_is_not_asked_for_and_that_is_said(hubspot):
    hubspot.seed(name="Sara", phone=PHONE)
    outcome = hubspot.push(replace(hubspot.request(), match=(("phone", PHONE), ("email", EMAIL))))
    assert outcome.how == "created"
    assert outcome.warnings == ("phone: not looked up by it; HubSpot finds by flavours_customer_id and e-mail alone",)
    assert {request.payload.get("idProperty") for request in hubspot.vendor.said("find")} == {KEY, "email"}


def test_a_merged_contact_leads_to_the_one_that_is_left(hubspot):
    remote_id = hubspot.seed(name="Sara", email=EMAIL)
    hubspot.vendor.merged["88"] = remote_id
    outcome = hubspot.push(hubspot.request(remote_id="88"))
    assert (outcome.remote_id, "contact 88" in outcome.warnings[0]) == (remote_id, True)


def test_an_email_that_another_contact_got_meanwhile_leads_to_that_contact(hubspot):
    remote_id = hubspot.seed(name="Sara", email=EMAIL)
    asked = hubspot.vendor.work

    def late(request):  # it is not there yet when we ask
        find = request.payload and request.payload.get("idProperty") == "email"
        return hubspot.vendor.answered([], []) if find else asked(request)

    hubspot.vendor.work = late
    outcome = hubspot.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_an_update_to_another_contacts_email_is_held(hubspot):
    first = hubspot.push(hubspot.request(email=None))
    hubspot.seed(name="Omar", email=EMAIL)
    outcome = hubspot.push(hubspot.request(remote_id=first.remote_id))
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_an_older_hubspot_that_refuses_the_batch_for_one_email_is_asked_singly(hubspot):
    hubspot.vendor.whole = True
    hubspot.seed(name="Omar", email="omar@example.com")
    requests = [hubspot.request("c1"), hubspot.request("c2", email="omar@example.com", create_anyway=False)]
    asked = hubspot.vendor.work
    hubspot.vendor.work = lambda request: (
        hubspot.vendor.answered([], []) if request.payload.get("idProperty") == "email" else asked(request)
    )
    outcomes = hubspot.push_many(requests)
    assert [(type(o), o.alone) for o in outcomes] == [(Retry, True)] * 2
    assert [type(hubspot.push(request)) for request in requests] == [Delivered, Delivered]


# Answers for each contact


def test_answers_without_our_traces_are_placed_by_what_they_name(hubspot):
    hubspot.vendor.traces = False
    requests = [hubspot.request(f"c{n}", email=f"c{n}@example.com", name=f"Customer {n}") for n in range(3)]
    first = hubspot.push_many(requests)
    assert [hubspot.vendor.contacts[int(o.remote_id)]["lastname"] for o in first] == [f"Customer {n}" for n in range(3)]
    again = [replace(r, record=r.record | {"lastname": "New"}, remote_id=o.remote_id) for r, o in zip(requests, first, strict=True)]  # fmt: skip
    assert [o.how for o in hubspot.push_many(again)] == ["updated"] * 3


def test_an_error_that_names_nobody_sends_each_singly(hubspot):
    hubspot.vendor.traces = False
    hubspot.vendor.bad = [("lastname", "Bad", "no such name")]
    requests = [
        hubspot.request("c1", email="c1@example.com"),
        hubspot.request("c2", email="c2@example.com", name="Bad"),
    ]
    assert [(type(o), o.alone) for o in hubspot.push_many(requests)] == [(Retry, True)] * 2
    assert [type(hubspot.push(request)) for request in requests] == [Delivered, Fail]
    assert len(hubspot.vendor.contacts) == 1


def test_a_contact_that_the_answer_leaves_out_is_in_doubt(hubspot):
    requests = [hubspot.request("c1", email="c1@example.com"), hubspot.request("c2", email="c2@example.com")]
    row = {"id": "512", "new": True, "properties": {}, "objectWriteTraceId": "0"}
    hubspot.vendor.faults = [fault({"status": "COMPLETE", "results": [row]}, 200)]
    outcomes = hubspot.push_many(requests)
    assert (outcomes[0].how, outcomes[0].remote_id) == ("created", "512")
    assert (type(outcomes[1]), outcomes[1].maybe_sent) == (Retry, True)


def test_an_upsert_that_updates_says_so(hubspot):
    row = {"id": "512", "new": False, "properties": {}, "objectWriteTraceId": "0"}
    outcome = outcome_of(hubspot, fault({"status": "COMPLETE", "results": [row]}, 200))
    assert (outcome.how, outcome.remote_id) == ("updated", "512")


def test_a_question_that_is_refused_for_one_value_is_no_nobody(hubspot):
    body = {"status": "COMPLETE", "results": [], "errors": [error("VALIDATION_ERROR", "bad id")]}
    outcome = outcome_of(hubspot, fault(body, 207, "find"))
    assert (type(outcome), "bad id" in outcome.reason) == (Fail, True)


def test_a_limit_in_the_answer_for_one_contact_pauses_the_target(hubspot):
    body = {"status": "COMPLETE", "results": [], "errors": [error("RATE_LIMITS", "secondly", context={"ids": ["c1"]})]}
    assert outcome_of(hubspot, fault(body, 207)).trouble.after == 10.0


# Settings and check


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_the_version_is_a_setting(mocked, version):
    made = lab(version=version)
    made.vendor.path = (
        "/crm/v3/objects/contacts/batch/" if version == "v3" else f"/crm/objects/{version}/contacts/batch/"
    )
    mount(mocked, made.vendor)
    assert made.push().how == "created"


@pytest.mark.parametrize("wrong", [{"version": "3"}, {"time_zone": "Riyadh"}, {"unique_property": "Flavours Id"}])
def test_wrong_settings_are_refused(wrong):
    assert KIND.schema.validate(settings(**wrong)).keys() == wrong.keys()


def test_a_missing_property_of_ours_holds_the_target(hubspot):
    del hubspot.vendor.properties[KEY]
    outcome = hubspot.push()
    assert outcome.trouble.kind == "refused"
    assert "targets check NAME --fix" in outcome.reason


def test_check_is_good_where_all_is_there(hubspot):
    check = hubspot.target.check([KEY, "lastname", "tax_number"])
    assert check.ok
    assert check.lines[1:] == (
        f"{KEY} is there, and takes a value only once",
        "lastname is there",
        "tax_number is there",
        "the token may read and write contacts",
    )
    assert hubspot.vendor.contacts == {}


def test_check_tells_what_is_missing_and_fix_makes_what_only_we_know(hubspot):
    for name in (KEY, "crn"):
        del hubspot.vendor.properties[name]
    fields = ["flavours_since", "crn", "shoe_size", "hs_object_id"]
    check = hubspot.target.check(fields)
    assert not check.ok
    assert [("--fix" in line, line.partition(":")[0]) for line in check.lines[1:]] == [
        (True, f"there must be a contact property {KEY} with unique values"),
        (True, "there is no contact property flavours_since"),
        (True, "there is no contact property crn"),
        (False, "there is no contact property shoe_size"),
        (False, "hs_object_id is filled by HubSpot itself"),
    ]
    assert KEY not in hubspot.vendor.properties
    fixed = hubspot.target.check(fields[:2], fix=True)
    assert fixed.ok
    assert hubspot.vendor.properties[KEY]["hasUniqueValue"] is True
    assert hubspot.vendor.properties["crn"]["hasUniqueValue"] is False
    assert hubspot.push().how == "created"


def test_check_refuses_a_property_of_ours_that_repeats(hubspot):
    hubspot.vendor.properties[KEY] = prop(KEY)
    check = hubspot.target.check(fix=True)
    assert not check.ok
    assert "without unique values" in check.lines[1]


def test_what_may_not_be_made_is_said(hubspot):
    del hubspot.vendor.properties[KEY]
    hubspot.vendor.lacks = {"crm.schemas.contacts.write"}
    check = hubspot.target.check(fix=True)
    assert not check.ok
    assert "could not be made" in check.lines[1]


@pytest.mark.parametrize("scope", ["crm.objects.contacts.read", "crm.objects.contacts.write"])
def test_check_names_a_scope_that_is_missing(hubspot, scope):
    hubspot.vendor.lacks = {scope}
    check = hubspot.target.check()
    assert not check.ok
    assert check.lines[-1].endswith(f"needs the scope {scope}")


def test_check_takes_no_web_page_for_a_list_of_properties(hubspot):
    hubspot.vendor.faults = [Fault("GET", 200, b'{"results": 7}')]
    assert "not a list of properties" in hubspot.target.check().lines[0]

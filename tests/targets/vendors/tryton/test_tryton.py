"""Tryton's own ways: sessions, errors in a 200, and what a party has as records of its own."""

import json
from dataclasses import replace

import pytest

from connector.models import Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.vendors.tryton import KIND
from tests.targets.conftest import EMAIL, PHONE, TAX, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.tryton.lab import Wrong, settings


@pytest.fixture
def tryton(mocked):
    return mounted("tryton", mocked)


def made(lab, customer="c1", **fields):
    request = lab.request(customer)
    return replace(request, record=request.record | fields)


def logins(lab):
    return [request for request in lab.vendor.requests if request.payload["method"] == "common.db.login"]


def test_one_login_serves_all_and_a_session_that_ended_is_begun_anew(tryton):
    target = tryton.target
    tryton.push(target=target)
    assert len(logins(tryton)) == 1
    tryton.vendor.sessions.clear()
    assert tryton.push(tryton.request(name="Sara Salem"), target=target).how == "updated"
    assert len(logins(tryton)) == 2


def test_a_wrong_password_holds_the_target(tryton):
    tryton.vendor.password = "another"
    outcome = tryton.push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert tryton.contacts() == []


def test_a_session_that_is_never_taken_holds_the_target(tryton):
    tryton.vendor.lasts = 0
    assert tryton.push().trouble.kind == "refused"
    assert len(logins(tryton)) == 2


def test_a_login_without_a_session_is_no_answer(tryton):
    tryton.vendor.faults = [Fault("", 200, b'{"id": 1, "result": null}')] * 3
    outcome = tryton.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert "no session" in outcome.reason


def test_a_party_has_phones_numbers_and_addresses(tryton):
    address = {"street": "King Fahd Road", "city": "Riyadh", "postal_code": "12211", "country": "SA"}
    outcome = tryton.push(made(tryton, addresses=address, identifiers={"vat": TAX, "cr": "1010010000"}))
    assert (outcome.how, outcome.warnings) == ("created", ())
    (party,) = tryton.vendor.contacts.values()
    assert party["code"] == "c1"
    assert [(m["type"], m["value"]) for m in party["contact_mechanisms"]] == [("phone", PHONE), ("email", EMAIL)]
    assert [one["code"] for one in party["identifiers"]] == [TAX, "1010010000"]
    assert [one | {"country": 7} for one in party["addresses"]] == party["addresses"]
    assert tryton.push(made(tryton, addresses=address, identifiers={"vat": TAX, "cr": "1010010000"})).how == "unchanged"


def test_an_update_changes_what_is_there_and_adds_what_is_not(tryton):
    tryton.push(made(tryton, addresses={"city": "Riyadh", "street": "A"}))
    changed = made(tryton, addresses={"city": "Jeddah", "street": "A"}, identifiers={"vat": TAX, "cr": "7001234567"})
    changed = replace(changed, record=changed.record | {"phone": "+966559999999", "website": "https://example.com"})
    assert tryton.push(changed).how == "updated"
    (party,) = tryton.vendor.contacts.values()
    assert [(m["type"], m["value"]) for m in party["contact_mechanisms"]] == [
        ("phone", "+966559999999"),
        ("email", EMAIL),
        ("website", "https://example.com"),
    ]
    assert [one["code"] for one in party["identifiers"]] == [TAX, "7001234567"]
    assert [one["city"] for one in party["addresses"]] == ["Jeddah"]


def test_a_number_put_down_as_mobile_is_found_and_stays_mobile(tryton):
    remote_id = tryton.seed(name="Sara Ahmed", mobile="0551234567")
    outcome = tryton.push(tryton.request(email=None, tax=None))
    assert outcome.remote_id == remote_id
    (party,) = tryton.vendor.contacts.values()
    assert [(m["type"], m["value"]) for m in party["contact_mechanisms"]] == [("mobile", "0551234567")]


def test_the_second_phone_is_the_customers_too(tryton):
    remote_id = tryton.seed(name="Sara Ahmed", phone="+966559999999")
    tryton.vendor.contacts[int(remote_id)]["contact_mechanisms"].append(
        {"id": 2, "type": "phone", "value": "0551234567"}
    )
    tryton.push(tryton.request(email=None, tax=None))
    (party,) = tryton.vendor.contacts.values()
    assert [m["value"] for m in party["contact_mechanisms"]] == ["+966559999999", "0551234567"]


def test_an_unknown_country_is_left_out_with_a_warning(tryton):
    tryton.vendor.countries = {}
    request = made(tryton, addresses={"city": "Riyadh", "country": "SA"})
    target = tryton.target
    outcome = tryton.push(request, target=target)
    assert (outcome.how, outcome.warnings) == (
        "created",
        ("addresses.country: left out, this Tryton knows no such country",),
    )
    assert tryton.push(request, target=target).how == "unchanged"
    asked = [r for r in tryton.vendor.requests if r.payload["method"] == "model.country.country.search_read"]
    assert len(asked) == 1


def test_a_country_that_cannot_be_asked_for_comes_again(tryton):
    def locked(*_):
        raise Wrong(["database is locked", ""])

    tryton.vendor.country_country_search_read = locked
    outcome = tryton.push(made(tryton, addresses={"country": "SA"}))
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")


def test_warnings_of_the_country_are_not_lost_when_it_is_held(tryton):
    tryton.vendor.countries = {}
    for _ in range(2):
        tryton.seed(name="Sara", phone=PHONE)
    outcome = tryton.push(made(tryton, addresses={"country": "SA"}))
    assert (outcome.code, len(outcome.warnings)) == ("two_matches", 1)
    tryton.vendor.faults = [Fault("find", 502)] * 3
    assert isinstance(tryton.push(made(tryton, addresses={"country": "SA"})), Retry)


def test_the_code_is_the_customers_id_unless_the_mapping_says_otherwise(tryton):
    request = tryton.request()
    bare = replace(request, record={name: value for name, value in request.record.items() if name != "code"})
    tryton.push(bare)
    tryton.push(replace(tryton.request("c2", phone=None, email=None, tax=None), record={"name": "Omar", "code": "X9"}))
    assert [party["code"] for party in tryton.vendor.contacts.values()] == ["c1", "X9"]


def test_a_code_that_is_taken_by_somebody_who_cannot_be_seen_is_held(tryton):
    said = json.dumps({"id": 1, "error": ["UserError", ["The code on party must be unique.", "", None]]}).encode()
    tryton.vendor.faults = [Fault("create", 200, said)]
    outcome = tryton.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_an_inactive_party_is_found(tryton):
    remote_id = tryton.seed(name="Sara", phone=PHONE)
    tryton.vendor.contacts[int(remote_id)]["active"] = 0
    assert tryton.push().remote_id == remote_id


def test_a_link_that_is_no_number_leads_nowhere(tryton):
    assert tryton.push(tryton.request(remote_id="x")).how == "created"


def test_a_party_deleted_between_look_and_write_is_made_anew(tryton):
    remote_id = tryton.seed(name="Sara", phone=PHONE)

    def gone(ids, values):
        tryton.vendor.contacts.clear()
        del tryton.vendor.party_party_write
        tryton.vendor.party_party_write(ids, values)

    tryton.vendor.party_party_write = gone
    outcome = tryton.push()
    assert outcome.how == "created"
    assert any(f"contact {remote_id}" in warning for warning in outcome.warnings)


def test_a_wrong_field_fails_at_once(tryton):
    outcome = tryton.push(made(tryton, nosuch="x"))
    assert isinstance(outcome, Fail)
    assert "'nosuch' is no field (or model) of this Tryton; mend the mapping" in outcome.reason


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (["database is locked", ""], "sick"),
        (["ConcurrencyException", ["party.party,1"]], "sick"),
        (["UserError", ['You are not allowed to create records of "Party".', "", None]], "refused"),
        (["LoginException", ["session"]], "refused"),
    ],
)
def test_what_is_not_the_datas_fault(tryton, error, kind):
    tryton.vendor.faults = [Fault("create", 200, json.dumps({"id": 1, "error": error}).encode())] * 3
    outcome = tryton.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, kind)


def test_a_create_without_an_id_is_no_answer(tryton):
    tryton.vendor.faults = [Fault("create", 200, b'{"id": 1, "result": null}')] * 3
    assert tryton.push().maybe_sent


def test_the_check_names_rights_and_fields(tryton):
    check = tryton.target.check(["code", "phone", "addresses.city", "identifiers.vat", "nmae"])
    assert not check.ok
    assert check.lines == (
        "vendor.example.com answers and takes the login",
        "nmae: Tryton has no such field; mend the mapping",
    )
    assert tryton.target.check(["name"]).ok
    tryton.vendor.denied = {"create"}
    assert "the user may not create parties; give it a group that may" in tryton.target.check(["name"]).lines


def test_a_check_that_gets_no_rights_told_says_so(tryton):
    tryton.vendor.ir_model_access_get_access = lambda _: None
    assert not tryton.target.check(["name"]).ok


def test_the_account_is_the_database(tryton):
    other = KIND.open(None, KIND.schema.load(settings(password="another")), Around())
    assert other.account == tryton.target.account


def test_parties_that_are_none_are_no_answer(tryton):
    tryton.vendor.faults = [Fault("find", 200, b'{"id": 1, "result": [{"name": "Sara"}]}')] * 3
    outcome = tryton.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert "no list of parties" in outcome.reason


def test_only_the_first_of_many_threads_begins_a_session_anew(tryton):
    session = tryton.target._http._line.tokens
    ended = session.headers()
    session.renew(ended)
    session.renew(ended)
    assert session.headers() != ended
    assert len(logins(tryton)) == 2


def test_a_login_says_no_more_than_the_session(tryton):
    assert tryton.target._http._line.tokens.extra == {}

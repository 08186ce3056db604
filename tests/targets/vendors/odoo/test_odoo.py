"""Odoo's own ways: two protocols, `load`, fields by version, and errors that no status tells."""

import json
from dataclasses import replace

import pytest

from connector.models import Delivered, Fail, Retry
from connector.targets.base import Around
from connector.targets.vendors.odoo import KIND
from tests.targets.conftest import EMAIL, PHONE, TAX, Run, mount
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.odoo.lab import DOWN, KEY, settings
from tests.targets.vendors.odoo.lab import lab as odoo_lab
from tests.targets.vendors.odoo_rpc.lab import lab as rpc_lab


@pytest.fixture
def odoo(mocked):
    lab = odoo_lab()
    mount(mocked, lab.vendor)
    return lab


@pytest.fixture
def old(mocked):
    lab = rpc_lab()
    mount(mocked, lab.vendor)
    return lab


@pytest.fixture(params=["odoo", "old"])
def either(request):
    return request.getfixturevalue(request.param)


def asked(lab, method):
    "The arguments of each call of a method."
    calls = [lab.vendor.meant(request) for request in lab.vendor.requests]
    return [arguments for _, _, name, arguments in calls if name == method]


def made(lab, customer="c1", tax=TAX, **fields):
    "A request whose record has more fields."
    request = lab.request(customer, tax=tax)
    return replace(request, record=request.record | fields)


# The way to talk


def test_version_19_is_asked_over_json_2(odoo):
    odoo.push()
    assert [request.path for request in odoo.vendor.requests][:2] == ["/web/version", "/json/2/res.partner/fields_get"]
    assert odoo.vendor.requests[-1].headers["X-Odoo-Database"] == "crm"
    assert asked(odoo, "load")[0]["data"][0][0] == "__flavours__.c1"


def test_an_older_one_is_asked_over_json_rpc_after_a_login(old):
    old.push()
    assert {request.path for request in old.vendor.requests} == {"/web/version", "/jsonrpc"}
    assert len(asked(old, "authenticate")) == 1


@pytest.mark.parametrize(("version", "path"), [("saas~18.2", "/jsonrpc"), ("saas~19.1+e", "/json/2/res.partner/load")])
def test_the_versions_of_odoo_online(mocked, version, path):
    lab = odoo_lab(old=path == "/jsonrpc")
    lab.vendor.version = version
    mount(mocked, lab.vendor)
    assert lab.push().how == "created"
    assert lab.vendor.requests[-1].path == path


def test_the_version_is_asked_once(odoo):
    target = odoo.target
    for n in range(3):
        odoo.push(odoo.request(f"c{n}", phone=None, email=f"c{n}@example.com", tax=None), target=target)
    assert len([r for r in odoo.vendor.requests if r.path == "/web/version"]) == 1
    assert len(asked(odoo, "fields_get")) == 1


def test_the_version_is_asked_again_after_an_upgrade(old):
    target = old.target
    old.push(target=target)
    old.vendor.old, old.vendor.version = False, "20.0"
    old.vendor.faults = [Fault("find", 404, DOWN)] * 3
    assert isinstance(old.push(old.request("c2"), target=target), Retry)
    assert old.push(old.request("c2", phone="+966559999999", email=None, tax=None), target=target).how == "created"


def test_an_old_odoo_needs_a_login(mocked):
    lab = rpc_lab(login=None)
    lab.make = lambda base: KIND.open(
        None, KIND.schema.load(settings(base) | {"allow_private": True, "login": "x"}), Around()
    )
    mount(mocked, lab.vendor)
    outcome = lab.push()
    assert outcome.trouble.kind == "refused"
    assert "does not take this key for this login" in outcome.reason


def test_an_old_odoo_says_that_a_login_is_missing(mocked):
    lab = rpc_lab()
    without = {name: value for name, value in settings().items() if name != "login"} | {"allow_private": True}
    lab.make = lambda base: KIND.open(None, KIND.schema.load(without), Around())
    mount(mocked, lab.vendor)
    outcome = lab.push()
    assert outcome.trouble.kind == "refused"
    assert "is Odoo 17.0: set `login`" in outcome.reason


def test_what_is_not_odoo_is_told(odoo):
    odoo.vendor.faults = [Fault("GET", 200, b'{"hello": "world"}')]
    outcome = odoo.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert "is base_url right?" in outcome.reason


def test_a_refused_key_holds_the_target(either):
    either.vendor.key = "another"
    outcome = either.push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert KEY not in repr(outcome)


def test_a_user_who_loses_the_right_meanwhile(either):
    "AccessDenied and AccessError are no fault of a customer's."
    target = either.target
    either.push(target=target)
    either.vendor.may = False
    outcome = either.push(either.request(name="Sara Salem"), target=target)
    assert outcome.trouble.kind == "refused"
    assert "look at what the user of the API key may do" in outcome.reason


def test_the_account_is_the_database_not_the_key(odoo):
    other = KIND.open(None, KIND.schema.load(settings(api_key="a-new-key-after-three-months")), Around())
    assert other.account == odoo.target.account
    elsewhere = KIND.open(None, KIND.schema.load(settings(database="copy")), Around())
    assert elsewhere.account != other.account


# Fields


def test_country_and_state_go_as_ids(odoo):
    odoo.push(made(odoo, country_code="SA", state="riyadh"))
    load = asked(odoo, "load")[0]
    row = dict(zip(load["fields"], load["data"][0], strict=True))
    assert (row["country_id/.id"], row["state_id/.id"]) == ("192", "1571")
    assert odoo.push(made(odoo, country_code="SA", state="RIY")).how == "unchanged"
    assert odoo.push(made(odoo, country_code="AE")).how == "updated"


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"country_code": "SA", "state": "العليا"}, ["state"]),
        ({"state": "Riyadh"}, ["state"]),
        ({"country_code": "ZZ", "state": "Riyadh"}, ["country_code", "state"]),
    ],
)
def test_what_odoo_does_not_know_is_left_out_with_a_warning(odoo, fields, warned):
    outcome = odoo.push(made(odoo, **fields))
    assert outcome.how == "created"
    assert [warning.partition(":")[0] for warning in outcome.warnings] == warned


def test_a_filled_country_is_kept(odoo):
    odoo.seed(name="Sara Ahmed", vat=TAX, country_id=2)
    request = made(odoo, country_code="SA")
    odoo.push(replace(request, fill_if_empty=("country_code",)))
    assert [contact["country_id"] for contact in odoo.contacts()] == [2]


def test_fields_that_come_with_a_version_or_module_are_left_out_where_they_are_not(odoo):
    odoo.vendor.lacks = {"is_company", "email_normalized", "phone_sanitized"}
    fields = {"is_company": True, "company_registry": "1010010000", "l10n_sa_edi_building_number": "7596"}
    outcome = odoo.push(made(odoo, **fields))
    assert outcome.how == "created"
    assert outcome.warnings == (
        "is_company: left out, for this Odoo does not have it",
        "l10n_sa_edi_building_number: left out, for this Odoo does not have it",
    )
    assert odoo.contacts()[0]["company_registry"] == "1010010000"
    assert odoo.push(made(odoo, **fields)).how == "unchanged"


@pytest.mark.parametrize("typed", ["0551234567", "+966551234567"])
def test_a_contact_is_found_without_odoos_own_forms(odoo, typed):
    odoo.vendor.lacks = {"email_normalized", "phone_sanitized"}
    remote_id = odoo.seed(name="Sara", phone=typed)
    assert odoo.push(odoo.request(email=None, tax=None)).remote_id == remote_id
    another = odoo.seed(name="Omar", email="OMAR_1@example.com")
    odoo.seed(name="Umar", email="omarx1@example.com")
    assert odoo.push(odoo.request("c2", phone=None, email="omar_1@example.com", tax=None)).remote_id == another


def test_an_email_with_a_name_around_it_is_found(odoo):
    remote_id = odoo.seed(name="Sara", email=f"Sara <{EMAIL}>")
    assert odoo.push().remote_id == remote_id


def test_the_people_of_a_company_are_not_the_company(odoo):
    "Odoo copies a company's VAT number to each of them."
    company = odoo.seed(name="Palm", vat=TAX)
    odoo.seed(name="Sara", vat=TAX, company=int(company))
    assert odoo.push(odoo.request(phone=None, email=None)).remote_id == company


def test_an_archived_contact_is_found_and_stays_archived(odoo):
    remote_id = odoo.seed(name="Sara", vat=TAX, active=False)
    outcome = odoo.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert [contact["active"] for contact in odoo.contacts()] == [False]


def test_lists_and_groups_are_written_as_load_wants_them(odoo):
    odoo.push(made(odoo, category_id=["Guests", "VIP"], is_company=False, parent_id="7"))
    load = asked(odoo, "load")[0]
    row = dict(zip(load["fields"], load["data"][0], strict=True))
    assert (row["category_id"], row["is_company"], row["parent_id/.id"]) == ("Guests,VIP", "false", "7")


def test_a_wrong_field_fails_at_once_with_odoos_words(either):
    outcome = either.push(made(either, nosuch={"a": 1}))
    assert isinstance(outcome, Fail)
    assert "Invalid field name 'nosuch'" in outcome.reason
    assert "Traceback" not in repr(outcome)
    assert either.contacts() == []


def test_a_wrong_match_field_fails_at_once(either):
    outcome = either.push(replace(either.request(), match=(("nosuch", "x"), ("nested.name", "y"))))
    assert isinstance(outcome, Fail)
    assert "res.partner.nosuch" in outcome.reason


def test_a_refused_vat_number_fails_with_odoos_words(either):
    outcome = either.push(either.request(tax="123"))
    assert isinstance(outcome, Fail)
    assert "does not seem to be valid. Note: the expected format is" in outcome.reason
    assert "Sara" not in outcome.reason


def test_a_language_that_is_not_installed_is_left_out(odoo):
    outcome = odoo.push(made(odoo, lang="ar_001"))
    assert outcome.how == "created"
    assert outcome.warnings[0].startswith("lang: left out, for the target refuses it")


def test_an_odd_customer_id_has_an_external_id_too(odoo):
    outcome = odoo.push(odoo.request("عميل 7/..", phone=None, email=None, tax=None))
    assert outcome.how == "created"
    (xid,) = odoo.vendor.xids
    assert xid.isascii()
    assert len(xid) == len("__flavours__.x") + 40


def test_a_link_that_is_no_number_leads_nowhere(odoo):
    assert odoo.push(odoo.request(remote_id="x")).how == "created"


# What can go wrong


def test_a_database_that_is_down_is_asked_again(either):
    if either.vendor.old:
        data = {"name": "psycopg2.OperationalError", "message": "connection refused", "debug": "…"}
        fault = Fault("find", 200, json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 0, "data": data}}).encode())
    else:
        fault = Fault("find", 404, DOWN)
    either.vendor.faults = [fault] * 3
    outcome = either.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert ("OperationalError" if either.vendor.old else "database may be down") in outcome.reason


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("psycopg2.errors.SerializationFailure", 500, "sick"),
        ("psycopg2.errors.AdminShutdown", 500, "sick"),
        ("builtins.OSError", 500, "sick"),
        ("odoo.exceptions.AccessError", 403, "refused"),
        ("odoo.http.SessionExpiredException", 403, "refused"),
        ("werkzeug.exceptions.Forbidden", 403, "refused"),
        ("werkzeug.exceptions.ServiceUnavailable", 503, "sick"),
    ],
)
def test_the_name_says_what_happened(odoo, name, status, kind):
    odoo.vendor.faults = [Fault("create", status, json.dumps({"name": name, "message": "so it is"}).encode())] * 3
    outcome = odoo.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, kind)
    assert "so it is" in outcome.reason


def test_two_who_write_the_same_contact_try_again(either):
    said = "could not serialize access due to concurrent update"
    no = {"ids": False, "messages": [{"type": "error", "record": 0, "message": said}], "nextrow": 0}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": no} if either.vendor.old else no).encode()
    either.vendor.faults = [Fault("create", 200, body)]
    assert either.push().how == "created"
    either.vendor.faults = [Fault("create", 200, body)] * 3
    outcome = either.push(either.request("c2", phone=None, email=None, tax=None))
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", True)


def test_a_contact_deleted_between_look_and_write_is_made_anew(odoo):
    odoo.seed(name="Sara", vat=TAX)

    def deleted(self, row):
        self.contacts.clear()
        yield "Unknown database identifier '1'", ".id"

    odoo.vendor.wrong = lambda row: deleted(odoo.vendor, row) if ".id" in row else ()
    outcome = odoo.push()
    assert outcome.how == "created"
    assert any("is gone" in warning for warning in outcome.warnings)


def test_fields_that_are_none_are_no_answer(odoo):
    odoo.vendor.fields_get = lambda **_: {"hello": "world"}
    outcome = odoo.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert "no list of fields" in outcome.reason


# Many at once


def many(lab, count, **odd):
    requests = [lab.request(f"c{n}", phone=f"+96655{n:07}", email=f"c{n}@example.com", tax=None) for n in range(count)]
    for n, changed in odd.items():
        requests[int(n[1:])] = changed
    return requests


def test_a_hundred_are_made_with_four_calls(odoo):
    outcomes = odoo.push_many(many(odoo, 100))
    assert {outcome.how for outcome in outcomes} == {"created"}
    assert [len(call["data"]) for call in asked(odoo, "load")] == [100]
    assert len(odoo.vendor.requests) == 5  # version, fields, phones, e-mails, load
    again = odoo.push_many(many(odoo, 100))
    assert [(o.how, o.remote_id) for o in again] == [("unchanged", o.remote_id) for o in outcomes]
    assert len(odoo.contacts()) == 100


def test_linked_ones_are_read_at_once(odoo):
    first = odoo.push_many(many(odoo, 5))
    linked = [replace(r, remote_id=o.remote_id) for r, o in zip(many(odoo, 5), first, strict=True)]
    linked[2] = replace(linked[2], record=linked[2].record | {"name": "Omar"})
    del odoo.vendor.requests[:]
    outcomes = odoo.push_many(linked)
    assert [outcome.how for outcome in outcomes] == ["unchanged", "unchanged", "updated", "unchanged", "unchanged"]
    assert [call["domain"] for call in asked(odoo, "search_read")] == [[["id", "in", [1, 2, 3, 4, 5]]]]


@pytest.mark.parametrize("bad", [[0], [3], [9], [1, 4, 8], list(range(10))])
def test_each_has_its_own_outcome(either, bad):
    "Odoo keeps all or none and blames the first for what another did; still only the bad ones fail."
    odd = {
        f"c{n}": either.request(f"c{n}", phone=f"+96655{n:07}", email=f"c{n}@example.com", tax=f"12{n}") for n in bad
    }
    good = [
        either.request(f"c{n}", phone=f"+96655{n:07}", email=f"c{n}@example.com", tax=TAX[:-2] + f"{n}3")
        for n in range(10)
    ]
    outcomes = either.push_many([odd.get(f"c{n}", request) for n, request in enumerate(good)])
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Fail)] == bad
    assert all(outcome.how == "created" for n, outcome in enumerate(outcomes) if n not in bad)
    assert len(either.contacts()) == 10 - len(bad)


def test_a_batch_refused_without_a_name_goes_singly(odoo):
    odoo.vendor.faults = [Fault("create", 200, b'{"ids": false, "messages": [{"type": "error", "message": "no"}]}')]
    outcomes = odoo.push_many(many(odoo, 3))
    assert {(type(outcome), outcome.alone, outcome.spent) for outcome in outcomes} == {(Retry, True, False)}


def test_a_wrong_field_sends_each_alone_and_then_fails(odoo):
    requests = [replace(request, record=request.record | {"nosuch": "x"}) for request in many(odoo, 2)]
    assert [outcome.alone for outcome in odoo.push_many(requests)] == [True, True]
    assert isinstance(odoo.push(requests[0]), Fail)


def test_a_lost_lease_writes_nothing(odoo):
    outcomes = odoo.push_many(many(odoo, 3), Run(ours=False))
    assert {type(outcome) for outcome in outcomes} == {Retry}
    assert odoo.contacts() == []


def test_those_with_other_fields_go_in_another_call(odoo):
    odoo.push_many(many(odoo, 4, c1=odoo.request("c1", email=None, tax=None)))
    assert sorted(len(call["data"]) for call in asked(odoo, "load")) == [1, 3]


# Check


def test_the_check_names_version_fields_and_rights(either):
    either.vendor.lacks = {"company_registry"}
    fields = [
        "name",
        "nmae",
        "company_registry",
        "country_code",
        "category_id/id",
        "l10n_sa_edi_building_number",
        "zzz",
    ]
    check = either.target.check(fields)
    assert not check.ok
    assert check.lines == (
        f"vendor.example.com is Odoo {either.vendor.version} and takes the API key",
        "nmae: Odoo has no such field, did you mean `name`?; mend the mapping",
        "zzz: Odoo has no such field; mend the mapping",
        "company_registry: this Odoo does not have it, so it is left out",
        "l10n_sa_edi_building_number: this Odoo does not have it, so it is left out",
    )
    assert either.target.check(["name", "country_code"]).ok


def test_the_check_says_what_the_user_may_not(either):
    either.vendor.may = False
    check = either.target.check(["name"])
    assert not check.ok
    assert check.lines[1] == "the key's user may not create contacts; give it Contact Creation"


def test_it_is_delivered_as_the_pack_says(odoo):
    "The shipped mapping's fields are Odoo's."
    assert isinstance(
        odoo.push(made(odoo, street="King Fahd Road", street2="Al Olaya", city="Riyadh", zip="12211")), Delivered
    )
    assert odoo.contacts()[0] | {"phone": PHONE, "ref": "c1", "zip": "12211"} == odoo.contacts()[0]

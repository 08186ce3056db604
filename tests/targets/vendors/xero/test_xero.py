"""Xero's own ways, answered as its specification says."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector.config import TargetConfig
from connector.mapping.customers import CUSTOMERS
from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.kinds import open_target
from connector.targets.vendors.xero import KIND, Xero
from tests.targets.conftest import EMAIL, PHONE, mounted
from tests.targets.lab import Fixed, mapped, shipped
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.xero.lab import TENANT, XERO_TOKEN, complaint, guid, settings

KEEP = ("Phones[0].PhoneNumber", "Addresses")


@pytest.fixture
def xero(mocked):
    return mounted("xero", mocked)


def answer(*contacts):
    return json.dumps({"Id": guid(1), "Status": "OK", "Contacts": list(contacts)}).encode()


def test_a_contact_is_made_with_the_tenant_and_a_key_of_its_own(xero):
    xero.push()
    (put,) = xero.vendor.said("PUT")
    assert put.headers["xero-tenant-id"] == TENANT
    assert put.query == {"summarizeErrors": "false"}
    assert put.payload == {
        "Contacts": [
            {
                "Name": "Sara Ahmed",
                "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": PHONE}],
                "EmailAddress": EMAIL,
                "TaxNumber": "310122393500003",
                "ContactNumber": "c1",
            }
        ]
    }
    assert len(put.headers["Idempotency-Key"]) <= 128


def test_the_same_create_again_has_the_same_key_and_another_has_another(xero):
    xero.vendor.faults = [Fault("create", 500)] * 3
    xero.push()
    xero.push(xero.request(maybe_sent=True))
    other = xero.push(xero.request("c2", email="other@example.com", phone=None))
    keys = [put.headers["Idempotency-Key"] for put in xero.vendor.said("PUT")]
    assert other.how == "created"
    assert len(set(keys[:4])) == 1
    assert len(set(keys[3:])) == 3  # and a third for the name with a suffix


def test_no_update_goes_by_the_name(xero):
    remote_id = xero.seed(name="Sara", email=EMAIL)
    xero.push()
    xero.push(xero.request(name="Sara Salem", remote_id=remote_id))
    assert [[one["ContactID"] for one in post.payload["Contacts"]] for post in xero.vendor.said("POST")] == [
        [remote_id]
    ] * 2


def test_only_what_changed_is_posted(xero):
    remote_id = xero.push().remote_id
    xero.push(xero.request(name="Sara Salem", remote_id=remote_id))
    (post,) = xero.vendor.said("POST")
    assert post.payload == {"Contacts": [{"ContactID": remote_id, "Name": "Sara Salem"}]}


def test_who_is_archived_is_found_by_our_number_and_not_by_his_email(xero):
    remote_id = xero.push().remote_id
    xero.vendor.contacts[remote_id]["ContactStatus"] = "ARCHIVED"
    assert xero.push().remote_id == remote_id
    other = xero.push(xero.request("c2"))
    assert (other.how, other.remote_id == remote_id) == ("created", False)


def test_a_name_is_found_however_it_is_typed(xero):
    remote_id = xero.seed(name="SARA Ahmed", phone="0551234567")
    assert xero.push(xero.request(email=None)).remote_id == remote_id
    asked = [get.query for get in xero.vendor.said("GET")]
    assert [query.get("where") or query["searchTerm"] for query in asked] == [
        'ContactNumber=="c1"', 'Name=="Sara Ahmed"', "Sara Ahmed",
    ]  # fmt: skip


def test_quotes_cannot_end_a_filter(xero):
    name = 'He said "hi" \\ and " OR Name!=""'
    xero.seed(name=name, phone="0559999999")
    outcome = xero.push(xero.request(name=name))
    assert outcome.how == "created"
    assert len(xero.contacts()) == 2


def test_a_name_without_what_xero_refuses(xero):
    assert xero.push(xero.request(name="Sara  <b>Ahmed")).how == "created"
    assert [c["name"] for c in xero.contacts()] == ["Sara b Ahmed"]


def test_a_mapping_without_a_name_leaves_the_name_alone(xero):
    remote_id = xero.push().remote_id
    assert xero.push(xero.request(name=None, remote_id=remote_id)).how == "unchanged"


# Phones and addresses


def with_address(request, **fields):
    return replace(request, record={**request.record, "Addresses": [{"AddressType": "STREET", **fields}]})


def test_what_we_do_not_have_stays(xero):
    remote_id = xero.seed(name="Sara", email=EMAIL)
    there = xero.vendor.contacts[remote_id]
    there["Phones"][0] |= {"PhoneNumber": "2345678", "PhoneAreaCode": "11"}
    there["Phones"][3] |= {"PhoneNumber": "7654321", "PhoneAreaCode": "50", "PhoneCountryCode": "966"}
    there["Addresses"][0] |= {"City": "Jeddah"}
    there["Addresses"][1] |= {"City": "Dammam", "Region": "Eastern"}
    outcome = xero.push(with_address(xero.request(), AddressLine1="King Fahd Road", City="Riyadh"))
    (sent,) = xero.vendor.said("POST")[0].payload["Contacts"]
    assert (outcome.how, outcome.warnings) == ("updated", ())
    assert {one["PhoneType"]: one for one in sent["Phones"]}.keys() == {"DEFAULT", "DDI", "FAX", "MOBILE"}
    assert there["Phones"][0]["PhoneNumber"] == "2345678"
    assert there["Phones"][3] == {
        "PhoneType": "MOBILE",
        "PhoneNumber": PHONE,
        "PhoneAreaCode": "",
        "PhoneCountryCode": "",
    }
    assert there["Addresses"][0]["City"] == "Jeddah"
    assert [there["Addresses"][1][name] for name in ("AddressLine1", "City", "Region")] == [
        "King Fahd Road",
        "Riyadh",
        "Eastern",
    ]


def test_four_empty_phones_are_none(xero):
    remote_id = xero.push(xero.request(phone=None)).remote_id
    request = with_address(xero.request(fill_if_empty=KEEP, remote_id=remote_id), City="Riyadh")
    assert xero.push(request).how == "updated"
    there = xero.vendor.contacts[remote_id]
    assert (there["Phones"][3]["PhoneNumber"], there["Addresses"][1]["City"]) == (PHONE, "Riyadh")


def test_what_staff_typed_is_kept(xero):
    remote_id = xero.seed(
        name="Sara Ahmed", email=EMAIL, phone="0559999999", ContactNumber="c1", tax_number="310122393500003"
    )
    xero.vendor.contacts[remote_id]["Addresses"][0]["City"] = "Jeddah"
    request = with_address(xero.request(fill_if_empty=KEEP), City="Riyadh")
    assert xero.push(request).how == "unchanged"


@pytest.mark.parametrize(
    "parts",
    [
        {"PhoneNumber": "1234567", "PhoneAreaCode": "55", "PhoneCountryCode": "966"},
        {"PhoneNumber": "55 123 4567", "PhoneCountryCode": "+966"},
        {"PhoneNumber": "0551234567"},
        {"PhoneNumber": "00966551234567"},
    ],
)
def test_a_number_in_parts_is_the_number(xero, parts):
    remote_id = xero.push(xero.request(phone=None)).remote_id
    xero.vendor.contacts[remote_id]["Phones"][3] |= parts
    assert xero.push().how == "unchanged"


def test_a_foreign_number_is_left_as_it_is_typed(xero):
    remote_id = xero.push(xero.request(phone=None)).remote_id
    xero.vendor.contacts[remote_id]["Phones"][1] |= {"PhoneNumber": "847-1294", "PhoneAreaCode": "(626)"}
    xero.push()
    assert xero.vendor.contacts[remote_id]["Phones"][1]["PhoneNumber"] == "847-1294"


# Switched off


def test_a_new_contact_is_active_and_archived_by_its_next_change(xero):
    off = replace(xero.request(), record={**xero.request().record, "ContactStatus": "ARCHIVED"})
    outcome = xero.push(off)
    assert (outcome.how, outcome.warnings) == ("created", ("ContactStatus: left out, for a new contact is active; its next change says it",))  # fmt: skip
    assert "ContactStatus" not in xero.vendor.said("PUT")[0].payload["Contacts"][0]
    assert xero.push(off).how == "updated"
    assert [row["ContactStatus"] for row in xero.vendor.contacts.values()] == ["ARCHIVED"]


# Merged by staff


def test_a_contact_that_was_merged_leads_on_to_the_other(xero):
    gone, kept = xero.seed(name="Sara A."), xero.seed(name="Sara", email="sara.a@example.com")
    xero.vendor.contacts[gone] |= {"ContactStatus": "ARCHIVED", "MergedToContactID": kept, "ContactNumber": "c1"}
    by_link = xero.push(xero.request(remote_id=gone, email=None))
    by_number = xero.push(xero.request(email=None))
    assert [by_link.remote_id, by_number.remote_id] == [kept, kept]


def test_a_contact_that_was_merged_into_nobody_is_gone(xero):
    remote_id = xero.seed(name="Sara A.")
    xero.vendor.contacts[remote_id] |= {"ContactStatus": "ARCHIVED", "MergedToContactID": guid(77)}
    outcome = xero.push(xero.request(remote_id=remote_id))
    assert outcome.how == "created"
    assert any(remote_id in warning for warning in outcome.warnings)


# Names and numbers that are taken


def test_two_of_one_name_do_not_go_together(xero):
    requests = [xero.request(f"c{n}", f"+96655123456{n}", f"c{n}@example.com", None) for n in range(3)]
    outcomes = xero.push_many(requests)
    assert [(type(o), getattr(o, "after", None)) for o in outcomes] == [(Delivered, None), (Retry, 0.0), (Retry, 0.0)]
    again = xero.push_many(requests[1:])
    assert again[0].how == "created"
    assert sorted(c["name"] for c in xero.contacts()) == ["Sara Ahmed", "Sara Ahmed (c1)"]


def test_a_number_that_is_there_after_all_is_the_contact(xero):
    remote_id = xero.seed(name="Sara", ContactNumber="c1")
    xero.vendor.faults = [Fault("find", 200, answer())] * 2
    outcome = xero.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_a_number_that_is_there_and_is_not_found_is_held(xero):
    xero.seed(name="Sara", ContactNumber="c1")
    xero.vendor.hides = True
    outcome = xero.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_a_number_that_is_there_and_cannot_be_asked_for_waits(xero):
    xero.seed(name="Sara", ContactNumber="c1")
    xero.vendor.faults = [Fault("find", 200, answer())] * 2
    element = {"ContactNumber": "c1"} | complaint("Contact Number c1 is already assigned to another contact")
    xero.vendor.faults += [Fault("create", 200, answer(element)), Fault("find", 429)]
    assert xero.push().trouble.kind == "busy"


# What can go wrong


@pytest.mark.parametrize(
    "body",
    [
        answer(),
        answer({"ContactNumber": "c1", "ContactID": "7"}),
        answer({"ContactNumber": "c2", "ContactID": guid(7)}),
        answer("x"),
    ],
)
def test_an_answer_that_is_not_about_the_contact_may_have_been_a_yes(xero, body):
    xero.vendor.faults = [Fault("create", 200, body)] * 3
    outcome = xero.push()
    assert (type(outcome), outcome.maybe_sent) == (Retry, True)


@pytest.mark.parametrize("body", [answer({"Name": "Sara"}), answer({"ContactID": "7"})])
def test_contacts_without_an_id_are_no_answer(xero, body):
    xero.vendor.faults = [Fault("find", 200, body)]
    assert xero.push().trouble.kind == "sick"


def test_an_error_without_a_reason_is_one(xero):
    xero.vendor.faults = [Fault("create", 200, answer({"ContactNumber": "c1", "StatusAttributeString": "ERROR"}))]
    outcome = xero.push()
    assert isinstance(outcome, Fail)
    assert "without a reason" in outcome.reason


def test_a_description_is_a_reason_too(xero):
    wrong = {"ContactNumber": "c1", "ValidationErrors": [{"Description": "Country is not valid"}]}
    xero.vendor.faults = [Fault("create", 200, answer(wrong))]
    assert "Country is not valid" in xero.push().reason


def test_an_address_that_is_refused_fails(xero):
    element = {"ContactNumber": "c1", "Addresses": [complaint("Country may hold letters only")]}
    xero.vendor.faults = [Fault("create", 200, answer(element))]
    outcome = xero.push(with_address(xero.request(), Country="4"))
    assert isinstance(outcome, Fail)
    assert "letters only" in outcome.reason


def test_a_404_in_words_is_one(xero):
    remote_id = xero.push().remote_id
    xero.vendor.faults = [Fault("update", 404, b"The resource you're looking for cannot be found")]
    outcome = xero.push(xero.request(name="Sara Salem", remote_id=remote_id))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert any("is gone" in warning for warning in outcome.warnings)


def limited(**headers):
    return [Fault(status=429, headers={name.replace("_", "-"): value for name, value in headers.items()})]


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"X_Rate_Limit_Problem": "day", "Retry_After": "66975"}, 66975.0),
        ({"X_Rate_Limit_Problem": "day"}, 5400.0),
        ({"X_Rate_Limit_Problem": "minute"}, 60.0),
        ({"X_Rate_Limit_Problem": "concurrent"}, None),
    ],
)
def test_a_limit_is_waited_for(mocked, headers, after):
    xero = mounted("xero", mocked)
    clock = Clock(now=lambda: datetime(2026, 11, 23, 22, 30, tzinfo=UTC), sleep=xero.slept.append)
    xero.make = lambda base: Xero(
        KIND.schema.load(settings(base, allow_private=True)), Around(clock), Fixed(XERO_TOKEN)
    )
    xero.vendor.faults = limited(**headers)
    outcome = xero.push()
    assert (outcome.trouble.kind, outcome.trouble.after) == ("busy", after)
    assert headers["X_Rate_Limit_Problem"] in outcome.reason


# The organisation


def test_the_organisation_is_found(mocked):
    xero = mounted("xero", mocked, tenant_id=None)
    target = xero.target
    assert xero.push(target=target).how == "created"
    xero.push(target=target)
    assert [request.path for request in xero.vendor.requests].count("/connections") == 1
    assert TENANT in target.check().lines[0]


@pytest.mark.parametrize(
    ("tenants", "said"),
    [
        ([], "connected to 0 organisations of Xero; run connector targets connect"),
        (
            [{"tenantId": "a", "tenantName": "A", "tenantType": "ORGANISATION"}] * 2,
            "set tenant_id to one of a (A), a (A)",
        ),
    ],
)
def test_which_organisation_must_be_known(mocked, tenants, said):
    xero = mounted("xero", mocked, tenant_id=None)
    xero.vendor.tenants = [*tenants, {"tenantId": "p", "tenantType": "PRACTICE"}]
    outcome = xero.push()
    assert outcome.trouble.kind == "refused"
    assert said in outcome.reason
    assert not xero.target.check().ok


def test_connections_that_are_no_list(mocked):
    xero = mounted("xero", mocked, tenant_id=None)
    xero.vendor.tenants = {"hello": "world"}
    assert xero.push().trouble.kind == "sick"


def test_another_organisation_may_be_connected_meanwhile(mocked):
    xero = mounted("xero", mocked, tenant_id=None)
    target, theirs = xero.target, xero.vendor.tenants
    xero.vendor.tenants = [{"tenantId": guid(5), "tenantType": "ORGANISATION"}]
    refused = xero.push(target=target)
    assert refused.trouble.kind == "refused"
    assert "look at the credentials and what they permit, and at tenant_id" in refused.reason
    xero.vendor.tenants = theirs
    assert xero.push(target=target).how == "created"


def test_the_ways_of_oauth2():
    person = KIND.oauth2(KIND.schema.load(settings()))
    own = KIND.oauth2(KIND.schema.load(settings(oauth2={"client_id": "a", "client_secret": "b", "grant": "client_credentials"})))  # fmt: skip
    assert (person.grant, person.connects, person.ways.scope) == ("refresh_token", True, "offline_access accounting.contacts")  # fmt: skip
    assert (own.grant, own.connects, own.ways.scope) == ("client_credentials", False, "accounting.contacts")


def test_another_organisation_is_another_account():
    opened = [open_target(TargetConfig("books", "xero", settings(tenant_id=tenant))) for tenant in (TENANT, guid(3))]
    assert opened[0].account != opened[1].account


# The shipped mapping


def test_the_shipped_mapping_fits(xero):
    mapping = shipped("xero")
    assert xero.target.check([rule.target for rule in mapping.fields]).ok
    requests = [mapped(mapping, **customer) for customer in CUSTOMERS.values()]
    outcomes = xero.push_many(requests)
    assert {o.how for o in outcomes} == {"created"}
    warned = [name for name, o in zip(CUSTOMERS, outcomes, strict=True) if o.warnings]
    assert warned == ["inactive"]  # new, and active until its next change
    again = xero.push_many(requests)
    assert {name: o.how for name, o in zip(CUSTOMERS, again, strict=True) if o.how != "unchanged"} == {
        "inactive": "updated"
    }


def test_a_number_of_another_system_is_not_written_over(xero):
    mapping = shipped("xero")
    xero.seed(name="Sara", email="sara@example.com", ContactNumber="POS-12")
    request = mapped(mapping, **CUSTOMERS["person"])
    held = xero.push(request)
    assert (type(held), held.code) == (Hold, "already_linked")
    (remote_id,) = xero.vendor.contacts
    assert xero.push(replace(request, remote_id=remote_id)).how == "updated"
    assert xero.vendor.contacts[remote_id]["ContactNumber"] == "POS-12"

"""What only Zoho Books does: persons and their numbers, names of vendors, tax pairs, its codes, the custom field."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector.config import TargetConfig
from connector.mapping.customers import CUSTOMERS
from connector.models import Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.kinds import open_target
from connector.targets.vendors.zoho_books import KIND, ZohoBooks
from tests.targets.conftest import mount
from tests.targets.lab import EMAIL, PHONE, TAX, mapped, shipped
from tests.targets.stub_vendor import Fault, served
from tests.targets.vendors.zoho_books.lab import KEY, error, lab, settings
from tests.targets.zoho_lab import ZOHO_TOKEN, Tokens

EVENING = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # 21:00 in Riyadh


def opened(mocked, **more):
    made = lab(**more)
    mount(mocked, made.vendor)
    return made


@pytest.fixture
def books(mocked):
    return opened(mocked)


@pytest.fixture
def plain(mocked):
    "An organization without the custom field."
    made = opened(mocked, unique_field=None)
    made.vendor.fields = []
    return made


def fault(status, code, message, purpose=""):
    return Fault(purpose, status, json.dumps(error(status, code, message)[1]).encode())


def outcome_of(books, *faults, **more):
    books.vendor.faults = list(faults)
    return books.push(books.request(**more))


def contact(books, remote_id):
    return books.vendor.contacts[int(remote_id)]


def persons(books, remote_id):
    return contact(books, remote_id)["contact_persons"]


# Asking


def test_every_request_names_the_organization_and_carries_zohos_own_word(books):
    books.push()
    assert {r.query["organization_id"] for r in books.vendor.requests} == {"10234695"}
    assert {r.headers["Authorization"] for r in books.vendor.requests} == {f"Zoho-oauthtoken {ZOHO_TOKEN}"}


def test_a_phone_is_asked_once_by_its_digits_and_an_email_as_it_is_among_all(books):
    books.push()
    asked = [r.query for r in books.vendor.said("GET")]
    assert [{k: q[k] for k in q if k in ("phone_contains", "email")} for q in asked] == [
        {"phone_contains": "551234567"},
        {"email": EMAIL},
    ]
    assert {q["filter_by"] for q in asked} == {"Status.All"}


def test_a_number_under_mobile_is_the_phone_too(books):
    remote_id = books.seed(**{"contact_name": "Sara", "contact_persons[0].mobile": "0551234567"})
    books.vendor.answers = lambda row, query: "phone_contains" in query
    assert books.push().remote_id == remote_id


def test_a_second_person_is_found_and_read_whole(books):
    seeded = {
        "contact_name": "Palm",
        "contact_persons[0].email": "info@palm.example",
        "contact_persons[1].email": EMAIL,
    }
    remote_id = books.seed(**seeded)
    assert books.push(books.request(phone=None, fill_if_empty=("contact_persons",))).remote_id == remote_id


def test_digits_inside_another_number_are_no_hit_and_no_ignored_filter(books):
    books.seed(name="Omar", phone="+15551234567")
    assert books.push().how == "created"


def test_a_long_listing_is_read_to_its_end(books):
    for n in range(205):
        books.seed(name=f"Other {n}", phone=f"+966 55 999 {n:04d}")
    remote_id = books.seed(name="Sara", phone=PHONE)
    books.vendor.ignores_filter = True
    assert books.push().remote_id == remote_id


def test_many_of_one_phone_are_held_without_reading_all(books):
    for n in range(15):
        books.seed(name=f"Sara {n}", phone=PHONE)
    outcome = books.push()
    assert (type(outcome), outcome.code) == (Hold, "two_matches")
    assert len([r for r in books.vendor.said("GET") if r.path != "/contacts"]) == 10


def test_a_contact_that_goes_away_while_it_is_read_is_nobody(books):
    remote_id = books.seed(name="Sara", phone=PHONE)
    work = books.vendor.work
    gone = error(404, 1002, "Contact does not exist.")
    books.vendor.work = lambda request: gone if request.path.endswith(remote_id) else work(request)
    assert books.push(books.request(name="Sara Salem")).how == "created"


def test_an_inactive_customer_is_found(books):
    remote_id = books.seed(name="Sara", phone=PHONE, status="inactive")
    assert books.push().remote_id == remote_id


def test_a_vendor_with_the_phone_is_not_the_customer(books):
    books.seed(name="Supplier", phone=PHONE, contact_type="vendor")
    outcome = books.push()
    assert outcome.how == "created"
    assert len(books.contacts()) == 2


def test_a_vendor_of_the_name_never_becomes_a_customer(books):
    books.seed(name="Sara Ahmed", phone=PHONE, contact_type="vendor")
    outcome = books.push(books.request("c4a868ea-735e"))
    assert [c["name"] for c in books.contacts()] == ["Sara Ahmed", "Sara Ahmed (c4a868ea)"]
    assert any("suffix" in warning for warning in outcome.warnings)


def test_a_long_name_that_is_taken_is_asked_by_its_beginning(books):
    name = "Sara " * 30 + "Ahmed"
    remote_id = books.seed(name=name, phone="0551234567")
    books.vendor.hides = True
    assert books.push(books.request(name=name)).remote_id == remote_id
    assert [len(q) for r in books.vendor.said("GET") if (q := r.query.get("contact_name_startswith"))] == [100]


def test_a_value_that_zoho_cannot_be_asked_for_is_told(books):
    request = books.request()
    outcome = books.push(replace(request, match=(("tax_reg_no", TAX), *request.match)))
    assert outcome.warnings == ("tax_reg_no: not looked up by it; Zoho Books cannot be asked for it",)


# Making


def test_a_new_customer_is_made_by_the_unique_field(books):
    books.push()
    (put,) = books.vendor.said("PUT")
    names = [f"X-{part}" for part in ("Unique-Identifier-Key", "Unique-Identifier-Value", "Upsert")]
    assert [put.headers[name] for name in names] == [KEY, "c1", "true"]
    assert put.payload["custom_fields"] == [{"api_name": KEY, "value": "c1"}]


def test_a_mapping_without_the_custom_field_still_signs_the_contact(books):
    request = books.request()
    record = {name: value for name, value in request.record.items() if name != "custom_fields"}
    books.push(replace(request, record=record | {"custom_fields": [{"api_name": "cf_crn", "value": "1010010000"}]}))
    (made,) = books.vendor.contacts.values()
    assert books.vendor.custom(made) == {KEY: "c1", "cf_crn": "1010010000"}


def test_a_customer_without_phone_and_email_is_found_by_the_name_that_is_signed(books):
    first = books.push(books.request(phone=None, email=None))
    again = books.push(books.request(phone=None, email=None))
    assert (again.how, again.remote_id) == ("unchanged", first.remote_id)
    other = books.push(books.request("c2", phone=None, email=None))
    assert (other.how, other.remote_id != first.remote_id) == ("created", True)


def test_a_customer_whom_only_zoho_remembers_is_written_over_and_it_is_said(books):
    remote_id = books.seed(name="Sara", phone="0559999999", customer="c1")
    outcome = books.push(books.request(phone=None, email=None))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert outcome.warnings == (
        f"Zoho Books knew this customer already by {KEY}: the whole record was written over it",
    )


def test_an_upsert_that_answers_200_for_a_new_contact_made_it(books):
    work = books.vendor.work
    books.vendor.work = lambda request: (200, work(request)[1])
    assert books.push().how == "created"


def test_without_a_unique_field_a_new_customer_is_posted(plain):
    assert plain.push().how == "created"
    (post,) = plain.vendor.said("POST")
    assert "X-Upsert" not in post.headers
    assert plain.vendor.said("PUT") == []


def test_without_a_unique_field_a_lost_create_is_looked_for_first(plain):
    answer = Fault("create", 502, commits=True)
    outcome = outcome_of(plain, answer)
    assert (type(outcome), outcome.maybe_sent, outcome.after) == (Retry, True, 7.0)
    assert plain.push(plain.request(maybe_sent=True)).how == "unchanged"
    assert len(plain.contacts()) == 1


def test_an_id_that_no_header_holds_is_posted(books):
    outcome = books.push(books.request("زبون"))
    assert outcome.how == "created"
    assert [r.method for r in books.vendor.said("create")] == ["POST"]


# Changing


def test_persons_who_are_not_the_customer_keep_their_place(books):
    remote_id = books.seed(
        **{
            "contact_name": "Sara Ahmed",
            "contact_persons[0].first_name": "Omar",
            "contact_persons[0].email": "omar@example.com",
            "contact_persons[0].is_primary_contact": True,
            "contact_persons[1].salutation": "Ms.",
            "contact_persons[1].mobile": "0551234567",
        }
    )
    before = [person["contact_person_id"] for person in persons(books, remote_id)]
    assert books.push(books.request(remote_id=remote_id)).how == "updated"
    sent = books.vendor.said("update")[0].payload["contact_persons"]
    assert [person.get("is_primary_contact") for person in sent] == [None, True]  # Zoho takes no false
    after = {person["contact_person_id"]: person for person in persons(books, remote_id)}
    assert sorted(after) == sorted(before)
    assert (after[before[1]]["salutation"], after[before[1]]["email"]) == ("Ms.", EMAIL)
    assert (after[before[0]]["email"], after[before[0]]["is_primary_contact"]) == ("omar@example.com", True)


def test_a_person_like_nobody_is_the_primary_one_and_a_second_one_is_added(books):
    remote_id = books.seed(name="Sara Ahmed", phone="+966559999999", email="old@example.com")
    (before,) = persons(books, remote_id)
    request = books.request(remote_id=remote_id)
    both = [*request.record["contact_persons"], {"first_name": "Huda", "email": "huda@example.com"}]
    books.push(replace(request, record=request.record | {"contact_persons": both}))
    first, second = persons(books, remote_id)
    assert (first["contact_person_id"], first["phone"]) == (before["contact_person_id"], PHONE)
    assert (second["email"], second["contact_person_id"] != before["contact_person_id"]) == ("huda@example.com", True)


def test_a_contact_without_persons_gets_one(books):
    remote_id = books.seed(name="Sara Ahmed")
    books.push(books.request(remote_id=remote_id, fill_if_empty=("contact_persons",)))
    assert [person["phone"] for person in persons(books, remote_id)] == [PHONE]


def test_protected_persons_are_not_sent_at_all(books):
    remote_id = books.seed(name="Sara", phone="+966559999999")
    books.push(books.request(remote_id=remote_id, fill_if_empty=("contact_persons",)))
    (put,) = books.vendor.said("update")
    assert "contact_persons" not in put.payload


def test_an_update_names_the_contact_and_keeps_the_tax_pair_together(books):
    remote_id = books.seed(
        **{"contact_name": "Sara Ahmed", "tax_treatment": "vat_registered", "custom_fields[0].value": "c1"}
    )
    books.push(books.request(phone=None, email=None, remote_id=remote_id))
    (put,) = books.vendor.said("update")
    assert put.payload == {"contact_name": "Sara Ahmed", "tax_treatment": "vat_registered", "tax_reg_no": TAX}


def test_a_new_name_that_is_taken_leaves_the_old_one(books):
    books.seed(name="Sara Ahmed", phone="+966559999999")
    remote_id = books.seed(name="Sara", phone=PHONE)
    outcome = books.push()
    assert (outcome.how, outcome.remote_id, contact(books, remote_id)["contact_name"]) == ("updated", remote_id, "Sara")
    assert contact(books, remote_id)["tax_reg_no"] == TAX
    assert any("another contact has the new name" in warning for warning in outcome.warnings)


def test_custom_fields_that_come_with_their_label_alone_are_known(books):
    books.vendor.short = True
    first = books.push()
    assert books.push(books.request(remote_id=first.remote_id)).how == "unchanged"


def test_a_refused_language_is_left_out(books):
    books.vendor.bad = [("language_code", "ar", "")]
    request = books.request()
    outcome = books.push(replace(request, record=request.record | {"language_code": "ar"}))
    assert outcome.how == "created"
    assert any(warning.startswith("language_code: left out") for warning in outcome.warnings)


def test_a_refused_tax_number_fails_with_zohos_words(books):
    books.vendor.bad = [("tax_reg_no", None, "Invalid value passed for tax_reg_no")]
    outcome = books.push()
    assert (type(outcome), books.contacts()) == (Fail, [])
    assert "Invalid value passed for tax_reg_no" in outcome.reason


# Codes


LIMITS = [
    (44, "your organization has been blocked as it have exceeded the maximum number of requests per minute", 60.0),
    (45, "The API call for this organization has exceeded the maximum call rate limit of 1000.", 3 * 3600.0),
    (1070, "You have reached the maximum number of in process requests allowed.", 5.0),
]


@pytest.mark.parametrize(("code", "said", "wait"), LIMITS)
def test_a_limit_pauses_the_target_as_long_as_it_lasts(books, code, said, wait):
    clock = Clock(now=lambda: EVENING, sleep=books.slept.append)
    target = ZohoBooks(KIND.schema.load(settings(books.base)), Around(clock), Tokens())
    books.vendor.faults = [fault(429, code, said)]
    outcome = books.push(target=target)
    assert (outcome.spent, outcome.trouble.kind, outcome.trouble.after) == (False, "busy", wait)
    assert said in outcome.reason


CURES = [
    (401, 14, "the access token is not accepted"),
    (401, 57, "ZohoBooks.contacts.READ"),
    (400, 6041, "look at organization_id"),
    (401, 9017, "look at organization_id"),
    (403, 1038, "look at the credentials"),
]


@pytest.mark.parametrize(("status", "code", "cure"), CURES)
def test_a_refusal_holds_the_target_and_says_what_to_look_at(books, status, code, cure):
    outcome = outcome_of(books, *[fault(status, code, "not for you")] * 2)
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert cure in outcome.reason


@pytest.mark.parametrize("code", [14, 57])
def test_a_token_that_ended_is_renewed_once(books, code):
    assert outcome_of(books, fault(401, code, "Invalid access token")).how == "created"


UNCLEAR = [
    (404, 5, "Invalid URL Passed"),
    (500, 1000, "Internal Error"),
    (200, 1001, "Please try again"),
    (200, True, ""),
]


@pytest.mark.parametrize(("status", "code", "said"), UNCLEAR)
def test_what_is_no_answer_to_a_question_is_asked_again_later(books, status, code, said):
    outcome = outcome_of(books, *[fault(status, code, said, "find")] * 3)
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert said in outcome.reason


@pytest.mark.parametrize("purpose", ["find", "create"])
@pytest.mark.parametrize("more", [{}, {"contacts": ["x"], "contact": "x"}])
def test_a_good_code_without_contacts_is_no_answer(books, purpose, more):
    body = json.dumps({"code": 0, "message": "success"} | more).encode()
    outcome = outcome_of(books, *[Fault(purpose, 200, body)] * 3)
    assert (type(outcome), outcome.maybe_sent) == (Retry, purpose == "create")


def test_a_contact_of_another_id_is_no_answer(books):
    remote_id = books.seed(name="Sara", phone=PHONE)
    other = {"code": 0, "message": "success", "contact": {"contact_id": 7}}
    books.vendor.faults = [Fault("find", 200, json.dumps(other).encode())] * 3
    outcome = books.push(books.request(remote_id=remote_id))
    assert (type(outcome), "not that contact" in outcome.reason) == (Retry, True)


def test_a_refused_question_fails(books):
    outcome = outcome_of(books, fault(400, 2, "Invalid value passed for filter_by", "find"))
    assert (type(outcome), "filter_by" in outcome.reason) == (Fail, True)
    linked = books.request(remote_id="460000000000026049")
    books.vendor.faults = [fault(400, 2, "Invalid value passed for contact_id", "find")]
    assert isinstance(books.push(linked), Fail)


# The check


def lines(books, **more):
    check = books.target.check(**more)
    return check.ok, check.lines


def test_the_check_finds_the_organization_and_the_field(books):
    ok, said = lines(books)
    assert (ok, said) == (True, ("vendor.example.com answers for the organization 10234695", f"{KEY} is there"))
    assert {r.method for r in books.vendor.requests} == {"GET"}


def test_the_check_says_how_to_make_the_field(books):
    books.vendor.fields = []
    ok, said = lines(books, fix=True)
    assert (ok, f"no custom field {KEY}" in said[1], "prevents duplicates" in said[1]) == (False, True, True)


@pytest.mark.parametrize(
    ("more", "ok", "words"),
    [
        ({"is_unique": False}, False, "takes a value twice; in Settings"),
        ({"unique": True}, True, "is there"),
        ({}, True, "look there"),
    ],
)
def test_the_check_looks_whether_a_value_can_stand_there_twice(books, more, ok, words):
    books.vendor.fields = [{"api_name": KEY} | more]
    found, said = lines(books)
    assert (found, words in said[1]) == (ok, True)


def test_the_check_is_good_where_only_the_settings_may_not_be_read(books):
    refused = fault(401, 57, "You are not authorized to perform this operation")
    books.vendor.faults = [Fault(), refused, refused]
    ok, said = lines(books)
    assert (ok, "could not be asked" in said[1], "ZohoBooks.settings.READ" in said[1]) == (True, True, True)


def test_the_check_says_what_goes_without_the_field(plain):
    assert lines(plain)[1][1].startswith("unique_field is null")


def test_the_check_refuses_another_system(books):
    books.vendor.faults = [Fault("", 200, b'{"hello": "world"}')] * 3
    ok, said = lines(books)
    assert (ok, "not Zoho Books' own" in said[0]) == (False, True)


# The shipped mapping


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_a_linked_customer_of_the_shipped_mapping_is_not_written_again(books, customer):
    request = mapped(shipped("zoho_books"), **CUSTOMERS[customer])
    first = books.push(request)
    before = len(books.vendor.requests)
    again = books.push(replace(request, remote_id=first.remote_id))
    assert (again.how, len(books.vendor.requests) - before) == ("unchanged", 1)


def test_what_accountants_curate_stays(books):
    remote_id = books.seed(
        **{
            "contact_name": "Ms. Sara",
            "customer_sub_type": "business",
            "tax_treatment": "vat_registered",
            "tax_reg_no": TAX,
            "billing_address.city": "Al Riyadh",
            "contact_persons[0].phone": "055 123 4567",
            "contact_persons[0].email": EMAIL,
        }
    )
    outcome = books.push(mapped(shipped("zoho_books"), **CUSTOMERS["person"]))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    there = contact(books, remote_id)
    assert (there["contact_name"], there["customer_sub_type"], there["tax_reg_no"]) == ("Ms. Sara", "business", TAX)
    assert (there["billing_address"]["city"], there["billing_address"]["zip"]) == ("Al Riyadh", "12211")
    assert [person["phone"] for person in there["contact_persons"]] == ["055 123 4567"]
    assert books.vendor.custom(there) == {KEY: CUSTOMERS["person"]["id"]}


# Its tokens


def test_a_target_of_the_configuration_asks_for_its_token_by_itself():
    made = lab()
    work = made.vendor.work
    token = {
        "access_token": ZOHO_TOKEN,
        "api_domain": "https://www.zohoapis.sa",
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    made.vendor.decode = lambda body: json.loads(body) if body and body.startswith(b"{") else body
    made.vendor.work = lambda request: (200, token) if request.path == "/oauth/v2/token" else work(request)
    with served(made.vendor) as base:
        said = settings(base, allow_private=True)
        said["oauth2"] = said["oauth2"] | {"token_url": f"{base}/oauth/v2/token"}
        target = open_target(TargetConfig("books", "zoho_books", said, "config.yaml", {"": (1, 1)}))
        assert target.check().ok
        assert made.push(target=target).how == "created"
    asked = [r for r in made.vendor.requests if r.path == "/oauth/v2/token"]
    assert [b"grant_type=refresh_token" in r.payload for r in asked] == [True]

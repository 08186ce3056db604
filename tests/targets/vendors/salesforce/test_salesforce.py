"""What only Salesforce does: its codes, its duplicate rules, SOQL, and tokens that end."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector.config import TargetConfig
from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.kinds import oauth2, open_target
from connector.targets.vendors.salesforce import KIND
from tests.targets.conftest import mount
from tests.targets.lab import EMAIL, PHONE
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.salesforce.lab import CLIENT, KEY, SECRET, described, lab, problem, settings


@pytest.fixture
def salesforce(mocked):
    made = lab()
    mount(mocked, made.vendor)
    return made


def with_rule(mocked, rule):
    made = lab(on_duplicate_rule=rule)
    made.vendor.rule = True
    mount(mocked, made.vendor)
    return made


def fault(problems, status, purpose="create"):
    return Fault(purpose, status, json.dumps(problems).encode())


def outcome_of(salesforce, *faults, **more):
    salesforce.vendor.faults = list(faults)
    return salesforce.push(salesforce.request(**more))


def result(code, message, *fields, **more):
    return [{"success": False, "errors": [problem(code, message, *fields, key="statusCode", **more)]}]


def with_field(salesforce, **fields):
    request = salesforce.request()
    return replace(request, record=request.record | fields)


# Its codes


def test_the_quota_of_the_day_pauses_the_target_for_half_an_hour(salesforce):
    outcome = outcome_of(salesforce, fault([problem("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")], 403))
    assert (outcome.trouble.kind, outcome.trouble.after, outcome.spent) == ("busy", 1800.0, False)


def test_too_many_at_once_is_over_sooner(salesforce):
    too_many = [problem("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")]
    assert outcome_of(salesforce, fault(too_many, 403)).trouble.after is None


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE"])
def test_what_passes_is_tried_again_whatever_the_status(salesforce, code, status):
    assert outcome_of(salesforce, fault([problem(code, "busy")], status)).how == "created"


def test_a_locked_contact_is_tried_again_at_the_next_attempt(salesforce):
    salesforce.vendor.locked = 1
    outcomes = salesforce.push_many([salesforce.request(f"c{n}", None, None) for n in range(2)])
    assert [type(o) for o in outcomes] == [Retry, Delivered]
    assert "UNABLE_TO_LOCK_ROW" in outcomes[0].reason


def test_a_missing_right_holds_the_target(salesforce):
    outcome = outcome_of(salesforce, fault([problem("API_DISABLED_FOR_ORG", "not enabled")], 403))
    assert (outcome.trouble.kind, "not enabled" in outcome.reason) == ("refused", True)


@pytest.mark.parametrize("field", ["Email", "MobilePhone", "MailingCountry"])
def test_a_value_that_salesforce_does_not_take_is_left_out(salesforce, field):
    wrong = {"Email": "sara@@example.com", "MobilePhone": "5" * 41, "MailingCountry": "Saudi"}[field]
    salesforce.vendor.bad = [("MobilePhone", "5" * 41, "data value too large")]
    outcome = salesforce.push(with_field(salesforce, **{field: wrong}))
    assert (outcome.how, outcome.warnings[0].partition(":")[0]) == ("created", field)


def test_a_value_of_no_picklist_is_left_out_whatever_the_field(salesforce):
    outcome = salesforce.push(with_field(salesforce, Language__c="ur"))
    assert (outcome.how, outcome.warnings[0].partition(":")[0]) == ("created", "Language__c")


def test_a_missing_name_fails_with_its_field(salesforce):
    outcome = salesforce.push(salesforce.request(name=None))
    assert (type(outcome), "REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]" in outcome.reason) == (
        Fail,
        True,
    )


def test_an_unknown_field_fails_with_its_name(salesforce):
    outcome = salesforce.push(with_field(salesforce, Shoe_Size__c="43"))  # the query that fails names our field, too
    assert (type(outcome), "No such column 'Shoe_Size__c'" in outcome.reason) == (Fail, True)


@pytest.mark.parametrize("rows", [[], [None, None], {"a": 1}, None, ["x"], [{}]])
def test_a_list_that_does_not_speak_of_a_linked_contact_is_no_gone(salesforce, rows):
    first = salesforce.push()
    outcome = outcome_of(salesforce, *[fault(rows, 200, "find")] * 3, name="New", remote_id=first.remote_id)
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")


def test_another_contact_than_the_linked_one_is_not_written_to(salesforce):
    first, other = salesforce.push(), salesforce.seed(name="Omar")
    rows = [{"Id": other, "LastName": "Omar"}]
    outcome = outcome_of(salesforce, fault(rows, 200, "find"), name="New", remote_id=first.remote_id)
    assert (outcome.remote_id, salesforce.vendor.contacts[other]["LastName"]) == (first.remote_id, "Omar")


def test_an_id_of_fifteen_characters_is_the_same_contact(salesforce):
    first = salesforce.push()
    again = salesforce.push(salesforce.request(name="New", remote_id=first.remote_id[:15]))
    assert (again.remote_id, again.how) == (first.remote_id, "updated")


def test_our_field_missing_holds_the_target(salesforce):
    del salesforce.vendor.fields[KEY]
    outcome = salesforce.push()
    assert outcome.trouble.kind == "refused"
    assert "with Unique and External ID" in outcome.reason


def test_our_field_that_is_no_external_id_holds_the_target(mocked):
    made = lab(external_id_field="Other_Id__c")
    made.vendor.fields["Other_Id__c"] = described("Other_Id__c")
    mount(mocked, made.vendor)
    outcome = made.push()
    assert (outcome.trouble.kind, "Other_Id__c" in outcome.reason) == ("refused", True)


def test_a_version_that_is_not_there_holds_the_target(mocked):
    made = lab(version="v99.0")
    mount(mocked, made.vendor)
    outcome = made.push()
    assert outcome.trouble.kind == "refused"
    assert outcome.reason.endswith("look at `version` and at the address")


@pytest.mark.parametrize(("code", "fields"), [("ENTITY_IS_DELETED", ()), ("INVALID_CROSS_REFERENCE_KEY", ())])
def test_a_contact_that_vanished_is_looked_for_anew(salesforce, code, fields):
    first = salesforce.push()
    vanished = fault(result(code, "gone", *fields), 200, "update")
    outcome = outcome_of(salesforce, vanished, name="New", remote_id=first.remote_id)
    assert (outcome.how, outcome.remote_id) == ("updated", first.remote_id)
    assert "is gone" in outcome.warnings[0]


def test_a_wrong_reference_in_a_field_is_no_vanished_contact(salesforce):
    outcome = outcome_of(salesforce, fault(result("INVALID_CROSS_REFERENCE_KEY", "invalid id", "AccountId"), 200))
    assert (type(outcome), outcome.code) == (Fail, "rejected")


@pytest.mark.parametrize("body", [[], [{}, {}], [{"success": True}], [{"success": False, "errors": []}], {"a": 1}])
def test_an_answer_that_does_not_speak_of_the_contact_is_in_doubt(salesforce, body):
    outcome = outcome_of(salesforce, *[fault(body, 200)] * 3)
    assert (type(outcome), outcome.maybe_sent) == (Retry, True)


# Who is it?


def test_several_contacts_with_our_id_are_held(salesforce):
    "Possible where the field is not unique; an upsert would be refused, with both."
    for name in ("Sara", "Sara A."):
        salesforce.seed(name=name, customer="c1")
    outcome = salesforce.push()
    assert (type(outcome), outcome.code) == (Hold, "two_matches")
    assert all(remote_id in outcome.reason for remote_id in salesforce.vendor.contacts)


def test_more_than_one_at_the_upsert_is_held(salesforce):
    several = result("DUPLICATE_EXTERNAL_ID", "Flavours_Id__c: more than one record found for external id field")
    assert outcome_of(salesforce, fault(several, 200)).code == "already_there"


def test_a_value_that_is_there_already_leads_to_that_contact(salesforce):
    "Another worker made it between our question and our write."
    remote_id = salesforce.seed(name="Sara", customer="c1")
    salesforce.vendor.query = lambda request, path: salesforce.vendor.page_of([], 0)
    taken = fault(
        result("DUPLICATE_VALUE", f"duplicate value found: {KEY} duplicates value on record with id: {remote_id}"), 200
    )
    outcome = outcome_of(salesforce, taken)
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_a_duplicate_rule_leads_to_the_contact_that_agrees(mocked):
    made = with_rule(mocked, "update_match")
    remote_id = made.seed(name="Sara", email=EMAIL)
    made.vendor.query = lambda request, path: made.vendor.page_of([], 0)  # not for our eyes
    outcome = made.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_a_duplicate_rule_with_two_contacts_is_for_a_person(mocked):
    made = with_rule(mocked, "update_match")
    for name in ("Sara", "Sara A."):
        made.seed(name=name, email=EMAIL)
    made.vendor.query = lambda request, path: made.vendor.page_of([], 0)
    assert made.push().code == "already_there"


def test_a_duplicate_rule_may_hold(mocked):
    made = with_rule(mocked, "hold")
    made.seed(name="Sara", email=EMAIL)
    made.vendor.query = lambda request, path: made.vendor.page_of([], 0)
    outcome = made.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")
    assert "Use one of these records?" in outcome.reason


def test_a_duplicate_rule_may_be_passed_over(mocked):
    made = with_rule(mocked, "allow_save")
    made.seed(name="Sara", email=EMAIL)
    made.vendor.query = lambda request, path: made.vendor.page_of([], 0)
    assert made.push().how == "created"


def test_a_person_passes_over_the_rule_for_one(mocked):
    made = with_rule(mocked, "hold")
    made.seed(name="Sara", email=EMAIL)
    outcomes = made.push_many([made.request("c1", create_anyway=True), made.request("c2", None, None)])
    assert [o.how for o in outcomes] == ["created", "created"]


def test_texts_are_quoted_in_a_query(salesforce):
    evil = "o'hara\\') OR Name != ('x"
    remote_id = salesforce.seed(name="Sara", Tax_Number__c=evil)
    salesforce.seed(name="Other", Tax_Number__c="x")
    request = replace(salesforce.request(), match=(("Tax_Number__c", evil), ("Bad Name", "x")))
    assert salesforce.push(request).remote_id == remote_id
    assert "\n" not in request.record
    lines = replace(salesforce.request("c2"), match=(("Tax_Number__c", "a\r\nb"),))
    assert salesforce.push(lines).how == "created"


def test_a_query_fits_into_an_address(salesforce):
    phones = [f"+96655{n:07d}" for n in range(1234567, 1234767)]
    outcomes = salesforce.push_many([salesforce.request(f"c{n:034d}", phone, f"customer-number-{n}@a-long-domain.example.com") for n, phone in enumerate(phones)])  # fmt: skip
    assert {outcome.how for outcome in outcomes} == {"created"}
    assert len(salesforce.vendor.said("find")) > 4
    assert salesforce.vendor.longest < 16_000


def test_an_id_that_salesforce_cannot_have_is_not_asked_for(salesforce):
    outcome = salesforce.push(salesforce.request(remote_id="7"))
    assert (outcome.how, "contact 7" in outcome.warnings[0]) == ("created", True)
    assert not any("composite" in request.path for request in salesforce.vendor.said("find"))


def test_a_list_is_read_to_its_end(salesforce):
    for n in range(5):
        salesforce.seed(name=f"Sara {n}", email=EMAIL if n in (1, 4) else None, phone=PHONE)
    salesforce.vendor.page_size = 2
    outcome = salesforce.push(salesforce.request(email=None))
    assert outcome.code == "two_matches"
    assert len(salesforce.vendor.said("find")) == 4


@pytest.mark.parametrize("more", ["https://elsewhere.example.net/", "@elsewhere.example.net", None])
def test_a_list_that_goes_on_elsewhere_is_no_list(salesforce, more):
    page = {"totalSize": 1, "done": False, "records": [], "nextRecordsUrl": more}
    outcome = outcome_of(salesforce, fault(page, 200, "find"))
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert "does not end" in outcome.reason


def test_a_list_without_end_is_given_up(salesforce):
    page = {"done": False, "records": [], "nextRecordsUrl": "/services/data/v68.0/query/01g-0"}
    outcome = outcome_of(salesforce, *[fault(page, 200, "find")] * 20)
    assert "does not end" in outcome.reason


def test_several_values_go_as_one_text(salesforce):
    assert salesforce.push(with_field(salesforce, MailingCity=["Riyadh", "Jeddah"])).how == "created"
    assert [row["MailingCity"] for row in salesforce.vendor.contacts.values()] == ["Riyadh;Jeddah"]
    assert salesforce.push(with_field(salesforce, MailingCity=["Riyadh", "Jeddah"])).how == "unchanged"


# Tokens


def test_a_session_that_ended_is_renewed_and_the_write_goes_out(salesforce):
    target = salesforce.target
    assert salesforce.push(salesforce.request("c1", None, None), target=target).how == "created"
    salesforce.vendor.tokens = set()
    assert salesforce.push(salesforce.request("c2", None, None), target=target).how == "created"
    assert [form["grant_type"] for form in salesforce.vendor.asked] == ["client_credentials"] * 2
    assert salesforce.vendor.asked[0] | {"client_id": CLIENT, "client_secret": SECRET} == salesforce.vendor.asked[0]


@pytest.fixture(scope="module")
def pem():
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(("domain", "audience"), [("acme", "login"), ("acme--test.sandbox", "test")])
def test_a_jwt_says_who_asks_and_for_whom(mocked, pem, domain, audience):
    made = lab()
    made.vendor.base = ""
    said = {"my_domain": domain, "oauth2": {"client_id": CLIENT, "private_key": pem, "username": "connector@acme.test"}}
    url = f"https://{domain}.my.salesforce.com"
    mount_at(mocked, made.vendor, url)
    target = open_target(TargetConfig("crm", "salesforce", said))
    assert target.check().ok
    (form,) = made.vendor.asked
    claims = json.loads(urlsafe_b64decode(form["assertion"].split(".")[1] + "=="))
    assert (form["grant_type"].rpartition(":")[2], claims["iss"], claims["sub"]) == ("jwt-bearer", CLIENT, "connector@acme.test")  # fmt: skip
    assert claims["aud"] == f"https://{audience}.salesforce.com"
    assert oauth2(TargetConfig("crm", "salesforce", said)).ways.token_url == f"{url}/services/oauth2/token"


def mount_at(mock, vendor, url):
    def reply(request):
        status, headers, body, _ = vendor.answer(request.method, request.url, request.headers, request.body)
        return status, headers, body

    for method, path in (("POST", "/services/oauth2/token"), ("GET", "/services/data/v68.0/sobjects/Contact/describe"), ("GET", "/services/data/v68.0/limits")):  # fmt: skip
        mock.add_callback(method, url + path, reply, content_type=None)


def test_a_wrong_secret_holds_the_target(mocked):
    made = lab(oauth2={"client_id": CLIENT, "client_secret": "wrong"})
    mount(mocked, made.vendor)
    outcome = made.push()
    assert (outcome.trouble.kind, "client_id and client_secret" in outcome.reason) == ("refused", True)


# Settings and check


WRONG = [
    {"version": "68"},
    {"external_id_field": "Flavours Id"},
    {"on_duplicate_rule": "always"},
    {"my_domain": "https://acme"},
    {"oauth2": {"client_id": "c"}},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
def test_wrong_settings_are_refused(wrong):
    assert KIND.schema.validate(settings(**wrong)).keys() == wrong.keys()


def test_an_address_is_needed():
    said = {name: value for name, value in settings().items() if name != "base_url"}
    assert KIND.schema.validate(said) == {"my_domain": ["is missing"]}


def test_check_is_good_where_all_is_there(salesforce):
    check = salesforce.target.check(["LastName", "Email", KEY, "Account.Name"])
    assert check.ok
    assert check.lines[1:] == (
        f"{KEY} is there, unique and an external id",
        "LastName is there",
        "Email is there",
        "14982 of 15000 requests are left for today",
    )
    assert salesforce.vendor.contacts == {}


def test_check_tells_all_that_is_missing(salesforce):
    salesforce.vendor.fields[KEY]["unique"] = False
    salesforce.vendor.fields["Email"]["updateable"] = False
    salesforce.vendor.left = 0
    check = salesforce.target.check(["Email", "Shoe_Size__c"], fix=True)
    assert not check.ok
    assert [line[:34] for line in check.lines[1:]] == [
        "the contact needs a field Flavours",
        "Email may not be written by the co",
        "the contact has no field Shoe_Size",
        "LastName must be filled, and the m",
        "0 of 15000 requests are left for t",
    ]


def test_check_without_a_mapping_asks_for_no_name(salesforce):
    assert salesforce.target.check().ok


def test_who_may_not_see_the_limits_is_good_all_the_same(salesforce):
    asked = salesforce.vendor.work
    salesforce.vendor.work = lambda request: (
        (403, [problem("INSUFFICIENT_ACCESS", "no")]) if request.path.endswith("/limits") else asked(request)
    )
    check = salesforce.target.check()
    assert (check.ok, len(check.lines)) == (True, 2)


def test_check_takes_nothing_else_for_a_description(salesforce):
    salesforce.vendor.faults = [Fault("GET", 200, b'{"fields": 7}')]
    assert "does not describe a contact" in salesforce.target.check().lines[0]

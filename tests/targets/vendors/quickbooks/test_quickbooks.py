"""QuickBooks Online's own ways, answered as its documents and working clients say."""

import json
from dataclasses import replace

import pytest

from connector.config import TargetConfig
from connector.errors import Refused
from connector.mapping.customers import CUSTOMERS
from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.base import NoToken
from connector.targets.kinds import open_target
from connector.targets.vendors.quickbooks import KIND
from tests.targets.conftest import EMAIL, PHONE, TAX, mounted
from tests.targets.lab import Fixed, mapped, shipped
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.quickbooks.lab import QB_TOKEN, REALM, fault, settings, unproven


@pytest.fixture
def quickbooks(mocked):
    return mounted("quickbooks", mocked)


def said(body, status=400, method="", **headers):
    return Fault(method, status, json.dumps(body).encode(), headers)


def with_fields(request, **fields):
    return replace(request, record={**request.record, **fields})


def test_a_customer_is_made_with_a_request_id(quickbooks):
    quickbooks.push()
    (post,) = quickbooks.vendor.said("POST")
    assert post.path == f"/v3/company/{REALM}/customer"
    assert post.query["minorversion"] == "75"
    assert len(post.query["requestid"]) <= 50
    assert post.payload == {
        "DisplayName": "Sara Ahmed",
        "Mobile": {"FreeFormNumber": PHONE},
        "PrimaryEmailAddr": {"Address": EMAIL},
        "PrimaryTaxIdentifier": TAX,
    }


def test_the_same_create_again_has_the_same_id_and_a_suffix_another(quickbooks):
    "With the id of the first, the second would be answered as the first was: with a refusal."
    quickbooks.vendor.others = ["Sara Ahmed"]
    outcome = quickbooks.push()
    assert outcome.how == "created"
    quickbooks.vendor.contacts.clear()
    quickbooks.vendor.faults = [Fault("create", 500)] * 3
    quickbooks.push()
    ids = [post.query["requestid"] for post in quickbooks.vendor.said("POST")]
    assert len(set(ids[:2])) == 2
    assert set(ids[2:]) == {ids[0]}


def test_questions_are_asked_by_email_only(quickbooks):
    quickbooks.push()
    (get,) = quickbooks.vendor.said("GET")
    assert get.query["query"] == (
        f"select * from Customer where PrimaryEmailAddr = '{EMAIL}' startposition 1 maxresults 100"
    )


def test_quotes_cannot_end_a_query(quickbooks):
    name = "O'Hara \\' or Active in (true)"
    quickbooks.seed(name=name, phone="+966559999999")
    outcome = quickbooks.push(quickbooks.request(name=name))
    assert outcome.how == "created"
    assert len(quickbooks.contacts()) == 2


def test_a_name_without_what_quickbooks_refuses(quickbooks):
    request = with_fields(quickbooks.request(name="Sara:\tAhmed\nSalem"), GivenName="Sara:", FamilyName=None)
    quickbooks.push(request)
    assert quickbooks.vendor.said("POST")[0].payload["GivenName"] == "Sara"
    assert [c["name"] for c in quickbooks.contacts()] == ["Sara Ahmed Salem"]


# Updates


def test_an_update_names_the_version_and_what_changed(quickbooks):
    remote_id = quickbooks.push().remote_id
    quickbooks.push(quickbooks.request(name="Sara Salem", remote_id=remote_id))
    *_, post = quickbooks.vendor.said("POST")
    assert post.payload == {"DisplayName": "Sara Salem", "Id": remote_id, "SyncToken": "0", "sparse": True}
    assert len(quickbooks.vendor.said("GET")) == 2  # the e-mail for the new one, the link for the other


def test_a_group_keeps_what_staff_have_in_it(quickbooks):
    remote_id = quickbooks.push().remote_id
    quickbooks.vendor.contacts[remote_id]["BillAddr"] = {"Id": "7", "Line3": "Second floor", "City": "Jeddah"}
    quickbooks.push(with_fields(quickbooks.request(), BillAddr={"City": "Riyadh"}))
    there = quickbooks.vendor.contacts[remote_id]
    assert there["BillAddr"] == {"Id": "7", "Line3": "Second floor", "City": "Riyadh"}


STALE = said(fault("5010", "Stale Object Error"), method="update")


def test_who_was_slower_writes_over_what_the_other_left(quickbooks):
    remote_id = quickbooks.push().remote_id
    quickbooks.vendor.contacts[remote_id]["SyncToken"] = "3"
    quickbooks.vendor.faults = [STALE]
    assert quickbooks.push(quickbooks.request(name="Sara Salem")).how == "updated"
    assert [c["name"] for c in quickbooks.contacts()] == ["Sara Salem"]


def test_who_is_slower_twice_fails(quickbooks):
    quickbooks.push()
    quickbooks.vendor.faults = [STALE, STALE]
    outcome = quickbooks.push(quickbooks.request(name="Sara Salem"))
    assert isinstance(outcome, Fail)
    assert "Stale Object Error" in outcome.reason


def test_who_is_gone_when_looked_at_again_is_made_anew(quickbooks):
    remote_id = quickbooks.push().remote_id
    gone = said(fault("610", "Object Not Found"), method="find")
    quickbooks.vendor.faults = [Fault("find"), STALE, gone]
    outcome = quickbooks.push(quickbooks.request(name="Sara Salem", remote_id=remote_id))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert any("is gone" in warning for warning in outcome.warnings)


def test_a_refused_update_is_no_old_version(quickbooks):
    quickbooks.push()
    quickbooks.vendor.faults = [said(fault("2010", "Invalid"), method="update")]
    assert isinstance(quickbooks.push(quickbooks.request(name="Sara Salem")), Fail)


def test_a_tax_number_is_compared_by_its_last_five(quickbooks):
    remote_id = quickbooks.push().remote_id
    assert quickbooks.push().how == "unchanged"
    quickbooks.vendor.contacts[remote_id]["PrimaryTaxIdentifier"] = "310122393599993"
    outcome = quickbooks.push()
    assert (outcome.how, outcome.warnings) == ("updated", ())
    assert quickbooks.contacts()[0]["tax_number"] == TAX


# Switched off


def test_a_new_customer_is_active_and_switched_off_by_its_next_change(quickbooks):
    off = with_fields(quickbooks.request(), Active=False)
    outcome = quickbooks.push(off)
    assert (outcome.how, outcome.warnings) == ("created", ("Active: left out, for a new customer is active; its next change says it",))  # fmt: skip
    assert quickbooks.push(off).how == "updated"
    assert [row["Active"] for row in quickbooks.vendor.contacts.values()] == [False]


# Names


def test_a_vendor_or_an_employee_of_the_name_is_somebody_else(quickbooks):
    quickbooks.vendor.others = ["SARA AHMED"]
    outcome = quickbooks.push()
    assert (outcome.how, [c["name"] for c in quickbooks.contacts()]) == ("created", ["Sara Ahmed (c1)"])
    held = quickbooks.push(quickbooks.request("c2", email=None, on_name_taken="hold"))
    assert (type(held), held.code) == (Hold, "name_taken")


def test_an_inactive_customer_of_the_name_is_the_same_person(quickbooks):
    remote_id = quickbooks.seed(name="Sara Ahmed", phone="055 123 4567")
    quickbooks.vendor.contacts[remote_id]["Active"] = False
    assert quickbooks.push().remote_id == remote_id
    (asked,) = [get.query["query"] for get in quickbooks.vendor.said("GET") if "DisplayName" in get.query["query"]]
    assert "DisplayName in ('Sara Ahmed', 'Sara Ahmed (deleted)') and Active in (true, false)" in asked


def noted(request):
    "As the shipped mapping says it."
    return with_fields(request, Notes=f"Flavours id {request.customer}")


def test_who_has_nothing_to_be_asked_by_is_known_by_the_id_in_notes(quickbooks):
    nothing = noted(quickbooks.request(phone=None, email=None, tax=None))
    quickbooks.vendor.faults = [Fault("create", 500, commits=True)] * 3
    lost = quickbooks.push(nothing)
    assert (type(lost), lost.maybe_sent, lost.after) == (Retry, True, None)
    quickbooks.vendor.answers.clear()  # QuickBooks does not remember request ids for ever
    outcome = quickbooks.push(replace(nothing, maybe_sent=True))
    assert isinstance(outcome, Delivered)
    assert len(quickbooks.contacts()) == 1


def test_notes_that_name_another_customer_are_believed(quickbooks):
    quickbooks.seed(name="Sara", email=EMAIL, Notes="VIP. Flavours id c2; call before noon")
    outcome = quickbooks.push(noted(quickbooks.request()))
    assert (type(outcome), outcome.code) == (Hold, "already_linked")


# Faults


@pytest.mark.parametrize(
    ("body", "status", "expired"),
    [
        (
            unproven("message=AuthenticationFailed; errorCode=003200; statusCode=401", "3200", "Token expired"),
            401,
            True,
        ),
        (fault("120", "Authorization Failure", kind="AuthorizationFault"), 401, False),
        (fault("6190", "Invalid Company Status", "Subscription period has ended"), 400, False),
        (fault("3100", "ApplicationAuthorizationFailed"), 403, False),
        (fault("9999", "unheard of", kind="AuthenticationFault"), 200, False),
    ],
)
def test_refused_credentials_and_subscriptions_hold_the_target(quickbooks, body, status, expired):
    quickbooks.vendor.faults = [said(body, status)]
    outcome = quickbooks.push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert ("there is no other" in outcome.reason) == expired


@pytest.mark.parametrize(
    ("body", "status", "after"),
    [
        (fault("3001", "message=ThrottleExceeded; errorCode=003001; statusCode=429", kind="SERVICE"), 429, 20.0),
        (fault("003001", "ThrottleExceeded", kind="SystemFault"), 400, 20.0),
        (fault("3001", "ThrottleExceeded"), 200, None),
    ],
)
def test_too_much_pauses_the_target(quickbooks, body, status, after):
    headers = {"Retry-After": "20"} if after else {}
    quickbooks.vendor.faults = [said(body, status, **headers)]
    outcome = quickbooks.push()
    assert (outcome.trouble.kind, outcome.trouble.after) == ("busy", after)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_of_the_system_is_no_fault_of_the_customer(quickbooks, status):
    body = fault("10000", "An application error has occurred while processing your request", kind="SystemFault")
    quickbooks.vendor.faults = [said(body, status, "create")] * 3
    outcome = quickbooks.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", True)


def test_a_fault_inside_a_200_fails_with_its_words_and_its_number(quickbooks):
    body = fault("2210", "Invalid Email Address format", "Email Address does not conform to RFC 822")
    quickbooks.vendor.faults = [said(body, 200, "create", intuit_tid="1-64f0a1b2-3c4d5e6f")]
    outcome = quickbooks.push()
    assert isinstance(outcome, Fail)
    assert "Email Address does not conform to RFC 822 (code 2210, intuit_tid 1-64f0a1b2-3c4d5e6f)" in outcome.reason


def test_one_that_has_no_element_names_no_field(quickbooks):
    both = fault("2010", "Bad", element="Mobile")
    both["Fault"]["Error"] += fault("2010", "Bad, too")["Fault"]["Error"]
    quickbooks.vendor.faults = [said(both, method="create")]
    assert isinstance(quickbooks.push(), Fail)


@pytest.mark.parametrize("body", [{"QueryResponse": {"Customer": [{"DisplayName": "Sara"}]}}, {"QueryResponse": {"Customer": {}}}, {"QueryResponse": {"Customer": ["x"]}}])  # fmt: skip
def test_what_is_no_list_of_customers_is_no_answer(quickbooks, body):
    quickbooks.vendor.faults = [said(body, 200)]
    assert quickbooks.push().trouble.kind == "sick"


def test_a_customer_read_by_id_must_be_that_customer(quickbooks):
    quickbooks.vendor.faults = [said({"Customer": {"Id": "99"}}, 200)]
    assert quickbooks.push(quickbooks.request(remote_hint="7")).trouble.kind == "sick"


def test_a_refused_id_fails(quickbooks):
    quickbooks.vendor.faults = [said(fault("2030", "Invalid ID"))]
    outcome = quickbooks.push(quickbooks.request(remote_hint="7/../8"))
    assert isinstance(outcome, Fail)
    assert quickbooks.vendor.requests[0].path.endswith("/customer/7/../8")


# The company


def test_the_company_comes_with_the_tokens(mocked):
    quickbooks = mounted("quickbooks", mocked, realm_id=None, tokens=Fixed(QB_TOKEN, realmId=REALM))
    assert quickbooks.push().how == "created"
    assert quickbooks.target.check().lines == (
        "vendor.example.com answers and takes the tokens for Sandbox Company_SA_1",
    )
    named = mounted("quickbooks", mocked)
    assert quickbooks.target.account == named.target.account


def test_without_a_company_the_target_is_held(mocked):
    quickbooks = mounted("quickbooks", mocked, realm_id=None)
    outcome = quickbooks.push()
    assert outcome.trouble.kind == "refused"
    assert "set realm_id, or connect again" in outcome.reason
    assert not quickbooks.target.check().ok


class Away(Fixed):
    "Tokens whose vault cannot be read now and then."

    problem = None

    @property
    def extra(self):
        if self.problem:
            raise self.problem
        return {"realmId": self.realm}

    def __init__(self, token):
        self.token, self.realm = token, REALM


@pytest.mark.parametrize("problem", [NoToken("the store is busy"), Refused("the key is another")])
def test_the_account_is_remembered_while_the_tokens_are_away(mocked, problem):
    tokens = Away(QB_TOKEN)
    target = mounted("quickbooks", mocked, realm_id=None, tokens=tokens).target
    before = target.account
    tokens.problem = problem
    assert target.account == before
    tokens.problem, tokens.realm = None, "4620816365"
    assert target.account != before


def test_the_ways_of_quickbooks():
    loaded = KIND.schema.load(settings(base_url=None))
    oauth2 = KIND.oauth2(loaded)
    assert (oauth2.grant, oauth2.connects, oauth2.ways.client_auth) == ("refresh_token", True, "basic")
    opened = [open_target(TargetConfig("books", "quickbooks", settings(base_url=None, sandbox=sandbox))) for sandbox in (True, False)]  # fmt: skip
    assert [target._http.host for target in opened] == [
        "sandbox-quickbooks.api.intuit.com",
        "quickbooks.api.intuit.com",
    ]
    assert opened[0].account != opened[1].account


# The shipped mapping


def test_the_shipped_mapping_fits(quickbooks):
    mapping = shipped("quickbooks")
    requests = [mapped(mapping, **customer) for customer in CUSTOMERS.values()]
    outcomes = [quickbooks.push(request) for request in requests]
    assert {o.how for o in outcomes} == {"created"}
    warned = [name for name, o in zip(CUSTOMERS, outcomes, strict=True) if o.warnings]
    assert warned == ["inactive"]  # new, and active until its next change
    linked = [replace(one, remote_id=o.remote_id) for one, o in zip(requests, outcomes, strict=True)]
    again = [quickbooks.push(request).how for request in linked]
    assert {name: how for name, how in zip(CUSTOMERS, again, strict=True) if how != "unchanged"} == {
        "inactive": "updated"
    }

"""What every kind of target must do, whatever its vendor is like."""

import json

import pytest

from connector.models import Delivered, Fail, Hold, Retry, Skip
from tests.targets.conftest import EMAIL, LABS, PHONE, TAX, TOKEN, Run, mount
from tests.targets.stub_vendor import Fault

SPELLED = ["+966551234567", "966551234567", "00966551234567", "0551234567", "551234567"]


def test_a_new_customer_is_created(lab):
    outcome = lab.push()
    assert (type(outcome), outcome.how) == (Delivered, "created")
    assert outcome.remote_id
    assert [c["name"] for c in lab.contacts()] == ["Sara Ahmed"]


def test_the_same_customer_again_is_not_created_twice(lab):
    first, again = lab.push(), lab.push()
    assert (again.how, again.remote_id) == ("unchanged", first.remote_id)
    assert len(lab.contacts()) == 1


def test_a_changed_customer_is_updated(lab):
    first = lab.push()
    again = lab.push(lab.request(name="Sara Salem"))
    assert (again.how, again.remote_id) == ("updated", first.remote_id)
    assert [c["name"] for c in lab.contacts()] == ["Sara Salem"]


def test_a_known_link_is_followed(lab):
    first = lab.push()
    again = lab.push(lab.request(name="Sara Salem", email=None, phone=None, tax=None, remote_id=first.remote_id))
    assert (again.how, again.remote_id) == ("updated", first.remote_id)
    assert len(lab.contacts()) == 1


def test_a_contact_that_a_person_wants_anew_is_not_made_again_after_a_lost_answer(web):
    "No rung could tell it from its look-alikes."
    outcome = web.push(web.request(create_anyway=True, maybe_sent=True))
    assert (type(outcome), outcome.code) == (Hold, "maybe_there")
    assert web.contacts() == []


def test_observe_writes_nothing(lab):
    outcome = lab.push(lab.request(observe=True))
    assert (type(outcome), outcome.reason) == (Skip, "observe: would create")
    assert outcome.proves_target
    assert lab.contacts() == []


def test_observe_tells_what_it_would_update(lab):
    first = lab.push()
    outcome = lab.push(lab.request(name="Sara Salem", observe=True))
    assert outcome.reason == f"observe: would update {first.remote_id}"
    assert [c["name"] for c in lab.contacts()] == ["Sara Ahmed"]


def test_observe_tells_that_nothing_would_change(lab):
    lab.push()
    assert "as it should be" in lab.push(lab.request(observe=True)).reason


def test_nothing_is_written_when_the_lease_was_lost(lab):
    outcome = lab.push(run=Run(ours=False))
    assert (type(outcome), outcome.spent, outcome.trouble) == (Retry, False, None)
    assert "lease" in outcome.reason
    assert lab.contacts() == []


def test_fill_if_empty_fills_only_what_is_empty(lab):
    lab.push(lab.request(email=None))
    lab.push(lab.request(name="Sara Salem", fill_if_empty=("name", "email")))
    assert [(c["name"], c["email"]) for c in lab.contacts()] == [("Sara Ahmed", EMAIL)]


def test_keep_is_never_written_again(lab):
    lab.push(lab.request(email=None))
    lab.push(lab.request(name="Sara Salem", keep=("name", "email")))
    assert [(c["name"], c.get("email") or "") for c in lab.contacts()] == [("Sara Ahmed", "")]


def test_a_check_writes_nothing(lab):
    assert lab.target.check().ok
    assert lab.contacts() == []


def test_the_account_tells_no_secret(lab):
    assert TOKEN not in lab.target.account
    assert "qoyod-key" not in lab.target.account


# Who is it?


@pytest.mark.parametrize("field", ["phone", "email", "tax_number"])
def test_a_contact_is_found_by_each_rung(web, field):
    values = {"phone": PHONE, "email": EMAIL, "tax_number": TAX}
    remote_id = web.seed(name="Sara", **{field: values[field]})
    outcome = web.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert len(web.contacts()) == 1


@pytest.mark.parametrize("typed", SPELLED)
def test_a_phone_stored_otherwise_is_found_by_qoyod(qoyod, typed):
    remote_id = qoyod.seed(name="Sara", phone=typed)
    assert qoyod.push(qoyod.request(email=None, tax=None)).remote_id == remote_id
    assert len(qoyod.contacts()) == 1


def test_a_vendor_that_finds_phones_by_number_answers_in_its_own_spelling(rest):
    remote_id = rest.seed(name="Sara", phone="0551234567")
    rest.vendor.ignores_filter = True
    assert rest.push(rest.request(tax=None, email=None)).code == "filter_ignored"  # the rung before it is by text
    assert rest.vendor.said("POST") == []
    assert rest.push(rest.request(remote_id=remote_id)).how == "updated"


def test_an_ignored_filter_never_makes_a_twin(web):
    for n in range(5):
        web.seed(name=f"Other {n}", phone=f"+96655000000{n}")
    web.vendor.ignores_filter = web.vendor.ignores_paging = True
    outcome = web.push()
    assert (type(outcome), outcome.code) == (Hold, "filter_ignored")
    assert len(web.contacts()) == 5


def test_everyone_instead_of_one_row_still_holds_the_one(qoyod):
    for n in range(5):
        qoyod.seed(name=f"Other {n}", phone=f"+96655000000{n}")
    remote_id = qoyod.seed(name="Sara", tax_number=TAX)
    qoyod.vendor.ignores_filter = True
    assert qoyod.push().remote_id == remote_id


def test_two_contacts_with_the_value_are_held(web):
    web.seed(name="Sara", tax_number=TAX)
    web.seed(name="Sara A.", tax_number=TAX)
    outcome = web.push()
    assert (type(outcome), outcome.code) == (Hold, "two_matches")
    assert "resolve" in outcome.reason


def test_a_contact_of_another_customer_is_held(web):
    remote_id = web.seed(name="Sara", phone=PHONE)
    outcome = web.push(run=Run({remote_id: "c2"}))
    assert (type(outcome), outcome.code) == (Hold, "already_linked")
    assert len(web.contacts()) == 1


def test_a_person_may_decide_that_it_is_new(web):
    web.seed(name="Sara", phone=PHONE)
    assert web.push(web.request(create_anyway=True)).how == "created"
    assert len(web.contacts()) == 2


def test_a_link_to_a_contact_that_is_gone_is_dropped(web):
    remote_id = web.seed(name="Sara", phone=PHONE)
    outcome = web.push(web.request(remote_id="99"))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert any("99" in warning for warning in outcome.warnings)


def test_a_hint_that_agrees_is_updated(web):
    remote_id = web.seed(name="Sara", phone="0551234567")
    outcome = web.push(web.request(remote_hint=remote_id))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert len(web.vendor.requests) == 2


def test_a_hint_to_somebody_else_is_held(web):
    remote_id = web.seed(name="Omar", phone="+966559999999")
    outcome = web.push(web.request(remote_hint=remote_id))
    assert (type(outcome), outcome.code) == (Hold, "id_differs")
    assert web.vendor.said("POST") == []


def test_a_hint_to_a_contact_of_another_customer_is_held(web):
    remote_id = web.seed(name="Sara", phone=PHONE)
    assert web.push(web.request(remote_hint=remote_id), Run({remote_id: "c2"})).code == "already_linked"


def test_a_hint_to_nobody_leads_to_the_next_rung(web):
    outcome = web.push(web.request(remote_hint="99"))
    assert outcome.how == "created"
    assert any("99" in warning for warning in outcome.warnings)


def test_a_lost_create_without_a_value_to_look_by_is_held(qoyod):
    outcome = qoyod.push(qoyod.request(phone=None, email=None, tax=None, maybe_sent=True))
    assert (type(outcome), outcome.code) == (Hold, "maybe_there")
    assert qoyod.vendor.requests == []


# What can go wrong


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_hold_the_target(web, status):
    web.vendor.faults = [Fault(status=status, body=b'{"error": {"message": "no"}}')]
    outcome = web.push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert web.contacts() == []


def test_refused_credentials_fail_the_check(web):
    web.vendor.faults = [Fault(status=401)]
    check = web.target.check()
    assert not check.ok
    assert "401" in check.lines[0]


def test_too_many_requests_with_a_time(web):
    web.vendor.faults = [Fault(status=429, headers={"Retry-After": "30"})]
    outcome = web.push()
    assert (outcome.spent, outcome.trouble.kind, outcome.trouble.after) == (False, "busy", 30.0)


def test_too_many_requests_without_a_time(web):
    web.vendor.faults = [Fault(status=429)]
    outcome = web.push()
    assert (outcome.spent, outcome.trouble.kind, outcome.trouble.after) == (False, "busy", None)


@pytest.mark.parametrize("kind", LABS)
def test_a_short_wait_is_waited_within_the_attempt(kind, mocked):
    lab = LABS[kind](timeout="5s")
    mount(mocked, lab.vendor)
    lab.vendor.faults = [Fault("POST", 429, headers={"Retry-After": "1"})]
    assert lab.push().how == "created"
    assert lab.slept == [1.0]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_sick_target_is_asked_again_and_nothing_is_created(web, status):
    web.vendor.faults = [Fault("GET", status)] * 3
    outcome = web.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert len(web.vendor.requests) == 3
    assert web.contacts() == []


def test_a_passing_sickness_costs_no_attempt(web):
    web.vendor.faults = [Fault("GET", 502)] * 2
    assert web.push().how == "created"


def test_a_sick_create_is_looked_for_before_it_is_repeated(web):
    web.vendor.faults = [Fault("POST", 500)]
    outcome = web.push()
    assert (outcome.maybe_sent, outcome.after, outcome.trouble.kind) == (True, 7.0, "sick")
    assert len(web.vendor.said("POST")) == 1


BAD = {
    "a web page": (b"<html>Welcome</html>", 200),
    "truncated JSON": (b'{"items": [{"id": 1', 200),
    "nothing": (b"", 200),
    "an error in a 200": (b'{"error": {"message": "database is away"}}', 200),
    "another shape": (b'{"hello": "world"}', 200),
    "a list of strings": (b'{"items": ["x"], "customers": ["x"]}', 200),
    "a web page for 404": (b"<html>Not Found</html>", 404),
}


@pytest.mark.parametrize("bad", BAD)
def test_an_unreadable_answer_to_a_question_is_never_nobody(web, bad):
    body, status = BAD[bad]
    web.vendor.faults = [Fault("GET", status, body)] * 3
    outcome = web.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert web.vendor.said("POST") == []


@pytest.mark.parametrize("bad", ["a web page", "truncated JSON", "nothing", "another shape"])
def test_an_unreadable_answer_to_a_create_may_have_been_a_yes(web, bad):
    body, status = BAD[bad]
    web.vendor.faults = [Fault("POST", status, body, commits=True)]
    outcome = web.push()
    assert (type(outcome), outcome.maybe_sent, outcome.after) == (Retry, True, 7.0)
    again = web.push(web.request(maybe_sent=True))
    assert isinstance(again, Delivered)
    assert len(web.contacts()) == 1


@pytest.mark.parametrize("status", [200, 400, 422])
def test_refused_data_fails_with_the_vendors_sentence(web, status):
    said = {"error": {"message": f"Email {EMAIL} of Sara Ahmed is already used"}}
    web.vendor.faults = [Fault("POST", status, json.dumps(said).encode())]
    outcome = web.push()
    assert (type(outcome), outcome.code) == (Fail, "rejected")
    assert "is already used" in outcome.reason
    assert EMAIL not in outcome.reason + outcome.answer
    assert "Sara" not in outcome.reason + outcome.answer


def test_a_redirect_is_never_followed(web):
    web.vendor.faults = [Fault(status=302, headers={"Location": "https://user:pw@elsewhere.example.net/login?key=1"})]
    outcome = web.push()
    assert outcome.trouble.kind == "refused"
    assert "redirect to elsewhere.example.net; set base_url" in outcome.reason
    assert len(web.vendor.requests) == 1


def test_a_refused_update_fails(web):
    web.seed(name="Sara", phone=PHONE)
    web.vendor.faults = [Fault("PUT", 422, b'{"errors": {"name": ["is too long"]}}')]
    outcome = web.push()
    assert isinstance(outcome, Fail)
    assert "name: is too long" in outcome.reason


def test_no_secret_in_any_outcome(web):
    secrets = (TOKEN, "qoyod-key-0123456789")
    for status in (302, 401, 422, 429, 500):
        web.vendor.faults = [Fault("", status, " ".join(secrets).encode())] * 3
        outcome = repr(web.push())
        assert not any(secret in outcome for secret in secrets)
    assert not any(secret in repr(vars(web.target)) for secret in secrets)


# True sockets


def test_a_target_that_is_away_costs_nothing(live):
    away = live.on("http://127.0.0.1:1/api")
    outcome = away.push()
    assert (outcome.spent, outcome.trouble.kind, outcome.maybe_sent) == (False, "busy", False)
    assert "connection refused" in outcome.reason


def test_a_host_that_does_not_exist_costs_nothing(live):
    outcome = live.on("http://no-such-host.invalid/api").push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "busy")
    assert "not found" in outcome.reason


@pytest.mark.parametrize("then", ["hang", "reset", "truncate", "nothing"])
def test_a_create_whose_answer_is_lost_is_made_once(live, then):
    live.vendor.faults = [Fault("POST", then=then)]
    outcome = live.push()
    assert (type(outcome), outcome.maybe_sent, outcome.after) == (Retry, True, 7.0)
    again = live.push(live.request(maybe_sent=True))
    assert again.how == "unchanged"
    assert len(live.vendor.said("POST")) == len(live.contacts()) == 1


@pytest.mark.parametrize("then", ["reset", "truncate", "nothing"])
def test_a_question_whose_answer_is_lost_is_asked_again(live, then):
    live.vendor.faults = [Fault("GET", then=then)]
    assert live.push().how == "created"


def test_a_question_without_an_answer_in_time_is_for_the_next_attempt(live):
    live.vendor.faults = [Fault("GET", then="hang")]
    outcome = live.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert live.contacts() == []


def test_an_update_whose_answer_is_lost_is_sent_again(live):
    remote_id = live.seed(name="Sara", phone=PHONE)
    live.vendor.faults = [Fault("PUT", then="reset")]
    assert live.push().how == "updated"
    assert [c["name"] for c in live.contacts()] == ["Sara Ahmed"]
    assert live.contacts()[0]["id"] == int(remote_id)


def test_no_secret_and_no_person_in_what_a_broken_line_leaves(live):
    live.vendor.faults = [Fault(then="reset")] * 4
    outcome = repr(live.push())
    assert not any(text in outcome for text in (TOKEN, "qoyod-key", EMAIL, PHONE, "966551234567", TAX, "Sara"))

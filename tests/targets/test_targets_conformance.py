"""What every kind of target must do, whatever its vendor is like."""

import json
from dataclasses import replace

import pytest

from connector.mapping.customers import CUSTOMERS
from connector.models import Delivered, Fail, Hold, Retry, Skip
from tests.targets.conftest import EMAIL, LABS, MADE, PHONE, TAX, TOKEN, Run, able, mount, mounted
from tests.targets.lab import VALUES, mapped, shipped
from tests.targets.stub_vendor import Fault

readers = pytest.mark.parametrize("lab", ["csv", *able(without=["blind"])], indirect=True)
FEW = ("rest", "hubspot", "qoyod")  # a form, a batch, and one by one


def waiting(*kinds):
    "Return the kinds for a test that waits for a timeout of each: a few of them quickly, all of them among the slow."
    return [pytest.param(kind, marks=() if kind in FEW else pytest.mark.slow) for kind in kinds]


asked_first = pytest.mark.parametrize("live", able("http", "rungs"), indirect=True)


def test_a_new_customer_is_created(lab):
    outcome = lab.push()
    assert (type(outcome), outcome.how) == (Delivered, "created")
    assert outcome.remote_id
    assert [c["name"] for c in lab.contacts()] == ["Sara Ahmed"]


@readers
def test_the_same_customer_again_is_not_created_twice(lab):
    first, again = lab.push(), lab.push()
    assert (again.how, again.remote_id) == ("unchanged", first.remote_id)
    assert len(lab.contacts()) == 1


@readers
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


@pytest.mark.parametrize("kind", able("http", without=["once"]))
def test_a_contact_that_a_person_wants_anew_is_not_made_again_after_a_lost_answer(mocked, kind):
    "No rung could tell it from its look-alikes."
    web = mounted(kind, mocked)
    outcome = web.push(web.request(create_anyway=True, maybe_sent=True))
    assert (type(outcome), outcome.code) == (Hold, "maybe_there")
    assert web.contacts() == []


@readers
def test_observe_writes_nothing(lab):
    outcome = lab.push(lab.request(observe=True))
    assert (type(outcome), outcome.reason) == (Skip, "observe: would create")
    assert outcome.proves_target
    assert lab.contacts() == []


@readers
def test_observe_tells_what_it_would_update(lab):
    first = lab.push()
    outcome = lab.push(lab.request(name="Sara Salem", observe=True))
    assert outcome.reason == f"observe: would update {first.remote_id}"
    assert [c["name"] for c in lab.contacts()] == ["Sara Ahmed"]


@readers
def test_observe_tells_that_nothing_would_change(lab):
    lab.push()
    assert "as it should be" in lab.push(lab.request(observe=True)).reason


def test_nothing_is_written_when_the_lease_was_lost(lab):
    outcome = lab.push(run=Run(ours=False))
    assert (type(outcome), outcome.spent, outcome.trouble) == (Retry, False, None)
    assert "lease" in outcome.reason
    assert lab.contacts() == []


@readers
def test_fill_if_empty_fills_only_what_is_empty(lab):
    lab.push(lab.lacking())
    fields = (lab.words["name"], lab.words[lab.lone])
    lab.push(lab.request(name="Sara Salem", fill_if_empty=fields))
    assert [(c["name"], c[lab.lone]) for c in lab.contacts()] == [("Sara Ahmed", VALUES[lab.lone])]


@readers
def test_keep_is_never_written_again(lab):
    lab.push(lab.lacking())
    lab.push(lab.request(name="Sara Salem", keep=(lab.words["name"], lab.words[lab.lone])))
    assert [(c["name"], c.get(lab.lone) or "") for c in lab.contacts()] == [("Sara Ahmed", "")]


def test_a_check_writes_nothing(lab):
    assert lab.target.check().ok
    assert lab.contacts() == []


def test_the_account_tells_no_secret(lab):
    assert TOKEN not in lab.target.account
    assert "qoyod-key" not in lab.target.account


# The shipped mapping


@pytest.mark.parametrize("kind", able("pack"))
def test_the_shipped_mapping_fits(mocked, kind):
    web, mapping = mounted(kind, mocked), shipped(kind)
    check = web.target.check([rule.target for rule in mapping.fields])
    assert check.ok, check.lines
    requests = [mapped(mapping, **customer) for customer in CUSTOMERS.values()]
    outcomes = web.push_many(requests)
    assert [(type(o), o.how, o.warnings) for o in outcomes] == [(Delivered, "created", ())] * len(requests)
    assert {o.how for o in web.push_many(requests)} == {"unchanged"}


# Who is it?


FOUND_BY = [(kind, word) for kind, lab in MADE.items() for word in lab.rungs]


@pytest.mark.parametrize(("kind", "word"), FOUND_BY)
def test_a_contact_is_found_by_each_rung(mocked, kind, word):
    lab = mounted(kind, mocked)
    remote_id = lab.seed(name="Sara", **{word: {"phone": PHONE, "email": EMAIL, "tax_number": TAX}[word]})
    outcome = lab.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert len(lab.contacts()) == 1


@pytest.mark.parametrize(("kind", "typed"), [(kind, typed) for kind, lab in MADE.items() for typed in lab.spelled])
def test_a_phone_stored_otherwise_is_found(mocked, kind, typed):
    lab = mounted(kind, mocked)
    remote_id = lab.seed(name="Sara", phone=typed)
    outcome = lab.push(lab.request(email=None, tax=None))
    assert outcome.remote_id == remote_id
    assert len(lab.contacts()) == 1


@pytest.mark.parametrize("kind", able("names"))
@pytest.mark.parametrize("same", ["phone", "email"])
def test_a_taken_name_of_the_same_person_is_linked(mocked, kind, same):
    "The name is found although no rung led there: the vendor refuses the create."
    lab = mounted(kind, mocked)
    remote_id = lab.seed(name="Sara Ahmed", **{same: {"phone": "0551234567", "email": EMAIL.upper()}[same]})
    lab.vendor.hides = True  # from every rung, as a contact that was switched off is
    outcome = lab.push()
    assert (type(outcome), outcome.remote_id) == (Delivered, remote_id)
    assert len(lab.contacts()) == 1


@pytest.mark.parametrize("kind", able("names"))
def test_a_taken_name_of_a_stranger_gets_a_suffix(mocked, kind):
    lab = mounted(kind, mocked)
    lab.seed(name="Sara Ahmed", phone="+966559999999")
    outcome = lab.push(lab.request("c4a868ea-735e"))
    assert (outcome.how, sorted(c["name"] for c in lab.contacts())) == (
        "created",
        ["Sara Ahmed", "Sara Ahmed (c4a868ea)"],
    )
    assert any("suffix" in warning for warning in outcome.warnings)
    again = lab.push(lab.request("c4a868ea-735e", remote_id=outcome.remote_id))
    assert again.how == "unchanged"


@pytest.mark.parametrize("kind", able("names"))
def test_a_taken_name_is_held_by_rule(mocked, kind):
    lab = mounted(kind, mocked)
    lab.seed(name="Sara Ahmed", phone="+966559999999")
    outcome = lab.push(lab.request(on_name_taken="hold"))
    assert (type(outcome), outcome.code) == (Hold, "name_taken")
    assert len(lab.contacts()) == 1


@pytest.mark.parametrize("kind", able("names"))
def test_who_is_wanted_anew_gets_a_name_of_his_own(mocked, kind):
    "Also beside one who has the name and agrees: a person decided that it is somebody else."
    lab = mounted(kind, mocked)
    lab.seed(name="Sara Ahmed", **lab.alike)
    outcome = lab.push(lab.request("c4a868ea-735e", create_anyway=True))
    assert (outcome.how, sorted(c["name"] for c in lab.contacts())) == (
        "created",
        ["Sara Ahmed", "Sara Ahmed (c4a868ea)"],
    )


@pytest.mark.parametrize("kind", able("names"))
def test_a_name_with_a_suffix_whose_answer_was_lost_is_found_again(mocked, kind):
    lab = mounted(kind, mocked)
    lab.seed(name="Sara Ahmed", phone="+966559999999")
    lab.vendor.faults = [Fault("create"), *[Fault("create", 500, commits=True)] * 3]
    lost = lab.push()
    assert (type(lost), lost.maybe_sent) == (Retry, True)
    lab.vendor.hides = True
    again = lab.push(lab.request(maybe_sent=True))
    assert isinstance(again, Delivered)
    assert sorted(c["name"] for c in lab.contacts()) == ["Sara Ahmed", "Sara Ahmed (c1)"]


def test_a_vendor_that_finds_phones_by_number_answers_in_its_own_spelling(rest):
    remote_id = rest.seed(name="Sara", phone="0551234567")
    rest.vendor.ignores_filter = True
    assert rest.push(rest.request(tax=None, email=None)).code == "filter_ignored"  # the rung before it is by text
    assert rest.vendor.said("create") == []
    assert rest.push(rest.request(remote_id=remote_id)).how == "updated"


@pytest.mark.parametrize("kind", able("ignores"))
def test_an_ignored_filter_never_makes_a_twin(mocked, kind):
    web = mounted(kind, mocked)
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


@pytest.mark.parametrize("kind", able("http", "rungs", without=["unique"]))
def test_two_contacts_with_the_value_are_held(mocked, kind):
    web = mounted(kind, mocked)
    web.seed(name="Sara", **web.alike)
    web.seed(name="Sara A.", **web.alike)
    outcome = web.push()
    assert (type(outcome), outcome.code) == (Hold, "two_matches")
    assert "resolve" in outcome.reason


@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_a_contact_of_another_customer_is_held(mocked, kind):
    web = mounted(kind, mocked)
    remote_id = web.seed(name="Sara", **web.alike)
    outcome = web.push(run=Run({remote_id: "c2"}))
    assert (type(outcome), outcome.code) == (Hold, "already_linked")
    assert len(web.contacts()) == 1


@pytest.mark.parametrize("kind", able("signed"))
def test_a_contact_that_names_another_customer_is_held(mocked, kind):
    "Also when no link is known, as after the store was lost."
    web = mounted(kind, mocked)
    web.seed(name="Sara", customer="c2", **web.alike)
    outcome = web.push()
    assert (type(outcome), outcome.code) == (Hold, "already_linked")
    assert "(c2)" in outcome.reason
    assert len(web.contacts()) == 1


@pytest.mark.parametrize("kind", able("signed"))
def test_a_contact_that_is_found_gets_the_customers_id(mocked, kind):
    web = mounted(kind, mocked)
    web.seed(name="Sara", **web.alike)
    request = web.request()
    record = {name: value for name, value in request.record.items() if name != web.words["customer"]}
    web.push(replace(request, record=record))
    assert [c["customer"] for c in web.contacts()] == ["c1"]


@pytest.mark.parametrize("kind", able("http", "rungs", without=["unique"]))
def test_a_person_may_decide_that_it_is_new(mocked, kind):
    web = mounted(kind, mocked)
    web.seed(name="Sara", **web.alike)
    assert web.push(web.request(create_anyway=True)).how == "created"
    assert len(web.contacts()) == 2


@pytest.mark.parametrize("kind", able("unique"))
def test_a_new_contact_that_the_vendor_does_not_take_beside_its_like_is_held(mocked, kind):
    web = mounted(kind, mocked)
    web.seed(name="Sara", **web.alike)
    outcome = web.push(web.request(create_anyway=True))
    assert (type(outcome), outcome.code) == (Hold, "already_there")
    assert [c["name"] for c in web.contacts()] == ["Sara"]


@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_a_link_to_a_contact_that_is_gone_is_dropped(mocked, kind):
    web = mounted(kind, mocked)
    remote_id = web.seed(name="Sara", **web.alike)
    outcome = web.push(web.request(remote_id=web.nobody))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert any(f"contact {web.nobody}" in warning for warning in outcome.warnings)


@pytest.mark.parametrize("kind", able("fetch"))
def test_a_hint_that_agrees_is_updated(mocked, kind):
    web = mounted(kind, mocked)
    remote_id = web.seed(name="Sara", **web.agreeing)
    outcome = web.push(web.request(remote_hint=remote_id))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert len(web.vendor.said("create")) == 0


@pytest.mark.parametrize("kind", able("fetch"))
def test_a_hint_to_somebody_else_is_held(mocked, kind):
    web = mounted(kind, mocked)
    remote_id = web.seed(name="Omar", phone="+966559999999")
    outcome = web.push(web.request(remote_hint=remote_id))
    assert (type(outcome), outcome.code) == (Hold, "id_differs")
    assert web.vendor.said("create") == []


@pytest.mark.parametrize("kind", able("fetch"))
def test_a_hint_to_a_contact_of_another_customer_is_held(mocked, kind):
    web = mounted(kind, mocked)
    remote_id = web.seed(name="Sara", **web.agreeing)
    assert web.push(web.request(remote_hint=remote_id), Run({remote_id: "c2"})).code == "already_linked"


@pytest.mark.parametrize("kind", able("fetch"))
def test_a_hint_to_nobody_leads_to_the_next_rung(mocked, kind):
    web = mounted(kind, mocked)
    outcome = web.push(web.request(remote_hint=web.nobody))
    assert outcome.how == "created"
    assert any(f"contact {web.nobody}" in warning for warning in outcome.warnings)


def test_a_lost_create_without_a_value_to_look_by_is_held(qoyod):
    outcome = qoyod.push(qoyod.request(phone=None, email=None, tax=None, maybe_sent=True))
    assert (type(outcome), outcome.code) == (Hold, "maybe_there")
    assert qoyod.vendor.requests == []


# What can go wrong


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_hold_the_target(web, status):
    web.vendor.faults = [Fault(status=status, body=b'{"error": {"message": "no"}}')] * 2  # a new token helps nothing
    outcome = web.push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert web.contacts() == []


@pytest.mark.parametrize("kind", able("http", without=["blind"]))
def test_refused_credentials_fail_the_check(mocked, kind):
    web = mounted(kind, mocked)
    web.vendor.faults = [Fault(status=401)] * 2
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
    lab.vendor.faults = [Fault("create", 429, headers={"Retry-After": "1"})]
    assert lab.push().how == "created"
    assert lab.slept == [1.0]


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_a_sick_target_is_asked_again_and_nothing_is_created(mocked, kind, status):
    web = mounted(kind, mocked)
    web.vendor.faults = [Fault("find", status)] * 3
    outcome = web.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert len(web.vendor.said("find")) == 3
    assert web.contacts() == []


@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_a_passing_sickness_costs_no_attempt(mocked, kind):
    web = mounted(kind, mocked)
    web.vendor.faults = [Fault("find", 502)] * 2
    assert web.push().how == "created"


def test_a_sick_create_is_looked_for_before_it_is_repeated(web):
    web.vendor.faults = [Fault("create", 500)] * 3
    outcome = web.push()
    assert (outcome.maybe_sent, outcome.after, outcome.trouble.kind) == (True, web.waits, "sick")
    assert web.contacts() == []


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
@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_an_unreadable_answer_to_a_question_is_never_nobody(mocked, kind, bad):
    web = mounted(kind, mocked)
    body, status = BAD[bad]
    web.vendor.faults = [Fault("find", status, body)] * 3
    outcome = web.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert web.vendor.said("create") == []


@pytest.mark.parametrize("bad", ["a web page", "truncated JSON", "nothing", "another shape"])
@pytest.mark.parametrize("kind", able("http", without=["blind"]))
def test_an_unreadable_answer_to_a_create_may_have_been_a_yes(mocked, kind, bad):
    web = mounted(kind, mocked)
    body, status = BAD[bad]
    web.vendor.faults = [Fault("create", status, body, commits=True)] * 3
    outcome = web.push()
    assert (type(outcome), outcome.maybe_sent, outcome.after) == (Retry, True, web.waits)
    again = web.push(web.request(maybe_sent=True))
    assert isinstance(again, Delivered)
    assert len(web.contacts()) == 1


REFUSALS = [(kind, number) for kind in able("http") for number in range(len(MADE[kind].refusals("")))]


@pytest.mark.parametrize(("kind", "number"), REFUSALS)
def test_refused_data_fails_with_the_vendors_sentence(mocked, kind, number):
    web = mounted(kind, mocked)
    status, body = web.refusals(f"Email {EMAIL} of Sara Ahmed is already used")[number]
    web.vendor.faults = [Fault("create", status, json.dumps(body).encode())]
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
    assert len(web.vendor.faults) == 0


@pytest.mark.parametrize("kind", able("soft"))
def test_a_refused_phone_is_left_out_and_the_rest_goes_through(mocked, kind):
    web = mounted(kind, mocked)
    web.vendor.bad = [(web.phone, None, "is not a phone number here")]
    outcome = web.push()
    assert outcome.how == "created"
    assert [(c["name"], c["email"], c.get("phone")) for c in web.contacts()] == [("Sara Ahmed", EMAIL, None)]
    (warning,) = [warning for warning in outcome.warnings if "left out" in warning]
    assert warning.startswith(f"{web.phone}: ")
    assert "is not a phone number here" in warning
    again = web.push(web.request(remote_id=outcome.remote_id))
    assert (again.how, len(again.warnings)) == ("unchanged", 1)


@pytest.mark.parametrize("kind", able("soft"))
def test_a_refused_tax_number_fails_with_the_vendors_words(mocked, kind):
    web = mounted(kind, mocked)
    web.vendor.bad = [(web.words["tax_number"], None, "is not a tax number here")]
    outcome = web.push()
    assert (type(outcome), outcome.code) == (Fail, "rejected")
    assert "is not a tax number here" in outcome.reason
    assert web.contacts() == []


@pytest.mark.parametrize("kind", able("http", "rungs"))
def test_a_refused_update_fails(mocked, kind):
    web = mounted(kind, mocked)
    web.seed(name="Sara", **web.alike)
    status, body = web.refusals("the name is too long")[-1]
    web.vendor.faults = [Fault("update", status, json.dumps(body).encode())]
    outcome = web.push()
    assert isinstance(outcome, Fail)
    assert "name is too long" in outcome.reason


def test_no_secret_in_any_outcome(web):
    secrets = web.secrets
    for status in (302, 401, 422, 429, 500):
        web.vendor.faults = [Fault("", status, " ".join(secrets).encode())] * 3
        outcome = repr(web.push())
        assert not any(secret in outcome for secret in secrets)
    assert not any(secret in repr(vars(web.target)) for secret in secrets)


# True sockets


def test_a_target_that_is_away_costs_nothing(live):
    away = live.on("http://127.0.0.1:1/api")
    outcome = away.push()
    # Where nothing is asked before, it is the create that was tried: one with a key may have arrived at an earlier try.
    assert (outcome.spent, outcome.trouble.kind, outcome.maybe_sent) == (False, "busy", "blind" in live.can)
    assert "connection refused" in outcome.reason


def test_a_host_that_does_not_exist_costs_nothing(live):
    outcome = live.on("http://no-such-host.invalid/api").push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "busy")
    assert "not found" in outcome.reason


@pytest.mark.parametrize("then", ["reset", "truncate", "nothing"])
def test_a_create_whose_answer_is_lost_is_made_once(live, then):
    if then == "truncate" and "mute" in live.can:
        pytest.skip("its answer to a create is a status and headers: nothing can be missing of it")
    made_once(live, then)


@pytest.mark.parametrize("live", waiting(*able("http")), indirect=True)
def test_a_create_without_an_answer_in_time_is_made_once(live):
    made_once(live, "hang")


def made_once(live, then):
    live.vendor.faults = [Fault("create", then=then)] * 3
    outcome = live.push()
    assert (type(outcome), outcome.maybe_sent, outcome.after) == (Retry, True, live.waits)
    live.vendor.faults = []
    again = live.push(live.request(maybe_sent=True))
    assert isinstance(again, Delivered)
    assert len(live.contacts()) == 1


@asked_first
@pytest.mark.parametrize("then", ["reset", "truncate", "nothing"])
def test_a_question_whose_answer_is_lost_is_asked_again(live, then):
    live.vendor.faults = [Fault("find", then=then)]
    assert live.push().how == "created"


@pytest.mark.parametrize("live", waiting(*able("http", "rungs")), indirect=True)
def test_a_question_without_an_answer_in_time_is_for_the_next_attempt(live):
    live.vendor.faults = [Fault("find", then="hang")]
    outcome = live.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert live.contacts() == []


@asked_first
def test_an_update_whose_answer_is_lost_is_sent_again(live):
    live.seed(name="Sara", **live.alike)
    live.vendor.faults = [Fault("update", then="reset")]
    assert live.push().how == "updated"
    assert [c["name"] for c in live.contacts()] == ["Sara Ahmed"]


def test_no_secret_and_no_person_in_what_a_broken_line_leaves(live):
    live.vendor.faults = [Fault(then="reset")] * 4
    outcome = repr(live.push())
    assert not any(text in outcome for text in (*live.secrets, EMAIL, PHONE, "966551234567", TAX, "Sara"))

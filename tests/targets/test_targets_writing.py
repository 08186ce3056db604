"""Writes that a target does not take as they are: names taken, fields refused, contacts that are there or gone."""

from dataclasses import replace

import pytest

from connector.errors import AlreadyThere, Busy, NameTaken, Rejected, Uncertain
from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.batches import matches
from connector.targets.ladder import Contacts, Found, Page, Question, Rung, Written
from connector.targets.writing import upsert
from tests.targets.lab import EMAIL, PHONE, Lab, Run

LAB = Lab("register", None, None, [], rungs=("phone", "email"))
OTHER = {"name": "Sara Ahmed", "phone": "+966559999999"}


class Register(Contacts):
    "Contacts in memory with names that are taken once; `answers` are errors to raise, write by write."

    partial = True
    fetches = True
    name_field = "name"
    soft = frozenset({"phone"})

    def __init__(self, *rows, answers=(), hidden=False, listed=()):
        self.rows = {str(n): dict(row) for n, row in enumerate(rows, 1)}
        self.answers, self.hidden, self.listed = list(answers), hidden, list(listed)
        self.named_fails = self.fetch_fails = None

    def rungs(self, request):
        return [self.rung(name, value) for name, value in request.match]

    def rung(self, name, value):
        same = matches(name, value)
        found = [Found(n, row) for n, row in ([] if self.hidden else self.rows.items()) if same(row)]
        return Rung(name, [Question(lambda _: Page([*found, *self.listed], last=True), same)], same)

    def fetch(self, remote_id, _request):
        if self.fetch_fails:
            raise self.fetch_fails
        return Found(remote_id, self.rows[remote_id]) if remote_id in self.rows else None

    def create(self, request, _ours):
        return self.put(str(len(self.rows) + 1), request.record)

    def update(self, remote_id, fields, _request, _ours):
        if remote_id not in self.rows:
            raise Rejected("no such contact", status=404)
        return self.put(remote_id, fields)

    def put(self, number, fields):
        if answer := self.answers.pop(0) if self.answers else None:
            raise answer
        if any(
            row.get("name") == fields.get("name") for n, row in self.rows.items() if n != number and "name" in fields
        ):
            raise NameTaken("the name is taken", status=409)
        self.rows[number] = self.rows.get(number, {}) | fields
        return Written(number, "200", self.rows[number], whole=True)

    def named(self, name, _request):
        if self.named_fails:
            raise self.named_fails
        return [Found(n, row) for n, row in self.rows.items() if row.get("name") == name]


def push(register, run=None, **more):
    return upsert(LAB.request(**more), register, run or Run())


def test_a_taken_name_gets_a_suffix_and_keeps_it():
    register = Register(OTHER)
    outcome = push(register)
    assert (outcome.how, register.rows["2"]["name"]) == ("created", "Sara Ahmed (c1)")
    assert outcome.warnings == ("name: got a suffix, for another contact has this name",)
    assert push(register).how == "unchanged"


def test_a_taken_name_of_the_same_person_is_taken_over():
    register = Register({"name": "Sara Ahmed", "email": EMAIL}, hidden=True)
    outcome = push(register)
    assert (outcome.how, outcome.remote_id, register.rows["1"]["phone"]) == ("updated", "1", PHONE)


def test_a_taken_name_is_held_where_the_mapping_says_so():
    outcome = push(Register(OTHER), on_name_taken="hold")
    assert (type(outcome), outcome.code) == (Hold, "name_taken")


def test_a_suffixed_name_that_is_taken_too_fails():
    outcome = push(Register(OTHER, OTHER | {"name": "Sara Ahmed (c1)"}))
    assert (type(outcome), outcome.reason) == (Fail, "the name is taken")


def test_a_taken_name_without_a_name_fails():
    assert isinstance(push(Register(answers=[NameTaken("taken")]), name=None), Fail)


def test_an_update_leaves_a_taken_name_as_it_is():
    register = Register(OTHER, {"name": "Sara", "phone": PHONE})
    outcome = push(register)
    assert (outcome.how, register.rows["2"]) == ("updated", {"name": "Sara", "phone": PHONE, "email": EMAIL, "tax_number": "310122393500003"})  # fmt: skip
    assert outcome.warnings == ("name: left as it is, for another contact has the new name",)
    assert push(register) == Delivered("unchanged", "2", outcome.warnings)  # nothing is left to be written


def test_nobody_is_made_when_the_holder_of_the_name_cannot_be_asked_for():
    register = Register(OTHER)
    register.named_fails = Uncertain("no answer")
    outcome = push(register)
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert len(register.rows) == 1


def test_a_refused_field_is_left_out_when_it_may_be():
    register = Register(answers=[Rejected("bad phone", fields=("phone", "fax"), status=422)])
    outcome = push(register)
    assert (outcome.how, "phone" in register.rows["1"]) == ("created", False)
    assert outcome.warnings == ("phone: left out, for the target refuses it (bad phone)",)


@pytest.mark.parametrize("soft", [True, False])
def test_a_value_of_no_list_is_left_out_whatever_the_field(soft):
    refusal = Rejected("none of the list", fields=("tax_number",), status=422, soft=soft)
    assert isinstance(push(Register(answers=[refusal])), Delivered if soft else Fail)


def test_a_refusal_of_several_fields_fails_when_one_may_not_be_left_out():
    refusal = Rejected("bad", fields=("phone", "tax_number"), status=422)
    assert isinstance(push(Register(answers=[refusal])), Fail)


def test_a_contact_that_is_gone_is_looked_for_anew():
    register = Register({"phone": PHONE}, listed=[])
    outcome = push(register, remote_id="7")
    assert (outcome.how, outcome.remote_id, len(outcome.warnings)) == ("updated", "1", 1)


def test_a_contact_that_vanishes_before_the_update_is_looked_for_once_more():
    class Vanishing(Register):
        def update(self, *_):
            self.rows.clear()
            raise Rejected("gone", status=410)

    outcome = push(Vanishing({"phone": PHONE}))
    assert outcome.how == "created"
    assert outcome.warnings == ("the contact 1 that this customer was linked to is gone; looked for anew",)


def test_a_vanished_contact_that_is_somebody_elses_on_the_second_look_is_held():
    class Merged(Register):
        def update(self, *_):
            self.rows = {"8": {"phone": PHONE}}
            raise Rejected("gone", status=404)

    outcome = push(Merged({"phone": PHONE}), Run({"8": "c8"}))
    assert (type(outcome), outcome.code) == (Hold, "already_linked")


def test_a_vanished_contact_is_for_the_next_attempt_when_nobody_answers():
    class Quiet(Register):
        def update(self, *_):
            self.rungs = self.silent
            raise Rejected("gone", status=404)

        def silent(self, _request):
            raise Busy("wait", 5.0)

    outcome = push(Quiet({"phone": PHONE}))
    assert (type(outcome), outcome.trouble.after, len(outcome.warnings if hasattr(outcome, "warnings") else ())) == (Retry, 5.0, 0)  # fmt: skip


def test_a_list_that_still_holds_what_is_gone_is_asked_again_later():
    "A search that lags behind; without an end it would be looked for for ever."
    ghost = Found("7", {"phone": PHONE})
    outcome = push(Register(listed=[ghost]))
    assert (type(outcome), outcome.reason, outcome.spent, outcome.trouble) == (Retry, "no such contact", True, None)


def test_a_contact_that_the_target_says_is_there_is_updated():
    register = Register({"email": EMAIL}, hidden=True, answers=[AlreadyThere("there", "1", status=409)])
    outcome = push(register)
    assert (outcome.how, outcome.remote_id, register.rows["1"]["name"]) == ("updated", "1", "Sara Ahmed")


@pytest.mark.parametrize("remote_id", [None, "1", "7"], ids=["unnamed", "a stranger", "nobody"])
def test_a_contact_that_is_said_to_be_there_and_does_not_agree_is_held(remote_id):
    register = Register(OTHER, hidden=True, answers=[AlreadyThere("there", remote_id, status=409)])
    outcome = push(register)
    assert (type(outcome), outcome.code) == (Hold, "already_there")


def test_a_contact_that_is_said_to_be_there_and_is_another_customers_is_held():
    register = Register({"email": EMAIL}, hidden=True, answers=[AlreadyThere("there", "1")])
    assert push(register, Run({"1": "c9"})).code == "already_linked"


def test_a_contact_that_is_said_to_be_there_and_cannot_be_read_is_for_the_next_attempt():
    register = Register({"email": EMAIL}, hidden=True, answers=[AlreadyThere("there", "1")])
    register.fetch_fails = Busy("wait", 5.0)
    assert push(register).trouble.after == 5.0


def test_a_contact_that_is_said_to_be_there_is_not_read_where_that_cannot_be():
    register = Register({"email": EMAIL}, hidden=True, answers=[AlreadyThere("there", "1")])
    register.fetches = False
    assert push(register).code == "already_there"


def test_a_person_s_new_contact_is_not_taken_for_the_one_that_is_there():
    register = Register({"email": EMAIL}, answers=[AlreadyThere("there", "1")])
    assert push(register, create_anyway=True).code == "already_there"
    assert register.rows == {"1": {"email": EMAIL}}


def test_an_update_that_would_make_two_alike_is_held():
    register = Register({"phone": PHONE}, answers=[AlreadyThere("there", "2")])
    assert push(register).code == "already_there"


def test_warnings_are_said_once():
    register = Register({"email": EMAIL}, hidden=True, answers=[AlreadyThere("there", "1")])
    outcome = push(register, remote_id="7")
    assert outcome.warnings == ("the contact 7 that this customer was linked to is gone; looked for anew",)


def test_what_the_target_does_not_keep_is_a_warning():
    class Forgetful(Register):
        def put(self, number, fields):
            written = super().put(number, fields)
            return replace(written, row={**written.row, "phone": "+1", "email": None})

    assert push(Forgetful()).warnings == (
        "phone: the target keeps another value than was sent",
        "email: the target did not keep it",
    )

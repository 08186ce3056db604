"""What every kind must do that brings many customers in one request: each of them as if he came alone."""

import json

import pytest

from connector.errors import Busy, Rejected
from connector.models import Delivered, Fail, Hold, Retry, Skip
from connector.targets.batches import Ask, Batches, matches, upsert_many
from connector.targets.ladder import Found, Page, Written
from tests.targets.conftest import LABS, TAX, Lab, Run, able, mounted
from tests.targets.stub_vendor import Fault, served

BATCH = able("batch")
BAD = "Name That Nobody Takes"


@pytest.fixture(params=BATCH)
def many(request, mocked):
    "Each kind with batches, in turn."
    return mounted(request.param, mocked)


@pytest.fixture(params=able("batch", without=["unique"]))
def shared(request, mocked):
    "Those whose vendor lets two contacts have the same value."
    return mounted(request.param, mocked)


def one(lab, n, name=None, **more):
    "A customer like no other; `e-mail`, `phone` and so on are given to be like one."
    own = {"phone": f"+9665512300{n:02d}", "email": f"c{n}@example.com", "tax": None}
    return lab.request(f"c{n}", name=name or f"Customer {n}", **own | more)


def several(lab, count, **more):
    return [one(lab, n, **more) for n in range(count)]


def writes(lab):
    return [request for request in lab.vendor.requests if lab.vendor.purposes(request) & {"create", "update"}]


def steps(lab):
    "What was asked and written; what a target asks but once, before its first customer, does not count."
    return [request for request in lab.vendor.requests if lab.vendor.purposes(request)]


def came_to(outcomes):
    return [(type(o), getattr(o, "how", None) or getattr(o, "code", None)) for o in outcomes]


def test_new_customers_are_created_by_one_write(many):
    outcomes = many.push_many(several(many, 20))
    assert came_to(outcomes) == [(Delivered, "created")] * 20
    assert len({outcome.remote_id for outcome in outcomes}) == 20
    assert sorted(c["name"] for c in many.contacts()) == sorted(f"Customer {n}" for n in range(20))
    assert len(writes(many)) == 1


def test_each_outcome_is_its_own_customers(many):
    outcomes = many.push_many(several(many, 5))
    names = {str(c.get("id")): c["name"] for c in many.contacts()}
    assert [names[outcome.remote_id] for outcome in outcomes] == [f"Customer {n}" for n in range(5)]


def test_the_same_customers_again_are_not_written_twice(many):
    first = many.push_many(several(many, 5))
    before = len(writes(many))
    again = many.push_many(several(many, 5))
    assert came_to(again) == [(Delivered, "unchanged")] * 5
    assert [o.remote_id for o in again] == [o.remote_id for o in first]
    assert len(writes(many)) == before


def test_new_changed_and_unchanged_customers_come_together(many):
    first = many.push_many(several(many, 4))
    requests = [
        one(many, 0, remote_id=first[0].remote_id),
        one(many, 1, "Another Name", remote_id=first[1].remote_id),
        one(many, 2, "A Third Name"),
        one(many, 3),
        one(many, 4),
    ]
    outcomes = many.push_many(requests)
    assert [o.how for o in outcomes] == ["unchanged", "updated", "updated", "unchanged", "created"]
    assert [o.remote_id for o in outcomes[:4]] == [o.remote_id for o in first]
    assert sorted(c["name"] for c in many.contacts()) == [
        "A Third Name", "Another Name", "Customer 0", "Customer 3", "Customer 4",
    ]  # fmt: skip


def test_a_whole_batch_is_one_request_for_each_step(many):
    size = many.target.batch_size
    assert size > 1
    outcomes = many.push_many([many.request(f"c{n}", None, None, None, name=f"Customer {n}") for n in range(size)])
    assert {outcome.how for outcome in outcomes} == {"created"}
    assert len(steps(many)) <= 2


def test_nothing_to_do_asks_nothing(many):
    assert many.push_many([]) == []
    assert many.vendor.requests == []


# One among many


def test_one_bad_record_fails_alone(many):
    many.vendor.bad = [(many.words["name"], BAD, "is no name for a contact")]
    requests = [one(many, 0), one(many, 1, BAD), one(many, 2)]
    outcomes = many.push_many(requests)
    assert came_to(outcomes) == [(Delivered, "created"), (Fail, "rejected"), (Delivered, "created")]
    assert "is no name for a contact" in outcomes[1].reason
    assert BAD not in outcomes[1].reason + outcomes[1].answer
    assert len(many.contacts()) == 2


def test_one_bad_update_fails_alone(many):
    first = many.push_many(several(many, 3))
    many.vendor.bad = [(many.words["name"], BAD, "is no name for a contact")]
    names = ["New Name", BAD, "Newer Name"]
    outcomes = many.push_many([one(many, n, names[n], remote_id=first[n].remote_id) for n in range(3)])
    assert came_to(outcomes) == [(Delivered, "updated"), (Fail, "rejected"), (Delivered, "updated")]


def test_a_batch_that_is_refused_whole_goes_singly(many):
    many.vendor.bad, many.vendor.whole = [(many.words["name"], BAD, "is no name for a contact")], True
    requests = [one(many, 0), one(many, 1, BAD), one(many, 2)]
    together = many.push_many(requests)
    assert came_to(together) == [(Retry, None)] * 3
    assert [(o.alone, o.spent, o.trouble, o.maybe_sent) for o in together] == [(True, False, None, False)] * 3
    assert "refused as a whole" in together[0].reason
    assert many.contacts() == []
    alone = [many.push(request) for request in requests]
    assert came_to(alone) == [(Delivered, "created"), (Fail, "rejected"), (Delivered, "created")]


def test_a_write_that_is_the_only_one_needs_no_second_try_when_it_is_refused(many):
    many.push_many(several(many, 2))
    many.vendor.bad, many.vendor.whole = [(many.words["name"], BAD, "is no name for a contact")], True
    outcomes = many.push_many([one(many, 0), one(many, 1), one(many, 2, BAD)])
    assert came_to(outcomes) == [(Delivered, "unchanged"), (Delivered, "unchanged"), (Fail, "rejected")]


def test_a_refused_phone_costs_only_itself(many):
    many.vendor.bad = [(many.phone, "+966551230001", "is not a phone number here")]
    outcomes = many.push_many(several(many, 3))
    assert came_to(outcomes) == [(Delivered, "created")] * 3
    assert [any("left out" in warning for warning in o.warnings) for o in outcomes] == [False, True, False]
    assert sorted(c.get("phone") or "" for c in many.contacts()) == ["", "+966551230000", "+966551230002"]


def test_a_question_that_is_refused_is_asked_for_each_alone(many):
    _, body = many.refusals("cannot be asked")[0]
    many.vendor.faults = [Fault("find", 400, json.dumps(body).encode())]
    outcomes = many.push_many(several(many, 3))
    assert [(type(o), o.alone, o.spent, o.maybe_sent) for o in outcomes] == [(Retry, True, False, False)] * 3
    many.vendor.faults = [Fault("find", 400, json.dumps(body).encode())]
    alone = many.push(one(many, 0))
    assert (type(alone), "cannot be asked" in alone.reason) == (Fail, True)
    assert many.contacts() == []


def test_a_refused_question_about_one_leaves_the_others_their_way(many):
    "Only one has a value to be asked by at the second rung."
    requests = [many.request(f"c{n}", None, None, None, name=f"Customer {n}") for n in range(2)]
    requests.append(one(many, 2))
    body = json.dumps(many.refusals("cannot be asked")[0][1]).encode()
    many.vendor.faults = [Fault("find"), Fault("find", 400, body)]  # all have their own id to be asked by
    outcomes = many.push_many(requests)
    assert came_to(outcomes) == [(Delivered, "created"), (Delivered, "created"), (Fail, "rejected")]


def test_a_contact_that_is_gone_is_found_anew_or_made(many):
    remote_id = many.seed(name="Sara", email="c1@example.com")
    requests = [one(many, n, remote_id=gone) for n, gone in enumerate([many.nobody, many.nobody + "1", None])]
    outcomes = many.push_many(requests)
    assert [o.how for o in outcomes] == ["created", "updated", "created"]
    assert outcomes[1].remote_id == remote_id
    assert [len(o.warnings) for o in outcomes] == [1, 1, 0]
    assert f"contact {many.nobody}" in outcomes[0].warnings[0]


def test_hints_are_read_together_and_believed_only_when_they_agree(many):
    mine, other = many.seed(name="Sara", email="C0@example.com"), many.seed(name="Omar", email="omar@example.com")
    requests = [one(many, n, remote_hint=hint) for n, hint in enumerate([mine, other, many.nobody])]
    before = len(steps(many))
    outcomes = many.push_many(requests)
    assert came_to(outcomes) == [(Delivered, "updated"), (Hold, "id_differs"), (Delivered, "created")]
    assert outcomes[0].remote_id == mine
    assert f"contact {many.nobody}" in outcomes[2].warnings[0]
    most = 2 + len(many.target.asks(requests[0])) + 2  # hints, their own ids, rungs, one update, one create
    assert len(steps(many)) - before <= most


def test_a_contact_of_another_customer_is_held_alone(many):
    remote_id = many.seed(name="Sara", email="c1@example.com")
    outcomes = many.push_many(several(many, 3), Run({remote_id: "c9"}))
    assert came_to(outcomes) == [(Delivered, "created"), (Hold, "already_linked"), (Delivered, "created")]


def test_a_contact_that_a_person_wants_anew_is_made_beside_the_others(shared):
    shared.seed(name="Sara", email="c1@example.com")
    outcomes = shared.push_many([one(shared, 0), one(shared, 1, create_anyway=True), one(shared, 2)])
    assert came_to(outcomes) == [(Delivered, "created")] * 3
    assert len(shared.contacts()) == 4


def test_two_contacts_with_the_value_are_held_alone(shared):
    for name in ("Sara", "Sara A."):
        shared.seed(name=name, email="c1@example.com")
    outcomes = shared.push_many(several(shared, 3))
    assert came_to(outcomes) == [(Delivered, "created"), (Hold, "two_matches"), (Delivered, "created")]


def test_what_is_there_already_is_kept_as_the_mapping_says(many):
    first = many.push_many(several(many, 2, email=None))
    fields = {"fill_if_empty": (many.words["name"], many.words["email"]), "keep": (many.phone,)}
    linked = [fields | {"remote_id": outcome.remote_id, "phone": f"+96655999999{n}"} for n, outcome in enumerate(first)]
    outcomes = many.push_many([one(many, n, "Another Name", **linked[n]) for n in range(2)])
    assert [o.how for o in outcomes] == ["updated"] * 2
    assert sorted((c["name"], c["email"], c["phone"]) for c in many.contacts()) == [
        (f"Customer {n}", f"c{n}@example.com", f"+9665512300{n:02d}") for n in range(2)
    ]


# Two who may be one


def test_two_customers_who_are_led_to_one_contact_do_not_share_it(many):
    remote_id = many.seed(name="Sara", email="c0@example.com")
    requests = [one(many, 0), one(many, 1, email="C0@EXAMPLE.com"), one(many, 2)]
    outcomes = many.push_many(requests)
    assert came_to(outcomes) == [(Delivered, "updated"), (Retry, None), (Delivered, "created")]
    assert (outcomes[1].after, outcomes[1].spent, outcomes[1].trouble) == (0.0, False, None)
    later = many.push(requests[1], Run({remote_id: "c0"}))
    assert (type(later), later.code) == (Hold, "already_linked")


def test_a_second_customer_finds_the_contact_unchanged_and_waits_too(many):
    (first,) = many.push_many([one(many, 0)])
    outcomes = many.push_many([one(many, 0, remote_id=first.remote_id), one(many, 1, email="C0@EXAMPLE.com")])
    assert outcomes[0].how == "unchanged"
    held = came_to(outcomes)[1]
    assert held in [(Retry, None), (Hold, "already_linked")]  # the contact itself may say whose it is
    assert len(many.contacts()) == 1


def test_two_new_customers_with_one_value_do_not_become_twins(many):
    "Spelled otherwise, so that only the target would see that they are the same."
    requests = [one(many, 0), one(many, 1, email="C0@EXAMPLE.com")]
    outcomes = many.push_many(requests)
    assert came_to(outcomes) == [(Delivered, "created"), (Retry, None)]
    later = many.push(requests[1], Run({outcomes[0].remote_id: "c0"}))
    assert (type(later), later.code) == (Hold, "already_linked")
    assert len(many.contacts()) == 1


def test_one_customer_twice_is_made_once(many):
    outcomes = many.push_many([one(many, 0), one(many, 0, "A Newer Name")])
    assert [o.how for o in outcomes] == ["created", "updated"]
    assert [c["name"] for c in many.contacts()] == ["A Newer Name"]


# When the target is not well


def test_observe_writes_nothing(many):
    many.seed(name="Sara", email="c1@example.com")
    outcomes = many.push_many(several(many, 2, observe=True))
    assert came_to(outcomes) == [(Skip, None)] * 2
    assert outcomes[0].reason == "observe: would create"
    assert "would update" in outcomes[1].reason
    assert writes(many) == []


def test_nothing_is_written_when_the_lease_was_lost(many):
    first = many.push_many(several(many, 1))
    requests = [one(many, 0, "New Name", remote_id=first[0].remote_id), one(many, 1)]
    outcomes = many.push_many(requests, Run(ours=False))
    assert [(type(o), o.spent, o.trouble) for o in outcomes] == [(Retry, False, None)] * 2
    assert all("lease" in o.reason for o in outcomes)
    assert [c["name"] for c in many.contacts()] == ["Customer 0"]


@pytest.mark.parametrize("purpose", ["find", "create"])
def test_a_busy_target_is_asked_no_more(many, purpose):
    many.vendor.faults = [Fault(purpose, 429, headers={"Retry-After": "30"})]
    outcomes = many.push_many(several(many, 3))
    assert [(o.spent, o.trouble.kind, o.trouble.after) for o in outcomes] == [(False, "busy", 30.0)] * 3
    said = many.vendor.said(purpose)
    assert len(said) == 1
    assert many.vendor.requests[-1] is said[0]
    assert many.contacts() == []


def test_a_busy_target_is_not_written_to_after_a_refused_update(many):
    first = many.push_many(several(many, 1))
    many.vendor.faults = [Fault("update", 429)]
    before = len(writes(many))
    outcomes = many.push_many([one(many, 0, "New Name", remote_id=first[0].remote_id), one(many, 1)])
    assert [(o.trouble.kind, o.maybe_sent) for o in outcomes] == [("busy", False)] * 2
    assert len(writes(many)) == before + 1


def test_busy_in_the_middle_leaves_nothing_half_done(many):
    "The first knows his contact already; the second cannot be asked for."
    first = many.push_many(several(many, 1))
    fine = [Fault("find")]
    many.vendor.faults = [*fine, Fault("find", 429)]
    before = len(writes(many))
    outcomes = many.push_many([one(many, 0, "New Name", remote_id=first[0].remote_id), one(many, 1)])
    assert [o.trouble.kind for o in outcomes] == ["busy"] * 2
    assert len(writes(many)) == before


def test_refused_credentials_are_said_of_each(many):
    many.vendor.faults = [Fault("", 401)] * 2
    outcomes = many.push_many(several(many, 3))
    assert [(o.spent, o.trouble.kind) for o in outcomes] == [(False, "refused")] * 3
    assert not any(secret in repr(outcomes) for secret in many.secrets)


def test_a_sick_write_may_have_made_the_new_ones(many):
    first = many.push_many(several(many, 1))
    many.vendor.faults = [Fault("create", 500)] * 3
    outcomes = many.push_many([one(many, 0, remote_id=first[0].remote_id), one(many, 1), one(many, 2)])
    assert outcomes[0].how == "unchanged"
    assert [(type(o), o.maybe_sent, o.after) for o in outcomes[1:]] == [(Retry, True, many.waits)] * 2
    assert [o.trouble and o.trouble.kind for o in outcomes[1:]] == ["sick", None]  # one request failed, not two


@pytest.mark.parametrize("then", [pytest.param("hang", marks=pytest.mark.slow), "reset", "truncate", "nothing"])
@pytest.mark.parametrize("kind", BATCH)
def test_a_batch_whose_answer_is_lost_is_made_once(kind, then):
    lab = LABS[kind]()
    with served(lab.vendor) as base:
        live = lab.on(base)
        live.vendor.faults = [Fault("create", then=then)] * 3
        outcomes = live.push_many(several(live, 5))
        assert [(type(o), o.maybe_sent) for o in outcomes] == [(Retry, True)] * 5
        live.vendor.faults = []
        again = live.push_many(several(live, 5, maybe_sent=True))
        assert {type(o) for o in again} == {Delivered}
        assert len(live.contacts()) == 5


@pytest.mark.parametrize("bad", [b"<html>Welcome</html>", b'{"hello": "world"}', b"[]", b"[1]", b'{"results": [1]}'])
@pytest.mark.parametrize("purpose", ["find", "create"])
def test_an_unreadable_answer_is_never_nobody_and_never_a_yes(many, purpose, bad):
    if (purpose, bad) == ("find", b"[]") and "lists" in many.can:
        pytest.skip("an empty list is how it says that there is nobody")
    many.vendor.faults = [Fault(purpose, 200, bad)] * 3
    outcomes = many.push_many(several(many, 3))
    assert [(type(o), o.trouble and o.trouble.kind) for o in outcomes] == [
        (Retry, "sick"),
        (Retry, None),
        (Retry, None),
    ]
    assert [o.maybe_sent for o in outcomes] == [purpose == "create"] * 3


def test_no_person_and_no_secret_in_any_outcome(many):
    said = " ".join((*many.secrets, "c1@example.com", "+966551230001", "Customer 1", TAX))
    many.vendor.bad = [(many.words["name"], "Customer 1", said)]
    outcome = many.push_many([one(many, n, tax=TAX if n == 1 else None) for n in range(3)])[1]
    assert isinstance(outcome, Fail)
    assert not any(text in repr(outcome) for text in said.split(" ") if len(text) > 2)


# The ladder, climbed by many: a book in memory that can do what no vendor here does


class Shelf(Batches):
    "Contacts in memory; it may list strangers too, and say that there is more."

    idempotent = True

    def __init__(self, *rows, more=False, strangers=()):
        self.rows = {str(n): row for n, row in enumerate(rows, 1)}
        self.more, self.strangers, self.asked, self.writing = more, strangers, [], []

    def asks(self, request):
        return [Ask(name, (value,), matches(name, value)) for name, value in request.match]

    def find_many(self, name, values, requests):
        self.asked.append((name, tuple(values), len(requests)))
        found = [Found(n, row) for n, row in self.rows.items() if row.get(name) in values]
        return Page([*found, *self.strangers], last=not self.more)

    def fetch_many(self, remote_ids, _requests):
        return {n: Found(n, self.rows[n]) for n in remote_ids if n in self.rows}

    def write_many(self, writes, _ours):
        assert len({write.remote_id is None for write in writes}) == 1
        self.writing.append(len(writes))
        return [self.put(write) for write in writes]

    def put(self, write):
        if write.fields.get("name") == BAD:
            return Rejected("no such name", status=422)
        number = write.remote_id or str(len(self.rows) + 1)
        self.rows[number] = self.rows.get(number, {}) | write.fields
        return Written(number, "200")


def asking(*names, count=3, **more):
    lab = Lab("shelf", None, None, [], rungs=("phone", "email"))
    return [one(lab, n, **more) for n in range(count)]


STRANGER = Found("9", {"phone": "+966550000000", "email": "stranger@example.com"})


def test_strangers_in_a_list_without_end_hold_those_who_are_not_in_it():
    shelf = Shelf({"phone": "+966551230001"}, more=True, strangers=[STRANGER])
    outcomes = upsert_many(asking(), shelf, Run())
    assert came_to(outcomes) == [(Hold, "filter_ignored"), (Delivered, "updated"), (Hold, "filter_ignored")]
    (single,) = upsert_many(asking(count=1), Shelf(more=True, strangers=[STRANGER]), Run())
    assert (type(single), single.code) == (Hold, "filter_ignored")


def test_strangers_in_a_whole_list_are_only_others():
    outcomes = upsert_many(asking(), Shelf(strangers=[STRANGER]), Run())
    assert came_to(outcomes) == [(Delivered, "created")] * 3


def test_each_height_is_one_question_and_who_is_found_stands_aside():
    shelf = Shelf({"phone": "+966551230001"})
    upsert_many(asking(), shelf, Run())
    assert [(name, len(values), count) for name, values, count in shelf.asked] == [("phone", 3, 3), ("email", 2, 2)]
    assert shelf.writing == [1, 2]


def test_equal_values_are_asked_once():
    shelf = Shelf()
    upsert_many(asking(phone="+966551230000"), shelf, Run())
    assert shelf.asked[0] == ("phone", ("+966551230000",), 3)


def test_those_who_stand_elsewhere_are_asked_for_there():
    lab = Lab("shelf", None, None, [], rungs=("phone", "email"))
    shelf = Shelf()
    upsert_many([one(lab, 0, phone=None), one(lab, 1, email=None), one(lab, 2)], shelf, Run())
    assert [(name, count) for name, _, count in shelf.asked] == [("email", 1), ("phone", 2), ("email", 1)]


def test_a_busy_answer_to_some_is_one_to_all_who_wait():
    class Full(Shelf):
        def find_many(self, name, *_):
            self.asked.append(name)
            raise Busy("wait", 5.0)

    lab = Lab("shelf", None, None, [], rungs=("phone", "email"))
    shelf = Full()
    outcomes = upsert_many([one(lab, 0, phone=None), one(lab, 1)], shelf, Run())
    assert [o.trouble.after for o in outcomes] == [5.0, 5.0]
    assert shelf.asked == ["email"]


def test_a_lost_create_with_nothing_to_look_by_is_held_alone():
    class Plain(Shelf):
        idempotent = False

    requests = [*asking(count=2), *asking(count=3, phone=None, email=None, maybe_sent=True)[2:]]
    outcomes = upsert_many(requests, Plain(), Run())
    assert came_to(outcomes) == [(Delivered, "created"), (Delivered, "created"), (Hold, "maybe_there")]

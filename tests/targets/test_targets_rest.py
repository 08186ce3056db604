"""The declarative form."""

from base64 import b64encode

import pytest

from connector.models import Delivered, Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.rest import KIND, Rest
from tests.targets.conftest import BASE, EMAIL, LABS, PHONE, Run, clock, mount
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.rest.lab import rung
from tests.targets.vendors.rest.lab import settings as rest_settings


def lab_with(mocked, **more):
    lab = LABS["rest"](**more)
    mount(mocked, lab.vendor)
    return lab


def without(*keys, **more):
    return {key: value for key, value in rest_settings(allow_private=True, **more).items() if key not in keys}


def opened(slept=None, **settings):
    return Rest(KIND.schema.load(settings), Around(clock([] if slept is None else slept)))


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"bearer": "t0ken"}, ("Authorization", "Bearer t0ken")),
        ({"basic": {"username": "u", "password": "p"}}, ("Authorization", "Basic " + b64encode(b"u:p").decode())),
        ({"header": {"name": "X-Key", "value": "k"}}, ("X-Key", "k")),
    ],
)
def test_each_way_to_prove_who_we_are(mocked, auth, header):
    lab = lab_with(mocked, auth=auth)
    lab.push()
    assert all(request.headers[header[0]] == header[1] for request in lab.vendor.requests)


def test_a_key_in_the_query(mocked):
    lab = lab_with(mocked, auth={"query": {"name": "key", "value": "s3cr3t-key"}})
    lab.vendor.faults = [Fault("POST", 400, b'{"error": "s3cr3t-key is wrong"}')]
    outcome = lab.push()
    assert lab.vendor.requests[-1].query == {"key": "s3cr3t-key"}
    assert "s3cr3t" not in repr(outcome)


def test_no_auth_at_all(rest):
    target = opened(**without("auth"))
    assert rest.push(target=target).how == "created"
    assert "Authorization" not in rest.vendor.requests[0].headers


def test_rungs_are_asked_in_order_until_one_answers(rest):
    rest.seed(name="Sara", phone=PHONE)
    rest.push()
    assert [list(r.query) for r in rest.vendor.said("GET")] == [["external_id"], ["tax_number"], ["phone"]]


def test_a_rung_without_a_value_is_skipped(rest):
    outcome = rest.push(rest.request(tax=None, email=None))
    assert [list(r.query) for r in rest.vendor.said("GET")] == [["external_id"], ["phone"]]
    assert outcome.warnings == ()


def test_a_value_that_is_not_valid_is_no_rung_and_is_told(rest):
    request = rest.request(tax=None, email=None)
    request = type(request)("c1", request.record, (), "k")
    outcome = rest.push(request)
    assert [list(r.query) for r in rest.vendor.said("GET")] == [["external_id"]]
    assert any(warning.startswith("phone: not looked up") for warning in outcome.warnings)


def test_a_404_with_json_is_nobody(rest):
    rest.vendor.empty_404 = True
    assert rest.push().how == "created"


def test_a_match_is_compared_as_a_phone(rest):
    rest.seed(name="Sara", phone="0551234567", external_id="c1")
    target = opened(
        **rest_settings(
            allow_private=True, find=[rung("external_id", "customer") | {"match": {"phone": "{{ record.phone }}"}}]
        )
    )
    assert rest.push(target=target).how == "updated"


def test_a_bare_list_and_a_bare_record(mocked):
    lab = lab_with(mocked)
    lab.vendor.faults = [
        Fault("GET", 200, b"[]"),
        Fault("POST", 201, b'{"id": 9}'),
    ]
    find = {"path": "/contacts", "query": {"email": "{{ record.email }}"}, "match": {"email": "{{ record.email }}"}}
    target = opened(**rest_settings(allow_private=True, find=[find], create={"path": "/contacts"}))
    assert lab.push(target=target).remote_id == "9"
    assert lab.vendor.said("POST")[0].payload["name"] == "Sara Ahmed"


def test_one_object_is_a_list_of_one(mocked):
    lab = lab_with(mocked)
    remote_id = lab.seed(name="Sara", external_id="c1")
    find = {"path": "/contacts/1", "records": "contact", "match": {"external_id": "{{ customer }}"}}
    target = opened(**rest_settings(allow_private=True, find=[find]))
    assert lab.push(target=target).remote_id == remote_id


def test_a_linked_contact_is_written_with_one_request(mocked):
    lab = lab_with(mocked)
    remote_id = lab.seed(name="Sara")
    target = opened(**without("fetch"))
    outcome = lab.push(lab.request(remote_id=remote_id), target=target)
    assert outcome.how == "updated"
    assert [r.method for r in lab.vendor.requests] == ["PUT"]


def test_observe_of_a_linked_contact_that_cannot_be_read(rest):
    target = opened(**without("fetch"))
    outcome = rest.push(rest.request(remote_id="1", observe=True), target=target)
    assert (outcome.reason, outcome.proves_target) == ("observe: would update 1", False)
    assert rest.vendor.requests == []


def test_what_is_protected_is_looked_up_by_the_rungs_where_there_is_no_fetch(rest):
    remote_id = rest.seed(name="Sara", phone=PHONE)
    target = opened(**without("fetch"))
    outcome = rest.push(rest.request(remote_id=remote_id, fill_if_empty=("name",)), target=target)
    assert (outcome.how, rest.contacts()[0]["name"]) == ("updated", "Sara")


def test_what_is_protected_is_left_out_where_nothing_finds_it(rest):
    remote_id = rest.seed(name="Sara")
    target = opened(**without("fetch"))
    rest.push(rest.request(remote_id=remote_id, keep=("name",)), target=target)
    assert rest.contacts()[0]["name"] == "Sara"
    assert rest.contacts()[0]["email"] == EMAIL


def test_a_put_carries_the_whole_record_and_a_patch_what_changed(rest):
    rest.seed(name="Sara", phone=PHONE)
    rest.push()
    assert rest.vendor.said("PUT")[0].payload["contact"]["phone"] == PHONE
    patch = opened(
        **rest_settings(
            allow_private=True, update={"method": "PATCH", "path": "/contacts/{{ remote_id }}", "envelope": "contact"}
        )
    )
    rest.push(rest.request(name="Sara Salem"), target=patch)
    assert rest.vendor.said("PATCH")[0].payload == {"contact": {"name": "Sara Salem"}}


def test_a_refused_update_of_a_link_fails(rest):
    rest.vendor.faults = [Fault("PUT", 409, b'{"error": "locked"}')]
    target = opened(**without("fetch"))
    outcome = rest.push(rest.request(remote_id=rest.seed(name="Sara")), target=target)
    assert isinstance(outcome, Fail)
    assert "locked" in outcome.reason


def test_a_link_that_answers_404_is_dropped(rest):
    outcome = rest.push(rest.request(remote_id="99"), target=opened(**without("fetch")))
    assert (outcome.how, outcome.remote_id) == ("created", "1")
    assert "99" in outcome.warnings[0]


def test_a_conflict_fails_with_the_vendors_sentence(rest):
    rest.vendor.faults = [Fault("POST", 409, b'{"message": "name is taken"}')]
    outcome = rest.push()
    assert isinstance(outcome, Fail)
    assert "name is taken" in outcome.reason


def test_an_idempotency_key_lets_a_lost_create_be_repeated(mocked):
    lab = lab_with(mocked, find=[], idempotency_header="Idempotency-Key")
    lab.vendor.faults = [Fault("POST", 502, commits=True)]
    assert lab.push().how == "created"
    assert len(lab.contacts()) == 1
    assert {r.headers["Idempotency-Key"] for r in lab.vendor.said("POST")} == {"key-of-c1"}


def test_a_key_makes_a_lost_create_no_matter_for_a_person(mocked):
    lab = lab_with(mocked, find=[], idempotency_header="Idempotency-Key")
    assert lab.push(lab.request(maybe_sent=True)).how == "created"


def test_at_most_once_holds_after_a_lost_answer(mocked):
    lab = lab_with(mocked, find=[], at_most_once=True)
    lab.vendor.faults = [Fault("POST", 502, commits=True)]
    assert isinstance(lab.push(), Retry)
    assert isinstance(lab.push(lab.request(maybe_sent=True)), Hold)
    assert len(lab.vendor.said("POST")) == 1


def test_a_path_with_the_customer_is_create_and_update_in_one(mocked):
    lab = lab_with(mocked)
    lab.vendor.faults = [Fault("PUT", 201), Fault("PUT", 502), Fault("PUT", 200)]
    settings = without("find", "fetch", "update", create={"method": "PUT", "path": "/people/{{ customer }}"})
    target = opened(**settings)
    first = lab.push(lab.request("c/1"), target=target)
    assert (first.how, first.remote_id) == ("created", "c/1")
    assert lab.push(lab.request("c/1", remote_id="c/1"), target=target).how == "updated"
    assert {r.path for r in lab.vendor.requests} == {"/people/c/1"}


def test_a_record_without_the_value_of_its_address_fails(rest):
    target = opened(**rest_settings(allow_private=True, create={"path": "/contacts/{{ record.email }}", "id": "id"}))
    outcome = rest.push(rest.request(email=None), target=target)
    assert isinstance(outcome, Fail)
    assert "no value" in outcome.reason


def test_a_fetch_that_is_refused_fails(rest):
    rest.vendor.faults = [Fault("GET", 400, b'{"error": "bad id"}')]
    assert isinstance(rest.push(rest.request(remote_hint="x")), Fail)


def test_a_fetch_must_answer_with_that_contact(rest):
    rest.vendor.faults = [Fault("GET", 200, b'{"contact": {"id": 8}}')] * 3
    assert rest.push(rest.request(remote_hint="7")).trouble.kind == "sick"


def test_a_question_that_is_refused_fails(rest):
    rest.vendor.faults = [Fault("GET", 400, b'{"error": "bad filter"}')]
    assert isinstance(rest.push(), Fail)


def test_a_check_tells_of_an_ignored_filter(rest):
    rest.seed(name="Sara")
    rest.vendor.ignores_filter = True
    check = rest.target.check()
    assert check.ok
    assert "look at the query" in check.lines[1]


def test_a_check_without_find_asks_nothing(rest):
    settings = without("find", create={"method": "PUT", "path": "/people/{{ customer }}"})
    assert opened(**settings).check().ok
    assert rest.vendor.requests == []


def test_a_pace_is_kept(rest):
    slept = []
    rest.push(
        target=Rest(
            KIND.schema.load(rest_settings(allow_private=True, pace="1/10s")), Around(Clock(sleep=slept.append))
        )
    )
    assert len(slept) == len(rest.vendor.requests) - 1


def test_an_account_is_its_address_and_its_key():
    one, two = (opened(**rest_settings(auth={"bearer": token})) for token in ("a", "b"))
    elsewhere = opened(**rest_settings(base_url=f"{BASE}/v2", auth={"bearer": "a"}))
    assert len({one.account, two.account, elsewhere.account}) == 3


def test_another_customers_contact_found_by_the_link_is_written_anyway(rest):
    remote_id = rest.seed(name="Sara")
    outcome = rest.push(rest.request(remote_id=remote_id), Run({remote_id: "c2"}))
    assert isinstance(outcome, Delivered)  # a person said so

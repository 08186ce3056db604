"""Qoyod's own ways, answered as its documents and working clients say."""

import json

import pytest

from connector.models import Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.vendors.qoyod import KIND
from tests.targets.conftest import PHONE, TAX, Run
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.qoyod.lab import settings as qoyod_settings


def test_the_key_goes_into_its_header_and_the_record_into_contact(qoyod):
    qoyod.push()
    post = qoyod.vendor.said("POST")[0]
    assert post.headers["API-KEY"] == "qoyod-key-0123456789"
    assert list(post.payload) == ["contact"]
    assert post.payload["contact"]["phone_number"] == PHONE


def test_the_rungs_are_asked_in_the_mappings_order(qoyod):
    qoyod.push()
    asked = [next(key for key in r.query if key.startswith("q[")) for r in qoyod.vendor.said("GET")]
    assert asked == ["q[tax_number_eq]", *["q[phone_number_eq]"] * 5, "q[email_eq]"]


def test_only_what_changed_is_put(qoyod):
    remote_id = qoyod.seed(name="Sara", phone=PHONE, email="sara@example.com", tax_number=TAX)
    qoyod.push(qoyod.request(remote_id=remote_id))
    assert [r.payload for r in qoyod.vendor.said("PUT")] == [{"contact": {"name": "Sara Ahmed"}}]


def test_nothing_is_put_when_nothing_changed(qoyod):
    remote_id = qoyod.seed(name="Sara Ahmed", phone="0551234567", email="SARA@example.com", tax_number=TAX)
    assert qoyod.push(qoyod.request(remote_id=remote_id)).how == "unchanged"
    assert qoyod.vendor.said("PUT") == []


def test_a_contact_with_a_foreign_number_of_equal_digits_is_no_match(qoyod):
    qoyod.seed(name="Omar", phone="0501234567")
    outcome = qoyod.push(qoyod.request(phone="+971501234567", email=None, tax=None))
    assert outcome.how == "created"


def test_the_same_person_typed_twice_in_two_spellings_is_held(qoyod):
    qoyod.seed(name="Sara", phone="0551234567")
    qoyod.seed(name="Sara", phone="+966551234567")
    assert qoyod.push(qoyod.request(tax=None, email=None)).code == "two_matches"


def test_an_ignored_filter_is_read_through_all_pages(qoyod):
    for n in range(250):
        qoyod.seed(name=f"Other {n}", phone=f"+96655{n:07}")
    remote_id = qoyod.seed(name="Sara", phone="055 123 4567")
    qoyod.vendor.ignores_filter = True
    outcome = qoyod.push(qoyod.request(tax=None, email=None))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_an_ignored_filter_read_to_the_end_means_nobody(qoyod):
    for n in range(150):
        qoyod.seed(name=f"Other {n}", phone=f"+96655{n:07}")
    qoyod.vendor.ignores_filter = True
    assert qoyod.push(qoyod.request(email=None)).how == "created"
    assert len(qoyod.contacts()) == 151


def test_a_book_too_long_to_read_is_held(qoyod, monkeypatch):
    monkeypatch.setattr("connector.targets.ladder.MOST_PAGES", 1)
    for n in range(150):
        qoyod.seed(name=f"Other {n}", phone=f"+96655{n:07}")
    qoyod.vendor.ignores_filter = True
    outcome = qoyod.push()
    assert (type(outcome), outcome.code) == (Hold, "filter_ignored")


def test_paging_that_is_ignored_for_one_value_ends(qoyod):
    for _ in range(100):
        qoyod.seed(name="Sara", tax_number=TAX)
    qoyod.vendor.ignores_paging = True
    assert qoyod.push().code == "two_matches"


def test_the_number_of_pages_is_believed(qoyod):
    page = json.dumps({"customers": [{"id": 1, "name": "x"}], "pagination": {"totalPages": 1}}).encode()
    qoyod.vendor.faults = [Fault("GET", 200, page)] * 3
    assert qoyod.push().how == "created"


@pytest.mark.parametrize(
    "body", [b'{"contact": {"id": 99}}', b"{}", b'{"contact": {"id": true}}', b'{"contact": null}', b"[]"]
)
def test_a_contact_read_by_its_id_must_be_that_contact(qoyod, body):
    qoyod.vendor.faults = [Fault("GET", 200, body)] * 3
    outcome = qoyod.push(qoyod.request(remote_hint="7"))
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")


def test_an_id_that_qoyod_refuses_fails(qoyod):
    qoyod.vendor.faults = [Fault("GET", 400, b'{"error": "bad id"}')]
    assert isinstance(qoyod.push(qoyod.request(remote_hint="7/../8")), Fail)
    assert qoyod.vendor.requests[0].path == "/customers/7/../8"


def test_a_question_that_qoyod_refuses_fails(qoyod):
    qoyod.vendor.faults = [Fault("GET", 400, b'{"error": "bad filter"}')]
    assert isinstance(qoyod.push(), Fail)


def test_validation_errors_come_with_field_and_sentence(qoyod):
    qoyod.vendor.faults = [Fault("POST", 422, b'{"email": ["is invalid"]}')]
    outcome = qoyod.push()
    assert isinstance(outcome, Fail)
    assert "email: is invalid" in outcome.reason


def test_a_refused_key_inside_a_200_holds_the_target(qoyod):
    body = b'{"error": {"message": "Invalid API key", "code": 401}, "status": "error"}'
    qoyod.vendor.faults = [Fault("GET", 200, body)]
    assert qoyod.push().trouble.kind == "refused"


def test_a_deleted_link_and_nobody_else_is_made_anew(qoyod):
    outcome = qoyod.push(qoyod.request(remote_id="99"))
    assert outcome.how == "created"
    assert any("99" in warning for warning in outcome.warnings)


def test_the_defaults_are_qoyods():
    settings = KIND.schema.load({"api_key": "k"})
    assert settings["base_url"] == "https://api.qoyod.com/2.0"
    assert settings["timeout"] == 10.0
    target = KIND.open(None, settings, Around())
    assert (target.uncertain_wait, target.timeout) == (30.0, 25.0)


def test_another_key_is_another_account(qoyod):
    other = KIND.open(None, KIND.schema.load(qoyod_settings(api_key="another")), Around())
    assert other.account != qoyod.target.account


def test_a_wrong_key_fails_the_check(qoyod):
    wrong = KIND.open(None, KIND.schema.load(qoyod_settings(api_key="another", allow_private=True)), Around())
    check = wrong.check()
    assert not check.ok
    assert "credentials" in check.lines[0]
    assert qoyod.push(run=Run()).how == "created"

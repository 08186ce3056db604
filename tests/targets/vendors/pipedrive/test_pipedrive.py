"""Pipedrive's own ways, answered as its specification and working clients say."""

from datetime import UTC, datetime

import pytest

from connector.models import Delivered, Retry
from connector.targets.answers import Asked, answered
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.vendors.pipedrive import KIND, Pipedrive, judge
from tests.targets.conftest import EMAIL, PHONE, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.pipedrive.lab import FLAVOURS, code_of, settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = Asked("GET api.pipedrive.com/persons/search", writes=False, hide=str)


@pytest.fixture
def pipedrive(mocked):
    return mounted("pipedrive", mocked)


def searched(lab):
    return [
        (r.query["fields"], r.query["term"], r.query["exact_match"])
        for r in lab.vendor.said("find")
        if "term" in r.query
    ]


def test_a_custom_field_goes_by_the_companys_own_key(pipedrive):
    assert pipedrive.push().how == "created"
    (post,) = pipedrive.vendor.said("POST")
    assert post.payload["custom_fields"] == {code_of("Flavours ID"): "c1", code_of("Tax number"): "310122393500003"}
    assert pipedrive.push().how == "unchanged"


def test_a_key_itself_may_be_written_in_a_mapping(pipedrive):
    pipedrive.words |= {"customer": f"custom_fields.{code_of('Flavours ID')}"}
    pipedrive.push()
    (post,) = pipedrive.vendor.said("POST")
    assert post.payload["custom_fields"][code_of("Flavours ID")] == "c1"


def test_each_value_is_searched_for_once(pipedrive):
    pipedrive.push()
    assert searched(pipedrive) == [
        ("custom_fields", "c1", "true"),
        ("email", EMAIL, "true"),
        ("phone", "551234567", "false"),
    ]


def test_a_hit_by_the_id_is_read_whole_and_compared_there(pipedrive):
    remote_id = pipedrive.seed(name="Sara", customer="c1")
    pipedrive.seed(name="Omar", tax_number="c1")  # the same text in another field is another person
    outcome = pipedrive.push()
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)


def test_a_phone_that_only_ends_alike_is_no_hit(pipedrive):
    pipedrive.seed(name="Omar", phone="+971551234567")
    assert pipedrive.push(pipedrive.request(email=None)).how == "created"


def test_more_hits_than_are_read_are_no_answer(pipedrive):
    for number in range(12):
        pipedrive.seed(name=f"Omar {number}", phone=f"+971551234567{number}")
    outcome = pipedrive.push(pipedrive.request(email=None))
    assert outcome.code == "filter_ignored"
    assert len([r for r in pipedrive.vendor.requests if r.path.startswith("/persons/") and "term" not in r.query]) == 10


def test_without_the_field_for_the_id_nothing_is_made(pipedrive):
    del pipedrive.vendor.custom["Flavours ID"]
    outcome = pipedrive.push()
    assert (type(outcome), outcome.trouble.kind, pipedrive.vendor.said("POST")) == (Retry, "refused", [])
    assert "no custom field Flavours ID" in outcome.reason
    pipedrive.vendor.custom["Flavours ID"] = code_of("Flavours ID")
    assert pipedrive.push().how == "created"


def test_another_field_that_is_not_there_is_left_out_with_a_warning(pipedrive):
    del pipedrive.vendor.custom["Tax number"]
    outcome = pipedrive.push()
    assert (type(outcome), outcome.how) == (Delivered, "created")
    assert any(w.startswith("custom_fields.Tax number: left out") for w in outcome.warnings)


def test_a_field_that_is_made_later_is_found_by_itself(pipedrive):
    now = [0.0]
    target = Pipedrive(KIND.schema.load(settings(allow_private=True)), Around(Clock(monotonic=lambda: now[0])))
    del pipedrive.vendor.custom["Tax number"]
    pipedrive.push(target=target)
    pipedrive.vendor.custom["Tax number"] = code_of("Tax number")
    assert pipedrive.push(target=target).how == "unchanged"
    now[0] = 301.0
    assert pipedrive.push(target=target).how == "updated"
    assert len(pipedrive.vendor.said("fields")) == 2 + 3  # pages


def test_the_field_of_the_id_has_the_name_that_is_said(mocked):
    pipedrive = mounted("pipedrive", mocked, id_field="Guest ID")
    assert "no custom field Guest ID" in pipedrive.push().reason
    assert pipedrive.target.check(fix=True).ok
    assert pipedrive.push().how == "created"
    assert pipedrive.vendor.said("POST")[1].payload["custom_fields"][code_of("Guest ID")] == "c1"


def test_a_person_that_is_refused_when_read_fails(pipedrive):
    pipedrive.vendor.faults = [Fault("find", 400, b'{"success": false, "error": "bad id"}')]
    assert "bad id" in pipedrive.push(pipedrive.request(remote_hint="x")).reason


def test_another_person_in_the_answer_is_no_answer(pipedrive):
    pipedrive.vendor.faults = [Fault("find", 200, b'{"success": true, "data": {"id": 8}}')] * 3
    assert pipedrive.push(pipedrive.request(remote_hint="7")).trouble.kind == "sick"


# The fields of a person


def test_fields_that_are_no_list_are_no_answer(pipedrive):
    pipedrive.vendor.faults = [Fault("fields", 200, b'{"success": true, "data": "none"}')] * 3
    outcome = pipedrive.push()
    assert (type(outcome), outcome.trouble.kind, outcome.maybe_sent) == (Retry, "sick", False)
    assert "not a list" in outcome.reason


def test_a_check_names_the_custom_fields_that_are_missing(pipedrive):
    check = pipedrive.target.check((FLAVOURS, "custom_fields.VIP", "name", "emails[0].value"))
    assert not check.ok
    assert [line for line in check.lines if "no custom field" in line] == [
        "a person has no custom field VIP: make it (type Text), or let `connector targets check NAME --fix` make it"
    ]
    assert pipedrive.vendor.said("POST") == []


def test_a_check_makes_them_when_told_to(pipedrive):
    check = pipedrive.target.check((FLAVOURS, "custom_fields.VIP"), fix=True)
    assert (check.ok, check.lines[1:]) == (True, ("made the custom field VIP of a person",))
    assert [r.payload for r in pipedrive.vendor.said("POST")] == [{"field_name": "VIP", "field_type": "varchar"}]
    assert pipedrive.target.check((FLAVOURS, "custom_fields.VIP")).ok


def test_a_check_that_may_not_make_them_says_so(pipedrive):
    pipedrive.vendor.faults = [Fault("POST", 403, b'{"success": false, "error": "no admin"}')]
    check = pipedrive.target.check(("custom_fields.VIP",), fix=True)
    assert (check.ok, "no admin" in check.lines[0]) == (False, True)


# Limits


def limited(status=429, body=b'{"success": false, "error": "Rate limit exceeded"}', now=NOON, **headers):
    return judge(answered(status, {name.replace("_", "-"): value for name, value in headers.items()}, body), ASKED, now)


def test_a_burst_waits_for_the_longer_of_both_headers():
    assert limited(Retry_After="1", x_ratelimit_reset="2").retry_after == 2.0
    assert limited().retry_after is None


def test_a_day_that_is_used_up_is_looked_at_every_hour_until_midnight():
    assert limited(x_daily_ratelimit_token_remaining="0", Retry_After="2").retry_after == 3600.0
    late = limited(now=NOON.replace(hour=23, minute=51), x_daily_ratelimit_token_remaining="0")
    assert (late.retry_after, "used up" in str(late)) == (600.0, True)


def test_a_block_is_no_lack_of_permission(pipedrive):
    pipedrive.vendor.faults = [Fault(status=403, body=b"<html>Cloudflare</html>")]
    outcome = pipedrive.push()
    assert (outcome.trouble.kind, outcome.trouble.after) == ("busy", 600.0)


def test_the_number_is_compared_as_a_number(pipedrive):
    pipedrive.seed(name="Sara", phone="00966551234567", email="other@example.com")
    outcome = pipedrive.push(pipedrive.request(email=None, fill_if_empty=("phones",)))
    assert outcome.how == "updated"
    assert PHONE not in repr(pipedrive.vendor.said("PATCH"))

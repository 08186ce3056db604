"""A webhook's own ways: what is sent, by which signature, and what an answer means."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from connector.config_text import Unset
from connector.models import Delivered, Fail, Retry, Skip
from connector.targets.base import Around
from connector.targets.kinds import kind
from connector.targets.vendors.webhook import KIND
from connector.targets.vendors.webhook import Webhook as Target
from tests.targets.conftest import Run, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.webhook.lab import SECRET, settings

OTHER = "whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldC1vdGhlcg=="


@pytest.fixture
def webhook(mocked):
    return mounted("webhook", mocked)


def opened(**more):
    return Target(KIND.schema.load(settings(allow_private=True, **more)), Around())


def test_the_record_is_sent_with_the_customers_id(webhook):
    assert webhook.push().remote_id == "c1"
    headers, body = webhook.vendor.raw[0]
    sent = json.loads(body)
    assert (sent["type"], sent["data"]) == ("customer", {"customer": "c1", "record": webhook.request().record})
    assert abs((datetime.now(UTC) - datetime.fromisoformat(sent["timestamp"])).total_seconds()) < 60
    assert headers["Content-Type"] == "application/json"
    assert b"Sara Ahmed" in body


def test_arabic_is_sent_as_it_is_and_verifies(webhook):
    assert webhook.push(webhook.request(name="نورة")).how == "created"
    assert "نورة".encode() in webhook.vendor.raw[0][1]


def test_the_receiver_takes_the_signature_and_no_other(webhook):
    webhook.push()
    headers, body = webhook.vendor.raw[0]
    assert Webhook(SECRET).verify(body, headers)["data"]["customer"] == "c1"
    for wrong in (lambda: Webhook(OTHER).verify(body, headers), lambda: Webhook(SECRET).verify(body + b" ", headers)):
        with pytest.raises(WebhookVerificationError):
            wrong()


def test_a_list_of_secrets_signs_with_each(webhook):
    webhook.push(target=opened(secret=[OTHER, SECRET]))
    headers, body = webhook.vendor.raw[0]
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(OTHER).verify(body, headers) == Webhook(SECRET).verify(body, headers)


def test_a_receiver_that_does_not_know_us_holds_the_target(webhook):
    outcome = webhook.push(target=opened(secret=OTHER))
    assert (outcome.trouble.kind, webhook.contacts()) == ("refused", [])


def test_the_id_is_the_deliverys_own_however_often_it_is_tried(webhook):
    webhook.vendor.faults = [Fault("POST", 500, commits=True)]
    assert isinstance(webhook.push(), Delivered)
    webhook.push(webhook.request(maybe_sent=True))
    assert [headers["webhook-id"] for headers, _ in webhook.vendor.raw] == ["key-of-c1"] * 3
    assert len(webhook.contacts()) == 1


def test_a_customer_with_a_link_is_updated_and_what_is_kept_is_not_sent(webhook):
    outcome = webhook.push(webhook.request(name="Sara Salem", remote_id="c1", keep=("email",)))
    assert (outcome.how, outcome.remote_id) == ("updated", "c1")
    record = json.loads(webhook.vendor.raw[0][1])["data"]["record"]
    assert (record["name"], "email" in record) == ("Sara Salem", False)


def test_observe_sends_nothing(webhook):
    outcome = webhook.push(webhook.request(observe=True))
    assert (type(outcome), outcome.reason, webhook.vendor.raw) == (Skip, "observe: would create", [])


def test_a_hint_is_not_asked_about(webhook):
    assert webhook.push(webhook.request(remote_hint="7")).remote_id == "c1"
    assert webhook.target.fetch("7", webhook.request()) is None


def test_a_check_sends_nothing(webhook):
    check = webhook.target.check(("name",))
    assert (check.ok, webhook.vendor.raw) == (True, [])
    assert "nothing was asked" in check.lines[0]


@pytest.mark.parametrize("body", [b"", b"ok", b"<html>Thanks</html>", b'{"error": "but thanks"}'])
@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_every_2xx_is_thanks(webhook, status, body):
    webhook.vendor.faults = [Fault(status=status, body=body)]
    assert isinstance(webhook.push(), Delivered)


@pytest.mark.parametrize("status", [404, 405, 410])
def test_an_address_without_a_receiver_holds_the_target(webhook, status):
    webhook.vendor.faults = [Fault(status=status, body=b'{"message": "The webhook is not registered"}')]
    outcome = webhook.push()
    assert (type(outcome), outcome.spent, outcome.trouble.kind) == (Retry, False, "refused")
    assert "is the receiver switched on, and the url right?" in outcome.reason


@pytest.mark.parametrize(
    ("status", "headers", "after"), [(429, {"Retry-After": "30"}, 30.0), (502, {}, None), (504, {}, None)]
)
def test_a_receiver_under_load_is_left_alone(webhook, status, headers, after):
    webhook.vendor.faults = [Fault(status=status, headers=headers)]
    outcome = webhook.push()
    assert (outcome.spent, outcome.trouble.kind, outcome.trouble.after) == (False, "busy", after)


def test_a_refusal_fails(webhook):
    webhook.vendor.faults = [Fault(status=422, body=b'{"message": "no name"}')]
    outcome = webhook.push()
    assert isinstance(outcome, Fail)
    assert "no name" in outcome.reason


def test_the_address_is_shown_by_its_host_alone(webhook):
    body = b'{"message": "POST /hooks/catch/123456/abcde7 is not registered"}'
    webhook.vendor.faults = [Fault(status=404, body=body)]
    outcome = repr(webhook.push())
    assert "vendor.example.com" in outcome
    assert not any(part in outcome for part in ("123456", "abcde7"))


def test_a_query_and_a_slash_at_the_end_stay_as_they_are(mocked):
    webhook = mounted("webhook", mocked)
    url = "https://vendor.example.com/api/hooks/?api-version=1&sig=a%2Bb%3D&empty="
    webhook.push(target=opened(url=url))
    assert mocked.calls[0].request.url == url


def test_a_token_is_sent_as_bearer(webhook):
    webhook.push(target=opened(token="a-token-of-mine"))
    assert webhook.vendor.requests[0].headers["Authorization"] == "Bearer a-token-of-mine"


def test_a_large_record_is_told(webhook):
    outcome = webhook.push(webhook.request(name="x" * 20_000))
    assert isinstance(outcome, Delivered)
    assert any("not every receiver takes more than 20,000" in warning for warning in outcome.warnings)


def test_a_lost_lease_sends_nothing(webhook):
    assert webhook.push(run=Run(ours=False)).spent is False
    assert webhook.vendor.raw == []


def test_an_account_is_its_address_whatever_the_secret():
    one, rotated, other = opened(), opened(secret=OTHER), opened(url="https://vendor.example.com/other")
    assert one.account == rotated.account != other.account


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret": "whsec_c2hvcnQ="}, "24 to 64 random bytes"),
        ({"secret": "not base64!"}, "openssl rand -base64 32"),
        ({"secret": []}, "at least one secret"),
        ({"url": "hooks.example.com"}, "begins with https://"),
        ({"base_url": "https://x.example.com"}, "unknown key `base_url`"),
    ],
)
def test_bad_settings_are_named(more, words):
    errors = kind("webhook").schema.validate(settings() | more)
    assert words in repr(errors)
    assert "c2hvcnQ" not in repr(errors)


def test_a_secret_that_is_not_set_yet_is_told_elsewhere():
    assert kind("webhook").schema.validate(settings() | {"secret": Unset("")}) == {}

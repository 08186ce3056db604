"""A worker whose target uses OAuth2: what it does when the vendor says no, and that it tells nobody a token."""

import dataclasses

import pytest

from connector.config import TargetConfig
from connector.delivery.around import around
from connector.masking import Secret
from connector.targets.kinds import open_target
from tests.delivery.conftest import config
from tests.installation import wait_for
from tests.targets.stub_issuer import CLIENT, SECRET, Issuer
from tests.targets.stub_vendor import Fault, served
from tests.targets.vendors.rest.lab import settings as rest_settings

KEY = "a-secret-key-of-the-tests"
ECHO = b'{"error": "no: access-token-2-of-the-issuer"}'
TOKENS = ("access-token-", "refresh-token-", SECRET, KEY)


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def crm(issuer, tmp_path, store):
    "Open the target as `connector worker` does."
    with served(issuer) as base:
        said = {"token_url": base.replace("/api", "/oauth/token"), "client_id": CLIENT, "client_secret": SECRET}
        said |= {"refresh_token": "refresh-token-0", "authorize_url": f"{base}/authorize"}
        settings = rest_settings(base, allow_private=True, auth={"oauth2": said}, timeout="10s")
        made = dataclasses.replace(config(tmp_path), secret_keys=(Secret(KEY),))
        yield lambda: open_target(TargetConfig("crm", "rest", settings), around(made, store, "crm"))


def state(store, name):
    "Wait until the target is in this state."
    return wait_for(lambda: next((s for s in store.states.all().values() if s.state == name), None))


def test_a_refresh_token_that_is_revoked_holds_the_target_and_says_connect_again(
    crm, start, arrive, store, issuer, logged
):
    issuer.refresh.clear()
    said = []
    start(targets={"crm": crm()}, said=said)
    arrive(1)
    assert state(store, "held").reason.endswith("connect again: connector targets connect crm")
    wait_for(lambda: said)
    assert "connect again" in said[0]
    waiting = wait_for(lambda: [row for row in store.desk.deliveries() if row["state"] == "pending"])
    assert waiting[0]["attempts"] == 0


def test_a_target_goes_on_when_it_is_connected_again(crm, start, arrive, until, store, issuer):
    issuer.refresh.clear()
    start(targets={"crm": crm()})
    arrive(1)
    state(store, "held")
    issuer.refresh.add("refresh-token-0")
    store.states.resume("crm")
    until(1, "delivered")


def test_too_many_tokens_pause_the_target_for_ten_minutes(crm, start, arrive, store, issuer):
    issuer.scripted = [(200, {"error": "Access Denied"})]
    start(targets={"crm": crm()})
    arrive(1)
    assert "too many tokens were asked for" in state(store, "paused").reason
    assert len(issuer.asked) == 1


def test_no_token_is_told_to_anybody(crm, start, arrive, until, store, issuer, logged, tmp_path):
    issuer.faults = [Fault("POST", 401, b'{"error": "expired"}'), Fault("POST", 422, ECHO)]
    start(targets={"crm": crm()})
    arrive(1)
    until(1, "failed")
    arrive(2)
    until(2, "delivered")
    assert len(issuer.asked) == 2
    assert store.desk.delivery(1)["reason"].endswith("answered 422: no: ***")
    told = [str(logged), str(store.states.all()), str(store.desk.deliveries())]
    told += [str(store.desk.attempts(n)) for n in (1, 2)]
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("connector.db*")).decode("latin-1")
    assert [secret for secret in TOKENS if secret in "".join([*told, raw])] == []


def test_the_next_worker_begins_with_the_tokens_of_the_last(crm, start, arrive, until, store, issuer):
    stop, thread = start(targets={"crm": crm()})
    arrive(1)
    until(1, "delivered")
    stop.set()
    thread.join(30)
    assert store.vault("crm").load().version == 1
    start("w2", targets={"crm": crm()})
    arrive(2)
    until(2, "delivered")
    assert len(issuer.asked) == 1

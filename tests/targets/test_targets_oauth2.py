"""OAuth2: tokens that all workers share, on a real store and true sockets; a refresh token is never lost nor used twice."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector.errors import Busy, NotSent, Refused
from connector.models import Delivered, Retry, Upsert
from connector.store.migrate import upgrade
from connector.targets.base import Around
from connector.targets.oauth2_connect import Invitation, connect
from connector.targets.oauth2_safe import Safe, Tokens, made_by
from connector.targets.rest import KIND
from tests.installation import TESTS
from tests.targets.conftest import EMAIL, PHONE, Run
from tests.targets.oauth2_lab import KEY, Lab, access
from tests.targets.stub_issuer import CLIENT, SECRET, Issuer, slowly
from tests.targets.stub_vendor import Fault, served


@pytest.fixture
def lab(tmp_path):
    issuer, url = Issuer(), f"sqlite:///{tmp_path}/c.db"
    upgrade(url)
    with served(issuer) as base:
        lab = Lab(base, issuer, url)
        yield lab
        lab.close()


def together(*calls):
    "Call all at once, each in a thread; return what each came to."
    barrier, came = threading.Barrier(len(calls)), []

    def run(call):
        barrier.wait()
        try:
            came.append(call())
        except NotSent as error:
            came.append(error)
        except Refused as error:
            came.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def test_client_credentials_are_asked_with_once_for_all_workers(lab):
    first, second = lab.tokens(scope="contacts.write"), lab.tokens(scope="contacts.write")
    assert first.headers() == second.headers() == first.headers() == access(1)
    assert lab.asked == [
        {"grant_type": "client_credentials", "scope": "contacts.write", "client_id": CLIENT, "client_secret": SECRET}
    ]


def test_without_a_store_a_process_remembers_by_itself(lab):
    alone = lab.tokens(Around(lab.clock()))
    assert alone.headers() == alone.headers() == access(1)
    assert lab.tokens(Around(lab.clock())).headers() == access(2)


def test_without_a_key_nothing_is_stored(lab):
    store = lab.store()
    tokens = lab.tokens(Around(lab.clock(), None, store.vault("crm")))
    assert tokens.headers() == access(1)
    assert store.vault("crm").load() is None


def test_the_secret_may_go_into_a_header(lab):
    assert lab.tokens(client_auth="basic").headers() == access(1)
    assert lab.asked == [{"grant_type": "client_credentials"}]


def test_a_refresh_token_that_is_used_up_gives_way_to_the_next(lab):
    lab.connected().headers()
    lab.later += 3600
    assert lab.connected().headers() == access(2)  # as after a restart
    assert [form["refresh_token"] for form in lab.asked] == ["refresh-token-0", "refresh-token-1"]


def test_a_refresh_token_that_stays_is_used_again(lab):
    lab.issuer.rotates = False
    lab.connected().headers()
    lab.later += 3600
    assert lab.connected().headers() == access(2)
    assert [form["refresh_token"] for form in lab.asked] == ["refresh-token-0"] * 2


@pytest.mark.parametrize(
    ("lasts", "good_for"), [(3600, 3540), (None, 3540), ("1800", 1740), (60, 30), (10**9, 86340), ("soon", 3540)]
)
def test_a_token_is_renewed_a_minute_before_its_end(lab, lasts, good_for):
    lab.issuer.lasts = lasts
    tokens = lab.connected()
    tokens.headers()
    lab.later += good_for - 1
    assert tokens.headers() == access(1)
    lab.later += 1
    assert tokens.headers() == access(2)


def test_what_one_worker_renewed_the_others_use(lab):
    one, other = lab.connected(), lab.connected()
    one.headers()
    lab.later += 3600
    assert one.headers() == other.headers() == access(2)
    assert len(lab.asked) == 2


def test_many_threads_of_many_workers_renew_once(lab):
    lab.issuer.before = slowly()
    one, other = lab.connected(), lab.connected()
    assert together(*[one.headers, other.headers] * 8) == [access(1)] * 16
    assert len(lab.asked) == 1


def process(lab, end="live"):
    command = [sys.executable, "-m", "tests.targets.renew", lab.base, lab.url, end]
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent)}
    started = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TESTS.parent, env=environment
    )
    assert started.stdout.readline() == "ready\n"
    return started


@pytest.mark.slow
def test_processes_that_want_a_token_at_once_renew_once(lab):
    lab.issuer.before = slowly(0.5)
    started = [process(lab) for _ in range(3)]
    for one in started:
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60)[0].strip() for one in started]
    assert said == [access(1)["Authorization"]] * 3
    assert len(lab.asked) == 1


def test_a_worker_that_is_killed_right_after_leaves_what_it_got(lab):
    killed = process(lab, "die")
    said, _ = killed.communicate("\n", timeout=60)
    assert (killed.returncode, said.strip()) == (-9, access(1)["Authorization"])
    lab.later = time.time() - 1_790_000_000
    assert lab.connected().headers() == access(1)
    lab.later += 3600
    assert lab.connected().headers() == access(2)
    assert [form["refresh_token"] for form in lab.asked] == ["refresh-token-0", "refresh-token-1"]


def test_what_is_new_is_on_disk_before_it_is_used(lab, tmp_path):
    "While the store takes nothing, the new pair is kept in mind and not used; no second one is asked for."
    lock = (tmp_path / "c.db.lock").open("ab")
    lab.issuer.before = lambda: fcntl.flock(lock, fcntl.LOCK_EX)
    tokens = lab.connected(lab.around(store=lab.store(patience=0.2)))
    with pytest.raises(NotSent, match=r"cannot be had just now: the store did not take the write within 0\.2 s"):
        tokens.headers()
    with pytest.raises(NotSent):
        tokens.headers()
    assert lab.store().vault("crm").load() is None
    lock.close()
    lab.issuer.before = None
    assert tokens.headers() == access(1)
    assert lab.connected().headers() == access(1)
    assert len(lab.asked) == 1


def test_a_store_that_cannot_be_read_stops_nobody_who_has_a_good_token(lab, monkeypatch):
    monkeypatch.setattr("connector.targets.oauth2.LOOK", 0.0)
    store = lab.store()
    tokens = lab.connected(lab.around(store=store))
    tokens.headers()
    store.engine.write(lambda c, args: [c.exec_driver_sql("ALTER TABLE tokens RENAME TO away")], None)
    assert tokens.headers() == access(1)
    lab.later += 3600
    with pytest.raises(NotSent, match="the store cannot be read now"):
        tokens.headers()
    store.engine.write(lambda c, args: [c.exec_driver_sql("ALTER TABLE away RENAME TO tokens")], None)
    assert tokens.headers() == access(2)


def test_a_worker_that_died_while_renewing_keeps_nobody_waiting_for_ever(lab):
    lab.store().vault("crm").begin(0, 30)
    waited = []
    tokens = lab.connected(lab.around(sleep=waited.append, monotonic=lambda: sum(waited)))
    with pytest.raises(NotSent, match="another worker is renewing the tokens of crm"):
        tokens.headers()
    assert (lab.asked, sum(waited)) == ([], 10.0)
    lab.later += 30
    assert tokens.headers() == access(1)


def test_those_who_wait_go_on_as_soon_as_the_other_is_done(lab):
    vault = lab.store().vault("crm")
    vault.begin(0, 30)
    polls = []

    def sleep(seconds):
        polls.append(seconds)
        if len(polls) == 2:
            put(lab, "their-access-token", "their-refresh-token")

    assert lab.connected(lab.around(sleep=sleep)).headers() == {"Authorization": "Bearer their-access-token"}
    assert lab.asked == []


def put(lab, token, refresh, **oauth2):
    "Put tokens into the vault as another worker does."
    made = made_by(KIND.oauth2(lab.loaded(**{"refresh_token": "refresh-token-0"} | oauth2)))
    safe = Safe(lab.around())
    tokens = Tokens(token, lab.clock().now().timestamp() + 3600, refresh, {}, *made)
    assert safe.put(safe.opened().version, tokens)


def test_a_refresh_token_that_another_worker_used_up_meanwhile(lab):
    "Our right to renew ended before the vendor answered: what the other got is good."
    lab.issuer.refresh.clear()
    lab.issuer.before = lambda: put(lab, "their-access-token", "their-refresh-token")
    assert lab.connected().headers() == {"Authorization": "Bearer their-access-token"}


def test_of_two_that_renewed_after_all_the_first_to_store_wins(lab):
    lab.issuer.before = lambda: put(lab, "their-access-token", "their-refresh-token")
    assert lab.connected().headers() == {"Authorization": "Bearer their-access-token"}


class Crowded:
    "A vault that another program writes to between each look and the put after it, so many times."

    def __init__(self, lab, times):
        self.lab, self.vault, self.times = lab, lab.store().vault("crm"), times

    def __getattr__(self, name):
        return getattr(self.vault, name)

    def load(self):
        kept = self.vault.load()
        if self.times:
            self.times -= 1
            put(self.lab, "their-access-token", "their-refresh-token")
        return kept


def test_a_person_who_connects_has_the_last_word(lab):
    assert connected_by_hand(lab, Crowded(lab, 2)) is None
    assert lab.connected().headers() == access(1)


def test_connecting_gives_up_where_another_program_never_stops(lab):
    with pytest.raises(NotSent, match="are being changed by another program; connect once more"):
        connected_by_hand(lab, Crowded(lab, 100))


def connected_by_hand(lab, vault):
    settings = lab.loaded(refresh_token="refresh-token-0", authorize_url="https://crm.example.com/authorize")
    invitation = Invitation(KIND.oauth2(settings), "http://localhost:8484/callback")
    answer = invitation.reads(lab.issuer.allow(invitation.address))
    return connect(invitation, answer, "crm", settings, Around(lab.clock(), None, vault, (KEY,)))


def test_what_app_credentials_may_not_is_not_for_a_browser_to_mend(lab):
    lab.issuer.scripted = [(400, {"error": "invalid_grant", "error_description": "no client credentials user"})]
    with pytest.raises(Refused, match="look at what the app may do"):
        lab.tokens().headers()


def test_a_right_that_a_busy_store_cannot_take_back_ends_by_itself(lab, tmp_path):
    lock = (tmp_path / "c.db.lock").open("ab")
    lab.issuer.before = lambda: fcntl.flock(lock, fcntl.LOCK_EX)
    lab.issuer.scripted = [(400, {"error": "invalid_scope"})]
    with pytest.raises(Refused, match="invalid_scope"):
        lab.connected(lab.around(store=lab.store(patience=0.2))).headers()
    lock.close()
    lab.issuer.before = None
    lab.later += 60
    assert lab.connected().headers() == access(1)


def test_a_refresh_token_that_is_good_no_longer_says_connect_again(lab):
    lab.issuer.refresh.clear()
    tokens = lab.connected(authorize_url="https://crm.example.com/authorize")
    with pytest.raises(Refused) as caught:
        tokens.headers()
    assert str(caught.value).endswith("Incorrect refresh token ***; invalid_grant; "
                                      "connect again: connector targets connect crm")  # fmt: skip
    assert caught.value.__context__ is None
    lab.issuer.refresh.add("refresh-token-0")
    assert lab.connected(authorize_url="https://crm.example.com/authorize").headers() == access(1)  # at once


def test_where_nobody_can_connect_a_new_refresh_token_is_asked_for(lab):
    lab.issuer.refresh.clear()
    with pytest.raises(Refused, match="put a new refresh_token into the configuration"):
        lab.connected().headers()


def test_a_target_that_was_never_connected_says_so(lab):
    with pytest.raises(Refused, match="crm is not connected yet: run `connector targets connect crm`"):
        lab.tokens(authorize_url="https://crm.example.com/authorize").headers()
    assert lab.asked == []


SAID = {
    "wrong secret": (401, {"error": "invalid_client"}, Refused, "look at client_id and client_secret"),
    "Zoho's wrong secret": (200, {"error": "invalid_client_secret"}, Refused, "look at client_id and client_secret"),
    "Zoho's wrong code": (200, {"error": "invalid_code"}, Refused, "put a new refresh_token"),
    "too many": (200, {"error": "Access Denied", "error_description": "You have made too many requests"}, Busy, "too many tokens"),
    "too many in small": (200, {"error": "access denied"}, Busy, "too many tokens"),
    "too many with 400": (400, {"error": "x", "error_description": "too many requests continuously"}, Busy, "too many tokens"),
    "not allowed": (403, {"error": "access_denied"}, Refused, "look at the oauth2 settings"),
    "a sick vendor": (200, {"error": "server_error"}, NotSent, "no token could be had"),
    "scope": (400, {"error": "invalid_scope"}, Refused, "look at the oauth2 settings"),
    "no code": (400, {"message": "Bad request"}, Refused, "look at token_url and the other oauth2 settings"),
    "429": (429, {"error": "slow_down"}, Busy, "answered 429"),
    "a web page": (200, b"<html>", NotSent, "not JSON"),
    "away": (503, {"error": "temporarily_unavailable"}, NotSent, "answered 503"),
    "away by its word": (400, {"error": "temporarily_unavailable"}, NotSent, "no token could be had"),
    "no token": (200, {"token_type": "Bearer"}, NotSent, "without an access_token"),
    "an odd token": (200, {"access_token": "two\nlines"}, NotSent, "without an access_token"),
    "a list": (200, [], NotSent, "without an access_token"),
    "a redirect": (302, b"", Refused, "redirect"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_a_token_endpoint_says_is_understood(lab, case):
    status, body, kind, words = SAID[case]
    lab.issuer.scripted = [(status, body)] * 3
    with pytest.raises(kind) as caught:
        lab.connected().headers()
    assert words in str(caught.value)


def test_zoho_is_left_alone_for_ten_minutes(lab):
    lab.issuer.scripted = [(200, {"error": "Access Denied", "status": "failure"})]
    with pytest.raises(Busy) as caught:
        lab.connected().headers()
    assert (caught.value.retry_after, len(lab.asked)) == (600.0, 1)


def test_no_error_shows_a_secret(lab):
    lab.issuer.scripted = [(400, {"error": "invalid_scope", "error_description": f"refresh-token-0 {SECRET}"})]
    with pytest.raises(Refused) as caught:
        lab.connected().headers()
    assert "*** ***" in str(caught.value)


def test_no_name_of_a_thing_shows_a_secret(lab):
    settings = lab.loaded(refresh_token="refresh-token-0")
    made = Tokens("an-access-token", 0.0, "a-refresh-token", {}, "", "")
    shown = repr((KIND.oauth2(settings), made, lab.around()))
    assert [text for text in ("refresh-token", SECRET, "access-token", KEY) if text in shown] == []


def test_a_sick_endpoint_is_asked_three_times_and_not_nine(lab):
    lab.issuer.scripted = [(500, {})] * 20
    outcome = push(lab.target(lab.around(sleep=lambda _: None)))
    assert (outcome.trouble.kind, outcome.maybe_sent, outcome.spent) == ("busy", False, False)
    assert len(lab.asked) == 3


def test_threads_that_waited_for_a_renewal_share_its_failure(lab):
    lab.issuer.before = slowly(0.5)
    lab.issuer.scripted = [(400, {"error": "invalid_grant"})] * 20
    tokens = lab.connected()
    came = together(*[tokens.headers] * 8)
    assert [type(error) for error in came] == [Refused] * 8
    assert len(lab.asked) <= 2


def test_another_client_begins_anew(lab):
    put(lab, "their-access-token", "their-refresh-token", client_id="another")
    tokens = lab.connected()
    assert tokens.headers() == access(1)
    assert lab.asked[0]["refresh_token"] == "refresh-token-0"
    assert lab.connected().headers() == access(1)


def test_workers_with_another_configuration_do_not_take_turns_at_asking(lab, monkeypatch):
    monkeypatch.setattr("connector.targets.oauth2.LOOK", 0.0)
    old, new = lab.tokens(scope="a"), lab.tokens(scope="b")
    for _ in range(3):
        assert (old.headers(), new.headers()) == (access(1), access(2))
    assert len(lab.asked) == 2


def test_a_new_refresh_token_in_the_configuration_is_used(lab):
    lab.connected().headers()
    lab.issuer.refresh.add("refresh-token-of-tomorrow")
    lab.connected(refresh_token="refresh-token-of-tomorrow").headers()
    assert lab.asked[1]["refresh_token"] == "refresh-token-of-tomorrow"


def test_a_refresh_token_that_is_no_longer_in_the_configuration_changes_nothing(lab):
    lab.connected().headers()
    assert lab.tokens(grant="refresh_token", authorize_url="https://crm.example.com/a").headers() == access(1)


def test_another_secret_or_scope_is_asked_for_anew(lab):
    lab.tokens().headers()
    assert lab.tokens(scope="more").headers() == access(2)
    with pytest.raises(Refused, match="look at client_id and client_secret"):
        lab.tokens(client_secret="another-secret").headers()


def test_a_wrong_secret_key_is_told_and_nothing_is_lost(lab):
    lab.connected().headers()
    with pytest.raises(Refused, match="secret_key is not the one that the tokens of crm were stored with; put the old"):
        lab.connected(lab.around("another key")).headers()
    assert len(lab.asked) == 1
    assert lab.connected().headers() == access(1)


def test_a_new_secret_key_takes_over_from_the_old_one_beside_it(lab):
    lab.connected().headers()
    both = lab.connected(lab.around("a new key", KEY))
    assert both.headers() == access(1)
    lab.later += 3600
    assert both.headers() == access(2)
    assert lab.connected(lab.around("a new key")).headers() == access(2)


def test_a_lost_secret_key_is_no_matter_for_what_can_be_asked_for_anew(lab):
    lab.tokens().headers()
    assert lab.tokens(lab.around("another key")).headers() == access(2)


def test_no_token_is_in_the_database(lab, tmp_path):
    lab.connected().headers()
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("c.db*"))
    assert b"tokens" in raw
    assert [text for text in (b"access-token", b"refresh-token", SECRET.encode(), KEY.encode()) if text in raw] == []


def test_what_came_along_is_kept(lab):
    lab.issuer.more = {"instance_url": "https://x.example.com", "scope": "a", "id_token": "j.w.t", "n": 7, "x": ["y"]}
    tokens = lab.connected()
    assert tokens.extra == {}
    tokens.headers()
    assert tokens.extra == lab.connected().extra == {"instance_url": "https://x.example.com", "n": "7"}
    lab.issuer.more = {"api_domain": "https://y.example.com"}
    lab.later += 3600
    tokens.headers()
    assert set(tokens.extra) == {"instance_url", "n", "api_domain"}


def unpadded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_jwt_bearer_says_who_asks_and_signs_it(lab):
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = {"private_key": pem, "username": "sync@example.com", "audience": "https://login.example.com"}
    tokens = lab.tokens(client_secret=None, **settings)
    assert tokens.headers() == access(1)
    (form,) = lab.asked
    assert form.pop("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    said, _, signature = form.pop("assertion").rpartition(".")
    assert form == {}
    key.public_key().verify(unpadded(signature), said.encode(), PKCS1v15(), SHA256())
    header, claims = (json.loads(unpadded(part)) for part in said.split("."))
    assert header == {"alg": "RS256", "typ": "JWT"}
    at = lab.clock().now().timestamp()
    who = {"iss": CLIENT, "sub": "sync@example.com", "aud": "https://login.example.com"}
    assert claims == who | {"exp": at + 120}


def test_jwt_that_is_not_taken_is_not_for_a_browser_to_mend(lab):
    pem = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    lab.issuer.scripted = [(400, {"error": "invalid_grant", "error_description": "user hasn't approved"})]
    with pytest.raises(Refused, match="whether the app may work for this user"):
        lab.tokens(client_secret=None, private_key=pem, username="sync@example.com").headers()


def test_a_connection_is_seen_by_a_worker_that_runs(lab, monkeypatch):
    tokens = lab.connected()
    tokens.headers()
    put(lab, "token-of-another-person", "r")
    assert tokens.headers() == access(1)
    monkeypatch.setattr("connector.targets.oauth2.LOOK", 0.0)
    assert tokens.headers() == {"Authorization": "Bearer token-of-another-person"}


# -- a whole target


def push(target, run=None, customer="c1"):
    record = {"name": "Sara Ahmed", "phone": PHONE, "email": EMAIL, "external_id": customer}
    match = (("phone", PHONE), ("email", EMAIL))
    request = Upsert(customer, record, match, f"key-of-{customer}", phones=frozenset({"phone"}))
    (outcome,) = target.upsert([request], run or Run())
    return outcome


def test_a_target_shows_its_token(lab):
    assert isinstance(push(lab.target()), Delivered)
    assert set(lab.issuer.proofs) == {access(1)["Authorization"]}


def test_a_token_that_ends_early_is_renewed_once_and_the_request_repeated(lab):
    target = lab.target()
    push(target)
    lab.issuer.revoke()
    assert isinstance(push(target, customer="c2"), Delivered)
    assert len(lab.asked) == 2
    assert (
        lab.issuer.proofs.count(access(1)["Authorization"]) == 4 + 1
    )  # the first customer's, and one that was refused


def keyed(lab, **more):
    settings = lab.settings() | {"idempotency_header": "Idempotency-Key"} | more
    from connector.config import TargetConfig
    from connector.targets.kinds import open_target

    return open_target(TargetConfig("crm", "rest", settings), lab.around())


UNKNOWN = Fault("POST", 401, b'{"error": "the token ended this moment"}')


def test_a_create_that_met_a_401_is_repeated_with_the_same_key_and_under_the_lease(lab):
    lab.issuer.faults = [UNKNOWN]
    run = Run()
    assert push(keyed(lab), run).how == "created"
    first, second = lab.issuer.said("POST")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "key-of-c1"
    assert first.payload == second.payload
    assert [r.headers["Authorization"] for r in (first, second)] == [access(n)["Authorization"] for n in (1, 2)]
    assert run.asked == 2


def test_a_lease_that_was_lost_while_renewing_sends_no_write(lab):
    lab.issuer.faults = [UNKNOWN]
    run = Run()
    lab.issuer.before = lambda: setattr(run, "ours", not lab.issuer.said("POST"))
    outcome = push(keyed(lab), run)
    assert isinstance(outcome, Retry)
    assert "the lease was lost" in outcome.reason
    assert len(lab.issuer.said("POST")) == 1


def test_a_401_with_the_renewed_token_too_refuses_the_credentials(lab):
    lab.issuer.faults = [UNKNOWN] * 5
    outcome = push(keyed(lab))
    assert outcome.trouble.kind == "refused"
    assert len(lab.issuer.said("POST")) == 2
    assert len(lab.asked) == 2


def test_threads_that_meet_a_401_together_renew_once(lab):
    tokens = lab.connected()
    shown = tokens.headers()
    lab.issuer.before = slowly()
    assert together(*[lambda: tokens.renew(shown)] * 8) == [None] * 8
    assert tokens.headers() == access(2)
    assert len(lab.asked) == 2


def test_a_check_says_what_is_wrong(lab):
    assert lab.target().check().ok
    lab.issuer.refresh.clear()
    found = lab.target(refresh_token="refresh-token-9", authorize_url="https://crm.example.com/a").check()
    assert not found.ok
    assert found.lines[0].endswith("connect again: connector targets connect crm")


def test_links_are_of_the_client_and_not_of_a_token(lab):
    before = lab.target(refresh_token="refresh-token-0").account
    assert lab.target(refresh_token="refresh-token-1").account == before
    assert lab.target(client_id="another").account != before
    assert Path(lab.url.removeprefix("sqlite:///")).exists()

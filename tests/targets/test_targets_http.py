"""The session that all targets over HTTP share, mostly on true sockets."""

import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import urllib3

from connector.errors import Busy, NotSent, Refused, Rejected, Uncertain
from connector.targets.answers import Asked, answered, verdict
from connector.targets.base import LeaseLost
from connector.targets.clock import Clock
from connector.targets.http import LARGEST, Call, Http, Line
from connector.targets.lost import lost
from connector.targets.outcomes import Create, outcome
from connector.targets.pace import Pace
from tests.targets.stub_vendor import Fault, served
from tests.targets.vendors.rest.lab import RestVendor

SECRET = "a-key-of-the-query"


@pytest.fixture
def vendor():
    return RestVendor()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def http(vendor, slept):
    with served(vendor) as base:
        yield opened(base, slept)


def opened(base, slept, **more):
    line = Line(
        base, more.pop("timeout", 0.6), query=(("key", SECRET),), secrets=(SECRET,), **{"allow_private": True} | more
    )
    return Http(line, None, Clock(sleep=slept.append, jitter=lambda: 0.0))


def get(path="/contacts", **more):
    return Call("GET", path, path, **more)


def test_an_answer_is_read_to_its_end(http):
    assert http.call(get()).data == {"items": []}


def test_the_query_is_quoted_and_carries_the_key(http, vendor):
    http.call(get(query=(("phone", "+966 &x=1"),)))
    assert vendor.requests[0].query == {"phone": "+966 &x=1", "key": SECRET}


def test_one_connection_serves_many_calls(http, vendor):
    for _ in range(5):
        http.call(get())
    pools = http._wire().poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - a container of urllib3's


def test_no_call_keeps_a_cookie(http, vendor):
    vendor.faults = [Fault(status=200, body=b"{}", headers={"Set-Cookie": "session=1"})]
    http.call(get())
    http.call(get())
    assert "Cookie" not in vendor.requests[1].headers


def test_the_environment_has_no_say(http, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert http.call(get()).status == 200


def test_a_proxy_that_is_away_means_that_nothing_was_sent(slept):
    http = opened("http://vendor.example.com", slept, proxy="http://127.0.0.1:1", allow_private=False)
    with pytest.raises(NotSent, match=r"the proxy does not lead to vendor\.example\.com"):
        http.call(get())


def test_a_proxy_is_asked_for_the_whole_address(vendor, slept):
    with served(vendor) as base:
        http = opened("http://vendor.example.com/api", slept, proxy=base.removesuffix("/api"))
        assert http.call(get()).status == 200


def test_a_slow_drip_does_not_outlive_its_deadline(http, vendor):
    vendor.faults = [Fault(status=200, body=b"{" + b" " * 200 + b"}", then="drip")]
    start = time.monotonic()
    with pytest.raises(Uncertain, match="too slowly"):
        http.call(get())
    assert time.monotonic() - start < http.longest


def test_a_huge_answer_is_not_read(http, vendor):
    vendor.faults = [Fault(status=200, body=b"[" + b" " * LARGEST + b"]")] * 3
    with pytest.raises(Uncertain, match="5 MiB"):
        http.call(get())


def test_deep_nesting_is_not_json(http, vendor):
    vendor.faults = [Fault(status=200, body=b"[" * 50_000)] * 3
    with pytest.raises(Uncertain, match="not JSON"):
        http.call(get())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "0.0.0.0", "2130706433"]
)
def test_private_addresses_are_refused(host, slept):
    http = opened(f"http://{host}:9/api", slept, allow_private=False)
    with pytest.raises(Refused, match="allow_private: true"):
        http.call(get())
    assert slept == []


def test_a_guarded_name_that_is_not_found_was_not_asked(slept):
    with pytest.raises(NotSent, match="not found by name"):
        opened("http://no-such-host.invalid", slept, allow_private=False).call(get())


def test_an_error_tells_method_host_and_path_only(http, vendor):
    vendor.faults = [Fault(status=422, body=f'{{"error": "bad {SECRET}"}}'.encode())]
    with pytest.raises(Rejected) as caught:
        http.call(get(query=(("email", "sara@example.com"),)))
    assert str(caught.value) == f"GET {http.host}/contacts answered 422: bad ***"
    assert caught.value.__context__ is None


def test_a_broken_line_leaves_no_chain_of_exceptions(http, vendor):
    vendor.faults = [Fault(then="reset")] * 3
    with pytest.raises(Uncertain) as caught:
        http.call(get())
    assert caught.value.__context__ is None


def test_waits_grow_with_the_tries(http, vendor, slept):
    vendor.faults = [Fault(status=500)] * 2
    http.call(get())
    assert slept == [0.2, 0.4]


def test_a_write_is_never_repeated_after_a_lost_answer(http, vendor):
    vendor.faults = [Fault("POST", then="reset")] * 2
    with pytest.raises(Uncertain):
        http.call(Call("POST", "/contacts", "/contacts", payload={"contact": {}}, writes=True, repeatable=False))
    assert len(vendor.requests) == 1


def test_the_lease_is_asked_before_each_try_of_a_write(http, vendor):
    vendor.faults = [Fault("PUT", 500)]
    ours = iter([True, False])
    with pytest.raises(LeaseLost):
        http.call(Call("PUT", "/contacts/1", "/contacts/1", payload={}, writes=True), lambda: next(ours))
    assert len(vendor.requests) == 1


def test_an_update_may_be_answered_with_nothing(http, vendor):
    vendor.faults = [Fault("PUT", 204), Fault("PUT", 200)]
    call = Call("PUT", "/contacts/1", "/contacts/1", payload={}, writes=True, needs_json=False)
    assert [http.call(call).status, http.call(call).status] == [204, 200]


def test_a_header_that_cannot_be_sent_is_refused_data(http):
    with pytest.raises(Rejected, match="fits no"):
        http.call(get(headers={"Key": "ق"}))


def test_a_wrong_certificate_is_told():
    wrapped = requests.exceptions.SSLError(urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, "self-signed")))
    assert "certificate" in str(lost(wrapped, "GET h/p", "h"))
    assert isinstance(lost(wrapped, "GET h/p", "h"), Refused)


def test_a_connection_that_is_not_taken_was_not_sent():
    assert isinstance(lost(requests.ConnectTimeout(), "GET h/p", "h"), NotSent)


def test_each_thread_has_its_wire(http):
    seen = [http._wire()]
    thread = threading.Thread(target=lambda: seen.append(http._wire()))
    thread.start()
    thread.join()
    assert seen[0] is http._wire()
    assert seen[0] is not seen[1]


def test_the_pace_is_asked_before_each_request(vendor, slept):
    with served(vendor) as base:
        clock = Clock(monotonic=lambda: 100.0, sleep=slept.append)
        http = Http(Line(base, 0.6, allow_private=True), Pace((1, 10.0), clock), clock)
        http.call(get())
        http.call(get())
    assert slept == [10.0]


class Crowded(RestVendor):
    "Counts who is in at a time."

    def __init__(self):
        super().__init__()
        self.inside, self.most, self.counting = 0, 0, threading.Lock()

    def answer(self, *request):
        with self.counting:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.05)
        with self.counting:
            self.inside -= 1
        return super().answer(*request)


@pytest.mark.parametrize(("at_once", "most"), [(2, 2), (None, 6)])
def test_no_more_requests_are_on_their_way_at_once_than_allowed(slept, at_once, most):
    vendor = Crowded()
    with served(vendor) as base:
        http = opened(base, slept, at_once=at_once)
        with ThreadPoolExecutor(6) as pool:
            assert [answer.status for answer in pool.map(lambda _: http.call(get()), range(6))] == [200] * 6
    assert vendor.most == most


@pytest.mark.parametrize("error", [NotSent("away"), Busy("later"), Refused("no"), LeaseLost()])
def test_a_create_with_a_key_keeps_its_doubt(error):
    """Its earlier try within the same attempt may have arrived."""
    assert outcome(error, create=Create(idempotent=True, uncertain_wait=3.0)).maybe_sent
    assert not outcome(error, create=Create(idempotent=False, uncertain_wait=3.0)).maybe_sent


def test_a_create_with_a_key_need_not_wait():
    lost_answer = outcome(Uncertain("lost"), create=Create(idempotent=True, uncertain_wait=3.0))
    assert (lost_answer.after, lost_answer.maybe_sent) == (None, True)


def test_an_unknown_service_state_without_a_time_is_sickness():
    asked = Asked("GET h/p", writes=False, hide=str)
    now = Clock().now()
    assert isinstance(verdict(answered(503, {}, b""), asked, now), Uncertain)
    assert isinstance(verdict(answered(503, {"Retry-After": "3"}, b""), asked, now), Busy)

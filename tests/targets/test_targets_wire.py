"""The wire: where a guarded host is, is checked again and again, and no request goes where it was not checked."""

import socket

import pytest
import requests
from requests_hardened.ip_filter import InvalidIPAddress

from connector.targets.wire import FRESH, wire

PUBLIC, OTHER, PRIVATE = "93.184.215.14", "93.184.215.15", "10.0.0.1"


class Names:
    "A name server whose one entry can change, and a clock."

    def __init__(self):
        self.address, self.asked, self.now = PUBLIC, 0, 100.0

    def __call__(self, _host, port, **_):
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, port or 443))]


@pytest.fixture
def names(monkeypatch):
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    return names


def way(line):
    request = requests.Request("GET", "https://vendor.example.com/contacts").prepare()
    return line.get_connection_with_tls_context(request, True), request


def opened(names):
    return wire("https://vendor.example.com", lambda: names.now, guarded=True, proxied=False)


def test_the_host_is_asked_for_once_in_a_while(names):
    line = opened(names)
    first, request = way(line)
    names.now += FRESH - 1
    names.address = OTHER
    again, later = way(line)
    assert (names.asked, first.host, again.host) == (1, PUBLIC, PUBLIC)
    assert request.headers["Host"] == later.headers["Host"] == "vendor.example.com"
    names.now += 2
    assert way(line)[0].host == OTHER


def test_the_certificate_is_that_of_the_name(names):
    found, _ = way(opened(names))
    assert (found.assert_hostname, found.conn_kw["server_hostname"]) == ("vendor.example.com", "vendor.example.com")
    assert found.cert_reqs == "CERT_REQUIRED"


def test_a_name_that_turns_to_a_private_address_is_refused_from_then_on(names):
    line = opened(names)
    way(line)
    names.now, names.address = names.now + FRESH, PRIVATE
    for _ in range(2):
        with pytest.raises(InvalidIPAddress):
            way(line)


def test_after_a_lost_request_the_host_is_looked_for_anew(names):
    line = opened(names)
    way(line)
    names.address = OTHER
    line.forget()
    assert way(line)[0].host == OTHER

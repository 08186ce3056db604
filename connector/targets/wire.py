"""Carry prepared requests to one host, over connections that are kept: requests' adapter, without what a session adds.

A session merges an environment, keeps cookies and follows redirects, none of which we want, and asks anew with each
request where the host is. Here that is asked, and checked, once in a while: a connection goes to the address that was
checked, and to no other.
"""

from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter_adapter import IPFilterAdapter

FRESH = 30.0  # seconds that the host's address is believed: as long as a short-lived entry of a name server

Monotonic = Callable[[], float]


class Wire(HTTPAdapter):
    """Send requests to one host, for one thread."""

    def __init__(self, clock: Monotonic, *more: Any, **options: Any) -> None:
        super().__init__(*more, **options)
        self._clock = clock
        self._way: Any = None  # urllib3's pool of connections
        self._host: str | None = None
        self._until = 0.0

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *how: Any, **more: Any) -> Any:
        """Return the way to the host; where it is, is asked (and checked) again when that is no longer fresh."""
        if self._way is None or self._clock() >= self._until:
            self._way = None  # what may not be reached any more is not reached
            way: Any = super().get_connection_with_tls_context(request, *how, **more)
            verify: Any = super().cert_verify
            verify(way, request.url, True, None)
            self._way, self._host, self._until = way, request.headers.get("Host"), self._clock() + FRESH
        elif self._host is not None:  # the way leads to an address; the guard says whose it is
            request.headers["Host"] = self._host
        return self._way

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing more: the way has its certificates since it was found."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the answer as it is read here: status, headers, and the body still to be read."""
        response = requests.Response()
        response.status_code, response.headers, response.raw = resp.status, resp.headers, resp
        response.url, response.request = req.url or "", req
        return response

    def forget(self) -> None:
        """Look for the host anew with the next request: it may have moved."""
        self._way = None


class DirectWire(Wire):
    """Send straight to the host."""

    def request_url(self, request: requests.PreparedRequest, _proxies: Any) -> str:
        """Return the path and the query, all that is said to the host itself."""
        url = request.url or ""
        start = url.find("/", url.find("//") + 2)
        return url[start:] if start > 0 and "#" not in url else request.path_url


class GuardedWire(DirectWire, IPFilterAdapter):  # type: ignore[misc]
    """Send straight to the host, unless its address is a private one."""


def wire(base_url: str, clock: Monotonic, *, guarded: bool, proxied: bool) -> Wire:
    """Return the wire for one thread. Behind a proxy it is the proxy that finds the address and says what is reached."""
    if proxied:
        return Wire(clock)
    return GuardedWire(clock, is_https_proto=base_url.startswith("https:")) if guarded else DirectWire(clock)

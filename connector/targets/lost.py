"""Tell a request that surely never left from one that may have arrived, by what urllib3 says inside what requests says."""

import socket
import ssl
from typing import Any

import requests
import urllib3
from requests_hardened.ip_filter import InvalidIPAddress

from connector.errors import NotSent, Refused, Rejected, TargetError, Uncertain

_MOST = 20

# Looked through from the top; the first whose exception is among the causes says what happened.
_TABLE: tuple[tuple[tuple[type[BaseException], ...], type[TargetError], str], ...] = (
    (
        (InvalidIPAddress,),
        Refused,
        "{host} is a private address; if that is meant, set allow_private: true for this target",
    ),
    (
        (ssl.SSLCertVerificationError,),
        Refused,
        "{host} shows a TLS certificate that is not valid; look at base_url and at the certificate",
    ),
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), NotSent, "{host} is not found by name"),
    ((urllib3.exceptions.ProxyError,), NotSent, "the proxy does not lead to {host}"),
    ((urllib3.exceptions.NewConnectionError,), NotSent, "connection refused by {host}"),
    ((requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError), NotSent, "{host} does not take the connection"),
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), Uncertain, "{shown} was not answered in time"),
    ((requests.exceptions.InvalidURL, UnicodeError), Rejected, "{shown} cannot be asked: a value fits no address"),
)


def lost(problem: Exception, shown: str, host: str) -> TargetError:
    """Return what it means that a request got no answer; made of method, host and path only."""
    causes = _causes(problem)
    for kinds, meaning, text in _TABLE:
        if any(isinstance(cause, kinds) for cause in causes):
            return meaning(text.format(host=host, shown=shown))
    return Uncertain(f"{shown} was not answered to the end")


def _causes(problem: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    queue: list[Any] = [problem]
    while queue and len(found) < _MOST:
        here = queue.pop()
        if isinstance(here, BaseException) and here not in found:
            found.append(here)
            queue += [*here.args, getattr(here, "reason", None), here.__cause__, here.__context__]
    return found

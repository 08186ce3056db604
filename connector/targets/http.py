"""Speak HTTP with a vendor: one wire per push thread, bounded in time and size, with one owner of retries.

Redirects are never followed, the environment's proxies and netrc are not looked at, and private addresses are refused
unless the target says `allow_private: true`. Errors are made of method, host and path; never of what requests says,
for a query can hold a key.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from tenacity import RetryCallState, Retrying
from tenacity.retry import retry_if_exception
from tenacity.stop import stop_after_attempt, stop_before_delay

from connector import __version__
from connector.errors import Busy, NotSent, Refused, Rejected, TargetError, Uncertain
from connector.masking import mask
from connector.targets.answers import Answer, Asked, answered, verdict
from connector.targets.base import LeaseLost, NoToken
from connector.targets.clock import Clock
from connector.targets.lost import lost
from connector.targets.pace import Pace
from connector.targets.wire import Wire, wire

CONNECT = 5.0
TRIES, FIRST_WAIT, SHORT_WAIT = 3, 0.2, 2.0
LARGEST = 5 * 1024 * 1024
_CHUNK = 65536

Ours = Callable[[], bool]
Judge = Callable[[Answer, Asked, datetime], TargetError | None]


def _always() -> bool:
    return True


class TokenSource(Protocol):
    """Prove who we are with headers that change, as OAuth2's do; `extra` is what the vendor said beside the tokens."""

    @property
    def extra(self) -> Mapping[str, str]:
        """Return what came along, as far as it is there (QuickBooks' realmId); asks no vendor. Raises TargetError."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return today's headers, asking for them where there are none. Raises TargetError."""
        ...

    def renew(self, refused: Mapping[str, str]) -> None:
        """Get others in place of headers that were refused. Raises TargetError."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """Describe the way to one account: address, credentials (as headers or query), and the bounds in seconds.

    `judge` is the vendor's way to read an answer; `tokens` stand for credentials that change; `at_once` is how many
    requests may be on their way, None for any number.
    """

    base_url: str
    timeout: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    allow_private: bool = False
    proxy: str | None = field(default=None, repr=False)
    judge: Judge = verdict
    tokens: TokenSource | None = None
    at_once: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Ask for one request. `path` is quoted already, `shown` is the path as an error may show it.

    `form` is sent as a web form in place of JSON, `raw` as it is, with its Content-Type among the
    headers. A call that `writes` goes out only while the lease holds; one that is not `repeatable` is repeated within the
    attempt only when it surely never left. `personal` are the record's own texts. `needs_json`: a 2xx without JSON
    is no answer; `any_body`: whoever asked reads the body, whatever it is.
    """

    method: str
    path: str
    shown: str
    query: tuple[tuple[str, str], ...] = ()
    payload: Any = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    raw: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: bool = False
    repeatable: bool = True
    needs_json: bool = True
    any_body: bool = False
    bare_404: bool = False
    personal: Sequence[str] = ()


class Http:
    """Make calls to one account, from any number of threads."""

    def __init__(self, line: Line, pace: Pace | None, clock: Clock) -> None:
        self._line, self._pace, self._clock = line, pace, clock
        self.host = urlsplit(line.base_url).netloc.rpartition("@")[2]
        self._base = str(requests.Request("GET", line.base_url).prepare().url).rstrip("/")
        self._timeouts = (min(CONNECT, line.timeout), line.timeout)
        self._local = threading.local()
        self._slots: AbstractContextManager[Any] = (
            threading.BoundedSemaphore(line.at_once) if line.at_once else nullcontext()
        )
        self._common = self._prepare()
        self._bound: Any = urllib3.Timeout(connect=self._timeouts[0], read=self._timeouts[1])
        self._proxies = {"http": line.proxy, "https": line.proxy} if line.proxy else None
        self._bold = self._retrying((NotSent, Uncertain))
        self._careful = self._retrying((NotSent,))

    @property
    def longest(self) -> float:
        """Return the seconds that one request takes at most: connecting, waiting, and one stall of the body."""
        return self._timeouts[0] + 2 * self._line.timeout

    def shown(self, call: Call) -> str:
        """Return the call as an error may show it."""
        return f"{call.method} {self.host}{call.shown}"

    def call(self, call: Call, ours: Ours = _always) -> Answer:
        """Return a 2xx answer. Raises NotSent, Uncertain, Busy, Refused, Rejected, LeaseLost."""
        retrying = self._bold if call.repeatable else self._careful
        return retrying(self._once, call, ours)

    def look(self, call: Call) -> Answer | None:
        """Return the answer to a question, None where there is no such thing (404). Raises as `call` does."""
        try:
            return self.call(call)
        except Rejected as error:
            if error.status == 404:
                return None
            raise

    def _once(self, call: Call, ours: Ours) -> Answer:
        tokens = self._line.tokens
        proof = tokens.headers() if tokens else {}
        try:
            return self._sent(call, proof, ours)
        except Refused as refused:
            if tokens is None or not refused.expired:
                raise
        tokens.renew(proof)
        return self._sent(call, tokens.headers(), ours)

    def _sent(self, call: Call, proof: Mapping[str, str], ours: Ours) -> Answer:
        with self._slots:
            if self._pace is not None:
                self._pace.take()
            if call.writes and not ours():
                raise LeaseLost
            return self._answered(call, proof)

    def _answered(self, call: Call, proof: Mapping[str, str]) -> Answer:
        secrets = (*self._line.secrets, *(value.rpartition(" ")[2] for value in proof.values()))
        asked = Asked(
            self.shown(call),
            call.writes,
            lambda text: mask(text, (*secrets, *call.personal)),
            call.bare_404,
        )
        came = self._exchange(call, proof, asked.shown)
        if isinstance(came, TargetError):
            raise came
        error = self._line.judge(came, asked, self._clock.now()) or _unreadable(came, call, asked.shown)
        if error is not None:
            raise error
        return replace(came, hide=asked.hide)

    def _exchange(self, call: Call, proof: Mapping[str, str], shown: str) -> Answer | TargetError:
        until = self._clock.monotonic() + sum(self._timeouts)
        own = self._wire()
        try:
            request = self._request(call, proof)
            response = own.send(request, stream=True, timeout=self._bound, proxies=self._proxies)
            body = self._body(response.raw, until)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            own.forget()
            return lost(problem, shown, self.host)
        if body is None:
            return Uncertain(f"{shown} answered with more than {LARGEST >> 20} MiB, or too slowly to wait for")
        return answered(response.status_code, response.headers, body)

    def _body(self, raw: Any, until: float) -> bytes | None:
        parts, size = [], 0
        try:
            while chunk := raw.read1(_CHUNK, decode_content=True):
                parts.append(chunk)
                size += len(chunk)
                if size > LARGEST or self._clock.monotonic() > until:
                    raw.close()
                    return None
                if raw.length_remaining == 0 and "Content-Encoding" not in raw.headers:
                    break  # all that was announced is here
        except BaseException:
            raw.close()
            raise
        return b"".join(parts)

    def _request(self, call: Call, proof: Mapping[str, str]) -> requests.PreparedRequest:
        # What all calls have in common was prepared once: to fill in the rest costs a fifth of preparing anew.
        request = requests.PreparedRequest()
        request.method, request.hooks = call.method, {}
        query = (*call.query, *self._line.query)
        request.url = self._base + call.path + (("&" if "?" in call.path else "?") + urlencode(query) if query else "")
        headers: Any = self._merged(call.headers, proof) if call.headers or proof else self._common.copy()
        request.headers = headers
        if call.raw is not None:
            _put_body(request, call.raw, call.headers["Content-Type"])
        elif call.form is not None:
            _put_body(request, urlencode(call.form).encode(), "application/x-www-form-urlencoded")
        elif call.payload is not None:
            _put_body(request, json.dumps(call.payload).encode(), call.headers.get("Content-Type", "application/json"))
        return request

    def _merged(self, *more: Mapping[str, str]) -> dict[str, str]:
        merged = CaseInsensitiveDict(self._common)
        for headers in more:
            merged.update(headers)
        return dict(merged)

    def _prepare(self) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"flavours-connector/{__version__}",
            **self._line.headers,
        }
        return dict(requests.Request("GET", self._base, headers=headers).prepare().headers)

    def _wire(self) -> Wire:
        own: Wire | None = getattr(self._local, "wire", None)
        if own is None:
            line = self._line
            guarded = not line.allow_private
            own = wire(self._base, self._clock.monotonic, guarded=guarded, proxied=line.proxy is not None)
            self._local.wire = own
        return own

    def _retrying(self, again: tuple[type[TargetError], ...]) -> Retrying:
        return Retrying(
            retry=retry_if_exception(lambda error: _worth_repeating(error, again)),
            stop=stop_after_attempt(TRIES) | stop_before_delay(self._line.timeout),
            wait=self._wait,
            sleep=self._clock.sleep,
            reraise=True,
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Busy) and error.retry_after is not None:
            return error.retry_after
        return float(FIRST_WAIT * 2 ** (state.attempt_number - 1) * (1 + self._clock.jitter()))


def _put_body(request: requests.PreparedRequest, body: bytes, kind: str) -> None:
    request.body = body
    request.headers["Content-Length"] = str(len(body))
    request.headers["Content-Type"] = kind


def _worth_repeating(error: BaseException, again: tuple[type[TargetError], ...]) -> bool:
    if isinstance(error, Busy):
        return error.retry_after is not None and error.retry_after <= SHORT_WAIT
    return isinstance(error, again) and not isinstance(error, LeaseLost | NoToken)


def _unreadable(answer: Answer, call: Call, shown: str) -> Uncertain | None:
    if call.any_body or answer.is_json or not (call.needs_json or answer.body.strip()):
        return None
    what = "something that is not JSON" if answer.body.strip() else "nothing"
    return Uncertain(f"{shown} answered {answer.status} with {what}")

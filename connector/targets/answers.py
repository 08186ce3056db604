"""Judge a vendor's answer: by its status and its body together, never by the status alone."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from connector.errors import Busy, Refused, Rejected, TargetError, Uncertain
from connector.masking import mask

LONGEST_WAIT = 86400.0
_SECONDS = re.compile(r"\d{1,9}")
_SENTENCE = ("message", "detail", "details", "error_description", "description", "title", "msg", "error", "errors")
_COMPLAINT = ("error", "errors", "Fault", "fault")
_DEEPEST, _MOST = 5, 5
_LONGEST = 1000  # more than is shown: what is hidden in it must be whole


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what came back; `data` is the JSON of the body, None when `is_json` is false; `hide` masks words of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_json: bool
    data: Any
    hide: Callable[[str], str] = mask


@dataclass(frozen=True, slots=True)
class Asked:
    """Say what was asked, as it may be shown: method, host and path without values; `hide` masks a vendor's words.

    `writes`: the request may have changed something. `bare_404`: a 404 without any body is an answer, too.
    """

    shown: str
    writes: bool
    hide: Callable[[str], str]
    bare_404: bool = False


def answered(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read a body as JSON where it is JSON."""
    try:
        return Answer(status, headers, body, is_json=True, data=json.loads(body))
    except (ValueError, RecursionError):
        return Answer(status, headers, body, is_json=False, data=None)


def verdict(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means when it is not what was hoped for, None when it is."""
    if 300 <= answer.status < 400:
        host = _host(answer.headers.get("Location", "")) or "elsewhere"
        return Refused(
            f"{asked.shown} answers with a redirect to {host}; set base_url to the address that answers itself"
        )
    status = answer.status if answer.status >= 400 else complaint(answer.data)
    return None if status is None else failure(status, answer, asked, now)


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.rpartition("@")[2][:255]
    except ValueError:
        return ""


def failure(status: int, answer: Answer, asked: Asked, now: datetime, said: str | None = None) -> TargetError:
    """Return what an answer means that failed with this status, whatever its own says; `said` are the vendor's words."""
    return _error(status, sentence(answer, asked, says(answer) if said is None else said), answer, asked, now)


def sentence(answer: Answer, asked: Asked, said: str) -> str:
    """Return what to tell people: what was asked, the status, and the vendor's words with nothing personal in them."""
    said = asked.hide(said)
    return f"{asked.shown} answered {answer.status}" + (f": {said}" if said else "")


def _error(status: int, what: str, answer: Answer, asked: Asked, now: datetime) -> TargetError:
    wait = retry_after(answer.headers.get("Retry-After"), now)
    if status == 429 or (status == 503 and wait is not None):
        return Busy(what, wait)
    if status in (401, 402, 403, 407):
        return Refused(f"{what}; look at the credentials and what they permit", expired=status == 401)
    if status in (404, 410) and not (answer.is_json or (asked.bare_404 and not answer.body.strip())):
        return Uncertain(f"{what}, which is not the system's own; is base_url right?")
    vague = answer.status < 400 and status == 422 and not asked.writes
    if status >= 500 or status == 408 or vague:
        return Uncertain(what)
    return Rejected(what, status=status)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait (1 to a day), from digits or an HTTP date; None when absent or unreadable."""
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        seconds = float(value)
    else:
        try:
            when = parsedate_to_datetime(value)
            seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, OverflowError):
            return None
    return min(max(1.0, seconds), LONGEST_WAIT)


def until_midnight(now: datetime, zone: tzinfo | None = None) -> float:
    """Return the seconds until the next day begins in a time zone (that of `now`), when a day's limit renews."""
    zone = zone or now.tzinfo
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return (datetime.combine(tomorrow, time(), zone).astimezone(UTC) - now).total_seconds()


def complaint(data: Any) -> int | None:
    """Return the status that a body tells of although the answer's own says "fine"; None when it tells of none."""
    if not isinstance(data, dict):
        return None
    told = next((data[key] for key in _COMPLAINT if data.get(key)), None)
    if told is None and data.get("success") is not False and data.get("status") != "error":
        return None
    code = told.get("code") if isinstance(told, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 422


def says(answer: Answer) -> str:
    """Return the vendor's own sentence, as far as one can be found."""
    if answer.is_json:
        return "; ".join(dict.fromkeys(_sentences(answer.data, 0)))
    start = answer.body[:2000].decode("utf-8", "replace").strip()
    return "a web page instead of data" if start.startswith("<") else " ".join(start.split())[:_LONGEST]


def _sentences(data: Any, depth: int) -> list[str]:
    if depth > _DEEPEST or data is None or isinstance(data, bool):
        return []
    if isinstance(data, list):
        return [said for item in data[:_MOST] for said in _sentences(item, depth + 1)]
    if not isinstance(data, dict):
        return [str(data)[:_LONGEST]]
    if found := [said for key in _SENTENCE for said in _sentences(data.get(key), depth + 1)]:
        return found
    return [f"{key}: {said}" for key, item in list(data.items())[:_MOST] for said in _sentences(item, depth + 1)]

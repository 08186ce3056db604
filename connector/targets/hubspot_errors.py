"""Read what HubSpot has against a request or a contact: categories, sentences, and lists of JSON within sentences."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.targets import records
from connector.targets.answers import Answer, Asked, answered, retry_after, until_midnight, verdict

SECONDS = 10.0  # the rolling limit; a 429 says no time to wait
LOCKED = 2.0
_STATUS = {"CONFLICT": 409, "OBJECT_NOT_FOUND": 404, "MISSING_SCOPES": 403, "RATE_LIMITS": 429}
_EXISTING = re.compile(r"Existing ID: (\d+)")
_LISTED = re.compile(r"\[\{.*\}\]", re.DOTALL)
_NO_KEY = re.compile(r"non-unique|does ?n[o']t exist", re.IGNORECASE)
_SCOPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")

Json = Mapping[str, Any]


class Errors:
    """Read the errors of one account; `key` is its unique property, `zone` where its daily limit renews at midnight."""

    def __init__(self, key: str, zone: ZoneInfo) -> None:
        self._key, self._zone = key, zone

    @property
    def cure(self) -> str:
        """Return what to do about a property that is not there, or not as it must be."""
        how = "connector targets check NAME --fix makes it"
        return f"there must be a contact property {self._key} with unique values: {how}"

    def one(self, item: Json, answer: Answer, asked: Asked, now: datetime) -> TargetError:
        """Return what it means that HubSpot says this about one contact."""
        status = _STATUS.get(str(item.get("category")), 400)
        one = Answer(status, {}, b"", is_json=True, data=item)
        return self.judge(one, asked, now) or Uncertain(f"{asked.shown} answered {answer.status}")

    def judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        """Return what is wrong with a request as a whole, None when nothing is."""
        data = answer.data if isinstance(answer.data, dict) else {}
        if answer.status < 300 and isinstance(data.get("results"), list):
            return None  # what is wrong with some contacts stands there beside those that went well
        error = verdict(answer, asked, now)
        if answer.status in (423, 477):
            return Busy(str(error), retry_after(answer.headers.get("Retry-After"), now) or LOCKED)
        if isinstance(error, Busy) and error.retry_after is None:
            return Busy(str(error), self._renewed_in(data, now))
        if isinstance(error, Refused) and (
            scopes := _SCOPE.findall(str([one.get("context") for one in (data, *records.rows(data.get("errors")))]))
        ):
            return Refused(f"{error}; the private app needs the scope {' or '.join(dict.fromkeys(scopes))}")
        return self._rejected(error, data, asked) if isinstance(error, Rejected) else error

    def _renewed_in(self, data: Json, now: datetime) -> float | None:
        """Return the seconds until the limit that was reached lets the next request through."""
        policy = f"{data.get('policyName')} {data.get('message')}".upper()
        if "DAILY" not in policy:
            return SECONDS if "SECONDLY" in policy else None
        return until_midnight(now, self._zone)

    def _rejected(self, error: Rejected, data: Json, asked: Asked) -> TargetError:
        """Return what HubSpot has against the data: the property where it names one, the contact that is there."""
        message, wrong = str(data.get("message")), _wrong(data)
        if _NO_KEY.search(message) and re.search(rf"property \W*{self._key}\b", message, re.IGNORECASE):
            return Refused(f"{error}; {self.cure}")
        if error.status == 409:
            there = _EXISTING.search(message)
            return AlreadyThere(str(error), there[1] if there else None, status=409)
        said = "; ".join(dict.fromkeys(text for _, _, text in wrong if text))
        text = f"{asked.shown} answered {error.status}: {asked.hide(said)}" if said else str(error)
        names = tuple(dict.fromkeys(name for name, _, _ in wrong if name))
        return Rejected(
            text, fields=names, status=error.status, soft={code for _, code, _ in wrong} == {"INVALID_OPTION"}
        )


def _wrong(data: Json) -> list[tuple[str, str, str]]:
    """Return (property, code, sentence) of each thing that is wrong; HubSpot also writes them as JSON into its sentence."""
    inside = _LISTED.search(str(data.get("message")))
    items = [
        *records.rows(answered(200, {}, inside[0].encode()).data if inside else None),
        *records.rows(data.get("errors")),
    ]
    return [
        (_property(item), str(item.get("error") or item.get("code")), records.text(item.get("message")))
        for item in items
    ]


def _property(item: Json) -> str:
    named = records.look(item, "context.propertyName.0") or item.get("name") or item.get("in")
    return records.text(named)

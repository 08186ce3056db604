"""Read the answers of a declarative target: by its own table of errors first, then by what all systems have in common."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.targets import records
from connector.targets.answers import Answer, Asked, complaint, failure, retry_after, says, sentence, verdict

Settings = Mapping[str, Any]

_DEEPEST = 4
_REPORTED = 422  # an error that comes with "fine"


@dataclass(frozen=True, slots=True)
class Table:
    """Judge answers by the settings `errors`, `success`, `message` and `soft`."""

    rules: Sequence[Settings]
    success: Settings | None
    message: str | None
    soft: Sequence[str]

    def judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        """Return what an answer means when it is not what was hoped for, None when it is."""
        plain = verdict(answer, asked, now)
        if 300 <= answer.status < 400:
            return plain
        failed = plain is not None or self._unsuccessful(answer)
        rule = next((rule for rule in self.rules if _fits(rule, answer, failed=failed)), None)
        if rule is not None:
            return _means(rule, sentence(answer, asked, self._said(answer)), answer, now)
        return self._failure(answer, asked, now) if failed else None

    def _failure(self, answer: Answer, asked: Asked, now: datetime) -> TargetError:
        status = answer.status if answer.status >= 400 else complaint(answer.data) or _REPORTED
        error = failure(status, answer, asked, now, self._said(answer))
        if isinstance(error, Rejected):
            error.fields = self._named(answer.data)
        return error

    def _unsuccessful(self, answer: Answer) -> bool:
        told = records.text(records.look(answer.data, self.success["path"])) if self.success else ""
        return bool(self.success and told and told.casefold() != self.success["equals"].casefold())

    def _said(self, answer: Answer) -> str:
        told = records.look(answer.data, self.message) if self.message else None
        return _words(told) if told else says(answer)

    def _named(self, data: Any) -> tuple[str, ...]:
        """Return the soft fields that the answer names as a key, as {"errors": {"phone": ["is not valid"]}} does."""
        keys = set(_keys(data, 0))
        return tuple(name for name in self.soft if {name, name.rpartition(".")[2]} & keys)


def table(settings: Settings) -> Table:
    """Return the table that the settings of a declarative target describe."""
    return Table(settings["errors"], settings["success"], settings["message"], settings["soft"])


def _fits(rule: Settings, answer: Answer, *, failed: bool) -> bool:
    """Tell whether a rule is about this answer; one that names no status is about failures only."""
    if answer.status not in rule["status"] if rule["status"] else not failed:
        return False
    place = rule["path"]
    text = _words(records.look(answer.data, place)) if place else answer.body.decode("utf-8", "replace")
    text = text.strip().casefold()
    equal = not rule["equals"] or any(text == wanted.casefold() for wanted in rule["equals"])
    return equal and (not rule["contains"] or any(wanted.casefold() in text for wanted in rule["contains"]))


def _means(rule: Settings, what: str, answer: Answer, now: datetime) -> TargetError:
    match rule["means"]:
        case "exists":
            place = rule["id"]
            return AlreadyThere(what, records.identity(records.look(answer.data, place)) or None if place else None)
        case "busy":
            return Busy(what, retry_after(answer.headers.get("Retry-After"), now) or rule["wait"])
        case "refused":
            return Refused(what)
        case "gone":
            return Rejected(what, status=404)
        case "invalid":
            return Rejected(what, fields=rule["field"], status=answer.status)
    return Uncertain(what)


def _words(data: Any) -> str:
    return data if isinstance(data, str) else "" if data is None else json.dumps(data, ensure_ascii=False)


def _keys(data: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(data, dict):
        yield from (name for name, value in data.items() if value)
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _keys(item, depth + 1)

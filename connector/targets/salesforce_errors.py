"""Read what Salesforce has against a request or a contact, by its own codes."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.targets import records
from connector.targets.answers import Answer, Asked, verdict

RENEWED = 1800.0  # the day's requests come back bit by bit, for the limit is a rolling one
_AGAIN = frozenset({"QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW"})
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_THERE = frozenset({"DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID", "DUPLICATE_VALUE"})
_NO_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "NOT_FOUND"})
_NO_OPTION = {"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}
_WITH_ID = re.compile(r"with id: ([A-Za-z0-9]{15,18})")

Json = Mapping[str, Any]


class Errors:
    """Read the errors of one organisation; `key` is its external id field, `rule` what to do about duplicates."""

    def __init__(self, key: str, rule: str) -> None:
        self._key, self._rule = key, rule

    @property
    def cure(self) -> str:
        """Return what to do about a field that is not there, or not as it must be."""
        return (
            f"the contact needs a field {self._key} that the connector may edit: Setup, Object Manager, Contact, "
            "Fields & Relationships, New, Text of length 255 with Unique and External ID"
        )

    def judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        """Return what is wrong with a request as a whole, None when nothing is."""
        error, wrong = verdict(answer, asked, now), records.rows(answer.data)
        return error if error is None or not wrong else self.meaning(wrong, answer.status, asked, error)

    def meaning(
        self, wrong: Sequence[Json], status: int, asked: Asked, error: TargetError | None = None
    ) -> TargetError:
        """Return what Salesforce means, by its own codes; `error` is what the status alone says of a whole request."""
        codes = {_code(one) for one in wrong}
        said = "; ".join(f"{_code(one)}: {one.get('message')}" for one in wrong)
        text = f"{asked.shown} answered {status}: {asked.hide(said)}"
        if "INVALID_SESSION_ID" in codes:
            return Refused(text, expired=True)
        if "REQUEST_LIMIT_EXCEEDED" in codes:
            return Busy(text, None if "Concurrent" in said else RENEWED)
        if codes & _AGAIN:
            return Uncertain(text)
        if codes & _NO_FIELD and re.search(rf"(?:column '|accessible: ){self._key}\b", said):
            return Refused(f"{text}; {self.cure}")
        if error is not None and status == 404:
            return Refused(f"{text}; look at `version` and at the address")
        return error if isinstance(error, Refused | Uncertain) else self._rejected(wrong, codes, text, status)

    def _rejected(self, wrong: Sequence[Json], codes: Collection[str], text: str, status: int) -> Rejected:
        if _THERE.intersection(codes):
            return AlreadyThere(text, None if self._rule == "hold" else _alike(wrong), status=status)
        fields = tuple(dict.fromkeys(str(name) for one in wrong for name in one.get("fields") or ()))
        if _GONE.intersection(codes) and not fields:
            return Rejected(text, status=404)
        return Rejected(text, fields=fields, status=status, soft=codes == _NO_OPTION)


def _code(one: Json) -> str:
    return str(one.get("errorCode") or one.get("statusCode"))


def _alike(wrong: Sequence[Json]) -> str | None:
    """Return the one contact that Salesforce names as the same, None when it names none or several."""
    rules = [rule for one in wrong for rule in records.rows(records.look(one, "duplicateResult.matchResults"))]
    matched = [match for rule in rules for match in records.rows(rule.get("matchRecords"))]
    named = {records.text(records.look(match, "record.Id")) for match in matched}
    named |= {found for one in wrong for found in _WITH_ID.findall(str(one.get("message")))}
    return named.pop() if len(named) == 1 else None

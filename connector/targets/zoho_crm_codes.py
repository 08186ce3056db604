"""Read Zoho CRM's own codes, of an answer as a whole and of one contact in it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.targets import records, zoho
from connector.targets.answers import Answer, Asked, verdict

CREDITS, CROWDED = 3600.0, 5.0  # seconds: credits come back little by little
SCOPE = "ZohoCRM.modules.contacts.ALL,ZohoCRM.coql.READ,ZohoCRM.settings.fields.READ,ZohoCRM.settings.fields.CREATE"
_PASSING = {"RECORD_LOCKED", "INTERNAL_ERROR"}
_ADDRESS = {"INVALID_URL_PATTERN", "INVALID_MODULE"}
_TOKEN = {"INVALID_TOKEN", "AUTHENTICATION_FAILURE"}

Json = Mapping[str, Any]


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means as a whole; what is wrong with one contact of many stands beside the others."""
    data = answer.data if isinstance(answer.data, dict) else {}
    if isinstance(data.get("data"), list) and (answer.status < 300 or answer.status == 400):
        return None  # what is wrong with some contacts stands there beside those that went well
    error, code = verdict(answer, asked, now), data.get("code")
    if isinstance(error, Busy) and error.retry_after is None:
        return Busy(str(error), _wait(answer, records.text(data.get("message"))))
    if code == "OAUTH_SCOPE_MISMATCH":
        return Refused(f"{error}; the access needs the scopes {SCOPE}: connect it anew with them")
    if code in _TOKEN:
        return Refused(f"{error}; {zoho.WHERE}", expired=True)
    if code in _ADDRESS:
        return Refused(f"{error} ({code}); is base_url right?")
    return meaning(data, f"{error}{about(data)}", error.status) if isinstance(error, Rejected) else error


def about(item: Json) -> str:
    """Return what Zoho CRM says of the field that it means, in brackets."""
    names = ("api_name", "expected_data_type", "maximum_length", "column_name")
    told = [text for name in names if (text := records.text(records.look(item, f"details.{name}")))]
    return f" ({', '.join((records.text(item.get('code')), *told))})"


def meaning(item: Json, what: str, status: int, *, new: bool = True) -> TargetError:
    """Return what it means that Zoho CRM says this about a contact."""
    code, field = records.text(item.get("code")), records.text(records.look(item, "details.api_name"))
    if code == "DUPLICATE_DATA":
        there = records.look(item, "details.duplicate_record.id") or records.look(item, "details.id")
        return AlreadyThere(what, records.identity(there) or None, status=status)
    if code == "INVALID_DATA" and field == "id" and not new:
        return Rejected(what, status=404)
    if code in _PASSING:
        return Uncertain(what)
    return Rejected(what, fields=(field,) if field else (), status=status)


def _wait(answer: Answer, said: str) -> float | None:
    if "credit" in said.casefold() or answer.headers.get("X-API-CREDITS-REMAINING") == "0":
        return CREDITS
    return CROWDED if "concurrency" in said.casefold() else None

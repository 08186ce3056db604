"""Read QuickBooks' mistakes: a Fault with codes, in two spellings, and now and then inside a 200."""

import re
from datetime import datetime
from typing import Any

from connector.errors import Busy, NameTaken, Refused, Rejected, TargetError, Uncertain
from connector.targets import records
from connector.targets.answers import Answer, Asked, retry_after, verdict

STALE = 409  # how a version that is old comes out, whatever the status was
PHONES = {name: f"{name}.FreeFormNumber" for name in ("PrimaryPhone", "Mobile", "AlternatePhone")}
_TOO_MANY, _GONE, _OLD, _TAKEN, _TOKEN = "3001", "610", "5010", "6240", "3200"
_REFUSED = frozenset({"100", "120", "3100", _TOKEN, "3201", "3202", "6190"})
_TID = re.compile(r"[\w-]{1,80}")


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means, by the codes of its Fault, which QuickBooks writes in two ways."""
    error = verdict(answer, asked, now)
    fault = _lower(records.look(answer.data, "Fault") or records.look(answer.data, "fault"))
    wrong = [_lower(one) for one in records.rows(fault.get("error"))]
    if not wrong:
        return error
    codes = {records.text(one.get("code")).lstrip("0") for one in wrong}
    said = "; ".join(
        dict.fromkeys(
            ": ".join(filter(None, (records.text(one.get("message")), records.text(one.get("detail")))))
            for one in wrong
        )
    )
    what = f"{asked.shown} answered {answer.status}: {asked.hide(said)} (code {', '.join(sorted(codes))}{_tid(answer)})"
    if _TOO_MANY in codes or answer.status == 429:
        return Busy(what, retry_after(answer.headers.get("Retry-After"), now))
    if codes & _REFUSED or answer.status in (401, 403) or str(fault.get("type")).upper().startswith("AUTH"):
        return Refused(f"{what}; look at the credentials, the company and its subscription", expired=_TOKEN in codes)
    if answer.status >= 500 or fault.get("type") == "SystemFault":
        return Uncertain(what)
    if _TAKEN in codes:
        return NameTaken(what, status=answer.status)
    elements = [records.text(one.get("element")) for one in wrong]
    fields = tuple(PHONES.get(name.partition(".")[0], name) for name in elements) if all(elements) else ()
    return Rejected(what, fields=fields, status=404 if _GONE in codes else STALE if _OLD in codes else 400)


def _lower(item: Any) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in item.items()} if isinstance(item, dict) else {}


def _tid(answer: Answer) -> str:
    tid = answer.headers.get("intuit_tid", "")
    return f", intuit_tid {tid}" if _TID.fullmatch(tid) else ""

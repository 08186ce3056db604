"""Read Zoho Books' own codes: every answer of it has one, whatever its status."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.errors import Busy, NameTaken, Refused, Rejected, TargetError, Uncertain
from connector.targets import records, zoho
from connector.targets.answers import Answer, Asked, until_midnight, verdict

SCOPE = "ZohoBooks.contacts.CREATE,ZohoBooks.contacts.READ,ZohoBooks.contacts.UPDATE,ZohoBooks.settings.READ"
MINUTE, CROWDED = 60.0, 5.0
_INVALID = re.compile(r"Invalid value passed for (\w+)", re.IGNORECASE)
_CURES = {
    14: f"the access token is not accepted; {zoho.WHERE}",
    57: f"look at the scopes ({SCOPE}), at organization_id, and: {zoho.WHERE}",
    6041: "look at organization_id",
    9017: "look at organization_id",
}


def judge(answer: Answer, asked: Asked, now: datetime, zone: ZoneInfo) -> TargetError | None:
    """Read Zoho Books' own code; every answer of it has one, and 0 is good."""
    code = answer.data.get("code") if isinstance(answer.data, dict) else None
    if isinstance(code, bool) or not isinstance(code, int) or 300 <= answer.status < 400:
        strange = Uncertain(f"{asked.shown} answered {answer.status} with something that is not Zoho Books' own")
        return verdict(answer, asked, now) or (strange if answer.is_json else None)
    if code == 0 and answer.status < 400:
        return None
    said = records.text(answer.data.get("message"))
    what = f"{asked.shown} answered {answer.status}: {asked.hide(said)} (code {code})"
    return _limit(code, what, now, zone) or _refusal(code, what, said, answer, asked) or verdict(answer, asked, now)


def _limit(code: int, what: str, now: datetime, zone: ZoneInfo) -> Busy | None:
    if code == 45:
        return Busy(f"{what}; the day's requests are used up", until_midnight(now, zone))
    waits = {44: MINUTE, 1070: CROWDED}
    return Busy(what, waits[code]) if code in waits else None


def _refusal(code: int, what: str, said: str, answer: Answer, asked: Asked) -> TargetError | None:
    if code in _CURES:
        return Refused(f"{what}; {_CURES[code]}", expired=answer.status == 401)
    if code == 3062:
        return NameTaken(what, status=answer.status)
    if code == 1002:
        return Rejected(what, status=404)
    if answer.status == 404:
        return Uncertain(f"{what}; is base_url right?")
    if answer.status == 400 or (answer.status < 400 and asked.writes):
        invalid = _INVALID.search(said)
        return Rejected(what, fields=(invalid[1],) if invalid else (), status=answer.status)
    return Uncertain(what) if answer.status < 400 else None

"""Read what Xero has against a request as a whole; what it has against a contact is read in xero_contact.py."""

import re
from datetime import datetime

from connector.errors import Busy, Refused, Rejected, TargetError
from connector.targets import records
from connector.targets.answers import Answer, Asked, until_midnight, verdict
from connector.targets.xero_contact import complaints, refusal

MINUTE = 60.0
_NOT_THERE = re.compile(rb"resource you'?re looking for", re.IGNORECASE)  # a 404 of Xero's own, which is no JSON


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means; what is wrong with one contact of many stands beside the others."""
    if answer.status < 300 and isinstance(records.look(answer.data, "Contacts"), list):
        return None  # what is wrong with some contacts stands there beside those that went well
    if answer.status == 404 and _NOT_THERE.search(answer.body):
        return Rejected(f"{asked.shown} answered 404", status=404)
    error = verdict(answer, asked, now)
    wrong = [one for row in records.rows(records.look(answer.data, "Elements")) for one in complaints(row)]
    if isinstance(error, Rejected) and wrong:
        return refusal(wrong, f"{asked.shown} answered {answer.status}", asked.hide, answer.status)
    if answer.status == 403:
        return Refused(f"{error}, and at tenant_id")
    return _busy(error, answer, now) if isinstance(error, Busy) else error


def _busy(error: Busy, answer: Answer, now: datetime) -> Busy:
    """Return how long to wait: as Xero says, else by the limit that it names."""
    problem = answer.headers.get("X-Rate-Limit-Problem", "").casefold()
    by_limit = {"day": until_midnight(now), "minute": MINUTE, "appminute": MINUTE}
    return Busy(f"{error} (limit: {problem})" if problem else str(error), error.retry_after or by_limit.get(problem))

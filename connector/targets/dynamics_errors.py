"""Read what Dataverse has against a request: by its status, its code, and the words that name a field or a contact."""

import re
from datetime import datetime

from connector.errors import AlreadyThere, Refused, Rejected, TargetError
from connector.targets import records
from connector.targets.answers import Answer, Asked, verdict

CURE = "make it by `connector targets check NAME --fix`"
_OTHER = re.compile(r"<Id>\s*([0-9a-fA-F-]{36})\s*</Id>")
_NAMED = re.compile(r"'(\w+)' attribute|attribute '?(\w+)'?")
_LOST = re.compile(r"segment|resource not found", re.IGNORECASE)
_NO_KEY = re.compile(r"key in the request URI|not an? (?:\w+ )?key\b|alternate key\b.*\b(?:not|no)\b", re.IGNORECASE)


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means; a key that is none is nothing that one customer can help."""
    error = verdict(answer, asked, now)
    if not isinstance(error, Rejected):
        return error
    message = records.text(records.look(answer.data, "error.message"))
    code = records.text(records.look(answer.data, "error.code"))
    what = f"{error} (code {code})" if code else str(error)
    if answer.status == 404 and _LOST.search(message):
        return Refused(f"{what}; look at base_url and version")
    if _NO_KEY.search(message):
        return Refused(f"{what}; alternate_key names no key of the contact: {CURE}")
    if answer.status == 412:
        other = _OTHER.search(message)
        return AlreadyThere(what, other[1].lower() if other else None, status=412)
    named = [first or second for first, second in _NAMED.findall(message)]
    return Rejected(what, fields=tuple(dict.fromkeys(named)), status=error.status)

"""Hide personal data and secrets in any text that leaves for a log, an error or an attempt."""

import re
from collections.abc import Iterable

_EMAIL = re.compile(r"[^\s@\"'<>(),;:]{1,64}@[^\s@\"'<>(),;:]{1,255}")
_DIGITS = re.compile(r"\+?\d(?:[\d\s().-]{5,24})\d")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")  # of a machine, not of a person
_SHORTEST = 3


def mask(text: str, values: Iterable[str] = (), limit: int = 500) -> str:
    """Return `text` with e-mails, long digit runs and the given values hidden, cut to `limit` characters.

    `values` are what is known to be personal here (the record's own strings); shorter than three characters they
    are left alone, for they would hide half of the text.
    """
    text = text[: limit * 4]
    for value in sorted({v for v in values if len(v) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(value, "***")
    text = _EMAIL.sub("***@***", text)
    text = _DIGITS.sub(_hidden, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _hidden(digits: re.Match[str]) -> str:
    found = digits.group()
    return found if _ADDRESS.fullmatch(found) else "***" + found[-2:]


class Secret(str):
    """Hold a secret that shows itself as *** in repr, logs and errors; use it as the text it is.

    >>> repr(Secret("s3cr3t"))
    '***'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"

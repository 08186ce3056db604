"""Turn any JSON value into clean text, or say why it cannot be used."""

import re
from typing import Any

# Arabic letters may be joined by ZWNJ and ZWJ (U+200C, U+200D): these stay. Tab, line feed and return are text.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_LARGEST = 10**30
INVISIBLE = "held invisible control characters, which were removed"


def clean(value: Any) -> tuple[str | bool | None, str | None]:
    """Return the value as text (true and false stay what they are; None: nothing there) and a warning or None.

    Text of nothing but white space counts as nothing. Control characters, lone surrogates and the marks that turn the
    direction of text are removed: vendors refuse them, and they can make a name look like another.
    """
    if isinstance(value, str):
        if value.isprintable():  # nearly every text: nothing to remove
            return (value if value.strip() else None), None
        return _text(value)
    if value is None or isinstance(value, bool):
        return value, None
    if isinstance(value, int | float):
        return _number(value)
    return None, "is a group or a list, not text; left out"


def flat(value: Any) -> str:
    """Return the value as clean text: "" for nothing, `true` and `false` for those."""
    text = clean(value)[0]
    if isinstance(text, bool):
        return "true" if text else "false"
    return text or ""


def _text(value: str) -> tuple[str | None, str | None]:
    kept = _INVISIBLE.sub("", value)
    return (kept if kept.strip() else None), (INVISIBLE if kept != value else None)


def _number(value: float) -> tuple[str | None, str | None]:
    if not abs(value) < _LARGEST:  # also true of NaN
        return None, "is not a usable number; left out"
    return (str(int(value)) if value == int(value) else repr(value)), None

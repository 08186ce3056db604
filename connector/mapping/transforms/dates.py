"""Moments: epoch milliseconds, or ISO text, written as a date in a time zone."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.mapping.fold import fold_digits
from connector.mapping.transforms.base import Context, Options, Result

FORMAT, ZONE = "%Y-%m-%d", "Asia/Riyadh"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}")  # a birthday is the same day everywhere
_MILLISECONDS = re.compile(r"-?[0-9]{1,18}")
# Widths as in %999999999d would let a mapping fill the memory: only the bare directives.
_FORMAT = re.compile(r"(?:[^%]|%[YmdyjHIMSpzAaBb%])*")


def date(value: str, options: Options, _context: Context) -> Result:
    """Write the moment as `format` in `timezone`, a day without an hour as that day; anything else is not valid."""
    text = fold_digits(value.strip())
    try:
        moment = datetime.fromisoformat(text) if _DAY.fullmatch(text) else _moment(text).astimezone(_zone(options))
        return Result(moment.strftime(options.get("format", FORMAT)))
    except (ValueError, OverflowError):
        return Result(value, valid=False, warning="is not a moment (epoch milliseconds or ISO 8601)")


def bad_format(text: str) -> str | None:
    """Say what is wrong with a date format."""
    if "%" in text and len(text) <= 64 and _FORMAT.fullmatch(text):
        return None
    return "is not a date format; write it like %Y-%m-%d or %d/%m/%Y %H:%M"


def bad_zone(text: str) -> str | None:
    """Say what is wrong with a time zone."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return "is not a time zone; write it like Asia/Riyadh"
    return None


def _zone(options: Options) -> ZoneInfo:
    return ZoneInfo(options.get("timezone", ZONE))


def _moment(text: str) -> datetime:
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""Phone numbers: every way people type one, written as E.164 (+966551234567). Never guesses a country."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat

from connector.mapping.fold import fold_digits
from connector.mapping.paths import unknown
from connector.mapping.transforms.base import NOWHERE, Context, Options, Result
from connector.mapping.transforms.junk import junk_phone

_TYPED = re.compile(r"\+?[0-9]+\+?")
_BETWEEN = re.compile(r"[\s()\[\].\-/_\u2010-\u2015\u2212\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_SOME = re.compile(r"[1-9]")
_PREFIX = re.compile(r"[1-9][0-9]{0,5}")
_LONGEST, _MOST_DIGITS = 64, 15
# Most numbers are Saudi mobiles: the library's own pattern knows them for a tenth of what it takes to ask the library.
_SAUDI: Any = PhoneMetadata.metadata_for_region("SA")
_MOBILE = re.compile(f"9660?({_SAUDI.mobile.national_number_pattern})")
_INSIDE = 7  # digits that must follow a prefix for it to be one, when the number is not a possible one anyway


def phone(value: str, options: Options, context: Context) -> Result:
    """Write the number as E.164, with the country prefix given in a field of its own."""
    typed = _BETWEEN.sub("", fold_digits(value[: _LONGEST + 1]))
    if len(value) > _LONGEST or not _SOME.search(typed):
        return Result(None, valid=False, warning="is not a phone number")
    if not _TYPED.fullmatch(typed):
        return Result(value.strip(), valid=False, warning="is not a phone number")
    return _read(value.strip(), typed, _prefix(options, context))


def same_phone(a: str, b: str, region_prefix: str = "966") -> bool:
    """Tell whether two texts are the same valid number; one without a country is read with the prefix."""
    first = _valid(a, region_prefix)
    return first is not None and first == _valid(b, region_prefix)


@lru_cache(maxsize=4096)  # a batch compares each of its numbers with each of the target's
def _valid(text: str, region_prefix: str) -> str | None:
    result = phone(text, {"prefix": region_prefix}, NOWHERE)
    return result.value if result.valid else None


def spellings(e164: str) -> tuple[str, ...]:
    """Return the usual ways to type a number, E.164 first.

    >>> spellings("+966551234567")
    ('+966551234567', '966551234567', '00966551234567', '0551234567', '551234567')
    """
    number = _parsed(e164.removeprefix("+"))
    if number is None:
        return (e164,)
    whole = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    local = re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    national = whole.removeprefix(str(number.country_code))
    return tuple(dict.fromkeys((f"+{whole}", whole, f"00{whole}", local, national)))


def spaced(e164: str) -> tuple[str, ...]:
    """Return the number as programs write it for people to read.

    >>> spaced("+966551234567")
    ('+966 55 123 4567', '055 123 4567')
    """
    number = _parsed(e164.removeprefix("+"))
    forms = (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
    return tuple(phonenumbers.format_number(number, form) for form in forms) if number else ()


def bad_prefix(text: str) -> str | None:
    """Say what is wrong with the option `prefix`: digits ("966"), or the path of a field that holds them."""
    if _country(text[:_LONGEST]):
        return None
    problem = unknown(text)
    return problem and f'is neither a prefix like "966" nor a field: {problem}'


def _prefix(options: Options, context: Context) -> str:
    given = options.get("prefix")
    if given is None:
        return _country(context.look(f"{context.source}_prefix")[:_LONGEST]) if context.source else ""
    return _country(given[:_LONGEST]) or _country(context.look(given)[:_LONGEST])


@lru_cache(maxsize=256)
def _country(text: str) -> str:
    digits = _BETWEEN.sub("", fold_digits(text)).lstrip("+").lstrip("0")
    return digits if _PREFIX.fullmatch(digits) else ""


def _read(value: str, typed: str, prefix: str) -> Result:
    """Take the first reading that is a valid number, else the first that is possible, else what was typed."""
    readings = list(_readings(typed, prefix))
    if not readings:
        return Result(typed.strip("+"), valid=False, warning="has no country prefix")
    possible = None
    for reading in readings:
        if mobile := _MOBILE.fullmatch(reading):
            return _doubted(f"+966{mobile[1]}")
        number = _parsed(reading)
        if number is not None and phonenumbers.is_valid_number(number):
            return _doubted(phonenumbers.format_number(number, PhoneNumberFormat.E164))
        if number is not None and possible is None and phonenumbers.is_possible_number(number):
            possible = reading
    if possible is not None:
        return Result(f"+{possible}", valid=False, warning="is not a valid phone number")
    raw = _raw(readings, prefix)
    # More digits than any number has: two numbers in one field, which nobody can read without what is between them.
    sent = f"+{raw}" if len(raw) <= _MOST_DIGITS else value
    return Result(sent, valid=False, warning="is not a possible phone number")


def _doubted(e164: str) -> Result:
    doubt = junk_phone(e164)
    return Result(e164, valid=doubt is None, warning=doubt, junk=doubt is not None)


def _readings(typed: str, prefix: str) -> Iterator[str]:
    """Yield what the digits may mean, country first, the likeliest first.

    A + may stand at the end too (typed from right to left). No country begins with 0, so a 0 behind + or 00 says that
    the rest is national.
    """
    digits = typed.strip("+")
    bare = digits.lstrip("0")
    zeros = len(digits) - len(bare)
    if zeros == 2 or ("+" in typed and not zeros):
        yield bare
    elif prefix:
        yield prefix + digits
    if prefix:
        yield from _behind(bare, prefix)


def _behind(digits: str, prefix: str) -> Iterator[str]:
    """Yield the readings of digits that already begin with the prefix, once or several times over."""
    while digits.startswith(prefix):
        yield digits
        digits = digits.removeprefix(prefix).lstrip("0")


def _raw(readings: list[str], prefix: str) -> str:
    typed_with_prefix = readings[1:] and len(readings[1]) >= len(prefix) + _INSIDE
    return readings[1] if typed_with_prefix else readings[0]


def _parsed(digits: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(f"+{digits}", None)
    except NumberParseException:
        return None

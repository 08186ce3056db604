"""Plain text: case, white space, digits, and e-mail addresses."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from connector.mapping.fold import fold_digits
from connector.mapping.transforms.base import Context, Options, Result
from connector.mapping.transforms.junk import junk_email, masked

_LONGEST_EMAIL, _LONGEST_SHAPE = 320, 200
# What nearly every address looks like is known to be right without the library's twenty other questions: within its
# limits of length, no quotes, no second hyphen, no name that is reserved.
_PLAIN = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@((?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]+)")
_LONGEST_PLAIN = 63
_RESERVED = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
_NO_DIGIT = re.compile(r"[^0-9]+")


def lower(value: str, _options: Options, _context: Context) -> Result:
    """Write it in small letters."""
    return Result(value.lower())


def upper(value: str, _options: Options, _context: Context) -> Result:
    """Write it in capitals."""
    return Result(value.upper())


def strip(value: str, _options: Options, _context: Context) -> Result:
    """Drop white space at both ends."""
    return Result(value.strip())


def digits(value: str, _options: Options, _context: Context) -> Result:
    """Keep the digits only, as 0-9."""
    found = _NO_DIGIT.sub("", fold_digits(value))
    return Result(found) if found else Result(value, valid=False, warning="holds no digits")


def email(value: str, _options: Options, _context: Context) -> Result:
    """Take an e-mail address that is well formed; asks no server."""
    text = value.strip()
    try:
        address = _address(text)
    except EmailNotValidError:
        what = "is a masked e-mail address" if masked(text) else "is not an e-mail address"
        return Result(text, valid=False, warning=what)
    if masked(address):
        return Result(address, valid=False, warning="is a masked e-mail address")
    doubt = junk_email(address)
    return Result(address, valid=doubt is None, warning=doubt, junk=doubt is not None)


def _address(text: str) -> str:
    """Return the address as it is written, its domain in small letters. Raises EmailNotValidError."""
    if len(text) <= _LONGEST_PLAIN and (plain := _PLAIN.fullmatch(text)):
        domain = plain[1].lower()
        if not domain.endswith(_RESERVED):
            return text[: plain.start(1)] + domain
    return validate_email(text[: _LONGEST_EMAIL + 1], check_deliverability=False).normalized


def only_if(value: str, options: Options, _context: Context) -> Result:
    """Take a text that has one of the shapes of the option `shape`; digits count as 0-9, whatever their script."""
    text = fold_digits(value.strip())
    if any(_fits(text, shape.strip()) for shape in options["shape"].split("|")):
        return Result(text)
    return Result(value.strip(), valid=False, warning="does not have the shape that the mapping wants")


def bad_shape(text: str) -> str | None:
    """Say what is wrong with a shape."""
    shapes = [shape.strip() for shape in text.split("|")]
    if len(text) <= _LONGEST_SHAPE and all(shape and shape.count("*") <= 1 for shape in shapes):
        return None
    return "is written with # for a digit, @ for a letter, one * for anything, and | between two shapes"


def _fits(text: str, shape: str) -> bool:
    """Compare a text with one shape, sign by sign from both ends: no shape and no text makes it look twice."""
    head, star, tail = shape.partition("*")
    fits = len(text) >= len(head) + len(tail) if star else len(text) == len(head)
    return fits and all(map(_is, head, text)) and all(map(_is, tail, text[len(text) - len(tail) :]))


def _is(sign: str, char: str) -> bool:
    if sign == "#":
        return char.isdecimal()
    return char.isalpha() if sign == "@" else sign == char

"""Plain text: case, white space, digits, and e-mail addresses."""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from connector.mapping.transforms.base import Context, Options, Result

_LONGEST_EMAIL = 320
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
        return Result(validate_email(text[: _LONGEST_EMAIL + 1], check_deliverability=False).normalized)
    except EmailNotValidError:
        return Result(text, valid=False, warning="is not an e-mail address")


def fold_digits(text: str) -> str:
    """Write every decimal digit as 0-9, whatever its script (Arabic ٠, Persian ۰, full-width ０)."""
    if text.isascii():
        return text
    return "".join(_folded(char) for char in text)


def _folded(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)

"""Plain text: case, white space, digits, and e-mail addresses."""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from connector.mapping.fold import fold_digits
from connector.mapping.transforms.base import Context, Options, Result
from connector.mapping.transforms.junk import junk_email, masked

_LONGEST_EMAIL, _LONGEST_SHAPE = 320, 200
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
        address = validate_email(text[: _LONGEST_EMAIL + 1], check_deliverability=False).normalized
    except EmailNotValidError:
        what = "is a masked e-mail address" if masked(text) else "is not an e-mail address"
        return Result(text, valid=False, warning=what)
    if masked(address):
        return Result(address, valid=False, warning="is a masked e-mail address")
    doubt = junk_email(address)
    return Result(address, valid=doubt is None, warning=doubt, junk=doubt is not None)


def only_if(value: str, options: Options, _context: Context) -> Result:
    """Take a text that has one of the shapes of the option `shape`; digits count as 0-9, whatever their script."""
    text = fold_digits(value.strip())
    if any(form.fullmatch(text) for form in _forms(options["shape"])):
        return Result(text)
    return Result(value.strip(), valid=False, warning="does not have the shape that the mapping wants")


def bad_shape(text: str) -> str | None:
    """Say what is wrong with a shape."""
    shapes = [shape.strip() for shape in text.split("|")]
    if len(text) <= _LONGEST_SHAPE and all(shape and shape.count("*") <= 1 for shape in shapes):
        return None
    return "is written with # for a digit, @ for a letter, one * for anything, and | between two shapes"


@lru_cache(maxsize=256)
def _forms(shapes: str) -> tuple[re.Pattern[str], ...]:
    # No quantifier but one greedy star: a match takes one pass, however hostile the shape or the text.
    return tuple(re.compile("".join(map(_form, shape.strip())), re.DOTALL) for shape in shapes.split("|"))


def _form(char: str) -> str:
    return {"#": "[0-9]", "@": r"[^\W\d_]", "*": ".*"}.get(char, re.escape(char))

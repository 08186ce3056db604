"""Saudi identifiers as words after `use:`: VAT number, commercial registration, unified number, national address."""

import re
from collections.abc import Mapping

from connector.mapping.fold import fold_digits
from connector.mapping.identifiers import bare, is_crn, is_unified, is_vat
from connector.mapping.transforms.base import Context, Options, Result
from connector.mapping.transforms.junk import junk_number

_NO_CRN = "is not a commercial registration number (10 digits, the first no 0)"
# Postal codes by country; None: the country has none. Saudi Post takes 5 digits, or 5 and 4 (the additional number).
_POSTAL: Mapping[str, re.Pattern[str] | None] = {
    "SA": re.compile(r"([1-9][0-9]{4})([0-9]{4})?"),
    "KW": re.compile(r"([0-9]{5})"),
    "BH": re.compile(r"([0-9]{3,4})"),
    "OM": re.compile(r"([0-9]{3})"),
    "AE": None,
    "QA": None,
}
# Written apart it stands alone, or "King Road 1234" would hold one; written together it may stand in a text.
_SHORT = re.compile(r"(?<![^\W_])([A-Za-z]{4})([0-9]{4})(?![^\W_])")
_SHORT_APART = re.compile(r"\s*([A-Za-z]{4})[ -]([0-9]{4})\s*")
_NO_SHORT = frozenset(("BLDG", "UNIT", "FLAT", "SHOP", "ROOM", "ROAD", "GATE", "ZONE", "BLOK", "POST", "CODE", "AREA"))
# Only a number that says what it is, or stands first and alone: Flavours has no field for it, and none is invented.
_BUILDING = re.compile(
    r"(?:(?:مبنى|مبني) ?(?:رقم)? ?[:#]? ?|\b(?:building|bldg)\.? ?(?:no\.?|number|#)? ?:? ?|^)([0-9]{4})(?![0-9])",
    re.IGNORECASE,
)
_LONGEST = 500


def saudi_vat(value: str, _options: Options, _context: Context) -> Result:
    """Take a Saudi VAT number."""
    number = bare(value)
    if is_vat(number):
        return _doubted(number)
    return Result(value.strip(), valid=False, warning="is not a Saudi VAT number (15 digits, first and last a 3)")


def crn(value: str, _options: Options, _context: Context) -> Result:
    """Take a commercial registration or unified number."""
    number = bare(value)
    return _doubted(number) if is_crn(number) else Result(value.strip(), valid=False, warning=_NO_CRN)


def cr_number(value: str, options: Options, context: Context) -> Result:
    """Take a commercial registration number; a unified number (first a 7) is another thing and gives nothing."""
    return Result(None) if is_unified(bare(value)) else crn(value, options, context)


def unified_number(value: str, _options: Options, _context: Context) -> Result:
    """Take a unified number (700…); anything else gives nothing."""
    number = bare(value)
    return _doubted(number) if is_unified(number) else Result(None)


def crn_type(value: str, _options: Options, _context: Context) -> Result:
    """Say which of the two it is, in ZATCA's words for a buyer's identification: CRN or 700."""
    number = bare(value)
    if not is_crn(number):
        return Result(None, valid=False, warning=_NO_CRN)
    return Result("700" if is_unified(number) else "CRN")


def postal_code(value: str, options: Options, _context: Context) -> Result:
    """Take a postal code of the option `country` (SA unless told otherwise); of 12345-6789 the first five digits."""
    number, form = bare(value), _POSTAL[options.get("country", "SA").upper()]
    if form is None:
        return Result(None, valid=False, warning="is given, though the country has no postal codes")
    found = form.fullmatch(number)
    return Result(found[1]) if found else Result(value.strip(), valid=False, warning="is not a postal code")


def bad_country(text: str) -> str | None:
    """Say what is wrong with the option `country`."""
    return None if text.upper() in _POSTAL else f"is one of: {', '.join(_POSTAL)}"


def additional_number(value: str, _options: Options, _context: Context) -> Result:
    """Take the four digits behind a postal code written 12345-6789; without them nothing."""
    saudi = _POSTAL["SA"]
    found = saudi.fullmatch(bare(value)) if saudi else None
    return Result(found[2] if found else None)


def building_number(value: str, _options: Options, _context: Context) -> Result:
    """Take the building number out of a street: four digits at its beginning, or behind مبنى or building."""
    found = _BUILDING.search(fold_digits(" ".join(value[:_LONGEST].split())))
    return Result(found[1] if found else None)


def short_address(value: str, _options: Options, _context: Context) -> Result:
    """Take the short national address (four letters, four digits: RRRD2929) out of a text."""
    text = fold_digits(value[:_LONGEST])
    found = _SHORT_APART.fullmatch(text) or _SHORT.search(text)
    letters = found[1].upper() if found else ""
    return Result(letters + found[2] if found and letters not in _NO_SHORT else None)


def _doubted(number: str) -> Result:
    doubt = junk_number(number)
    return Result(number, valid=doubt is None, warning=doubt, junk=doubt is not None)

"""Saudi identifiers: the VAT number and the commercial registration."""

import re

from connector.mapping.transforms.base import Context, Options, Result
from connector.mapping.transforms.text import fold_digits

# 15 digits, first and last a 3 (ZATCA BR-KSA-40 and BR-KSA-44). No check digit: ZATCA's own sample fails it.
_VAT = re.compile(r"3[0-9]{13}3")
# A commercial register has 10 digits; ten beginning with 7 are the unified number that replaces it since April 2025.
_CRN = re.compile(r"[0-9]{10}")
_BETWEEN = re.compile(r"[\s\u2010-\u2015-]+")


def saudi_vat(value: str, _options: Options, _context: Context) -> Result:
    """Take a Saudi VAT number."""
    number = _BETWEEN.sub("", fold_digits(value))
    if _VAT.fullmatch(number):
        return Result(number)
    return Result(value.strip(), valid=False, warning="is not a Saudi VAT number (15 digits, first and last a 3)")


def crn(value: str, _options: Options, _context: Context) -> Result:
    """Take a commercial registration or unified number."""
    number = _BETWEEN.sub("", fold_digits(value))
    if _CRN.fullmatch(number):
        return Result(number)
    return Result(value.strip(), valid=False, warning="is not a commercial registration number (10 digits)")

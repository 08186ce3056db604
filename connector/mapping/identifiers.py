"""Saudi identifiers as bare facts: what a VAT number, a commercial registration and a national address look like."""

import re

from connector.mapping.fold import fold_digits

_BETWEEN = re.compile(r"[\s\u2010-\u2015-]+")
# 15 digits, first and last a 3 (ZATCA BR-KSA-40 and BR-KSA-44). No check digit: ZATCA's own sample fails it.
_VAT = re.compile(r"3[0-9]{13}3")
# A commercial register has 10 digits and begins with its region, never with 0 (that is a phone number); ten beginning
# with 7 are the unified number that replaces it since April 2025.
_CRN = re.compile(r"[1-9][0-9]{9}")
_LONGEST = 64


def bare(text: str) -> str:
    """Return the digits as 0-9, without the spaces and dashes that people put between them; "" for what is too long."""
    return _BETWEEN.sub("", fold_digits(text)) if len(text) <= _LONGEST else ""


def is_vat(number: str) -> bool:
    """Tell whether a bare number is a Saudi VAT number."""
    return _VAT.fullmatch(number) is not None


def is_crn(number: str) -> bool:
    """Tell whether a bare number is a commercial registration or a unified number."""
    return _CRN.fullmatch(number) is not None


def is_unified(number: str) -> bool:
    """Tell whether a bare number is the unified number of an establishment: ten digits, the first a 7."""
    return is_crn(number) and number.startswith("7")

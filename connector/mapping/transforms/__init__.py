"""The words a mapping may write after `use:`; one obvious list of them."""

from collections.abc import Mapping
from typing import Final

from connector.mapping.transforms.base import NOWHERE, Context, OnInvalid, Options, Result, Transform
from connector.mapping.transforms.dates import bad_format, bad_zone, date
from connector.mapping.transforms.names import first_word, rest_words
from connector.mapping.transforms.phone import bad_prefix, phone, same_phone, spellings
from connector.mapping.transforms.saudi import crn, saudi_vat
from connector.mapping.transforms.text import digits, email, lower, strip, upper

__all__ = ["NOWHERE", "TRANSFORMS", "Context", "OnInvalid", "Options", "Result", "Transform", "same_phone", "spellings"]

TRANSFORMS: Final[Mapping[str, Transform]] = {
    "phone": Transform(phone, options={"prefix": bad_prefix}, main="prefix"),
    "email": Transform(email, on_invalid="drop"),
    "saudi_vat": Transform(saudi_vat, on_invalid="drop"),
    "crn": Transform(crn),
    "date": Transform(date, on_invalid="drop", options={"format": bad_format, "timezone": bad_zone}, main="format"),
    "lower": Transform(lower),
    "upper": Transform(upper),
    "strip": Transform(strip),
    "first_word": Transform(first_word),
    "rest_words": Transform(rest_words),
    "digits": Transform(digits, on_invalid="drop"),
}

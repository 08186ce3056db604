"""The words a mapping may write after `use:`; one obvious list of them."""

from collections.abc import Mapping
from typing import Final

from connector.mapping.transforms.base import NOWHERE, Context, OnInvalid, Options, Result, Transform
from connector.mapping.transforms.dates import bad_format, bad_zone, date
from connector.mapping.transforms.names import first_name, first_word, last_name, name, rest_words
from connector.mapping.transforms.phone import bad_prefix, phone, same_phone, spellings
from connector.mapping.transforms.saudi import (
    additional_number,
    bad_country,
    building_number,
    cr_number,
    crn,
    crn_type,
    postal_code,
    saudi_vat,
    short_address,
    unified_number,
)
from connector.mapping.transforms.text import bad_shape, digits, email, lower, only_if, strip, upper

__all__ = ["NOWHERE", "TRANSFORMS", "Context", "OnInvalid", "Options", "Result", "Transform", "same_phone", "spellings"]

TRANSFORMS: Final[Mapping[str, Transform]] = {
    "phone": Transform(phone, options={"prefix": bad_prefix}, main="prefix", on_junk="raw", exact=True, looks=True),
    "email": Transform(email, on_invalid="drop", on_junk="drop", exact=True),
    "saudi_vat": Transform(saudi_vat, on_invalid="drop", on_junk="drop", exact=True),
    "crn": Transform(crn, on_junk="raw", exact=True),
    "cr_number": Transform(cr_number, on_junk="raw", exact=True),
    "unified_number": Transform(unified_number, on_junk="raw", exact=True),
    "crn_type": Transform(crn_type, on_invalid="drop", exact=True),
    "name": Transform(name, on_junk="raw"),
    "first_name": Transform(first_name),
    "last_name": Transform(last_name, looks=True),
    "postal_code": Transform(postal_code, options={"country": bad_country}, main="country", exact=True),
    "additional_number": Transform(additional_number, exact=True),
    "building_number": Transform(building_number, exact=True),
    "short_address": Transform(short_address, exact=True),
    "date": Transform(
        date, on_invalid="drop", options={"format": bad_format, "timezone": bad_zone}, main="format", exact=True
    ),
    "only_if": Transform(only_if, on_invalid="drop", options={"shape": bad_shape}, main="shape", needs=True),
    "lower": Transform(lower),
    "upper": Transform(upper),
    "strip": Transform(strip),
    "first_word": Transform(first_word),
    "rest_words": Transform(rest_words),
    "digits": Transform(digits, on_invalid="drop"),
}

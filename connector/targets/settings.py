"""The settings that all targets over HTTP share, under the same names everywhere."""

import hashlib
import re
from typing import Any

import requests
from marshmallow import ValidationError, fields, validate

from connector.config_fields import Flag, Group, Seconds, SecretText, Text, duration
from connector.mapping.transforms.dates import bad_zone
from connector.masking import Secret

_PACE = re.compile(r"(\d{1,6})\s*/\s*(\S.*)")
_HEADER_TEXT = re.compile(r"[\x20-\x7e]+")


def header_text(value: str) -> None:
    """Refuse what no header can hold. Raises ValidationError."""
    if not _HEADER_TEXT.fullmatch(value):
        raise ValidationError("must be plain characters without accents or line breaks; was it copied whole?")


def address(value: str) -> None:
    """Refuse what is no address of an API. Raises ValidationError."""
    try:
        url = str(requests.Request("GET", value).prepare().url)
    except (requests.RequestException, UnicodeError):
        url = ""
    if not re.match(r"https?://[^/?#@]+(?:/[^?#@]*)?$", url):
        raise ValidationError("must be an address that begins with https://, without ? # or @")


def time_zone(value: str) -> None:
    """Refuse what is no time zone. Raises ValidationError."""
    if problem := bad_zone(value):
        raise ValidationError(problem)


def _proxy(value: str) -> None:
    if not re.match(r"https?://[^/?#]+/?$", value):
        raise ValidationError("must be the proxy's address, as in http://proxy.example.com:3128")


class Rate(Text):
    """Take a pace such as 300/1m, as (count, seconds)."""

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        found = _PACE.fullmatch(super()._deserialize(value, *rest, **more))
        try:
            count, period = (int(found[1]), duration(found[2])) if found else (0, 0.0)
        except ValueError:
            count, period = 0, 0.0
        if count < 1 or period <= 0:
            raise ValidationError("must be so many requests in so long, as in 300/1m")
        return count, period


class HttpSettings(Group):
    """Be the settings of a target over HTTP."""

    base_url = Text(required=True, validate=address, metadata={"help": "where the API is, without the last slash"})
    timeout = Seconds(
        load_default=10.0,
        validate=validate.Range(0.05, 120.0, error="must be between 50ms and 2m"),
        metadata={"help": "how long one answer may take (10s)"},
    )
    uncertain_wait = Seconds(
        load_default=None,
        metadata={"help": "how long to wait after a lost answer before looking (3 times the timeout)"},
    )
    pace = Rate(load_default=None, metadata={"help": "at most so many requests in so long, as in 300/1m"})
    proxy = SecretText(load_default=None, validate=_proxy, metadata={"help": "the HTTP proxy on the way, if any"})
    allow_private = Flag(
        load_default=False, metadata={"help": "true: the address may be one of this machine or the office network"}
    )


def secret(help_text: str, **more: Any) -> fields.Field[Secret]:
    """Return the field of a credential that goes into a header."""
    return SecretText(validate=header_text, metadata={"help": help_text, "secret": True}, **more)


def fingerprint(*parts: str) -> str:
    """Return a short fingerprint of an account: its address and credential, without telling either."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

"""Fold what is in an event, and what a person types, into the same keys: names, numbers, addresses, ids. Pure."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from connector.mapping.fold import fold, fold_digits
from connector.mapping.transforms.base import NOWHERE
from connector.mapping.transforms.phone import phone

_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(r"[\s()\[\].\-/_+\u2010-\u2015\u2212\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_WORDS = ("name", "username", "first_name", "last_name", "company", "company_name")
_WHOLE = ("id", "xid", "email", "tax_number", "crn", "qoyod_id")
_LONGEST = 255
_FEWEST_DIGITS = 6


def keys(body: bytes | None, xid: str | None, customer: str | None) -> set[str]:
    """Return what one event is found by; a body that cannot be read is found by its ids alone."""
    found = {whole(text) for text in (xid, customer) if text}
    for name, value in _told(body):
        text = str(value)[:_LONGEST]
        if name in _WHOLE:
            found.add(whole(text))
        elif name == "phone":
            found.update(_numbers(text))
        elif name in _WORDS:
            found.update(_names(text))
    return found


def asked(text: str) -> list[set[str]]:
    """Return what to look for: each set must be met by one of its keys."""
    text = text.strip()[:_LONGEST]
    if not text:
        return []
    bare = _BETWEEN.sub("", fold_digits(text))
    exact = {whole(text)}
    if bare.isdecimal() and len(bare) >= _FEWEST_DIGITS:
        return [exact | _numbers(text) | {f"={bare}"}]
    if "@" in text or len(text.split()) == 1:
        return [exact | {f"w{fold(text)}"}]
    words = sorted(set(_WORD.findall(fold(text))))
    return [{f"w{a} {b}"} for a, b in pairwise(words)] or [exact | {f"w{word}" for word in words}]


def _told(body: bytes | None) -> Iterator[tuple[str, Any]]:
    try:
        read = json.loads(body or b"null")
    except (ValueError, RecursionError):
        return
    data = read.get("data") if isinstance(read, dict) else None
    if not isinstance(data, dict):
        return
    user = data.get("user")
    for part in (data, user if isinstance(user, dict) else {}):
        yield from ((name, value) for name, value in part.items() if isinstance(value, str | int) and value)


def whole(text: str) -> str:
    """Return the key of an id, an e-mail or a number that is looked for as a whole."""
    return "=" + fold(text)


def _numbers(text: str) -> set[str]:
    """Return a number as E.164 where it is one, and its last nine digits, which every spelling ends with."""
    digits = re.sub(r"\D", "", fold_digits(text))
    found = {"n" + digits[-9:]} if len(digits) >= _FEWEST_DIGITS else set()
    read = phone(text, {"prefix": "966"}, NOWHERE)
    return found | ({f"n{read.value}"} if read.valid else set())


def _names(text: str) -> set[str]:
    words = sorted(set(_WORD.findall(fold(text))))[:8]
    pairs = {f"w{a} {b}" for at, a in enumerate(words) for b in words[at + 1 :]}
    return {f"w{word}" for word in words} | pairs

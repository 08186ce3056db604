"""Speak the reader's language: one catalogue of words for each, the reader's choice, and times as people write them."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LANGUAGES = {"en": "English", "ar": "العربية"}
COOKIE = "connector_language"


@cache
def words(language: str) -> Mapping[str, str]:
    """Return the catalogue of a language: a sentence for each key, with {names} for what is filled in."""
    text = (Path(__file__).parent / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = YAML(typ="safe", pure=True).load(text)
    return found


def said(language: str, key: str, **values: Any) -> str:
    """Return a sentence in a language. Raises KeyError for one that no catalogue has."""
    text = words(language)[key]
    return text.format_map({name: _Value(language, value) for name, value in values.items()}) if values else text


class _Value:
    """Be a value that fills a sentence; behind its name may stand the forms of what it counts: {count:one|two|…}."""

    def __init__(self, language: str, value: Any) -> None:
        self._language, self._value = language, value

    def __format__(self, forms: str) -> str:
        return counted(self._language, str(self._value), forms) if forms else str(self._value)


def counted(language: str, number: str, forms: str) -> str:
    """Return what is counted in the form that its number asks for; # stands for the number, forms are parted by |.

    English has two forms (1, more), Arabic five: 1, 2, what ends in 03 to 10, in 11 to 99, in 00 to 02. A number may
    be written as people read it (1,000+).
    """
    choice = forms.split("|")
    digits = re.sub(r"\D", "", number) or "0"
    return choice[_form(language, int(digits))].replace("#", number)


def _form(language: str, number: int) -> int:
    if language != "ar":
        return 0 if number == 1 else 1
    if number in (1, 2):
        return number - 1
    rest = number % 100
    return 2 if 3 <= rest <= 10 or number == 0 else 3 if rest > 10 else 4


def of_flavours(language: str, path: str) -> str | None:
    """Return what people call a field of Flavours, None for one that Flavours added since."""
    return words(language).get("from_" + path.removeprefix("data.").replace(".", "_"))


def of_target(language: str, field: str) -> str | None:
    """Return what people call a field of a target (dotted), None for one that no shipped mapping has."""
    concept = _concepts().get(field)
    return words(language)[f"field_{concept}"] if concept else None


@cache
def _concepts() -> Mapping[str, str]:
    text = (Path(__file__).parent / "fields.yaml").read_text(encoding="utf-8")
    read: dict[str, list[str]] = YAML(typ="safe", pure=True).load(text)
    return {field: concept for concept, fields in read.items() for field in fields}


def chosen(asked: str | None, cookie: str | None, accepts: str | None) -> str:
    """Return the language to speak: as asked for now, else as chosen before, else the browser's, else English."""
    return next((one for one in (asked, cookie, accepts) if one in LANGUAGES), "en")


def time(millis: int | None) -> str:
    """Return a time in epoch milliseconds on this machine's clock, to the minute."""
    return "" if millis is None else f"{datetime.fromtimestamp(millis / 1000).astimezone():%Y-%m-%d %H:%M}"


def count(number: int, most: int = 1000) -> str:
    """Return a number that was counted up to `most`; there may be more than that."""
    return f"{number:,}+" if number >= most else f"{number:,}"

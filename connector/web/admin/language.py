"""Speak the reader's language: one catalogue of words for each, the reader's choice, and times as people write them."""

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
    return text.format_map(values) if values else text


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

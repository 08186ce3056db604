"""Say in the reader's language what the core says in English; the English stays beside it, for whoever helps from afar."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup, escape
from ruamel.yaml import YAML

from connector.web.admin import language as speech

_HOLE = re.compile(r"<(\w+)>")
_SAID_HOLE = re.compile(r"<(\w+(?::[^<>]*)?)>")  # a hole, or a number with the forms of what is counted: <n:one|two|…>
_BARE = {"status", "host", "column"}  # holes that no blank is in
_NAMED = re.compile(r"(`[^`]{1,70}`|[\w.\[\]-]{1,70}): (.+)", re.DOTALL)
_LONGEST, _DEEPEST = 2000, 5


class Sentence(NamedTuple):
    """Hold one sentence of the core: its fixed words, the holes between them, and what it is in another language.

    In the other language a hole may count: `n:` and the forms of a noun, of which the number chooses one.
    """

    words: tuple[str, ...]
    holes: tuple[str, ...]
    said: tuple[str, ...]


class Catalogue(NamedTuple):
    """Hold what is known of a language; of each kind the most particular first.

    `sentences` end with words of their own, `opening` with a hole, `ends` stand behind one or the other: what ends with
    a vendor's words would take them for a part of these, and is looked at last.
    """

    sentences: tuple[Sentence, ...]
    ends: tuple[Sentence, ...]
    opening: tuple[Sentence, ...]


@cache
def catalogue(language: str) -> Catalogue | None:
    """Return what the core's sentences are in a language; None for English, which is the core's own."""
    file = Path(__file__).parent / "words" / f"core.{language}.yaml"
    if not file.is_file():
        return None
    told: Mapping[str, Mapping[str, str]] = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    sentences = tuple(_sentences(told["sentences"]))
    closed = tuple(one for one in sentences if one.words[-1] or not one.holes)
    return Catalogue(closed, tuple(_sentences(told["ends"])), tuple(one for one in sentences if one not in closed))


def said(language: str, text: str | None) -> Markup:
    """Return what the core said, for a page: in the reader's language with the English below it, else the English.

    What is not the core's, but a vendor's own words, stands below a sentence that says so.
    """
    if not text:
        return Markup("")
    if catalogue(language) is None or " " not in text:  # a word is a name: of a field, of what was done to it
        return Markup('<bdi dir="ltr" lang="en">{}</bdi>').format(text)
    words = _known(language, text) or escape(speech.said(language, "own_words"))
    return Markup('{} <small class="core" dir="ltr" lang="en">{}</small>').format(words, text)


def short(language: str, text: str | None) -> Markup:
    """Return the same without the English below it where it is known, for a cell of a table."""
    return (_known(language, text) if text else None) or said(language, text)


def plainly(language: str, text: str) -> Markup:
    """Return a text that is mostly names: as it is, but for what the core says in it."""
    return _known(language, text) or Markup('<bdi dir="ltr">{}</bdi>').format(text)


def _known(language: str, text: str) -> Markup | None:
    return _translated(language, text, 0) if catalogue(language) and len(text) <= _LONGEST else None


def _sentences(told: Mapping[str, str]) -> Iterator[Sentence]:
    for english in sorted(told, key=lambda one: len(_HOLE.sub("", one)), reverse=True):
        parts = _HOLE.split(english)
        yield Sentence(tuple(parts[::2]), tuple(parts[1::2]), tuple(_SAID_HOLE.split(told[english])))


@lru_cache(maxsize=2048)
def _translated(language: str, text: str, depth: int) -> Markup | None:
    known = catalogue(language)
    if known is None or depth > _DEEPEST:
        return None
    words = (
        _whole(language, known.sentences, text, depth)
        or _with_end(language, known.ends, text, depth)
        or _whole(language, known.opening, text, depth)
    )
    if words is not None:
        return words
    if (named := _NAMED.fullmatch(text)) and (words := _translated(language, named[2], depth + 1)):
        return Markup('<bdi dir="ltr">{}</bdi>: {}').format(named[1], words)
    return _both(language, *text.partition("; ")[::2], depth)


def _whole(language: str, sentences: tuple[Sentence, ...], text: str, depth: int) -> Markup | None:
    for sentence in sentences:
        if (values := _filling(sentence, text)) is not None:
            return _filled(language, sentence, values, depth)
    return None


def _with_end(language: str, ends: tuple[Sentence, ...], text: str, depth: int) -> Markup | None:
    for end in ends:
        at = text.find(end.words[0])
        if at > 0 and (values := _filling(end, text[at:])) is not None:
            words = _translated(language, text[:at], depth + 1)
            if words is not None:
                return words + _filled(language, end, values, depth)
    return None


def _both(language: str, head: str, tail: str, depth: int) -> Markup | None:
    """Return two sentences that a `;` joins, where both are known."""
    words = _translated(language, head, depth + 1) if tail else None
    more = _translated(language, tail, depth + 1) if words is not None else None
    return None if words is None or more is None else words + " " + more


def _filling(sentence: Sentence, text: str) -> dict[str, str] | None:
    """Return what fills the holes when a text is this sentence, else None; in one walk, whatever a vendor wrote."""
    first, *rest = sentence.words
    if not text.startswith(first) or (not rest and text != first):
        return None
    at, values = len(first), {}
    for number, (hole, words) in enumerate(zip(sentence.holes, rest, strict=True), 1):
        last = number == len(rest)
        end = len(text) - len(words) if last else text.find(words, at + 1)
        if end <= at or (last and not text.endswith(words)):
            return None
        values[hole] = text[at:end]
        at = end + len(words)
    source = values.get("source", "")  # what a field came from: a path, which no sentence is part of
    odd = " " in source and source != "the value"
    return None if odd or any(" " in values[hole] for hole in _BARE & values.keys()) else values


def _filled(language: str, sentence: Sentence, values: Mapping[str, str], depth: int) -> Markup:
    parts = (
        _hole(language, *part.partition(":")[::2], values, depth) if at % 2 else escape(part)
        for at, part in enumerate(sentence.said)
    )
    return Markup("").join(parts)


def _hole(language: str, name: str, forms: str, values: Mapping[str, str], depth: int) -> Markup:
    value = values[name]
    return escape(speech.counted(language, value, forms)) if forms else _inside(language, value, depth)


def _inside(language: str, value: str, depth: int) -> Markup:
    """Return what fills a hole: a sentence of the core in its turn, or what is not translated: a name, an id, a text."""
    return _translated(language, value, depth + 1) or Markup('<bdi dir="ltr">{}</bdi>').format(value)

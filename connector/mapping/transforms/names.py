"""One name field, split in two; every word is kept.

A company's name is not for splitting: the last name takes it whole, and the first name is left out of the mapping for
it (`when: not is_company`).
"""

import re
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache

from nameparser import Lexicon, Parser, Role

from connector.mapping.fold import fold
from connector.mapping.transforms.base import Context, Options, Result
from connector.mapping.transforms.junk import junk_name

_LONGEST = 200
_EDGES = ",،;؛ "
# What binds the next word to itself: عبد العزيز is one name, أبو عمر is one, آل سعود is one.
_ARABIC = ("عبد", "أبو", "أبا", "أبي", "أم", "آل")
_LATIN = ("Abdul", "Abdel", "Abdal", "Abd", "Abu", "Abou", "Abi", "Umm", "Al", "El")
_BINDS = frozenset(map(fold, _ARABIC + _LATIN))
# Son or daughter of: what follows is a father's name, and the family's name stands behind it.
_CHILD = frozenset(map(fold, ("بن", "ابن", "بنت", "bin", "bint", "ibn", "ben")))
# What the library does not know yet: short titles, عبد and أم in the middle of a name, and آل typed without its madda.
_LEXICON = Lexicon.default().add(
    titles={"د", "م", "أ", "السيد", "السيدة"},
    particles={"ال", "عبد", "أم", "ام"},
    particles_ambiguous={"عبد", "أم", "ام"},
)
_PARSER = Parser(lexicon=_LEXICON)
# A word of letters (or a number) that no list of the library knows, nor is a Roman number, is a plain name; of such
# words the last is the family's, and the library, which takes fifty times as long, need not be asked.
_PLAIN = re.compile(r"(?![ivxlcdm]+\Z)[a-z]{3,}|[0-9]+|[\u0621-\u063a\u0641-\u064a]{2,}")


def name(value: str, _options: Options, _context: Context) -> Result:
    """Write single spaces between the words, and doubt what is nobody's name (Guest, ضيف, ...)."""
    text = " ".join(value.split())
    doubt = junk_name(text)
    return Result(text, valid=doubt is None, warning=doubt, junk=doubt is not None)


def first_name(value: str, _options: Options, _context: Context) -> Result:
    """Take all before the family name; of a single word nothing, for that word is the last name."""
    return Result(split(value)[0] or None)


def last_name(value: str, _options: Options, context: Context) -> Result:
    """Take the family name with what belongs to it (آل سعود, Al Saud, de la Cruz); of a company the whole name."""
    company = context.look("is_company") == "true"
    return Result((" ".join(value.split()) if company else split(value)[1]) or None)


def first_word(value: str, _options: Options, _context: Context) -> Result:
    """Take the first word."""
    return Result(next(iter(value.split()), ""))


def rest_words(value: str, _options: Options, _context: Context) -> Result:
    """Take all words but the first."""
    return Result(" ".join(value.split()[1:]))


def split(value: str) -> tuple[str, str]:
    """Return the first and the last name; a comma between them may be lost, a word never."""
    words = value.strip(_EDGES).split()
    if not any(char.isalpha() for char in value):  # a phone number in a name's place
        return "", " ".join(words)
    if len(words) < 2 or len(value) > _LONGEST:
        return " ".join(words[:-1]), " ".join(words[-1:])
    if all(map(_is_known, words)):
        return _bound(words[:-1], words[-1:])
    first, last = _parsed(" ".join(words))
    return _bound(first.split(), last.split())


def _is_known(word: str) -> bool:
    """Tell whether a word needs no library: a plain name, or one that binds."""
    small = word.lower()
    folded = fold(small)
    if folded in _BINDS or folded in _CHILD:
        return True
    return _PLAIN.fullmatch(small) is not None and _SPECIAL.isdisjoint((small, folded))


def _words(lexicon: Lexicon) -> Iterable[str]:
    entries = (getattr(lexicon, each.name) for each in fields(lexicon))
    for words in (entry for entry in entries if isinstance(entry, frozenset)):
        yield from (part for word in words for part in word.split())


_SPECIAL = frozenset(_words(_LEXICON))


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[str, str]:
    """Ask the library which words are the family's."""
    tokens = [token for token in _PARSER.parse(text).tokens if token.span]
    family = [token.span for token in tokens if token.role is Role.FAMILY and token.span]
    if not family:  # one name with a title or a suffix: it is the last name, as one name always is
        return "", text
    start, end = family[0].start, family[-1].end
    before, after = text[:start].strip(_EDGES), text[end:].strip(_EDGES)
    given = any(token.role in {Role.GIVEN, Role.MIDDLE} and token.span.start > end for token in tokens if token.span)
    if not before and given:  # "Smith, John": the family name comes first
        return after, text[start:end]
    return before, text[start:].strip()


def _bound(first: list[str], last: list[str]) -> tuple[str, str]:
    """Give the family's name what is bound to it, and the first name the fathers' names that stand before it."""
    while first and fold(first[-1]) in _BINDS | _CHILD:
        last.insert(0, first.pop())
    while (fathers := _fathers(last)) < len(last):
        first, last = first + last[:fathers], last[fathers:]
    return " ".join(first), " ".join(last)


def _fathers(words: list[str]) -> int:
    """Return how many words at the beginning are a father's name (بن محمد, عبد الله); all of them: that is the family's."""
    at = 0
    while at < len(words) and fold(words[at]) in _CHILD:
        at += 1
    while at < len(words) and fold(words[at]) in _BINDS:
        at += 1
    return at + 1 if at else len(words)

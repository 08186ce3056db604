"""One name field, split in two; every word is kept.

A company's name is not for splitting: the last name takes it whole, and the first name is left out of the mapping for
it (`when: not is_company`).
"""

from functools import lru_cache

from nameparser import Lexicon, Parser, Role

from connector.mapping.fold import fold
from connector.mapping.transforms.base import Context, Options, Result
from connector.mapping.transforms.junk import junk_name

_LONGEST = 200
_BINDS = frozenset(map(fold, ("عبد", "أبو", "أم", "Abdul", "Abdel", "Abd", "Abu", "Umm")))
# What the library does not know yet: short titles, عبد in the middle of a name, and آل typed without its madda.
_PARSER = Parser(
    lexicon=Lexicon.default().add(
        titles={"د", "م", "أ", "السيد", "السيدة"}, particles={"ال", "عبد"}, particles_ambiguous={"عبد"}
    )
)


def name(value: str, _options: Options, _context: Context) -> Result:
    """Write single spaces between the words, and doubt what is nobody's name (Guest, ضيف, ...)."""
    text = " ".join(value.split())
    doubt = junk_name(text)
    return Result(text, valid=doubt is None, warning=doubt, junk=doubt is not None)


def first_name(value: str, _options: Options, _context: Context) -> Result:
    """Take all before the family name; of a single word nothing, for that word is the last name."""
    return Result(_split(value)[0] or None)


def last_name(value: str, _options: Options, context: Context) -> Result:
    """Take the family name with what belongs to it (آل سعود, Al Saud, de la Cruz); of a company the whole name."""
    company = context.look("is_company") == "true"
    return Result(" ".join(value.split()) if company else _split(value)[1])


def first_word(value: str, _options: Options, _context: Context) -> Result:
    """Take the first word."""
    return Result(next(iter(value.split()), ""))


def rest_words(value: str, _options: Options, _context: Context) -> Result:
    """Take all words but the first."""
    return Result(" ".join(value.split()[1:]))


@lru_cache(maxsize=1024)
def _split(value: str) -> tuple[str, str]:
    text = " ".join(value.split())
    words = text.split(" ")
    if not any(char.isalpha() for char in text):  # a phone number in a name's place
        return "", text
    if len(words) == 1 or len(text) > _LONGEST:
        return " ".join(words[:-1]), words[-1]
    parsed = _PARSER.parse(text)
    family = [token.span for token in parsed.tokens if token.role is Role.FAMILY and token.span]
    if not family:
        return " ".join(words[:-1]), words[-1]
    start, end = family[0].start, family[-1].end
    before, after = text[:start].strip(), text[end:].strip()
    if fold(before) in _BINDS:  # عبد العزيز is one name
        return "", text
    if not before:  # "Smith, John": the family name comes first
        return after.lstrip(",،").strip(), text[start:end]
    return before, text[start:].strip()

"""Fold text so that two ways of writing the same thing compare equal; what is sent is never folded."""

import re
import unicodedata
from functools import lru_cache

# Letters that people, and keyboards of other languages, type for one another: ta marbuta for ha, alef maqsura for ya.
_ALIKE = str.maketrans(
    {"ة": "ه", "ہ": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ٱ": "ا"} | dict.fromkeys("\u0640\u200c\u200d")
)
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_LONGEST = 100  # of what is remembered: a sender cannot fill the memory with long texts


def fold_digits(text: str) -> str:
    """Write every decimal digit as 0-9, whatever its script (Arabic ٠, Persian ۰, full-width ０)."""
    return text if text.isascii() else _OTHER_DIGIT.sub(_digit, text)


def fold(text: str) -> str:
    """Return the text as it is compared: case, white space, tatweel, diacritics and hamza seats do not count.

    >>> fold("الرِّيَـــاض") == fold("الرياض"), fold("  RIYADH ") == fold("riyadh"), fold("مكة") == fold("مكه")
    (True, True, True)
    """
    if text.isascii():
        return " ".join(text.lower().split())
    return _fold(text) if len(text) <= _LONGEST else _fold.__wrapped__(text)


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(fold_digits(bare).translate(_ALIKE).casefold().split())


def _digit(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found[0]))

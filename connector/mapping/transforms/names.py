"""One name field, split in two: the first word, and the rest."""

from connector.mapping.transforms.base import Context, Options, Result


def first_word(value: str, _options: Options, _context: Context) -> Result:
    """Take the first word."""
    return Result(next(iter(value.split()), ""))


def rest_words(value: str, _options: Options, _context: Context) -> Result:
    """Take all words but the first."""
    return Result(" ".join(value.split()[1:]))

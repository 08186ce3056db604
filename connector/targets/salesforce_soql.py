"""Write the questions that Salesforce is asked in SOQL, each short enough for an address. No I/O."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote_plus

LONGEST = 10_000  # characters of values in one query, for an address may have 16,384
FIELD = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*", re.ASCII)


def select(columns: Sequence[str], field: str, values: Sequence[str]) -> str:
    """Return the question for the contacts that have one of the values in the field."""
    listed = ", ".join(map(quoted, values))
    return " ".join(("SELECT", ", ".join(columns), "FROM Contact WHERE", field, "IN", f"({listed})"))


def quoted(value: str) -> str:
    r"""Return a text as SOQL has it, whatever is in it.

    >>> quoted("O'Hara")
    "'O\\'Hara'"
    """
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{text}'"


def chunks(values: Sequence[str]) -> Iterator[list[str]]:
    """Part the values, so that each query fits into an address."""
    chunk: list[str] = []
    size = 0
    for value in values:
        room = len(quote_plus(f"{quoted(value)}, "))
        if chunk and size + room > LONGEST:
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += room
    yield chunk

"""Write the questions that Zoho CRM is asked: COQL, its own kind of SQL, within the limits that it sets. No I/O."""

from collections.abc import Iterator, Sequence

IN, LISTS = 50, 2  # values of one list; lists of one question
MOST = IN * LISTS
COLUMNS = 48  # and the id; Zoho CRM takes 50
ROWS = 200  # of an answer, for one credit


def select(columns: Sequence[str], field: str, values: Sequence[str]) -> str:
    """Return the question for the contacts that have one of the values (at most MOST) in the field."""
    lists = [f"{field} in ({', '.join(map(quoted, part))})" for part in parts(values, IN)]
    return f"select {', '.join(('id', *columns))} from Contacts where ({' or '.join(lists)}) limit {ROWS}"  # noqa: S608 - COQL has no placeholders; every value is quoted


def quoted(text: str) -> str:
    r"""Return a text as COQL writes it.

    >>> quoted("O'Hara")
    "'O\\'Hara'"
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the items so many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

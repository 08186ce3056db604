"""Write what Dataverse is asked in OData (an address by a key, a filter, columns), and read a contact of it. No I/O."""

import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

from connector.errors import Rejected, Uncertain
from connector.targets import records
from connector.targets.dynamics_settings import COLUMN
from connector.targets.ladder import Found

ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NO_KEY_VALUE = re.compile(r"[/<>*%&:\\?+]")


def by_key(key: str, value: str) -> str:
    """Return the address of the contact with this value of the key. Raises Rejected for a value that no key holds."""
    if _NO_KEY_VALUE.search(value):
        raise Rejected("the customer's id cannot be a key of Dataverse, which takes none of / < > * % & : \\ ? +")
    return f"/contacts({key}={quote(_quoted(value), safe='')})"


def any_of(name: str, values: Iterable[str]) -> str:
    """Return the filter for the contacts that have one of the values in a column."""
    return " or ".join(f"{name} eq {_quoted(value)}" for value in values)


def select(names: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the part of a query that says which columns to read; what is no column's name is left out."""
    return (("$select", ",".join(sorted(name for name in names if COLUMN.fullmatch(name)))),)


def contact(row: Any, shown: str) -> Found:
    """Return the contact that a row is; `shown` is what was asked. Raises Uncertain for what is none."""
    remote_id = records.text(records.look(row, "contactid"))
    if not ID.fullmatch(remote_id):
        raise Uncertain(f"{shown} answered with something that is not a contact")
    return Found(remote_id, row)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

"""Fit a customer to QuickBooks, and read one back: names, groups, a masked tax number, our id in the notes. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connector.models import Upsert
from connector.targets import records
from connector.targets.ladder import Row

NAMES = ("DisplayName", "GivenName", "FamilyName")
TAX = "PrimaryTaxIdentifier"
_OURS = re.compile(r"Flavours id (\S+)")


def signed_by(row: Row) -> str | None:
    """Return the Flavours id that stands in the notes, as the shipped mapping writes it."""
    found = _OURS.search(records.text(row.get("Notes")))
    return found[1] if found else None


def fitted(request: Upsert) -> Upsert:
    """Return the request without what QuickBooks refuses in a name."""
    names = {name: _plain(value) for name in NAMES if isinstance(value := request.record.get(name), str)}
    return replace(request, record={**request.record, **names})


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[:\t\r\n]", " ", text).split())


def within(theirs: Any, ours: Any) -> Any:
    """Return a group as it is written: ours over what staff have in it."""
    return {**theirs, **ours} if isinstance(theirs, Mapping) and isinstance(ours, Mapping) else ours


def unmasked(row: dict[str, Any], request: Upsert) -> dict[str, Any]:
    """Return the row with our tax number where it ends as theirs: QuickBooks shows the last five characters only."""
    ours, theirs = (records.text(where.get(TAX)) for where in (request.record, row))
    shown = theirs.lstrip("Xx*")
    masked = theirs != shown and len(shown) >= 4
    return {**row, TAX: ours} if ours and masked and ours.endswith(shown) else row


def quoted(value: str) -> str:
    """Return a text as a query has it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

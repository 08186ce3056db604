"""The contact book as text: CSV that Excel opens, Arabic included, and rows that are found by the customer's id."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.errors import Refused
from connector.models import Delivered, Hold, Outcome, Skip, Upsert
from connector.targets import records

ID = "customer_id"
LARGEST_CELL = 32_767  # what Excel holds in one
_MARK = "\ufeff"  # Excel reads UTF-8 only behind this
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DELIMITERS = (",", ";", "\t")  # Excel saves with the one of its country


@dataclass(slots=True)
class Book:
    """Hold the book: its columns, its rows (cells as written in the file), and whether anything changed."""

    columns: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    changed: bool = False
    places: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows):
            if row[0]:
                self.places.setdefault(_plain(row[0]), []).append(place)

    def put(self, request: Upsert) -> Outcome:
        """Write one customer's record into its row, or into a new one."""
        linked = request.remote_id if request.remote_id in self.places else None
        key = linked or request.customer
        places = self.places.get(key, [])
        if len(places) > 1:
            lines = ", ".join(str(place + 2) for place in places[:5])
            return Hold(
                f"several rows have this customer_id (about lines {lines}); leave one, then replay", "two_matches"
            )
        return self._update(request, key, places[0]) if places else self._create(request, key)

    def _create(self, request: Upsert, key: str) -> Outcome:
        if request.observe:
            return Skip("observe: would create", proves_target=True)
        cells, warnings = _cells(request.record)
        self.places[key] = [len(self.rows)]
        self.rows.append([_safe(key)] + [""] * (len(self.columns) - 1))
        self._set(self.rows[-1], cells)
        return Delivered("created", key, warnings)

    def _update(self, request: Upsert, key: str, place: int) -> Outcome:
        row = self.rows[place]
        before = dict(zip(self.columns, map(_plain, row), strict=True))
        cells, warnings = _cells(request.record)
        kept = {name for name in cells if _protected(name, request, before)}
        different = {name: text for name, text in cells.items() if name not in kept and before.get(name, "") != text}
        if request.observe:
            what = f"would update {key}" if different else f"{key} is as it should be"
            return Skip(f"observe: {what}", warnings, proves_target=True)
        if not different:
            return Delivered("unchanged", key, warnings)
        self._set(row, different)
        return Delivered("updated", key, warnings)

    def _set(self, row: list[str], cells: Mapping[str, str]) -> None:
        self.changed = True
        for name in cells:
            if name not in self.columns:
                self.columns.append(name)
                for other in self.rows:
                    other.append("")
        for name, text in cells.items():
            row[self.columns.index(name)] = _safe(text)


def read(body: bytes) -> Book:
    """Return the book that a file holds; an empty file is a new one. Raises Refused."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("is not UTF-8; save it in Excel as “CSV UTF-8 (Comma delimited)”") from None
    if not text.strip():
        return Book([ID], [])
    delimiter = next((mark for mark in _DELIMITERS if text.startswith((ID + mark, f'"{ID}"{mark}'))), ",")
    try:
        columns, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as problem:
        raise Refused(f"is not a CSV file that can be read ({problem}); put the last good copy back") from None
    return Book(columns, _checked(columns, rows), delimiter)


def written(book: Book) -> bytes:
    """Return the file of a book."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=book.delimiter, lineterminator="\r\n")
    writer.writerow(book.columns)
    writer.writerows(book.rows)
    return (_MARK + out.getvalue()).encode()


def _checked(columns: Sequence[str], rows: Sequence[list[str]]) -> list[list[str]]:
    if columns[:1] != [ID] or len(set(columns)) != len(columns):
        raise Refused(f"its first line must name the columns, each once, {ID} first; put that line back")
    for number, row in enumerate(rows, 2):
        if len(row) > len(columns) and any(row[len(columns) :]):
            raise Refused(
                f"row {number} has more cells than there are columns; mend it, or put the last good copy back"
            )
    return [(row + [""] * len(columns))[: len(columns)] for row in rows if any(row)]


def _cells(record: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    cells = {name: _text(value) for name, value in records.leaves(record)}
    cells = {(name if name != ID else f"{ID}_"): text for name, text in cells.items() if text}
    cut = tuple(
        f"{name}: shortened to what one cell can hold" for name, text in cells.items() if len(text) > LARGEST_CELL
    )
    return {name: text[:LARGEST_CELL] for name, text in cells.items()}, cut


def _text(value: Any) -> str:
    if isinstance(value, list):
        scalars = not any(isinstance(item, list | dict) for item in value)
        return ", ".join(map(records.text, value)) if scalars else json.dumps(value, ensure_ascii=False)
    return records.text(value)


def _protected(name: str, request: Upsert, before: Mapping[str, str]) -> bool:
    return name in request.keep or (name in request.fill_if_empty and bool(before.get(name)))


def _safe(text: str) -> str:
    """Put ' before what Excel would run as a formula; one more before a text that begins so already."""
    return "'" + text if text.lstrip("'").startswith(_FORMULA) else text


def _plain(cell: str) -> str:
    """Undo `_safe`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell

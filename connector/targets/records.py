"""Compare and join records: what a customer's record and a target's row have in common, field by dotted field."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from connector.mapping.transforms.phone import same_phone
from connector.models import Upsert

Record = Mapping[str, Any]

LONGEST_ID = 500
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def leaves(record: Record, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each field with its dotted name; groups are entered, lists are values."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def look(row: Any, name: str) -> Any:
    """Return what a row holds under a dotted name (`items.0.id` and `items[0].id` enter lists); None where there is nothing."""
    for part in name.replace("[", ".").replace("]", "").split("."):
        if isinstance(row, Mapping):
            row = row.get(part)
        elif isinstance(row, list) and part.isdecimal() and int(part) < len(row):
            row = row[int(part)]
        else:
            return None
    return row


def text(value: Any) -> str:
    """Return a scalar as a person would write it, without the spaces around; "" for nothing."""
    if isinstance(value, str):  # nearly every value
        return value.strip()
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def shown(value: Any) -> str:
    """Return any value as a person reads it in one line."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, Mapping | list) else text(value)


def identity(value: Any) -> str:
    """Return a record's id as a vendor gave it, "" for what can be none: an id is text, or a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    said = str(value).strip()
    return said if len(said) <= LONGEST_ID and not _UNFIT.search(said) else ""


def same(ours: Any, theirs: Any, *, phone: bool = False) -> bool:
    """Tell whether two values mean the same: as numbers for phones, e-mails in any case, else as text."""
    if isinstance(ours, list):
        return isinstance(theirs, list) and all(any(_within(item, other, phone) for other in theirs) for item in ours)
    first, second = text(ours), text(theirs)
    if first == second:
        return True
    if phone:
        return bool(first and second) and same_phone(first, second)
    return "@" in first and first.casefold() == second.casefold()


def _within(ours: Any, theirs: Any, phone: bool) -> bool:
    """Tell whether an item of a list is there; a vendor adds fields of its own to it."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(
            same(value, look(theirs, name), phone=phone) for name, value in leaves(ours)
        )
    return same(ours, theirs, phone=phone)


def unkept(sent: Record, stored: Record, phones: frozenset[str], *, whole: bool) -> tuple[str, ...]:
    """Return a warning for each field that was sent and is not stored so.

    `whole`: the stored record is all there is, so that a field which it does not name was ignored.
    """
    found = []
    for name, value in leaves(sent):
        there = look(stored, name)
        if there is None and not whole:
            continue
        if not same(value, there, phone=name in phones):
            empty = there in (None, "", [], {})
            found.append(f"{name}: the target {'did not keep it' if empty else 'keeps another value than was sent'}")
    return tuple(found)


def agrees(request: Upsert, row: Record) -> bool:
    """Tell whether a row has at least one of the customer's match values."""
    return any(same(value, look(row, name), phone=name in request.phones) for name, value in request.match)


def joined(request: Upsert, row: Record | None) -> dict[str, Any]:
    """Return the record to write over a row: what `keep` and `fill_if_empty` protect there stays as it is.

    Without a row that could be looked at, the protected fields are left out.
    """
    record = _copy(request.record)
    for field in (*request.keep, *request.fill_if_empty):
        name = field.partition("[")[0]  # a list is protected as a whole
        there = look(row, name) if row is not None else None
        filled = there not in (None, "", [], {})
        if row is not None and not filled and field not in request.keep:
            continue
        _put(record, name, there if filled else None)
    return record


def changed(request: Upsert, record: Record, row: Record) -> dict[str, Any]:
    """Return the top-level fields of `record` in which the row differs; a group goes as a whole."""
    different = {
        name.partition(".")[0]
        for name, value in leaves(record)
        if not same(value, look(row, name), phone=name in request.phones)
    }
    return {name: value for name, value in record.items() if name in different}


def plain_id(customer: str) -> str:
    """Return the customer's id as a name that any system takes: letters, digits, - and _; an odd id by its hash."""
    if _PLAIN_ID.fullmatch(customer):
        return customer
    return f"x{hashlib.sha256(customer.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def suffixed(name: str, customer: str) -> str:
    """Return the name that a contact gets when its own is taken: with the beginning of the customer's id."""
    return f"{name} ({customer[:8]})"


def renamed(request: Upsert, field: str, name: str) -> Upsert:
    """Return the request with another name in its record."""
    record = _copy(request.record)
    _put(record, field, name)
    return replace(request, record=record)


def signed(request: Upsert, field: str) -> Upsert:
    """Return the request with the customer's id in its record and its match values: the target knows him again by it.

    `field` is dotted where it stands in a group.
    """
    others = (one for one in request.match if one[0] != field)
    record = _with(request.record, field, request.customer)
    return replace(request, record=record, match=((field, request.customer), *others))


def _with(record: Any, name: str, value: Any) -> dict[str, Any]:
    first, _, rest = name.partition(".")
    there = record if isinstance(record, Mapping) else {}
    return {**there, first: _with(there.get(first), rest, value) if rest else value}


def blank(names: Iterable[str]) -> dict[str, Any]:
    """Return a record that has these fields (dotted), all empty."""
    record: dict[str, Any] = {}
    for name in names:
        first, _, part = name.partition(".")
        record.setdefault(first, {} if part else "")
        if part and isinstance(record[first], dict):
            record[first][part] = ""
    return record


def rows(items: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; none for anything else."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def without(record: Record, names: Iterable[str]) -> dict[str, Any]:
    """Return the record without some fields (dotted); of a list (`items[0].id`) nothing is left."""
    rest = _copy(record)
    for name in names:
        _put(rest, name.partition("[")[0], None)
    return rest


def request_key(*parts: Any) -> str:
    """Return the idempotency key of exactly this request (a version 4 UUID): the same key for the same parts.

    A record that was changed after a refusal is another request; with the key of the first it would get its answer.
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


class Texts(Sequence[str]):
    """Hold the own texts of records, which no log and no reason may hold; they are looked for when somebody asks.

    Hardly anybody does: only what a target says is searched for them, and it says something only when it refuses.
    """

    def __init__(self, *records: Record) -> None:
        self._records = records

    @cached_property
    def _all(self) -> tuple[str, ...]:
        return tuple(leaf for record in self._records for leaf in _texts(record) if leaf)

    def __getitem__(self, at: Any) -> Any:
        """Return one text, or some."""
        return self._all[at]

    def __len__(self) -> int:
        """Count them."""
        return len(self._all)


def texts(record: Record) -> Texts:
    """Return the record's own texts."""
    return Texts(record)


def _texts(record: Record) -> Iterator[str]:
    for _, value in leaves(record):
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, Mapping):
                yield from _texts(item)
            else:
                yield text(item)


def _copy(record: Record) -> dict[str, Any]:
    return {name: _copy(value) if isinstance(value, Mapping) else value for name, value in record.items()}


def _put(record: dict[str, Any], name: str, value: Any) -> None:
    first, _, rest = name.partition(".")
    if first not in record:
        return
    if rest:
        if isinstance(record[first], dict):
            _put(record[first], rest, value)
            if not record[first]:
                del record[first]
    elif value is None:
        del record[first]
    else:
        record[first] = value

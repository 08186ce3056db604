"""A contact of Zoho Books as it is compared and sent: its persons in order, its custom fields by name. No I/O.

A contact is a customer (or a vendor) with persons; phone and e-mail are theirs. An update that leaves a person out
deletes that person, so all of them go along.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.models import Upsert
from connector.targets import records

Row = Mapping[str, Any]

_KEPT = ("contact_person_id", "salutation", "first_name", "last_name", "email", "phone", "mobile", "designation")
_ALSO = ("department", "skype")
_PHONES = ("phone", "mobile")
TAX = ("tax_treatment", "tax_reg_no")  # Zoho Books takes neither without the other


def read(contact: Row, request: Upsert) -> dict[str, Any]:
    """Return a contact with the person first who is the customer, else its primary one, and custom fields by name."""
    persons = records.rows(contact.get("contact_persons"))
    persons.sort(key=lambda person: (not _meant(person, request), person.get("is_primary_contact") is not True))
    custom = [{**field, "api_name": _name(field)} for field in records.rows(contact.get("custom_fields"))]
    named = {field["api_name"]: field.get("value") for field in custom}
    first = [_numbered(person) for person in persons[:1]]
    return {**named, **contact, "contact_persons": first + persons[1:], "custom_fields": custom}


def has(row: Row, leaf: str, value: str) -> bool:
    """Tell whether a contact has a value: `leaf` is phone or email, its own or a person's, or one of its names."""
    if leaf not in ("phone", "email"):
        return records.text(row.get(leaf)).casefold() == value.casefold()
    names = _PHONES if leaf == "phone" else ("email",)
    return any(records.same(value, each.get(name), phone=leaf == "phone") for each in _each(row) for name in names)


def holds(row: Row, digits: str) -> bool:
    """Tell whether a contact, or one of its persons, has a phone with these digits in it."""
    numbers = (records.text(each.get(name)) for each in _each(row) for name in _PHONES)
    return any(digits in re.sub(r"\D", "", number) for number in numbers)


def signed(record: Row, field: str | None, customer: str) -> dict[str, Any]:
    """Return the record with the customer's id in the custom field."""
    there = [item for item in records.rows(record.get("custom_fields")) if item.get("api_name") != field]
    ours = [{"api_name": field, "value": customer}] if field else []
    return {**record, "custom_fields": ours + there} if ours or there else dict(record)


def merged(ours: Sequence[Row], row: Row) -> list[dict[str, Any]]:
    """Return the persons to send in place of a contact's: ours written over those who are theirs, and all the others."""
    others = [_sendable(person) for person in row["contact_persons"] if person.get("contact_person_id")]
    sent = []
    for number, person in enumerate(ours):
        theirs = next((other for other in others if _alike(person, other)), None)
        theirs = others[0] if theirs is None and number == 0 and others else theirs
        others = [other for other in others if other is not theirs]
        sent.append({**(theirs or {}), **person})
    return sent + others


def _each(row: Row) -> list[Row]:
    # The row of a list has no persons; its own columns are those of the primary one.
    return [row, *row["contact_persons"]]


def _name(field: Row) -> str:
    # Zoho makes the name from the label; some of its answers hold only the label.
    label = re.sub(r"\W+", "_", records.text(field.get("label")).lower())
    return records.text(field.get("api_name")) or f"cf_{label}"


def _numbered(person: Row) -> dict[str, Any]:
    """Let the only number count as the phone, too: staff type it under either."""
    return {**person, "phone": person.get("phone") or person.get("mobile")}


def _meant(person: Row, request: Upsert) -> bool:
    return any(has({**person, "contact_persons": ()}, name.rpartition(".")[2], value) for name, value in request.match)


def _alike(ours: Row, theirs: Row) -> bool:
    emails = records.text(ours.get("email")) and records.same(ours["email"], theirs.get("email"))
    numbers = [number for name in _PHONES if (number := records.text(ours.get(name)))]
    return bool(emails) or any(records.same(n, theirs.get(name), phone=True) for n in numbers for name in _PHONES)


def _sendable(person: Row) -> dict[str, Any]:
    kept = {name: person[name] for name in (*_KEPT, *_ALSO) if person.get(name)}
    return kept | ({"is_primary_contact": True} if person.get("is_primary_contact") is True else {})

"""Say a contact as Xero does: phones and addresses by their type, and what Xero has against one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.errors import AlreadyThere, NameTaken, Rejected
from connector.mapping.transforms.base import NOWHERE
from connector.mapping.transforms.phone import phone
from connector.models import Upsert
from connector.targets import records
from connector.targets.ladder import Write

NUMBER = "ContactNumber"
FIRST_PHONE = "Phones[0].PhoneNumber"
STORED = "as stored"  # beside a row's fields: the row as Xero gave it
TYPES = {"Phones": "PhoneType", "Addresses": "AddressType"}
_PHONES = ("MOBILE", "DEFAULT", "DDI", "OFFICE", "FAX")  # as they are looked through
_PARTS = {"PhoneCountryCode": "", "PhoneAreaCode": ""}  # our number is whole
_TAKEN = re.compile(r"already assigned to another|must be unique|already exists", re.IGNORECASE)
_NUMBER = re.compile(r"contact ?number", re.IGNORECASE)

Json = Mapping[str, Any]
Complaint = tuple[str | None, str]  # the record's field where it is known, and the sentence


def fitted(request: Upsert) -> Upsert:
    """Return the request as Xero takes it: with our number, no < > in the name, and no phone that says nothing."""
    record = dict(request.record)
    if isinstance(record.get("Name"), str):
        record["Name"] = " ".join(re.sub("[<>]", " ", record["Name"]).split())
    if "Phones" in record:
        record["Phones"] = [item for item in records.rows(record["Phones"]) if records.text(item.get("PhoneNumber"))]
    return records.signed(replace(request, record={k: v for k, v in record.items() if v not in ("", [])}), NUMBER)


def said(write: Write) -> dict[str, Any]:
    """Return what Xero is told: of an update the lists whole, for a phone or an address that we do not have stays."""
    fields = {name: value for name, value in write.fields.items() if name not in left_out(write)}
    if write.remote_id is None:
        return fields
    stored = records.look(write.row, STORED)
    for name, kind in TYPES.items():
        if name in fields:
            fields[name] = _joined(records.rows(fields[name]), records.rows(records.look(stored, name)), kind)
    return {"ContactID": write.remote_id, **fields}


def left_out(write: Write) -> dict[str, Any]:
    """Return the fields that wait for an update: a new contact cannot be archived."""
    status = write.fields.get("ContactStatus") if write.remote_id is None else None
    return {} if status is None else {"ContactStatus": status}


def _joined(ours: Sequence[Json], theirs: Sequence[Json], kind: str) -> list[dict[str, Any]]:
    there = {records.text(item.get(kind)): dict(item) for item in theirs}
    parts = _PARTS if kind == "PhoneType" else {}
    mine = [{**there.pop(records.text(item.get(kind)), {}), **parts, **item} for item in ours]
    return [*mine, *there.values()]


def compared(row: Json) -> dict[str, Any]:
    """Return a row as it is compared: without empty phones and addresses, the numbers whole, the mobile first."""
    phones = [
        {"PhoneType": one.get("PhoneType"), "PhoneNumber": _whole(one)} for one in records.rows(row.get("Phones"))
    ]
    phones.sort(key=lambda one: [*_PHONES, one["PhoneType"]].index(one["PhoneType"]))
    addresses = [{name: value for name, value in one.items() if value} for one in records.rows(row.get("Addresses"))]
    return {
        **row,
        "Phones": [one for one in phones if one["PhoneNumber"]],
        "Addresses": [one for one in addresses if one.keys() - {"AddressType"}],
        STORED: row,
    }


def _whole(item: Json) -> str:
    """Return a number with its country and area in front, as E.164 where it is a number."""
    country, area, number = (records.text(item.get(name)) for name in (*_PARTS, "PhoneNumber"))
    country = country.lstrip("+0")
    typed = f"+{country}{area}{number}" if country else area + number
    read = phone(typed, {"prefix": "966"}, NOWHERE)
    return (str(read.value) if read.valid else typed) if number else ""


def complaints(row: Json) -> list[Complaint]:
    """Return all that Xero has against a contact, its phones and its addresses."""
    found: list[Complaint] = [(None, text) for text in _sentences(row)]
    for name in TYPES:
        field = FIRST_PHONE if name == "Phones" else name
        found += [(field, text) for item in records.rows(row.get(name)) for text in _sentences(item)]
    return found


def _sentences(item: Json) -> list[str]:
    errors = records.rows(item.get("ValidationErrors"))
    return [text for error in errors if (text := records.text(error.get("Message") or error.get("Description")))]


def refusal(wrong: Sequence[Complaint], what: str, hide: Callable[[str], str], status: int) -> Rejected:
    """Return what it means that Xero complains so: name taken, number there, or data that it does not accept."""
    text = f"{what}: {hide('; '.join(dict.fromkeys(one for _, one in wrong))) or 'refused without a reason'}"
    taken = [one for _, one in wrong if _TAKEN.search(one)]
    if taken and len(taken) == len(wrong):
        return AlreadyThere(text, status=status) if any(map(_NUMBER.search, taken)) else NameTaken(text, status=status)
    named = tuple(dict.fromkeys(name for name, _ in wrong if name))
    return Rejected(text, fields=named if all(name for name, _ in wrong) else (), status=status)

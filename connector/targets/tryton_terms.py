"""Say a party as Tryton does, and back: phones, e-mails, numbers and addresses are records of their own there."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from connector.mapping.transforms.phone import spellings
from connector.models import Upsert
from connector.targets import records
from connector.targets.base import Said

Party = Mapping[str, Any]

# A field's own type first; a number that staff put down as the other type is found, and stays what it is.
MECHANISMS: Mapping[str, Sequence[str]] = {
    "phone": ("phone", "mobile"),
    "mobile": ("mobile", "phone"),
    "email": ("email",),
    "website": ("website",),
}
GROUPS = ("identifiers", "addresses")
ADDRESS = ("street", "postal_code", "city", "country.code")
OWN = ("contact_mechanisms.type", "contact_mechanisms.value", "identifiers.code", *(f"addresses.{n}" for n in ADDRESS))


def plain(names: Iterable[str]) -> list[str]:
    """Return the fields that a party has by itself."""
    return [name for name in names if name not in MECHANISMS and name not in GROUPS]


def looked(may: Any, known: Mapping[str, Any], fields: Collection[str]) -> Iterator[Said]:
    """Say what the user may not do with parties, and which of the mapping's fields (dotted) Tryton does not have."""
    for what in ("read", "create", "write"):
        if not records.look(may, what):
            yield False, f"the user may not {what} parties; give it a group that may"
    for name in sorted({name.partition(".")[0] for name in fields} - known.keys() - MECHANISMS.keys()):
        yield False, f"{name}: Tryton has no such field; mend the mapping"


def question(name: str, value: str, *, phone: bool) -> list[Any]:
    """Return the domain that asks for a value."""
    if name not in MECHANISMS:
        return ["identifiers.code" if name.startswith("identifiers.") else name, "=", value]
    if not phone:
        return ["contact_mechanisms.value", "ilike", value.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")]
    typed = list(spellings(value))
    return ["OR", *([f"contact_mechanisms.{form}", "in", typed] for form in ("value", "value_compact"))]


def is_party(row: Any) -> bool:
    """Tell whether an answer's row is a party with what belongs to it."""
    if not isinstance(row, dict) or type(row.get("id")) is not int:
        return False
    parts = [row.get(f"{name}.", []) for name in ("contact_mechanisms", *GROUPS)]
    return all(isinstance(part, list) and len(records.rows(part)) == len(part) for part in parts)


def flat(row: Party, request: Upsert) -> Party:
    """Return a party as a record says it; of several phones or numbers the one that is the customer's, if it is there."""
    codes = [one.get("code") for one in row.get("identifiers.", ())]
    first: Party = next(iter(row.get("addresses.", ())), {})
    address = {name.partition(".")[0]: first.get(name) for name in ADDRESS}
    address["country"] = records.look(first.get("country."), "code")
    ours = records.look(request.record, "identifiers") or {}
    more = {name: _mechanism(name, row, request) for name in MECHANISMS}
    more["identifiers"] = {name: code if code in codes else None for name, code in ours.items()}
    return {**row, **more, "addresses": address}


def _mechanism(name: str, row: Party, request: Upsert) -> Any:
    there = _of_type(name, row)
    ours, phone = request.record.get(name), name in request.phones
    alike = [one.get("value") for one in there if records.same(ours, one.get("value"), phone=phone)]
    return next(iter([*alike, *(one.get("value") for one in there)]), None)


def _of_type(name: str, row: Party) -> list[Any]:
    there = row.get("contact_mechanisms.", ())
    return [one for kind in MECHANISMS[name] for one in there if one.get("type") == kind]


def values(fields: Party, there: Party) -> dict[str, Any]:
    """Return what Tryton takes for the fields, beside what the party has already ({}: it is new)."""
    made = {name: fields[name] for name in plain(fields)}
    made["contact_mechanisms"] = [
        _put(_of_type(n, there), _named(n, fields[n], there)) for n in MECHANISMS if n in fields
    ]
    known = [one.get("code") for one in there.get("identifiers.", ())]
    codes = [code for code in (fields.get("identifiers") or {}).values() if code not in known]
    # Tryton has no type for Saudi numbers; one without a type is taken as it is.
    made["identifiers"] = [["create", [{"type": None, "code": code} for code in codes]]] if codes else []
    made["addresses"] = [_put(there.get("addresses.", ()), fields["addresses"])] if fields.get("addresses") else []
    return {name: value for name, value in made.items() if value != []}


def _named(name: str, value: Any, there: Party) -> dict[str, Any]:
    return {"value": value} if _of_type(name, there) else {"type": name, "value": value}


def _put(there: Sequence[Party], fields: Mapping[str, Any]) -> list[Any]:
    return ["write", [there[0]["id"]], fields] if there else ["create", [fields]]

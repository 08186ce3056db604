"""Look at the fields of the contacts in Zoho CRM: whether those are there that a mapping fills, and make what can be made."""

from collections.abc import Collection, Mapping
from typing import Any

from connector.errors import TargetError, Uncertain
from connector.targets import records
from connector.targets.base import Said
from connector.targets.http import Call, Http

Json = Mapping[str, Any]

FIELDS, MODULE = "/settings/fields", (("module", "Contacts"),)
OURS = ("Tax_Number", "CRN")  # beside Flavours_…, what is made: fields that only the mapping knows
_ONCE = "tick its Do not allow duplicate values (Setup, Modules and Fields, Contacts)"


def looked(http: Http, key: str, wanted: Collection[str], *, fix: bool) -> list[Said]:
    """Return what was found: `key` must take a value only once, `wanted` must be there. Raises TargetError."""
    there = _fields(http)
    names = dict.fromkeys((key, *wanted))
    made = [_made(http, name, once=name == key) for name in names if fix and name not in there and _ours(name, key)]
    if made:
        there = _fields(http)
    said = [(True, f"{http.host} answers and takes the token"), *made, _unique(there, key)]
    said += [_field(there, name, key) for name in names if name != key]
    return said + [(False, f"Zoho insists on {name}; fill it in the mapping") for name in _missing(there, wanted)]


def _fields(http: Http) -> dict[str, Json]:
    listed = records.look(http.call(Call("GET", FIELDS, FIELDS, MODULE)).data, "fields")
    if not isinstance(listed, list):
        raise Uncertain(f"GET {http.host}{FIELDS} answered with something that is not a list of fields")
    return {records.text(one.get("api_name")): one for one in records.rows(listed)}


def _ours(name: str, key: str) -> bool:
    return name == key or name.startswith("Flavours_") or name in OURS


def _made(http: Http, name: str, *, once: bool) -> Said:
    # Zoho makes the API name of the label; where it makes another one, the next look says that the field is not there.
    field = {"field_label": name.replace("_", " "), "data_type": "text", "length": 255}
    more = {"unique": {"casesensitive": "false"}} if once else {}
    call = Call("POST", FIELDS, FIELDS, MODULE, payload={"fields": [field | more]}, repeatable=False)
    try:
        http.call(call)
    except TargetError as error:
        return False, f"the field {name} could not be made: {error}"
    return True, f"the field {name} was made"


def _unique(there: Mapping[str, Json], key: str) -> Said:
    if key not in there:
        cure = "connector targets check NAME --fix makes it"
        return False, f"there is no field of the contacts with the API name {key}, without duplicate values: {cure}"
    if there[key].get("unique"):
        return True, f"{key} is there, and takes a value only once"
    return False, f"{key} is there and takes a value twice: {_ONCE}"


def _field(there: Mapping[str, Json], name: str, key: str) -> Said:
    if name in there:
        return True, f"{name} is there"
    cure = "make it by `connector targets check NAME --fix`, or" if _ours(name, key) else "make it there, or"
    return False, f"there is no field of the contacts with the API name {name}: {cure} take it out of the mapping"


def _missing(there: Mapping[str, Json], wanted: Collection[str]) -> list[str]:
    insists = [name for name, field in there.items() if field.get("system_mandatory") is True]
    return [name for name in insists if name not in wanted] if wanted else []

"""Compare the contact's fields in Salesforce with those that the mapping fills. No I/O."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connector.targets import records
from connector.targets.base import Said

Json = Mapping[str, Any]


def looked(listed: Sequence[Json], key: str, fields: Collection[str], cure: str) -> Iterator[Said]:
    """Say what is to be said of each field; `listed` describes the contact's, `cure` how the `key` is made."""
    there = {records.text(one.get("name")): one for one in listed}
    mine = there.get(key)
    good = mine is not None and all(mine.get(name) is True for name in ("externalId", "unique", "createable"))
    yield good, f"{key} is there, unique and an external id" if good else cure
    for name in fields:
        if name != key and "." not in name:
            yield _field(there.get(name), name)
    yield from _unfilled(listed, fields)


def _field(facts: Json | None, name: str) -> Said:
    if facts is None:
        return False, f"the contact has no field {name}: make it in Setup, or take it out of the mapping"
    if facts.get("createable") is not True or facts.get("updateable") is not True:
        return False, f"{name} may not be written by the connector: look at its field-level security, or at the mapping"
    return True, f"{name} is there"


def _unfilled(listed: Sequence[Json], fields: Collection[str]) -> list[Said]:
    """Say what Salesforce insists on and no mapping fills."""
    needed = {"createable": True, "nillable": False, "defaultedOnCreate": False}
    names = [
        records.text(one.get("name")) for one in listed if all(one.get(what) is is_so for what, is_so in needed.items())
    ]
    filled = {name.partition(".")[0] for name in fields}
    return [
        (False, f"{name} must be filled, and the mapping does not") for name in names if fields and name not in filled
    ]

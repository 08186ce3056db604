"""Know the contact properties of one HubSpot account: which there are, and how to make one."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connector.errors import TargetError, Uncertain
from connector.targets import records
from connector.targets.base import Said
from connector.targets.http import Call, Http

PROPERTIES = "/crm/v3/properties/contacts"
OURS = ("tax_number", "crn")  # beside flavours_…, what `check --fix` makes: properties that only the mapping knows

Json = Mapping[str, Any]


class Properties:
    """Ask one account; `key` is the property by which customers are known again, `cure` what to do without it."""

    def __init__(self, http: Http, key: str, cure: str) -> None:
        self._http, self._key, self._cure = http, key, cure

    def looked(self, fields: Collection[str], *, fix: bool) -> Iterator[Said]:
        """Say what is to be said of our property, then of the mapping's; makes what is missing when told to `fix`."""
        there = self._properties()
        yield self._unique(there, fix=fix)
        for name in fields:
            if name != self._key:
                yield self._field(there, name, fix=fix)

    def _properties(self) -> dict[str, Json]:
        call = Call("GET", PROPERTIES, PROPERTIES)
        data = self._http.call(call).data
        listed = data.get("results") if isinstance(data, dict) else None
        if not isinstance(listed, list):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of properties")
        return {str(one.get("name")): one for one in records.rows(listed)}

    def _unique(self, there: Mapping[str, Json], *, fix: bool) -> Said:
        mine = there.get(self._key)
        if mine is None:
            return self._made(self._key, unique=True) if fix else (False, self._cure)
        if mine.get("hasUniqueValue") is True:
            return True, f"{self._key} is there, and takes a value only once"
        return (
            False,
            f"{self._key} is there without unique values, which HubSpot never adds: name another one in unique_property",
        )

    def _field(self, there: Mapping[str, Json], name: str, *, fix: bool) -> Said:
        if name in there:
            fixed = records.look(there[name], "modificationMetadata.readOnlyValue") is True
            return (
                not fixed,
                f"{name} is filled by HubSpot itself: take it out of the mapping" if fixed else f"{name} is there",
            )
        ours = name.startswith("flavours_") or name in OURS
        if fix and ours:
            return self._made(name, unique=False)
        cure = "make it by `connector targets check NAME --fix`, or" if ours else "make it there, or"
        return False, f"there is no contact property {name}: {cure} take it out of the mapping"

    def _made(self, name: str, *, unique: bool) -> Said:
        kind = {"groupName": "contactinformation", "type": "string", "fieldType": "text", "hasUniqueValue": unique}
        label = name.replace("_", " ").capitalize()
        try:
            self._http.call(Call("POST", PROPERTIES, PROPERTIES, payload={"name": name, "label": label, **kind}))
        except TargetError as error:
            return False, f"the contact property {name} could not be made: {error}"
        return True, f"the contact property {name} was made"

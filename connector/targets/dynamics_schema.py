"""Know the contact table of one Dataverse environment: its columns, its keys, and how to make one of each."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from connector.errors import TargetError, Uncertain
from connector.targets import records
from connector.targets.base import Said
from connector.targets.dynamics_errors import CURE
from connector.targets.dynamics_settings import COLUMN
from connector.targets.http import Call, Http

ENTITY = "/EntityDefinitions(LogicalName='contact')"
LONGEST = 100  # characters of a column that is made; a key may have 900 bytes
ENGLISH = 1033
_KIND = "Microsoft.Dynamics.CRM."


class Schema:
    """Ask one environment for its contact table; `key` is the column by which customers are known again."""

    def __init__(self, http: Http, key: str) -> None:
        self._http, self._key = http, key

    def looked(self, fields: Collection[str], *, fix: bool) -> Iterator[Said]:
        """Say which of these columns are missing, and how the key is; makes them when told to `fix`."""
        there = self.columns()
        yield True, f"{self._http.host} answers and takes the tokens"
        for name in dict.fromkeys((self._key, *fields)):
            if name not in there and COLUMN.fullmatch(name):
                yield self.make_column(name) if fix and "_" in name else _missing(name, there)
        yield self.key(fix=fix)

    def columns(self) -> Collection[str]:
        """Return the logical names of the columns. Raises TargetError."""
        return {records.text(row.get("LogicalName")) for row in self._list("/Attributes", "LogicalName")}

    def make_column(self, name: str) -> Said:
        """Make a column for a text; say what it came to."""
        column = {
            "@odata.type": f"{_KIND}StringAttributeMetadata",
            "AttributeType": "String",
            "AttributeTypeName": {"Value": "StringType"},
            "FormatName": {"Value": "Text"},
            "MaxLength": LONGEST,
            "SchemaName": name,
            "DisplayName": _label(name),
            "RequiredLevel": {"Value": "None"},
        }
        return self._made("/Attributes", column, f"the column {name}")

    def key(self, *, fix: bool) -> Said:
        """Look whether the column is a key in use; make it one when told to `fix`."""
        keys = self._list("/Keys", "SchemaName,KeyAttributes,EntityKeyIndexStatus")
        mine = next((row for row in keys if row.get("KeyAttributes") == [self._key]), None)
        if mine is not None:
            return self._status(records.text(mine.get("EntityKeyIndexStatus")))
        if not fix:
            return False, f"{self._key} is no key: make it one by `connector targets check NAME --fix`"
        key = {"SchemaName": f"{self._key}_key", "DisplayName": _label(self._key), "KeyAttributes": [self._key]}
        ok, said = self._made("/Keys", key, f"the key on {self._key}")
        return (False, f"{said}; its index is being built: check again in some minutes") if ok else (ok, said)

    def _status(self, status: str) -> Said:
        if status == "Active":
            return True, f"{self._key} is a key and takes a value only once"
        if status == "Failed":
            cure = "look for contacts with the same value there, then reactivate the key in Power Apps"
            return False, f"the index of the key {self._key} could not be built; {cure}"
        return False, f"the index of the key {self._key} is being built ({status}): check again in some minutes"

    def _list(self, part: str, select: str) -> list[dict[str, Any]]:
        call = Call("GET", ENTITY + part, ENTITY + part, (("$select", select),))
        rows = records.look(self._http.call(call).data, "value")
        if not isinstance(rows, list):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list")
        return records.rows(rows)

    def _made(self, part: str, definition: Mapping[str, Any], what: str) -> Said:
        call = Call("POST", ENTITY + part, ENTITY + part, payload=definition, repeatable=False, needs_json=False)
        try:
            self._http.call(call)
        except TargetError as error:
            hint = "look again in some minutes, and whether the application user may customize"
            return False, f"{what} could not be made: {error}; {hint}"
        return True, f"{what} was made"


def _missing(name: str, there: Collection[str]) -> Said:
    near = get_close_matches(name, there, n=1)
    meant = f", did you mean `{near[0]}`?" if near else ""
    return False, f"{name}: the contact has no such column{meant}; {CURE if '_' in name else 'mend the mapping'}"


def _label(name: str) -> dict[str, Any]:
    text = name.partition("_")[2].replace("_", " ").capitalize()
    said = {"@odata.type": f"{_KIND}LocalizedLabel", "Label": text, "LanguageCode": ENGLISH}
    return {"@odata.type": f"{_KIND}Label", "LocalizedLabels": [said]}

"""Say a contact as one Odoo does: with the fields that its version and modules have, country and state by their ids."""

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from connector.errors import Uncertain
from connector.mapping.fold import fold
from connector.models import Upsert
from connector.targets import records
from connector.targets.ladder import Row, Write
from connector.targets.odoo_api import Api

PARTNER = "res.partner"
NORMALIZED = {"email": "email_normalized", "phone": "phone_sanitized"}  # as Odoo itself compares them, where it does
BY_VERSION = re.compile(r"company_registry|is_company|mobile|l10n_sa_edi_\w+")  # an Odoo may lack them
RELATED = {"country_code": "country_id", "state": "state_id"}  # what a mapping says, and where the id of it goes
_UNKNOWN = {"readonly": True}


class Terms:
    """Know what one Odoo's contacts are made of; asked once, and again when the way to it was lost."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of a contact: `type` and `readonly` by name. Raises TargetError."""

        def ask() -> Mapping[str, Any]:
            told = self._api.call(PARTNER, "fields_get", {"attributes": ["type", "readonly"]})
            if isinstance(told, dict) and all(isinstance(one, dict) for one in told.values()) and "name" in told:
                return told
            raise Uncertain(f"{PARTNER}.fields_get was answered with something that is no list of fields")

        known: Mapping[str, Any] = self._api.once("fields", ask)
        return known

    def read(self, requests: Sequence[Upsert]) -> Set[str]:
        """Return the fields to read: those that are compared, as far as there are such."""
        compared = {name for request in requests for name in (*request.record, *dict(request.match))}
        return self.fields().keys() & {*compared, *NORMALIZED.values(), "commercial_partner_id"}

    def fitted(self, request: Upsert) -> tuple[Upsert, Sequence[str]]:
        """Return the request without what this Odoo lacks, with ids for names, and a warning for what is left out.

        Only fields that are known to come and go are left out: any other is the mapping's mistake, and Odoo says so.
        """
        known, record = self.fields(), dict(request.record)
        lacks = {n for n in record if BY_VERSION.fullmatch(n) and known.get(n, _UNKNOWN).get("readonly")}
        warnings = [f"{name}: left out, for this Odoo does not have it" for name in sorted(lacks)]
        record = {name: value for name, value in record.items() if name not in lacks}
        warnings += self._related(record)
        return replace(
            request,
            record=record,
            match=tuple((name, value) for name, value in request.match if name not in lacks),
            fill_if_empty=tuple(RELATED.get(name, name) for name in request.fill_if_empty),
            keep=tuple(RELATED.get(name, name) for name in request.keep),
        ), warnings

    def _related(self, record: dict[str, Any]) -> list[str]:
        """Put ids in the place of country and state; return a warning for one that Odoo does not know."""
        warnings, country = [], None
        if "country_code" in record:
            country = self._named("res.country", []).get(fold(records.text(record.pop("country_code"))))
            warnings += _put(record, "country_code", country)
        if "state" in record:
            states = self._named("res.country.state", [["country_id", "=", int(country or 0)]])
            warnings += _put(record, "state", states.get(fold(records.text(record.pop("state")))))
        return warnings

    def _named(self, model: str, domain: Sequence[Any]) -> Mapping[str, str]:
        """Return the ids of a list that hardly ever changes, by code and by name."""

        def ask() -> Mapping[str, str]:
            rows = self._api.rows(model, domain, ("code", "name"))
            return {fold(records.text(row.get(key))): str(row["id"]) for key in ("name", "code") for row in rows}

        names: Mapping[str, str] = self._api.once(f"{model} {domain}", ask)
        return names

    def cells(self, write: Write) -> dict[str, str]:
        """Return a row for `load`: its columns, and a text in each. The first says which contact it is."""
        mine = f"__flavours__.{records.plain_id(write.request.customer)}"
        who = {".id": write.remote_id} if write.remote_id else {"id": mine}
        return who | {self._column(name, value): _cell(value) for name, value in write.fields.items()}

    def _column(self, name: str, value: Any) -> str:
        of_id = self._type(name) == "many2one" and records.text(value).isdecimal()
        return f"{name}/.id" if of_id else name

    def row(self, row: Row) -> Row:
        """Return a contact with None where Odoo says false for nothing, and an id for a pair of id and name."""
        return {name: self._plain(name, value) for name, value in row.items()}

    def _plain(self, name: str, value: Any) -> Any:
        kind = self._type(name)
        if value is False and kind != "boolean":
            return None
        return value[0] if kind == "many2one" and isinstance(value, list) and value else value

    def _type(self, name: str) -> Any:
        return self.fields().get(name, _UNKNOWN).get("type")


def _put(record: dict[str, Any], name: str, there: str | None) -> list[str]:
    if there is None:
        return [f"{name}: left out, for Odoo knows none of that name"]
    record[RELATED[name]] = there
    return []


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(records.text, value))
    return json.dumps(value) if isinstance(value, Mapping) else records.text(value)

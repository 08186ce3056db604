"""Microsoft Dynamics 365 (Dataverse): contacts, each known again by an alternate key that holds the Flavours id.

A PATCH to the key makes the contact or updates it, and makes nothing twice; one that is there is updated by its own id.
A key's value cannot hold / < > * % & : \\ ? or +, so it is the customer's id and never a phone or an e-mail; these are
asked for by a filter. Facts: https://learn.microsoft.com/power-apps/developer/data-platform/webapi.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.errors import AlreadyThere, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import dynamics_odata as odata
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.dynamics_errors import judge
from connector.targets.dynamics_schema import Schema
from connector.targets.dynamics_settings import COLUMN, DynamicsSettings, environment, grant
from connector.targets.http import Call, Ours, TokenSource
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.oauth2 import opening
from connector.targets.writing import upsert

PACE = (5400, 300.0)  # Dataverse allows a user 6,000 in 5 minutes
ODATA = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
WHOLE = {"Prefer": "return=representation"}
CONTACT = "/contacts({id})"
BY_KEY = "/contacts({key})"

Json = Mapping[str, Any]


class Dynamics(Account, Contacts):
    """Be the contacts of one environment."""

    kind = "dynamics"
    batch_size = 1
    idempotent = True
    partial = True
    fetches = True
    soft = frozenset({"mobilephone", "telephone1", "telephone2", "gendercode"})

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        base_url = environment(settings)
        way = line(settings, f"{base_url}/api/data/{settings['version']}", headers=ODATA, judge=judge, tokens=tokens)
        super().__init__(settings, around, way, base_url, settings["oauth2"]["client_id"], pace=PACE)
        self._key = self.customer_field = settings["alternate_key"]
        self._schema = Schema(self._http, self._key)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look at the key and at the mapping's columns; makes what is missing when told to `fix`."""
        return Check.of(self._schema.looked(fields, fix=fix))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Dynamics, once."""
        return [upsert(records.signed(request, self._key), self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by the key, then by each match value; by a phone in each usual spelling."""
        fields = [(name, value) for name, value in request.match if name != self._key and COLUMN.fullmatch(name)]
        own = Question(lambda _: self._by_key(request), lambda row: self.owner(row) == request.customer)
        return [Rung(self._key, [own], own.obeyed), *(self._rung(name, value, request) for name, value in fields)]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact by its id, None when it is gone."""
        if not odata.ID.fullmatch(remote_id):
            return None
        return self._one(Call("GET", f"/contacts({remote_id})", CONTACT, self._columns(request)), request)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact by its key, or update it where an answer was lost."""
        fields = {name: value for name, value in request.record.items() if name != self._key}
        call = self._patch(odata.by_key(self._key, request.customer), BY_KEY, fields, request)
        try:
            return self._written(call, ours)
        except AlreadyThere as error:  # another key of the organisation's own, which the message may name the holder of
            found = None if error.remote_id else next(iter(self._by_key(request).rows), None)
            raise AlreadyThere(str(error), found.remote_id if found else error.remote_id, status=412) from None

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields; If-Match keeps a contact that is gone from being made again."""
        call = self._patch(f"/contacts({remote_id})", CONTACT, fields, request)
        return self._written(replace(call, headers={**call.headers, "If-Match": "*"}), ours)

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        phone = name in request.phones
        asked = odata.any_of(name, spellings(value) if phone else (value,))

        def same(row: Row) -> bool:
            return records.same(value, row.get(name), phone=phone)

        return Rung(name, [Question(lambda _: self._filtered(asked, request), same)], same)

    def _by_key(self, request: Upsert) -> Page:
        found = self._one(
            Call("GET", odata.by_key(self._key, request.customer), BY_KEY, self._columns(request)), request
        )
        return Page([found] if found else (), last=True)

    def _one(self, call: Call, request: Upsert) -> Found | None:
        call = replace(call, headers={"If-None-Match": "null"}, personal=records.texts(request.record))
        answer = self._http.look(call)
        return self._found(answer.data, call) if answer else None

    def _filtered(self, asked: str, request: Upsert) -> Page:
        query = (*self._columns(request), ("$filter", asked))
        headers = {"If-None-Match": "null"}
        call = Call(
            "GET", "/contacts", "/contacts", query, headers=headers, personal=[asked, *records.texts(request.record)]
        )
        data = self._http.call(call).data
        rows = records.look(data, "value")
        if not isinstance(rows, list):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return Page([self._found(row, call) for row in rows], last="@odata.nextLink" not in data)

    def _found(self, row: Any, call: Call) -> Found:
        return odata.contact(row, self._http.shown(call))

    def _columns(self, request: Upsert) -> tuple[tuple[str, str], ...]:
        return odata.select({"contactid", self._key, *request.record, *(name for name, _ in request.match)})

    def _patch(self, path: str, shown: str, fields: Row, request: Upsert) -> Call:
        personal = records.texts(request.record)
        return Call("PATCH", path, shown, self._columns(request), fields, headers=WHOLE, writes=True, personal=personal)

    def _written(self, call: Call, ours: Ours) -> Written:
        answer = self._http.call(call, ours)
        stored = self._found(answer.data, call)
        return Written(stored.remote_id, f"{answer.status}", stored.row, created=answer.status == 201)


KIND = Kind(
    label="Microsoft Dynamics 365 (Dataverse)",
    schema=DynamicsSettings(),
    open=opening(Dynamics, grant),
    oauth2=grant,
    batch_size=1,
    match="`alternate_key`, then the mapping's match list: e-mail, phone (in every usual spelling)",
    upsert="reads, then upserts by `alternate_key`",
    limits="6,000 in 5 minutes, 52 at once; paced at 5,400 and 20",
    auth="OAuth2 client credentials of an application user",
    proved="vendor's documents",
    twice="never: `alternate_key` takes a value only once",
    record_url=lambda settings, at: f"{environment(settings)}/main.aspx?pagetype=entityrecord&etn=contact&id={at}",
)

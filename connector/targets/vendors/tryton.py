"""Tryton: its parties.

A party's code is unique: the customer's id goes there, and a create that is sent again makes nothing twice. Phones,
e-mails, numbers and addresses are records of their own in Tryton; a mapping says them flat: `phone`, `identifiers.vat`,
`addresses.city`. All seen on a real Tryton 7.0.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connector.errors import AlreadyThere, Rejected, TargetError, Uncertain
from connector.models import Outcome, Retry, Upsert
from connector.targets import records
from connector.targets import tryton_terms as terms
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.http import Http, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.outcomes import outcome
from connector.targets.tryton_countries import Countries
from connector.targets.tryton_session import Session, ask, judge
from connector.targets.tryton_settings import TrytonSettings
from connector.targets.writing import upsert

PARTY = "party.party"
INACTIVE_TOO = ["active", "in", [True, False]]
ENGLISH = {"language": "en"}  # so that its sentences can be told apart


class Tryton(Account, Contacts):
    """Be the parties of one Tryton database."""

    kind = "tryton"
    batch_size = 1
    idempotent = True
    partial = True
    fetches = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        database, password = settings["database"], settings["password"]
        way = line(settings, secrets=(password,), judge=judge)
        super().__init__(settings, around, way, settings["base_url"], database)
        self._path = f"/{quote(database, safe='')}/"
        session = Session(self._http, self._path, settings["login"], password)
        self._http = Http(replace(way, tokens=session), self._pace, self._clock)
        self._countries = Countries(self._ask)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - nothing to make
        """Log in, and look at what the user may do and at the fields there are."""
        return Check.of(self._looked(fields))

    def _looked(self, fields: Collection[str]) -> Iterator[Said]:
        may = self._ask("ir.model.access.get_access", [[PARTY]])
        known = self._ask(f"{PARTY}.fields_get", [[]])
        if not (isinstance(may, dict) and isinstance(known, dict)):
            raise Uncertain(f"{self._http.host} answers with something that is not Tryton's")
        yield True, f"{self._http.host} answers and takes the login"
        yield from terms.looked(may.get(PARTY), known, fields)

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Tryton, once."""
        return [self._upsert(request, run) for request in requests]

    def _upsert(self, request: Upsert, run: Run) -> Outcome:
        record: dict[str, Any] = {"code": request.customer, **request.record}
        match = request.match if "code" in dict(request.match) else (("code", record["code"]), *request.match)
        try:
            lost = self._countries.id_of(record) == 0
        except TargetError as error:
            return outcome(error)
        record = records.without(record, ["addresses.country"] if lost else [])
        came = upsert(replace(request, record=record, match=match), self, run)
        if not lost or isinstance(came, Retry):
            return came
        return replace(
            came, warnings=(*came.warnings, "addresses.country: left out, this Tryton knows no such country")
        )

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by the code, then by each match value; by a phone in each usual spelling."""
        return [self._rung(name, value, request) for name, value in request.match]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a party, None when it is gone."""
        rows = self._rows(["id", "=", int(remote_id)], request) if remote_id.isdecimal() else []
        return Found(remote_id, rows[0]) if rows else None

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the party; one that has the code is this one."""
        try:
            came = self._ask(f"{PARTY}.create", [[self._values(request.record, {})]], request, ours)
        except Rejected as error:
            if "must be unique" not in str(error):
                raise
            there = self._rows(["code", "=", request.record["code"]], request)
            raise AlreadyThere(str(error), str(there[0]["id"]) if there else None) from None
        if not isinstance(came, list) or len(came) != 1 or type(came[0]) is not int:
            raise Uncertain(f"{self._http.host} answered {PARTY}.create without an id")
        return Written(str(came[0]), "created")

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields; the records of their own are looked at first."""
        rows = self._rows(["id", "=", int(remote_id)], request)
        values = self._values(fields, rows[0] if rows else {})
        self._ask(f"{PARTY}.write", [[int(remote_id)], values], request, ours)
        return Written(remote_id, "written")

    def _ask(self, method: str, of: Sequence[Any], request: Upsert | None = None, ours: Ours | None = None) -> Any:
        personal = records.texts(request.record) if request else ()
        return ask(self._http, self._path, f"model.{method}", [*of, ENGLISH], personal, ours)

    def _rows(self, clause: Sequence[Any], request: Upsert) -> list[Row]:
        """Return the parties that fit, inactive ones too, as the record says them."""
        fields = ["id", *terms.OWN, *terms.plain(request.record)]
        found = self._ask(f"{PARTY}.search_read", [[clause, INACTIVE_TOO], 0, None, None, fields], request)
        if isinstance(found, list) and all(terms.is_party(row) for row in found):
            return [terms.flat(row, request) for row in found]
        raise Uncertain(f"{self._http.host} answered {PARTY}.search_read with something that is no list of parties")

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        phone = name in request.phones

        def page(_: int) -> Page:
            rows = self._rows(terms.question(name, value, phone=phone), request)
            return Page([Found(str(row["id"]), row) for row in rows], last=True)

        def same(row: Row) -> bool:
            return records.same(value, records.look(row, name), phone=phone)

        return Rung(name, [Question(page, same)], same)

    def _values(self, fields: Mapping[str, Any], there: Row) -> dict[str, Any]:
        country = self._countries.id_of(fields)
        address = {**fields.get("addresses", {}), **({"country": country} if country else {})}
        return terms.values({**fields, "addresses": address}, there)


KIND = Kind(
    label="Tryton (parties)",
    schema=TrytonSettings(),
    open=lambda _config, settings, around: Tryton(settings, around),
    batch_size=1,
    match="the party's code, then the mapping's match list: number, phone (in every usual spelling), e-mail",
    upsert="looks up, then creates or updates; the code is unique",
    limits="none documented",
    auth="a user's name and password",
    proved="real system: Tryton 7.0",
    twice="never: the customer's id is the party's code, which is unique",
)

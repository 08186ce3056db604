"""Xero: contacts, twenty-five in one request, each known again by its ContactNumber.

Facts: Xero's OpenAPI description. PUT only makes contacts, and refuses a name or a number that is there; POST without a
ContactID would write over whoever has the name, so an update always says which contact it means. A contact that staff
merged into another leads on to it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from connector.errors import AlreadyThere, Refused, Rejected, TargetError, Uncertain
from connector.mapping.fold import fold
from connector.models import Outcome, Upsert
from connector.targets import batches, records
from connector.targets.account import Account, line
from connector.targets.answers import Answer
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.batches import Ask, Batches
from connector.targets.http import Call, Http, Ours, TokenSource
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.oauth2 import opening
from connector.targets.xero_contact import FIRST_PHONE, NUMBER, compared, complaints, fitted, left_out, refusal, said
from connector.targets.xero_errors import judge
from connector.targets.xero_settings import XeroSettings, grant
from connector.targets.xero_tenant import Tenant

BATCH = 25  # Xero advises 50 at most; the numbers of so many still fit an address
PAGE = 100
PACE = (55, 60.0)  # Xero allows an organisation's apps 60 a minute each
CONTACTS = "/Contacts"
ACTIVE = (("page", "1"),)  # without a page the fields of a list are fewer
ALL = (*ACTIVE, ("includeArchived", "true"))
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FIELD = re.compile(r"[A-Za-z]+")

Json = Mapping[str, Any]
Query = tuple[tuple[str, str], ...]


class Xero(Account, Batches):
    """Be one Xero organisation."""

    kind = "xero"
    batch_size = BATCH
    idempotent = True
    partial = True
    name_field = "Name"
    customer_field = NUMBER
    soft = frozenset({FIRST_PHONE})

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        base_url, client, given = settings["base_url"], settings["oauth2"]["client_id"], settings["tenant_id"]
        way = line(settings, judge=judge, tokens=tokens)
        super().__init__(settings, around, way, base_url, client, given or "", pace=PACE)
        root = replace(way, base_url=base_url.removesuffix(urlsplit(base_url).path))
        self._tenant = Tenant(given, Http(root, self._pace, self._clock))

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - no list of fields
        """Ask for one contact; writes nothing."""
        return Check.of(self._looked())

    def _looked(self) -> Iterator[Said]:
        self._rows((*ACTIVE, ("pageSize", "1")), ())
        yield True, f"{self._http.host} answers and takes the tokens for organisation {self._tenant.id()}"

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Xero, once."""
        return batches.upsert_many([fitted(request) for request in requests], self, run)

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Ask by our number, then by each match value; Xero finds nobody by phone."""
        fields = [(name, value) for name, value in request.match if _FIELD.fullmatch(name)]
        return [Ask(name, (value,), batches.matches(name, value)) for name, value in fields]

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts with these values; who has our number, also when archived."""
        # Not by /Contacts/{number}: the ids of Flavours look like Xero's own, and would be read as such.
        where = " OR ".join(f"{name}=={_quoted(value)}" for value in values)
        found = self._found((("where", where), *(ALL if name == NUMBER else ACTIVE)), requests)
        return Page(found, last=len(found) < PAGE)

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids; of one that was merged into another, the other."""
        ids = [remote_id for remote_id in remote_ids if _ID.fullmatch(remote_id)]
        rows = self._rows((("IDs", ",".join(ids)), *ALL), requests) if ids else []
        there = {_id(row): found for row, found in zip(rows, self._followed(rows, requests), strict=True)}
        found = {remote_id: there.get(remote_id.casefold()) for remote_id in ids}
        return {remote_id: contact for remote_id, contact in found.items() if contact}

    def named(self, name: str, request: Upsert) -> Sequence[Found]:
        """Return the contacts of that name, archived ones too; by the search where case or spaces differ."""
        exact = self._found((("where", f"Name=={_quoted(name)}"), *ALL), [request])
        found = exact or self._found((("searchTerm", name), *ALL), [request])
        return [contact for contact in found if fold(records.text(contact.row.get("Name"))) == fold(name)]

    def write(self, write: Write, ours: Ours) -> Written:
        """Do one write."""
        return self._one(write, ours)

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Make the contacts (PUT), or update them by ContactID (POST); an answer is known by our number, or Xero's id."""
        method, key = ("PUT", NUMBER) if writes[0].remote_id is None else ("POST", "ContactID")
        payload = {"Contacts": [said(write) for write in writes]}
        call = Call(
            method,
            CONTACTS,
            CONTACTS,
            (("summarizeErrors", "false"),),
            payload,
            headers={"Idempotency-Key": records.request_key(writes[0].request.idempotency_key, payload)},
            writes=True,
            personal=batches.personal(write.request for write in writes),
        )
        answer = self._call(call, ours)
        rows = {_id(row, key): row for row in self._listed(call, answer)}
        mine = [rows.get((write.remote_id or write.request.customer).casefold()) for write in writes]
        return [self._came_to(write, row, call, answer) for write, row in zip(writes, mine, strict=True)]

    def _came_to(self, write: Write, row: dict[str, Any] | None, call: Call, answer: Answer) -> Written | TargetError:
        what = f"{self._http.shown(call)} answered {answer.status}"
        if row is None:
            return Uncertain(f"{what} without a word on this contact")
        if row.get("StatusAttributeString") == "ERROR" or complaints(row):
            return self._whose(write, refusal(complaints(row), what, answer.hide, answer.status))
        if not _ID.fullmatch(_id(row)):
            return Uncertain(f"{what} without ContactID")
        left = left_out(write)
        warnings = tuple(f"{name}: left out, for a new contact is active; its next change says it" for name in left)
        return Written(str(row["ContactID"]), f"{answer.status}", compared(row) | left, whole=True, warnings=warnings)

    def _whose(self, write: Write, error: Rejected) -> TargetError:
        """Say which contact it is that has our number already."""
        if not isinstance(error, AlreadyThere):
            return error
        try:
            found = self.find_many(NUMBER, [write.request.customer], [write.request]).rows
        except TargetError as problem:
            return problem
        return AlreadyThere(str(error), found[0].remote_id if len(found) == 1 else None, status=error.status)

    def _found(self, query: Query, requests: Sequence[Upsert]) -> list[Found]:
        found = [contact for contact in self._followed(self._rows(query, requests), requests) if contact]
        return list({contact.remote_id: contact for contact in found}.values())

    def _followed(self, rows: Sequence[Json], requests: Sequence[Upsert]) -> list[Found | None]:
        """Return the contact of each row; of one that was merged into another, the other."""
        into = list(dict.fromkeys(filter(None, (_id(row, "MergedToContactID") for row in rows))))
        others = {_id(row): row for row in (self._rows((("IDs", ",".join(into)), *ALL), requests) if into else ())}
        mine = [others.get(_id(row, "MergedToContactID")) if row.get("MergedToContactID") else row for row in rows]
        return [Found(str(row["ContactID"]), compared(row)) if row else None for row in mine]

    def _rows(self, query: Query, requests: Sequence[Upsert]) -> list[dict[str, Any]]:
        personal = [*batches.personal(requests), *(value for _, value in query)]
        call = Call("GET", CONTACTS, CONTACTS, query, personal=personal)
        rows = self._listed(call, self._call(call))
        if not all(_ID.fullmatch(_id(row)) for row in rows):
            raise Uncertain(f"{self._http.shown(call)} answered with contacts without ContactID")
        return rows

    def _listed(self, call: Call, answer: Answer) -> list[dict[str, Any]]:
        listed = records.look(answer.data, "Contacts")
        rows = records.rows(listed)
        if not isinstance(listed, list) or len(rows) < len(listed):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return rows

    def _call(self, call: Call, *ours: Ours) -> Answer:
        call = replace(call, headers={**call.headers, "xero-tenant-id": self._tenant.id()})
        try:
            return self._http.call(call, *ours)
        except Refused:
            self._tenant.forget()
            raise


def _id(row: Json, name: str = "ContactID") -> str:
    return records.identity(row.get(name)).casefold()


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


KIND = Kind(
    label="Xero",
    schema=XeroSettings(),
    open=opening(Xero, grant),
    oauth2=grant,
    batch_size=BATCH,
    match="ContactNumber, then e-mail; phone too when a name is taken, for Xero finds nobody by it",
    upsert="reads, then makes (PUT) or updates by ContactID (POST); never by name",
    limits="60 a minute, 5 at once, 5,000 a day; paced at 55, the end of a day's quota is waited for",
    auth="OAuth2: `connector targets connect`, or a custom connection's client credentials",
    proved="vendor's specification",
    twice="never: Xero takes a ContactNumber and a name once; an Idempotency-Key (6 minutes) covers lost answers",
    record_url=lambda _settings, at: f"https://go.xero.com/Contacts/View/{at}",
)

"""QuickBooks Online (كويك بوكس): customers over its accounting API, version 3.

It takes a DisplayName once among customers, vendors and employees, finds customers by e-mail but not by phone, and has no
field for our id: the customer's id in Notes tells our own. A request with the same requestid is answered as the first was.
An update names the version (SyncToken) it was made for. Mistakes come as a Fault, now and then inside a 200.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connector.config_fields import Flag, Text, Whole, matches
from connector.errors import Refused, Rejected, TargetError, Uncertain
from connector.models import Outcome, Upsert
from connector.targets import records
from connector.targets.answers import Answer
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.http import Call, Http, Line, Ours, TokenSource
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Write, Written
from connector.targets.oauth2 import tokens_of
from connector.targets.oauth2_settings import oauth2
from connector.targets.pace import opened
from connector.targets.quickbooks_faults import PHONES, STALE, judge
from connector.targets.settings import HttpSettings, address, fingerprint
from connector.targets.writing import upsert

PRODUCTION, SANDBOX = "https://quickbooks.api.intuit.com", "https://sandbox-quickbooks.api.intuit.com"
PAGE = 100
PACE = (450, 60.0)  # QuickBooks allows 500 a minute to a company
ASKED = {"PrimaryEmailAddr.Address": "PrimaryEmailAddr"} | {
    name: name for name in ("DisplayName", "GivenName", "FamilyName", "CompanyName")
}
NAMES = ("DisplayName", "GivenName", "FamilyName")
TAX = "PrimaryTaxIdentifier"
_OURS = re.compile(r"Flavours id (\S+)")

Json = Mapping[str, Any]


class QuickBooksSettings(HttpSettings):
    """Be the settings of a QuickBooks Online target."""

    base_url = Text(
        load_default=None, validate=address, metadata={"help": "only for another address than that of QuickBooks"}
    )
    sandbox = Flag(load_default=False, metadata={"help": "true: a company of the sandbox"})
    oauth2 = oauth2("refresh_token", required=True)
    realm_id = Text(
        load_default=None,
        validate=matches(re.compile(r"\d{1,20}"), "must be the company's id, digits only"),
        metadata={"help": "the company's id; `connector targets connect` learns it by itself"},
    )
    minorversion = Whole(75, 999, load_default=75, metadata={"help": "of QuickBooks' API (75)"})
    at_once = Whole(1, 100, load_default=8, metadata={"help": "how many requests may be on their way at once (8)"})


class QuickBooks(Contacts):
    """Be the customers of one company."""

    kind = "quickbooks"
    batch_size = 1
    idempotent = True
    partial = True
    fetches = True
    name_field = "DisplayName"
    soft = frozenset(PHONES.values())

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        client, sandbox = settings["oauth2"], settings["sandbox"]
        self._base: str = settings["base_url"] or (SANDBOX if sandbox else PRODUCTION)
        line = Line(
            self._base,
            settings["timeout"],
            query=(("minorversion", str(settings["minorversion"])),),
            secrets=tuple(filter(None, (client["client_secret"],))),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=judge,
            tokens=tokens,
            at_once=settings["at_once"],
        )
        self._http = Http(line, opened(settings["pace"] or PACE, around), around.clock)
        self._tokens, self._given, self._seen = tokens, settings["realm_id"], ""
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    @property
    def account(self) -> str:
        """Return the company's fingerprint; ids of customers are small numbers, the same in every company."""
        with suppress(TargetError):
            self._realm()
        return fingerprint(self._base, self._given or self._seen)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - no list of fields
        """Ask for the company; writes nothing."""
        try:
            data = self._call(Call("GET", f"/companyinfo/{self._realm()}", "/companyinfo/{realm}")).data
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))
        name = records.text(records.look(data, "CompanyInfo.CompanyName")) or "the company"
        return Check(ok=True, lines=(f"{self._http.host} answers and takes the tokens for {name}",))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to QuickBooks, once."""
        return [upsert(_fitted(request), self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by each match value that QuickBooks can be asked by; a phone is none."""
        return [self._rung(name, value, request) for name, value in request.match if name in ASKED]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a customer, None when QuickBooks knows none of that id."""
        shown = "/customer/{id}"
        call = Call("GET", f"/customer/{quote(remote_id, safe='')}", shown, personal=records.texts(request.record))
        try:
            found = self._customer(call, self._call(call), request)
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        if found.remote_id != remote_id:
            raise Uncertain(f"{self._http.shown(call)} answered with another customer")
        return found

    def named(self, name: str, request: Upsert) -> Sequence[Found]:
        """Return the customers of that name, inactive ones too; a vendor or an employee of it is somebody else."""
        names = ", ".join(_quoted(text) for text in (name, f"{name} (deleted)"))
        return self._query(f"DisplayName in ({names}) and Active in (true, false)", request).rows

    def owner(self, row: Row) -> str | None:
        """Return the customer whose id stands in Notes, as the shipped mapping writes it."""
        found = _OURS.search(records.text(row.get("Notes")))
        return found[1] if found else None

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the customer; he is active, whatever the record says."""
        fields = {name: value for name, value in request.record.items() if name != "Active"}
        written = self._post(fields, request, ours)
        if "Active" not in request.record:
            return written
        warning = "Active: left out, for a new customer is active; its next change says it"
        return replace(written, row={**(written.row or {}), "Active": request.record["Active"]}, warnings=(warning,))

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields over the customer as it is now."""
        found = self.fetch(remote_id, request)
        if found is None:
            raise Rejected(f"customer {remote_id} is no more", status=404)
        return self._updated(found.row, fields, request, ours)

    def write(self, write: Write, ours: Ours) -> Written:
        """Do one write; where somebody else was quicker, once more over what he left."""
        if write.remote_id is None or write.row is None:
            return super().write(write, ours)
        try:
            return self._updated(write.row, write.fields, write.request, ours)
        except Rejected as error:
            if error.status != STALE:
                raise
        return self.update(write.remote_id, write.fields, write.request, ours)

    def _updated(self, row: Row, fields: Row, request: Upsert, ours: Ours) -> Written:
        # A group goes whole: what staff have in it, and the mapping has not, goes along.
        whole = {name: _within(row.get(name), value) for name, value in fields.items()}
        which = {"Id": row["Id"], "SyncToken": row.get("SyncToken"), "sparse": True}
        return self._post({**whole, **which}, request, ours)

    def _post(self, payload: Json, request: Upsert, ours: Ours) -> Written:
        key = records.request_key(request.idempotency_key, payload)
        call = Call(
            "POST",
            "/customer",
            "/customer",
            (("requestid", key),),
            payload,
            writes=True,
            personal=records.texts(request.record),
        )
        answer = self._call(call, ours)
        stored = self._customer(call, answer, request)
        return Written(stored.remote_id, f"{answer.status}", stored.row, whole=True)

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        where = f"{ASKED[name]} = {_quoted(value)}"

        def same(row: Row) -> bool:
            return records.same(value, records.look(row, name))

        return Rung(name, [Question(lambda _: self._query(where, request), same)], same)

    def _query(self, where: str, request: Upsert) -> Page:
        query = f"select * from Customer where {where} startposition 1 maxresults {PAGE}"  # noqa: S608 - quoted
        personal = [*records.texts(request.record), query]
        call = Call("GET", "/query", "/query", (("query", query),), personal=personal)
        found = records.look(self._call(call).data, "QueryResponse")
        rows = found.get("Customer", []) if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of customers")
        customers = [self._row(row, request, call) for row in rows]
        return Page(customers, last=len(customers) < PAGE)

    def _customer(self, call: Call, answer: Answer, request: Upsert) -> Found:
        return self._row(records.look(answer.data, "Customer"), request, call)

    def _row(self, row: Any, request: Upsert, call: Call) -> Found:
        remote_id = records.text(row.get("Id")) if isinstance(row, dict) else ""
        if not remote_id:
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a customer")
        return Found(remote_id, _unmasked(row, request))

    def _call(self, call: Call, *ours: Ours) -> Answer:
        company = f"/v3/company/{self._realm()}"
        return self._http.call(replace(call, path=company + call.path, shown="/v3/company/{realm}" + call.shown), *ours)

    def _realm(self) -> str:
        """Return the company's id: as the settings say it, else as it came along with the tokens. Raises TargetError."""
        self._seen = self._given or self._tokens.extra.get("realmId") or ""
        if not self._seen.isdecimal():
            raise Refused("it is not known which company of QuickBooks is meant; set realm_id, or connect again")
        return self._seen


def _fitted(request: Upsert) -> Upsert:
    """Return the request without what QuickBooks refuses in a name."""
    names = {name: _name(value) for name in NAMES if isinstance(value := request.record.get(name), str)}
    return replace(request, record={**request.record, **names})


def _name(text: str) -> str:
    return " ".join(re.sub(r"[:\t\r\n]", " ", text).split())


def _within(theirs: Any, ours: Any) -> Any:
    return {**theirs, **ours} if isinstance(theirs, Mapping) and isinstance(ours, Mapping) else ours


def _unmasked(row: dict[str, Any], request: Upsert) -> dict[str, Any]:
    """Return the row with our tax number where it ends as theirs: QuickBooks shows the last five characters only."""
    ours, theirs = (records.text(where.get(TAX)) for where in (request.record, row))
    shown = theirs.lstrip("Xx*")
    masked = theirs != shown and len(shown) >= 4
    return {**row, TAX: ours} if ours and masked and ours.endswith(shown) else row


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _oauth2(settings: Json) -> OAuth2:
    return described(
        settings["oauth2"],
        Ways(
            token_url="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address
            authorize_url="https://appcenter.intuit.com/connect/oauth2",
            scope="com.intuit.quickbooks.accounting",
            client_auth="basic",
        ),
    )


def _open(config: Any, settings: Json, around: Around) -> QuickBooks:
    return QuickBooks(settings, around, tokens_of(_oauth2(settings), config.name, settings, around))


KIND = Kind(
    label="QuickBooks Online",
    schema=QuickBooksSettings(),
    open=_open,
    oauth2=_oauth2,
    batch_size=1,
    match="e-mail; when the name is taken, the id in Notes and the phone too, for QuickBooks finds nobody by these",
    upsert="looks up, then creates or updates (sparse)",
    limits="500 a minute, 10 at once; paced at 450 and 8",
    auth="OAuth2: `connector targets connect`",
    proved="vendor's documents",
    twice="never while the mapping keeps the id in Notes: a DisplayName is taken once, a repeated requestid makes nothing",
)

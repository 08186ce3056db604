"""QuickBooks Online (كويك بوكس): customers over its accounting API, version 3.

It takes a DisplayName once among customers, vendors and employees, finds customers by e-mail but not by phone, and has no
field for our id: the customer's id in Notes tells our own. A request with the same requestid is answered as the first was.
An update names the version (SyncToken) it was made for. Mistakes come as a Fault, now and then inside a 200.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connector.errors import Refused, Rejected, TargetError, Uncertain
from connector.models import Outcome, Upsert
from connector.targets import quickbooks_customer as customer
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.answers import Answer
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.http import Call, Ours, TokenSource
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Write, Written
from connector.targets.oauth2 import opening
from connector.targets.quickbooks_faults import PHONES, STALE, judge
from connector.targets.quickbooks_settings import PRODUCTION, SANDBOX, QuickBooksSettings, grant
from connector.targets.settings import fingerprint
from connector.targets.writing import upsert

PAGE = 100
PACE = (450, 60.0)  # QuickBooks allows 500 a minute to a company
ASKED = {"PrimaryEmailAddr.Address": "PrimaryEmailAddr"} | {
    name: name for name in ("DisplayName", "GivenName", "FamilyName", "CompanyName")
}

Json = Mapping[str, Any]


class QuickBooks(Account, Contacts):
    """Be the customers of one company."""

    kind = "quickbooks"
    batch_size = 1
    idempotent = True
    partial = True
    fetches = True
    name_field = "DisplayName"
    soft = frozenset(PHONES.values())

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        self._base: str = settings["base_url"] or (SANDBOX if settings["sandbox"] else PRODUCTION)
        version = (("minorversion", str(settings["minorversion"])),)
        way = line(settings, self._base, query=version, judge=judge, tokens=tokens)
        super().__init__(settings, around, way, pace=PACE)
        self._tokens, self._given, self._seen = tokens, settings["realm_id"], ""

    @property
    def account(self) -> str:
        """Return the company's fingerprint; ids of customers are small numbers, the same in every company."""
        with suppress(TargetError):
            self._realm()
        return fingerprint(self._base, self._given or self._seen)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - no list of fields
        """Ask for the company; writes nothing."""
        return Check.of(self._looked())

    def _looked(self) -> Iterator[Said]:
        data = self._call(Call("GET", f"/companyinfo/{self._realm()}", "/companyinfo/{realm}")).data
        name = records.text(records.look(data, "CompanyInfo.CompanyName")) or "the company"
        yield True, f"{self._http.host} answers and takes the tokens for {name}"

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to QuickBooks, once."""
        return [upsert(customer.fitted(request), self, run) for request in requests]

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
        names = ", ".join(customer.quoted(text) for text in (name, f"{name} (deleted)"))
        return self._query(f"DisplayName in ({names}) and Active in (true, false)", request).rows

    def owner(self, row: Row) -> str | None:
        """Return the customer whose id stands in Notes, as the shipped mapping writes it."""
        return customer.signed_by(row)

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
        whole = {name: customer.within(row.get(name), value) for name, value in fields.items()}
        which = {"Id": row["Id"], "SyncToken": row.get("SyncToken"), "sparse": True}
        return self._post({**whole, **which}, request, ours)

    def _post(self, payload: Json, request: Upsert, ours: Ours) -> Written:
        key = records.request_key(request.idempotency_key, payload)
        personal = records.texts(request.record)
        call = Call("POST", "/customer", "/customer", (("requestid", key),), payload, writes=True, personal=personal)
        answer = self._call(call, ours)
        stored = self._customer(call, answer, request)
        return Written(stored.remote_id, f"{answer.status}", stored.row, whole=True)

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        where = f"{ASKED[name]} = {customer.quoted(value)}"

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
        remote_id = records.identity(row.get("Id")) if isinstance(row, dict) else ""
        if not remote_id:
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a customer")
        return Found(remote_id, customer.unmasked(row, request))

    def _call(self, call: Call, *ours: Ours) -> Answer:
        company = f"/v3/company/{self._realm()}"
        return self._http.call(replace(call, path=company + call.path, shown="/v3/company/{realm}" + call.shown), *ours)

    def _realm(self) -> str:
        """Return the company's id: as the settings say it, else as it came along with the tokens. Raises TargetError."""
        self._seen = self._given or self._tokens.extra.get("realmId") or ""
        if not self._seen.isdecimal():
            raise Refused("it is not known which company of QuickBooks is meant; set realm_id, or connect again")
        return self._seen


def _record_url(settings: Mapping[str, Any], at: str) -> str:
    host = "app.sandbox.qbo.intuit.com" if settings["sandbox"] else "app.qbo.intuit.com"
    return f"https://{host}/app/customerdetail?nameId={at}"


KIND = Kind(
    label="QuickBooks Online",
    schema=QuickBooksSettings(),
    open=opening(QuickBooks, grant),
    oauth2=grant,
    batch_size=1,
    match="e-mail; when the name is taken, the id in Notes and the phone too, for QuickBooks finds nobody by these",
    upsert="looks up, then creates or updates (sparse)",
    limits="500 a minute, 10 at once; paced at 450 and 8",
    auth="OAuth2: `connector targets connect`",
    proved="vendor's documents",
    twice="never while the mapping keeps the id in Notes: a DisplayName is taken once, a repeated requestid makes nothing",
    record_url=_record_url,
)

"""Zoho CRM: contacts over its API v8, a hundred in one request, each known again by a field that takes no value twice.

Facts: https://www.zoho.com/crm/developer/docs/api/v8 and Zoho's own OpenAPI. What is wrong with a contact stands in a
good answer, beside those that went well. The search lags behind what is stored, so contacts are asked for by COQL,
which reads the records themselves and compares a phone as text: it is asked for in every usual spelling.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.config_fields import Flag, Text
from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import batches, records, zoho, zoho_fields
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.batches import Ask, Batches
from connector.targets.grants import OAuth2
from connector.targets.http import Call, Http, Ours, TokenSource
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.oauth2 import tokens_of
from connector.targets.pace import opened
from connector.targets.settings import fingerprint
from connector.targets.zoho_coql import COLUMNS, MOST, parts, select

Json = Mapping[str, Any]

BATCH = 100
PACE = (300, 60.0)  # Zoho CRM limits what runs at once (5 for the smallest edition) and the credits of 24 hours
CREDITS, CROWDED = 3600.0, 5.0  # seconds: credits come back little by little
SCOPE = "ZohoCRM.modules.contacts.ALL,ZohoCRM.coql.READ,ZohoCRM.settings.fields.READ,ZohoCRM.settings.fields.CREATE"
CONTACTS, NOBODY = "/Contacts", "flavours-connector-check"
_PASSING = {"RECORD_LOCKED", "INTERNAL_ERROR"}
_ADDRESS = {"INVALID_URL_PATTERN", "INVALID_MODULE"}
_TOKEN = {"INVALID_TOKEN", "AUTHENTICATION_FAILURE"}


class ZohoCrmSettings(zoho.ZohoSettings):
    """Be the settings of a Zoho CRM target."""

    unique_field = Text(
        load_default="Flavours_Id",
        metadata={"help": "the contacts' field without duplicate values that holds the customer's id (Flavours_Id)"},
    )
    workflows = Flag(
        load_default=False, metadata={"help": "true: what comes from Flavours sets off Zoho's workflows, too (false)"}
    )


class ZohoCrm(Batches):
    """Be one organization in Zoho CRM."""

    kind = "zoho_crm"
    batch_size = BATCH
    idempotent = True
    partial = True
    soft = frozenset(
        {"Asst_Phone", "Date_of_Birth", "Email", "Fax", "Home_Phone", "Lead_Source", "Mailing_Country", "Mobile"}
        | {"Other_Phone", "Phone", "Salutation", "Secondary_Email"}
    )

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        line = zoho.line(settings, "/crm/v8", self._judge, tokens)
        self._clock = around.clock
        self._http = Http(line, opened(settings["pace"] or PACE, around), around.clock)
        self._key = self.customer_field = settings["unique_field"]
        self._quiet: Json = {} if settings["workflows"] else {"trigger": []}
        self.account = fingerprint(line.base_url, settings["oauth2"]["client_id"])
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Zoho CRM, once."""
        return batches.upsert_many([records.signed(request, self._key) for request in requests], self, run)

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Ask by our field, then by the mapping's."""
        match = [(name, value) for name, value in request.match if name != self._key and "." not in name]
        return [self._ask(self._key, request.customer), *(self._ask(n, v, n in request.phones) for n, v in match)]

    def _ask(self, name: str, value: str, phone: bool = False) -> Ask:
        values = spellings(value) if phone else tuple(dict.fromkeys((value, value.casefold())))
        return Ask(name, (value,) if name == self._key else values, batches.matches(name, value, phone=phone))

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts that have one of the values in the field."""
        pages = [self._with(name, part, requests) for part in parts(values, MOST)]
        return Page([found for page in pages for found in page.rows], last=all(page.last for page in pages))

    def _with(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        rows, more = self._rows([self._query(columns, name, values, requests) for columns in self._columns(requests)])
        if not more or len(values) == 1:
            return Page(rows, last=not more)
        # More contacts than an answer holds share these values: fewer values, fewer contacts.
        half = len(values) // 2
        first, second = (self._with(name, part, requests) for part in (values[:half], values[half:]))
        return Page([*first.rows, *second.rows], last=first.last and second.last)

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids; what is no number is no id of Zoho's."""
        ids = ",".join(remote_id for remote_id in remote_ids if remote_id.isdecimal() and remote_id.isascii())
        fields = self._columns(requests) if ids else ()
        query = [(("ids", ids), ("fields", ",".join(columns))) for columns in fields]
        calls = [
            Call("GET", CONTACTS, CONTACTS, each, needs_json=False, personal=batches.personal(requests))
            for each in query
        ]
        return {found.remote_id: found for found in self._rows(calls)[0]}

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Make or update the contacts; a new one by our field, so that Zoho CRM has it once."""
        new = writes[0].remote_id is None
        data = [{**write.fields} if new else {**write.fields, "id": write.remote_id} for write in writes]
        payload = {"data": data, **({"duplicate_check_fields": [self._key]} if new else {}), **self._quiet}
        method, path = ("POST", f"{CONTACTS}/upsert") if new else ("PUT", CONTACTS)
        personal = batches.personal([write.request for write in writes])
        call = Call(method, path, path, payload=payload, writes=True, personal=personal)
        answer = self._http.call(call, ours)
        items = records.look(answer.data, "data")
        if not isinstance(items, list) or len(items) != len(writes):
            raise Uncertain(f"{self._http.shown(call)} answered {answer.status} without a word on each contact")
        return [self._came_to(item, new, answer, self._http.shown(call)) for item in items]

    def _came_to(self, item: Any, new: bool, answer: Answer, shown: str) -> Written | TargetError:
        """Return what an item of the answer says of its contact."""
        remote_id = records.text(records.look(item, "details.id"))
        if records.look(item, "status") == "success" and remote_id:
            known = new and item.get("action") == "update"
            said = (f"Zoho CRM knew this customer already by {self._key}: the whole record was written over it",)
            created = not known if new else None
            return Written(remote_id, f"{answer.status}", created=created, warnings=said if known else ())
        if records.look(item, "status") != "error":
            return Uncertain(f"{shown} answered {answer.status} without a word on this contact")
        words = answer.hide(records.text(item.get("message")))
        return _meaning(item, f"{shown} answered {answer.status}: {words}{_about(item)}", answer.status, new=new)

    def _columns(self, requests: Sequence[Upsert]) -> Sequence[Sequence[str]]:
        names = {name for request in requests for name in (*request.record, *(field for field, _ in request.match))}
        top = {name.partition(".")[0].partition("[")[0] for name in names | {self._key}}
        return list(parts(sorted(top), COLUMNS))

    def _query(self, columns: Sequence[str], name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Call:
        question = {"select_query": select(columns, name, values)}
        return Call(
            "POST",
            "/coql",
            "/coql",
            payload=question,
            needs_json=False,
            personal=(*batches.personal(requests), *values),
        )

    def _rows(self, calls: Sequence[Call]) -> tuple[list[Found], bool]:
        """Ask for some columns at a time; return the contacts with all of them, and whether there are more contacts."""
        rows: dict[str, dict[str, Any]] = {}
        more = False
        for call in calls:
            answer = self._http.call(call)
            for row in self._listed(answer, call):
                rows.setdefault(records.text(row["id"]), {}).update(row)
            more |= records.look(answer.data, "info.more_records") is True
        return [Found(remote_id, row) for remote_id, row in rows.items()], more

    def _listed(self, answer: Answer, call: Call) -> list[dict[str, Any]]:
        rows = [] if answer.status == 204 else records.look(answer.data, "data")
        if not isinstance(rows, list) or not all(records.text(records.look(row, "id")) for row in rows):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return rows

    def _judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        data = answer.data if isinstance(answer.data, dict) else {}
        if isinstance(data.get("data"), list) and (answer.status < 300 or answer.status == 400):
            return None  # what is wrong with some contacts stands there beside those that went well
        error, code = verdict(answer, asked, now), data.get("code")
        if isinstance(error, Busy) and error.retry_after is None:
            return Busy(str(error), _wait(answer, records.text(data.get("message"))))
        if code == "OAUTH_SCOPE_MISMATCH":
            return Refused(f"{error}; the access needs the scopes {SCOPE}: connect it anew with them")
        if code in _TOKEN:
            return Refused(f"{error}; {zoho.WHERE}", expired=True)
        if code in _ADDRESS:
            return Refused(f"{error} ({code}); is base_url right?")
        return _meaning(data, f"{error}{_about(data)}", error.status) if isinstance(error, Rejected) else error

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look at our field, at the mapping's, and at what the token may do; writes nothing unless told to `fix`."""
        wanted = [name.partition(".")[0].partition("[")[0] for name in fields]
        try:
            said = zoho_fields.looked(self._http, self._key, wanted, fix=fix)
            if all(ok for ok, _ in said):  # COQL has a scope of its own
                self._rows([self._query((self._key,), self._key, (NOBODY,), ())])
                said.append((True, "the token may look contacts up"))
            return Check.of(said)
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))


def _about(item: Json) -> str:
    names = ("api_name", "expected_data_type", "maximum_length", "column_name")
    told = [text for name in names if (text := records.text(records.look(item, f"details.{name}")))]
    return f" ({', '.join((records.text(item.get('code')), *told))})"


def _meaning(item: Json, what: str, status: int, *, new: bool = True) -> TargetError:
    """Return what it means that Zoho CRM says this about a contact."""
    code, field = records.text(item.get("code")), records.text(records.look(item, "details.api_name"))
    if code == "DUPLICATE_DATA":
        there = records.look(item, "details.duplicate_record.id") or records.look(item, "details.id")
        return AlreadyThere(what, records.text(there) or None, status=status)
    if code == "INVALID_DATA" and field == "id" and not new:
        return Rejected(what, status=404)
    if code in _PASSING:
        return Uncertain(what)
    return Rejected(what, fields=(field,) if field else (), status=status)


def _wait(answer: Answer, said: str) -> float | None:
    if "credit" in said.casefold() or answer.headers.get("X-API-CREDITS-REMAINING") == "0":
        return CREDITS
    return CROWDED if "concurrency" in said.casefold() else None


def _oauth2(settings: Json) -> OAuth2:
    return zoho.credentials(settings, SCOPE)


KIND = Kind(
    label="Zoho CRM",
    schema=ZohoCrmSettings(),
    asks=("region",),
    open=lambda config, settings, around: ZohoCrm(
        settings, around, tokens_of(_oauth2(settings), config.name, settings, around)
    ),
    batch_size=BATCH,
    match="`unique_field`, then the mapping's match list: any field, phones in every usual spelling",
    upsert="reads, then upserts by `unique_field`",
    limits="credits in 24 hours, and so many requests at once; paced at 300 a minute",
    auth="OAuth2: `connector targets connect`, or a refresh token",
    proved="vendor's documents",
    twice="never: `unique_field` takes a value only once",
    oauth2=_oauth2,
)

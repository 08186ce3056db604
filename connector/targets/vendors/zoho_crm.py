"""Zoho CRM: contacts over its API v8, a hundred in one request, each known again by a field that takes no value twice.

Facts: https://www.zoho.com/crm/developer/docs/api/v8 and Zoho's own OpenAPI. What is wrong with a contact stands in a
good answer, beside those that went well. The search lags behind what is stored, so contacts are asked for by COQL,
which reads the records themselves and compares a phone as text: it is asked for in every usual spelling.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connector.config_fields import Flag, Text
from connector.errors import TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import batches, records, zoho, zoho_fields
from connector.targets.account import Account, line
from connector.targets.answers import Answer
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.batches import Ask, Batches
from connector.targets.grants import OAuth2
from connector.targets.http import Call, Ours, TokenSource
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.oauth2 import opening
from connector.targets.zoho_coql import COLUMNS, MOST, parts, select
from connector.targets.zoho_crm_codes import SCOPE, about, judge, meaning

Json = Mapping[str, Any]

BATCH = 100
PACE = (300, 60.0)  # Zoho CRM limits what runs at once (5 for the smallest edition) and the credits of 24 hours
CONTACTS, NOBODY = "/Contacts", "flavours-connector-check"


class ZohoCrmSettings(zoho.ZohoSettings):
    """Be the settings of a Zoho CRM target."""

    unique_field = Text(
        load_default="Flavours_Id",
        metadata={"help": "the contacts' field without duplicate values that holds the customer's id (Flavours_Id)"},
    )
    workflows = Flag(
        load_default=False, metadata={"help": "true: what comes from Flavours sets off Zoho's workflows, too (false)"}
    )


class ZohoCrm(Account, Batches):
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
        base_url = zoho.base_url(settings, "/crm/v8")
        way = line(settings, base_url, judge=judge, tokens=tokens)
        super().__init__(settings, around, way, base_url, settings["oauth2"]["client_id"], pace=PACE)
        self._key = self.customer_field = settings["unique_field"]
        self._quiet: Json = {} if settings["workflows"] else {"trigger": []}

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
        remote_id = records.identity(records.look(item, "details.id"))
        if records.look(item, "status") == "success" and remote_id:
            known = new and item.get("action") == "update"
            said = (f"Zoho CRM knew this customer already by {self._key}: the whole record was written over it",)
            created = not known if new else None
            return Written(remote_id, f"{answer.status}", created=created, warnings=said if known else ())
        if records.look(item, "status") != "error":
            return Uncertain(f"{shown} answered {answer.status} without a word on this contact")
        words = answer.hide(records.text(item.get("message")))
        return meaning(item, f"{shown} answered {answer.status}: {words}{about(item)}", answer.status, new=new)

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
                rows.setdefault(records.identity(row["id"]), {}).update(row)
            more |= records.look(answer.data, "info.more_records") is True
        return [Found(remote_id, row) for remote_id, row in rows.items()], more

    def _listed(self, answer: Answer, call: Call) -> list[dict[str, Any]]:
        rows = [] if answer.status == 204 else records.look(answer.data, "data")
        if not isinstance(rows, list) or not all(records.identity(records.look(row, "id")) for row in rows):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return rows

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look at our field, at the mapping's, and at what the token may do; writes nothing unless told to `fix`."""
        wanted = [name.partition(".")[0].partition("[")[0] for name in fields]
        return Check.of(self._looked(wanted, fix=fix))

    def _looked(self, wanted: Sequence[str], *, fix: bool) -> Iterator[Said]:
        said = zoho_fields.looked(self._http, self._key, wanted, fix=fix)
        yield from said
        if all(ok for ok, _ in said):  # COQL has a scope of its own
            self._rows([self._query((self._key,), self._key, (NOBODY,), ())])
            yield True, "the token may look contacts up"


def _oauth2(settings: Json) -> OAuth2:
    return zoho.credentials(settings, SCOPE)


def _record_url(settings: Json, at: str) -> str | None:
    site = zoho.site(settings)
    return f"https://crm.{site}/crm/tab/Contacts/{at}" if site else None


KIND = Kind(
    label="Zoho CRM",
    schema=ZohoCrmSettings(),
    asks=("region",),
    open=opening(ZohoCrm, _oauth2),
    batch_size=BATCH,
    match="`unique_field`, then the mapping's match list: any field, phones in every usual spelling",
    upsert="reads, then upserts by `unique_field`",
    limits="credits in 24 hours, and so many requests at once; paced at 300 a minute",
    auth="OAuth2: `connector targets connect`, or a refresh token",
    proved="vendor's documents",
    twice="never: `unique_field` takes a value only once",
    oauth2=_oauth2,
    record_url=_record_url,
)

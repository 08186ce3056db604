"""HubSpot: contacts, a hundred in one request, each known again by a property of its own that takes a value only once.

Facts: https://developers.hubspot.com/docs/api-reference. A contact is found by that property and by e-mail, which read
what is stored; the search lags behind by many seconds and compares phones as text, so phones are not asked for. An id
of ours with each input (objectWriteTraceId) makes HubSpot answer for each contact apart; without it one bad contact
spoils the batch.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from connector.config_fields import Text, matches
from connector.errors import Rejected, TargetError, Uncertain
from connector.models import Delivered, Outcome, Upsert
from connector.targets import batches, records
from connector.targets.account import Account, line
from connector.targets.answers import Answer, Asked
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.batches import Ask, Batches
from connector.targets.http import Call, Ours
from connector.targets.hubspot_errors import Errors
from connector.targets.hubspot_properties import Properties
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.settings import HttpSettings, address, secret, time_zone

BATCH = 100
PACE = (90, 10.0)  # HubSpot allows 100 in 10 s to a private app of the smallest account
OTHER_EMAILS = "hs_additional_emails"

Json = Mapping[str, Any]


class HubSpotSettings(HttpSettings):
    """Be the settings of a HubSpot target."""

    base_url = Text(
        load_default="https://api.hubapi.com", validate=address, metadata={"help": "https://api.hubapi.com"}
    )
    token = secret("of a private app, with crm.objects.contacts.read and .write", required=True)
    version = Text(
        load_default="2026-03",
        validate=matches(re.compile(r"v3|20\d\d-\d\d"), "must be v3, or a date as in 2026-03"),
        metadata={"help": "of HubSpot's API (2026-03)"},
    )
    unique_property = Text(
        load_default="flavours_customer_id",
        validate=matches(re.compile(r"[a-z][a-z0-9_]{0,99}"), "must be the internal name of a property"),
        metadata={"help": "the contact property with unique values that holds the Flavours customer's id"},
    )
    time_zone = Text(
        load_default="Asia/Riyadh",
        validate=time_zone,
        metadata={"help": "of the HubSpot account, whose daily limit renews at midnight (Asia/Riyadh)"},
    )


class HubSpot(Account, Batches):
    """Be one HubSpot account."""

    kind = "hubspot"
    batch_size = BATCH
    idempotent = True
    partial = True
    soft = frozenset({"country", "email", "hs_language", "mobilephone", "phone"})

    def __init__(self, settings: Json, around: Around) -> None:
        token, version = settings["token"], settings["version"]
        self._key = self.customer_field = settings["unique_property"]
        self._errors = Errors(self._key, ZoneInfo(settings["time_zone"]))
        headers = {"Authorization": f"Bearer {token}"}
        way = line(settings, headers=headers, secrets=(token,), judge=self._errors.judge)
        super().__init__(settings, around, way, settings["base_url"], token, pace=PACE)
        self._contacts = "/crm/v3/objects/contacts" if version == "v3" else f"/crm/objects/{version}/contacts"

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to HubSpot, once."""
        outcomes = batches.upsert_many([self._prepared(request) for request in requests], self, run)
        return [self._told(request, outcome) for request, outcome in zip(requests, outcomes, strict=True)]

    def _prepared(self, request: Upsert) -> Upsert:
        """Write values as HubSpot has them, texts all; a lifecycle stage that is there only moves on by itself."""
        texts = {name: _text(value) for name, value in records.leaves(request.record)}
        stage = ("lifecyclestage",) if "lifecyclestage" in texts else ()
        return records.signed(replace(request, record=texts, fill_if_empty=(*request.fill_if_empty, *stage)), self._key)

    def _told(self, request: Upsert, outcome: Outcome) -> Outcome:
        """Say by which match values a new contact was not looked up: never silent."""
        if not isinstance(outcome, Delivered) or outcome.how != "created" or request.create_anyway:
            return outcome
        unasked = [name for name, _ in request.match if name not in {self._key, "email"}]
        said = tuple(f"{name}: not looked up by it; HubSpot finds by {self._key} and e-mail alone" for name in unasked)
        return replace(outcome, warnings=(*outcome.warnings, *said))

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Ask by our property, then by e-mail."""
        own = Ask(self._key, (request.customer,), batches.matches(self._key, request.customer))
        email = dict(request.match).get("email")
        return [own, Ask("email", (email.casefold(),), _has_email(email))] if email else [own]

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts with these values of a property that takes a value only once."""
        return Page(self._read(values, requests, name), last=True)

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids."""
        return {found.remote_id: found for found in self._read(remote_ids, requests)}

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Make or update the contacts; a new one by our property, so that HubSpot has it once."""
        new = writes[0].remote_id is None
        inputs = [self._input(number, write) for number, write in enumerate(writes)]
        requests = [write.request for write in writes]
        call = self._call("upsert" if new else "update", {"inputs": inputs}, requests, writes=True)
        answer = self._http.call(call, ours)
        given: dict[int, Written | TargetError] = {}
        for row in self._rows(answer, call):
            own = row["properties"].get(self._key) if new else row["id"]
            written = Written(row["id"], f"{answer.status}", row["properties"], created=row.get("new") if new else None)
            given |= dict.fromkeys(_numbers(row, inputs, own), written)
        for item in records.rows(answer.data.get("errors")):
            error = self._error(item, answer, call)
            numbers = _numbers(item, inputs)
            if not numbers:  # nobody knows whose it is: each alone, or what the one of a batch of one came to
                raise error
            given |= dict.fromkeys(numbers, error)
        silent = Uncertain(f"{self._http.shown(call)} answered without a word on this contact")
        return [given.get(number, silent) for number in range(len(writes))]

    def _input(self, number: int, write: Write) -> dict[str, Any]:
        which = {"id": write.remote_id} if write.remote_id else {"id": write.request.customer, "idProperty": self._key}
        return which | {"properties": dict(write.fields), "objectWriteTraceId": str(number)}

    def _read(self, ids: Sequence[str], requests: Sequence[Upsert], key: str | None = None) -> list[Found]:
        names = {name for request in requests for name in (*request.record, *(field for field, _ in request.match))}
        which = {"idProperty": key} if key else {}
        inputs = [{"id": remote_id} for remote_id in ids]
        payload = which | {"properties": sorted(names | {"email", OTHER_EMAILS, self._key}), "inputs": inputs}
        call = self._call("read", payload, requests)
        answer = self._http.call(call)
        found = [Found(row["id"], row["properties"]) for row in self._rows(answer, call)]
        for item in records.rows(answer.data.get("errors")):
            if item.get("category") != "OBJECT_NOT_FOUND":
                raise self._error(item, answer, call)
        return found

    def _call(self, verb: str, payload: Json, requests: Sequence[Upsert], *, writes: bool = False) -> Call:
        path = f"{self._contacts}/batch/{verb}"
        return Call("POST", path, path, payload=payload, writes=writes, personal=batches.personal(requests))

    def _rows(self, answer: Answer, call: Call) -> list[dict[str, Any]]:
        """Return the contacts that an answer holds, each with its id and its properties."""
        rows = answer.data.get("results") if isinstance(answer.data, dict) else None
        found = [row | {"id": records.identity(row.get("id"))} for row in records.rows(rows)]
        if not isinstance(rows, list) or len(found) < len(rows) or not all(map(_is_contact, found)):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return found

    def _error(self, item: Json, answer: Answer, call: Call) -> TargetError:
        asked = Asked(self._http.shown(call), call.writes, answer.hide)
        return self._errors.one(item, answer, asked, self._clock.now())

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look at our property, at the mapping's, and at what the token may do; writes nothing unless told to `fix`."""
        return Check.of(self._looked(fields, fix=fix))

    def _looked(self, fields: Collection[str], *, fix: bool) -> Iterator[Said]:
        said = list(Properties(self._http, self._key, self._errors.cure).looked(fields, fix=fix))
        yield True, f"{self._http.host} answers and takes the token"
        yield from said
        if all(ok for ok, _ in said):
            yield from self._allowed()

    def _allowed(self) -> list[Said]:
        """Read somebody who cannot be there, and update nobody: the first asks for the one scope, the second for the other."""
        self._read(["flavours-connector-check"], (), self._key)
        with suppress(Rejected):  # nobody is too few; but whether the token may ask is looked at before that
            self._http.call(self._call("update", {"inputs": []}, ()))
        return [(True, "the token may read and write contacts")]


def _text(value: Any) -> str:
    return ";".join(map(records.text, value)) if isinstance(value, list) else records.text(value)


def _has_email(email: str) -> Callable[[Json], bool]:
    """Return the check that a contact has the e-mail, be it as a second one."""
    return lambda row: any(records.same(email, one) for one in (row.get("email"), *_others(row)))


def _others(row: Json) -> list[str]:
    return records.text(row.get(OTHER_EMAILS)).split(";")


def _is_contact(row: Json) -> bool:
    return bool(row["id"]) and isinstance(row.get("properties"), dict)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _numbers(item: Json, inputs: Sequence[Json], own: Any = None) -> list[int]:
    """Return which inputs an item of the answer speaks of: by the ids we gave with them, else by what they ask for."""
    traces = _list(item.get("objectWriteTraceId") or records.look(item, "context.objectWriteTraceId"))
    ids = [own, *_list(records.look(item, "context.ids"))]
    numbers = [number for number, one in enumerate(inputs) if one["objectWriteTraceId"] in traces]
    return numbers or [number for number, one in enumerate(inputs) if one["id"] in ids]


KIND = Kind(
    label="HubSpot",
    schema=HubSpotSettings(),
    open=lambda _config, settings, around: HubSpot(settings, around),
    batch_size=BATCH,
    match="`unique_property`, then e-mail, second e-mails too; never phone: HubSpot's search lags behind",
    upsert="reads, then upserts by `unique_property`",
    limits="100 in 10 s (and by day); paced at 90",
    auth="token of a private app",
    proved="vendor's documents",
    twice="never: `unique_property` takes a value only once",
)

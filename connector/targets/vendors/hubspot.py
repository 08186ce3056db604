"""HubSpot: contacts, a hundred in one request, each known again by a property of its own that takes a value only once.

Facts: https://developers.hubspot.com/docs/api-reference. A contact is found by that property and by e-mail, which read
what is stored; the search lags behind by many seconds and compares phones as text, so phones are not asked for. An id
of ours with each input (objectWriteTraceId) makes HubSpot answer for each contact apart; without it one bad contact
spoils the batch.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector.config_fields import Text, matches
from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.models import Delivered, Outcome, Upsert
from connector.targets import batches, records
from connector.targets.answers import Answer, Asked, answered, retry_after, verdict
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.batches import Ask, Batches
from connector.targets.http import Call, Http, Line, Ours
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.pace import opened
from connector.targets.settings import HttpSettings, address, fingerprint, secret, time_zone

BATCH = 100
PACE = (90, 10.0)  # HubSpot allows 100 in 10 s to a private app of the smallest account
PROPERTIES = "/crm/v3/properties/contacts"
SECONDS = 10.0  # the rolling limit; a 429 says no time to wait
LOCKED = 2.0
OURS = ("tax_number", "crn")  # beside flavours_…, what `check --fix` makes: properties that only the mapping knows
OTHER_EMAILS = "hs_additional_emails"
_STATUS = {"CONFLICT": 409, "OBJECT_NOT_FOUND": 404, "MISSING_SCOPES": 403, "RATE_LIMITS": 429}
_EXISTING = re.compile(r"Existing ID: (\d+)")
_LISTED = re.compile(r"\[\{.*\}\]", re.DOTALL)
_NO_KEY = re.compile(r"non-unique|does ?n[o']t exist", re.IGNORECASE)
_SCOPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")

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


class HubSpot(Batches):
    """Be one HubSpot account."""

    kind = "hubspot"
    batch_size = BATCH
    idempotent = True
    partial = True
    soft = frozenset({"country", "email", "hs_language", "mobilephone", "phone"})

    def __init__(self, settings: Json, around: Around) -> None:
        token, base_url, version = settings["token"], settings["base_url"], settings["version"]
        line = Line(
            base_url,
            settings["timeout"],
            headers={"Authorization": f"Bearer {token}"},
            secrets=(token,),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=self._judge,
        )
        self._clock = around.clock
        self._http = Http(line, opened(settings["pace"] or PACE, around), around.clock)
        self._contacts = "/crm/v3/objects/contacts" if version == "v3" else f"/crm/objects/{version}/contacts"
        self._key = self.customer_field = settings["unique_property"]
        self._zone = ZoneInfo(settings["time_zone"])
        self.account = fingerprint(base_url, token)
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

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
            written = Written(row["id"], f"{answer.status}", row["properties"], created=row.get("new") is True)
            given |= dict.fromkeys(_numbers(row, inputs, own), written)
        for item in _dicts(answer.data.get("errors")):
            error = self._error(item, answer, call)
            numbers = _numbers(item, inputs)
            if not numbers:  # nobody knows whose it is: each alone, or what the one of a batch of one came to
                raise error
            given |= dict.fromkeys(numbers, error)
        silent = Uncertain(f"{self._shown(call)} answered without a word on this contact")
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
        for item in _dicts(answer.data.get("errors")):
            if item.get("category") != "OBJECT_NOT_FOUND":
                raise self._error(item, answer, call)
        return found

    def _call(self, verb: str, payload: Json, requests: Sequence[Upsert], *, writes: bool = False) -> Call:
        path = f"{self._contacts}/batch/{verb}"
        personal = [text for request in requests for text in records.texts(request.record)]
        return Call("POST", path, path, payload=payload, writes=writes, personal=personal)

    def _rows(self, answer: Answer, call: Call) -> list[dict[str, Any]]:
        """Return the contacts that an answer holds, each with its id and its properties."""
        rows = answer.data.get("results") if isinstance(answer.data, dict) else None
        if not isinstance(rows, list) or not all(isinstance(records.look(row, "properties"), dict) for row in rows):
            raise Uncertain(f"{self._shown(call)} answered with something that is not a list of contacts")
        return [row | {"id": records.text(row.get("id"))} for row in rows]

    def _shown(self, call: Call) -> str:
        return f"{call.method} {self._http.host}{call.shown}"

    def _error(self, item: Json, answer: Answer, call: Call) -> TargetError:
        """Return what it means that HubSpot says this about one contact."""
        status = _STATUS.get(str(item.get("category")), 400)
        asked = Asked(self._shown(call), call.writes, answer.hide)
        one = Answer(status, {}, b"", is_json=True, data=item)
        return self._judge(one, asked, self._clock.now()) or Uncertain(f"{asked.shown} answered {answer.status}")

    def _judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        data = answer.data if isinstance(answer.data, dict) else {}
        if answer.status < 300 and isinstance(data.get("results"), list):
            return None  # what is wrong with some contacts stands there beside those that went well
        error = verdict(answer, asked, now)
        if answer.status in (423, 477):
            return Busy(str(error), retry_after(answer.headers.get("Retry-After"), now) or LOCKED)
        if isinstance(error, Busy) and error.retry_after is None:
            return Busy(str(error), self._renewed_in(data, now))
        if isinstance(error, Refused) and (
            scopes := _SCOPE.findall(str([one.get("context") for one in (data, *_dicts(data.get("errors")))]))
        ):
            return Refused(f"{error}; the private app needs the scope {' or '.join(dict.fromkeys(scopes))}")
        return self._rejected(error, data, asked) if isinstance(error, Rejected) else error

    def _renewed_in(self, data: Json, now: datetime) -> float | None:
        """Return the seconds until the limit that was reached lets the next request through."""
        policy = f"{data.get('policyName')} {data.get('message')}".upper()
        if "DAILY" not in policy:
            return SECONDS if "SECONDLY" in policy else None
        tomorrow = now.astimezone(self._zone).date() + timedelta(days=1)
        return (datetime.combine(tomorrow, time(), self._zone).astimezone(UTC) - now).total_seconds()

    def _rejected(self, error: Rejected, data: Json, asked: Asked) -> TargetError:
        """Return what HubSpot has against the data: the property where it names one, the contact that is there."""
        message, wrong = str(data.get("message")), _wrong(data)
        if self._key in message and _NO_KEY.search(message):
            return Refused(f"{error}; {self._cure}")
        if error.status == 409:
            there = _EXISTING.search(message)
            return AlreadyThere(str(error), there[1] if there else None, status=409)
        said = "; ".join(dict.fromkeys(text for _, _, text in wrong if text))
        text = f"{asked.shown} answered {error.status}: {asked.hide(said)}" if said else str(error)
        names = tuple(dict.fromkeys(name for name, _, _ in wrong if name))
        return Rejected(
            text, fields=names, status=error.status, soft={code for _, code, _ in wrong} == {"INVALID_OPTION"}
        )

    @property
    def _cure(self) -> str:
        return f"there must be a contact property {self._key} with unique values: connector targets check NAME --fix makes it"

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look at our property, at the mapping's, and at what the token may do; writes nothing unless told to `fix`."""
        try:
            there = self._properties()
            said = [(True, f"{self._http.host} answers and takes the token"), self._unique(there, fix=fix)]
            said += [self._field(there, name, fix=fix) for name in fields if name != self._key]
            return Check.of([*said, *self._allowed()] if all(ok for ok, _ in said) else said)
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))

    def _properties(self) -> dict[str, Json]:
        call = Call("GET", PROPERTIES, PROPERTIES)
        data = self._http.call(call).data
        listed = data.get("results") if isinstance(data, dict) else None
        if not isinstance(listed, list):
            raise Uncertain(f"{self._shown(call)} answered with something that is not a list of properties")
        return {str(one.get("name")): one for one in _dicts(listed)}

    def _unique(self, there: Mapping[str, Json], *, fix: bool) -> Said:
        mine = there.get(self._key)
        if mine is None:
            return self._made(self._key, unique=True) if fix else (False, self._cure)
        if mine.get("hasUniqueValue") is True:
            return True, f"{self._key} is there, and takes a value only once"
        return (
            False,
            f"{self._key} is there without unique values, which HubSpot never adds: name another one in unique_property",
        )

    def _field(self, there: Mapping[str, Json], name: str, *, fix: bool) -> Said:
        if name in there:
            fixed = records.look(there[name], "modificationMetadata.readOnlyValue") is True
            return (
                not fixed,
                f"{name} is filled by HubSpot itself: take it out of the mapping" if fixed else f"{name} is there",
            )
        ours = name.startswith("flavours_") or name in OURS
        if fix and ours:
            return self._made(name, unique=False)
        cure = "make it by `connector targets check NAME --fix`, or" if ours else "make it there, or"
        return False, f"there is no contact property {name}: {cure} take it out of the mapping"

    def _made(self, name: str, *, unique: bool) -> Said:
        kind = {"groupName": "contactinformation", "type": "string", "fieldType": "text", "hasUniqueValue": unique}
        label = name.replace("_", " ").capitalize()
        try:
            self._http.call(Call("POST", PROPERTIES, PROPERTIES, payload={"name": name, "label": label, **kind}))
        except TargetError as error:
            return False, f"the contact property {name} could not be made: {error}"
        return True, f"the contact property {name} was made"

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


def _dicts(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _numbers(item: Json, inputs: Sequence[Json], own: Any = None) -> list[int]:
    """Return which inputs an item of the answer speaks of: by the ids we gave with them, else by what they ask for."""
    traces = _list(item.get("objectWriteTraceId") or records.look(item, "context.objectWriteTraceId"))
    ids = [own, *_list(records.look(item, "context.ids"))]
    numbers = [number for number, one in enumerate(inputs) if one["objectWriteTraceId"] in traces]
    return numbers or [number for number, one in enumerate(inputs) if one["id"] in ids]


def _wrong(data: Json) -> list[tuple[str, str, str]]:
    """Return (property, code, sentence) of each thing that is wrong; HubSpot also writes them as JSON into its sentence."""
    inside = _LISTED.search(str(data.get("message")))
    items = [*_dicts(answered(200, {}, inside[0].encode()).data if inside else None), *_dicts(data.get("errors"))]
    return [
        (_property(item), str(item.get("error") or item.get("code")), records.text(item.get("message")))
        for item in items
    ]


def _property(item: Json) -> str:
    named = records.look(item, "context.propertyName.0") or item.get("name") or item.get("in")
    return records.text(named)


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

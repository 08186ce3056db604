"""Salesforce: contacts, two hundred in one request, each known again by an external id field.

Facts: https://developer.salesforce.com/docs/platform/api-rest/guide. New contacts are upserted by that field, those
that are there are updated by their id, and each has an answer of its own (sObject Collections). Whether one is there is
asked by SOQL, for what is stored; the organisation's own duplicate rules have a word, too.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from marshmallow import ValidationError, post_load, validate, validates_schema

from connector.config import TargetConfig
from connector.config_fields import Seconds, Text, matches
from connector.errors import AlreadyThere, Busy, Refused, Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import batches, records
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.batches import Ask, Batches
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.http import Call, Http, Line, Ours, TokenSource
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.oauth2 import tokens_of
from connector.targets.oauth2_settings import oauth2
from connector.targets.pace import opened
from connector.targets.settings import HttpSettings, address, fingerprint

BATCH = 200
MOST_PAGES = 20
LONGEST = 10_000  # characters of values in one query, for an address may have 16,384
RENEWED = 1800.0  # the day's requests come back bit by bit, for the limit is a rolling one
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_FIELD = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*", re.ASCII)
_AGAIN = frozenset({"QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW"})
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_THERE = frozenset({"DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID", "DUPLICATE_VALUE"})
_NO_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "NOT_FOUND"})
_NO_OPTION = {"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}
_WITH_ID = re.compile(r"with id: ([A-Za-z0-9]{15,18})")

Json = Mapping[str, Any]


class SalesforceSettings(HttpSettings):
    """Be the settings of a Salesforce target."""

    my_domain = Text(
        load_default=None,
        validate=matches(re.compile(r"[A-Za-z0-9-]+(\.[a-z]+)?"), "must be the name before .my.salesforce.com"),
        metadata={"help": "acme of https://acme.my.salesforce.com; a sandbox is acme--name.sandbox"},
    )
    base_url = Text(
        load_default=None, validate=address, metadata={"help": "in place of my_domain, for another address"}
    )
    oauth2 = oauth2("client_credentials", "jwt_bearer", required=True)
    timeout = Seconds(
        load_default=30.0,
        validate=validate.Range(0.05, 120.0, error="must be between 50ms and 2m"),
        metadata={"help": "how long one answer may take (30s: two hundred contacts pass many triggers)"},
    )
    version = Text(
        load_default="v68.0",
        validate=matches(re.compile(r"v\d{2,3}\.0"), "must be as v68.0"),
        metadata={"help": "of Salesforce's API (v68.0)"},
    )
    external_id_field = Text(
        load_default="Flavours_Id__c",
        validate=matches(
            re.compile(r"[A-Za-z]\w*__c"), "must be the API name of a field of yours, which ends with __c"
        ),
        metadata={"help": "the contact's field, Unique and External ID, that holds the Flavours customer's id"},
    )
    on_duplicate_rule = Text(
        load_default="update_match",
        validate=validate.OneOf(("hold", "allow_save", "update_match"), error="must be one of: {choices}"),
        metadata={"help": "when a duplicate rule of yours finds a contact alike: hold, allow_save or update_match"},
    )

    @validates_schema(skip_on_field_errors=True)
    def addressed(self, data: Json, **_: Any) -> None:
        """Refuse settings without an address."""
        if data["my_domain"] is None and data["base_url"] is None:
            raise ValidationError({"my_domain": ["is missing"]})

    @post_load
    def decided(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Say what the address is."""
        return data | {"base_url": data["base_url"] or f"https://{data['my_domain']}.my.salesforce.com"}


class Salesforce(Batches):
    """Be one Salesforce organisation."""

    kind = "salesforce"
    batch_size = BATCH
    idempotent = True
    partial = True
    soft = frozenset({"Email", "MailingCountry", "MailingState", "MobilePhone", "Phone"})

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        base_url = settings["base_url"]
        line = Line(
            base_url,
            settings["timeout"],
            secrets=tuple(filter(None, (settings["oauth2"]["client_secret"],))),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=self._judge,
            tokens=tokens,
        )
        self._http = Http(line, opened(settings["pace"], around), around.clock)
        self._data = f"/services/data/{settings['version']}"
        self._key = self.customer_field = settings["external_id_field"]
        self._rule = settings["on_duplicate_rule"]
        self.account = fingerprint(base_url)
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Salesforce, once."""
        return batches.upsert_many([self._prepared(request) for request in requests], self, run)

    def _prepared(self, request: Upsert) -> Upsert:
        """Write several values of a list as Salesforce has them, in one text."""
        record = {name: _joined(value) for name, value in request.record.items()}
        return records.signed(replace(request, record=record), self._key)

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Ask by our field, then by each match value; by a phone in each usual spelling, for it is stored as typed."""
        return [self._ask(name, value, request) for name, value in request.match if _FIELD.fullmatch(name)]

    def _ask(self, name: str, value: str, request: Upsert) -> Ask:
        phone = name in request.phones
        return Ask(name, spellings(value) if phone else (value,), batches.matches(name, value, phone=phone))

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts with one of the values in a field, all of them."""
        return Page([found for some in _chunks(values) for found in self._query(name, some, requests)], last=True)

    def _query(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Iterator[Found]:
        names, personal = ", ".join(self._fields(requests)), [*batches.personal(requests), *values]
        query = " ".join(("SELECT", names, "FROM Contact WHERE", name, "IN", f"({', '.join(map(_quoted, values))})"))
        path: Any = f"{self._data}/query"
        call = Call("GET", path, path, (("q", query),), personal=personal)
        for _ in range(MOST_PAGES):
            data = self._http.call(call).data
            yield from self._found(call, records.look(data, "records"))
            path = records.look(data, "nextRecordsUrl")
            if records.look(data, "done") is True:
                return
            if not isinstance(path, str) or not path.startswith("/"):
                break
            call = Call("GET", path, f"{self._data}/query/{{more}}", personal=personal)
        raise Uncertain(f"{self._http.shown(call)} answered with a list that does not end")

    def _fields(self, requests: Sequence[Upsert]) -> list[str]:
        names = {name for request in requests for name, _ in (*records.leaves(request.record), *request.match)}
        return ["Id", *sorted(name for name in names if _FIELD.fullmatch(name))]

    def _found(self, call: Call, rows: Any) -> list[Found]:
        found = [Found(records.text(row.get("Id")), row) for row in records.rows(rows)]
        if not isinstance(rows, list) or len(found) < len(rows) or not all(one.remote_id for one in found):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return found

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids; Salesforce answers with null for each that is gone."""
        ids = [remote_id for remote_id in remote_ids if _ID.fullmatch(remote_id)]
        if not ids:
            return {}
        path = f"{self._data}/composite/sobjects/Contact"
        payload = {"ids": ids, "fields": self._fields(requests)}
        call = Call("POST", path, path, payload=payload, personal=batches.personal(requests))
        rows = self._http.call(call).data
        whole = isinstance(rows, list) and len(rows) == len(ids)
        found = self._found(call, [row for row in rows if row is not None] if whole else None)
        there = {one.remote_id[:15]: one for one in found}  # the three characters behind are a checksum
        return {remote_id: there[remote_id[:15]] for remote_id in ids if remote_id[:15] in there}

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Make the contacts by our field, so that Salesforce has each once, or update them by their ids."""
        new = writes[0].remote_id is None
        path = f"{self._data}/composite/sobjects" + (f"/Contact/{self._key}" if new else "")
        saved = self._rule == "allow_save" or all(write.request.create_anyway for write in writes)
        call = Call(
            "PATCH",
            path,
            path,
            payload={"allOrNone": False, "records": [_record(write) for write in writes]},
            headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"} if saved else {},
            writes=True,
            personal=batches.personal([write.request for write in writes]),
        )
        answer = self._http.call(call, ours)
        results = records.rows(answer.data)
        if len(results) != len(writes):
            raise Uncertain(f"{self._http.shown(call)} answered with something else than one result for each contact")
        return [self._written(write, result, answer, call) for write, result in zip(writes, results, strict=True)]

    def _written(self, write: Write, result: Json, answer: Answer, call: Call) -> Written | TargetError:
        remote_id = records.text(result.get("id")) or write.remote_id
        if result.get("success") is True and remote_id:
            return Written(
                remote_id, f"{answer.status}", created=result.get("created") if write.remote_id is None else None
            )
        asked = Asked(self._http.shown(call), writes=True, hide=answer.hide)
        wrong = records.rows(result.get("errors"))
        return (
            self._meaning(wrong, 400, asked)
            if wrong
            else Uncertain(f"{asked.shown} answered without a word on this contact")
        )

    def _judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        error, wrong = verdict(answer, asked, now), records.rows(answer.data)
        return error if error is None or not wrong else self._meaning(wrong, answer.status, asked, error)

    def _meaning(
        self, wrong: Sequence[Json], status: int, asked: Asked, error: TargetError | None = None
    ) -> TargetError:
        """Return what Salesforce means, by its own codes; `error` is what the status alone says of a whole request."""
        codes = {_code(one) for one in wrong}
        said = "; ".join(f"{_code(one)}: {one.get('message')}" for one in wrong)
        text = f"{asked.shown} answered {status}: {asked.hide(said)}"
        if "INVALID_SESSION_ID" in codes:
            return Refused(text, expired=True)
        if "REQUEST_LIMIT_EXCEEDED" in codes:
            return Busy(text, None if "Concurrent" in said else RENEWED)
        if codes & _AGAIN:
            return Uncertain(text)
        if codes & _NO_FIELD and re.search(rf"(?:column '|accessible: ){self._key}\b", said):
            return Refused(f"{text}; {self._cure}")
        if error is not None and status == 404:
            return Refused(f"{text}; look at `version` and at the address")
        return error if isinstance(error, Refused | Uncertain) else self._rejected(wrong, codes, text, status)

    def _rejected(self, wrong: Sequence[Json], codes: Collection[str], text: str, status: int) -> Rejected:
        if _THERE.intersection(codes):
            return AlreadyThere(text, None if self._rule == "hold" else _alike(wrong), status=status)
        fields = tuple(dict.fromkeys(str(name) for one in wrong for name in one.get("fields") or ()))
        if _GONE.intersection(codes) and not fields:
            return Rejected(text, status=404)
        return Rejected(text, fields=fields, status=status, soft=codes == _NO_OPTION)

    @property
    def _cure(self) -> str:
        return (
            f"the contact needs a field {self._key} that the connector may edit: Setup, Object Manager, Contact, "
            "Fields & Relationships, New, Text of length 255 with Unique and External ID"
        )

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - Setup makes fields
        """Look at our field, at the mapping's, and at the day's requests; writes nothing."""
        call = Call("GET", f"{self._data}/sobjects/Contact/describe", f"{self._data}/sobjects/Contact/describe")
        try:
            listed = records.rows(records.look(self._http.call(call).data, "fields"))
            there = {str(one.get("name")): one for one in listed}
            if "Id" not in there:
                raise Uncertain(f"{self._http.shown(call)} answered with something that does not describe a contact")
            said = [(True, f"{self._http.host} answers and takes the token"), self._unique(there.get(self._key))]
            said += [_field(there.get(name), name) for name in fields if name != self._key and "." not in name]
            return Check.of([*said, *_unfilled(listed, fields), *self._left()])
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))

    def _unique(self, mine: Json | None) -> Said:
        good = mine is not None and all(mine.get(name) is True for name in ("externalId", "unique", "createable"))
        return good, f"{self._key} is there, unique and an external id" if good else self._cure

    def _left(self) -> list[Said]:
        call = Call("GET", f"{self._data}/limits", f"{self._data}/limits")
        with suppress(Refused, Rejected):  # not everybody may look at them
            day = records.look(self._http.call(call).data, "DailyApiRequests")
            left, most = records.look(day, "Remaining"), records.look(day, "Max")
            return [(left != 0, f"{left} of {most} requests are left for today")]
        return []


def _record(write: Write) -> dict[str, Any]:
    which = {"id": write.remote_id} if write.remote_id else {}
    return {"attributes": {"type": "Contact"}, **write.fields, **which}


def _joined(value: Any) -> Any:
    return ";".join(map(records.text, value)) if isinstance(value, list) else value


def _quoted(value: str) -> str:
    """Return a text as SOQL has it, whatever is in it."""
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{text}'"


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    """Part the values, so that each query fits into an address."""
    chunk: list[str] = []
    size = 0
    for value in values:
        room = len(quote_plus(f"{_quoted(value)}, "))
        if chunk and size + room > LONGEST:
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += room
    yield chunk


def _code(one: Json) -> str:
    return str(one.get("errorCode") or one.get("statusCode"))


def _alike(wrong: Sequence[Json]) -> str | None:
    """Return the one contact that Salesforce names as the same, None when it names none or several."""
    rules = [rule for one in wrong for rule in records.rows(records.look(one, "duplicateResult.matchResults"))]
    matched = [match for rule in rules for match in records.rows(rule.get("matchRecords"))]
    named = {records.text(records.look(match, "record.Id")) for match in matched}
    named |= {found for one in wrong for found in _WITH_ID.findall(str(one.get("message")))}
    return named.pop() if len(named) == 1 else None


def _field(facts: Json | None, name: str) -> Said:
    if facts is None:
        return False, f"the contact has no field {name}: make it in Setup, or take it out of the mapping"
    if facts.get("createable") is not True or facts.get("updateable") is not True:
        return False, f"{name} may not be written by the connector: look at its field-level security, or at the mapping"
    return True, f"{name} is there"


def _unfilled(listed: Sequence[Json], fields: Collection[str]) -> list[Said]:
    """Say what Salesforce insists on and no mapping fills."""
    needed = {"createable": True, "nillable": False, "defaultedOnCreate": False}
    names = [str(one["name"]) for one in listed if all(one.get(what) is is_so for what, is_so in needed.items())]
    filled = {name.partition(".")[0] for name in fields}
    return [
        (False, f"{name} must be filled, and the mapping does not") for name in names if fields and name not in filled
    ]


def _oauth2(settings: Json) -> OAuth2:
    sandbox = ".sandbox." in settings["base_url"]
    audience = f"https://{'test' if sandbox else 'login'}.salesforce.com"
    ways = Ways(f"{settings['base_url']}/services/oauth2/token")
    return described(
        settings["oauth2"], replace(ways, audience=audience) if settings["oauth2"]["grant"] == "jwt_bearer" else ways
    )


def _opened(config: TargetConfig, settings: Json, around: Around) -> Salesforce:
    return Salesforce(settings, around, tokens_of(_oauth2(settings), config.name, settings, around))


KIND = Kind(
    label="Salesforce",
    schema=SalesforceSettings(),
    asks=("my_domain",),
    open=_opened,
    oauth2=_oauth2,
    batch_size=BATCH,
    match="`external_id_field`, then the mapping's match list: e-mail, phone (in every usual spelling)",
    upsert="reads, then upserts by `external_id_field`",
    limits="a number of requests in any 24 hours; paused for half an hour when it is used up",
    auth="OAuth2: client credentials, or a JWT signed with your key",
    proved="vendor's documents",
    twice="never: `external_id_field` takes a value only once",
)

"""Pipedrive: persons over its API v2.

Nothing is unique there, and a custom field goes by a key of 40 characters that each company has its own of: mappings
name it as people do (`custom_fields.Flavours ID`), and the key is looked up. Searches answer with short rows, so each
hit is read whole; they cost 20 of the day's tokens, so a phone is asked for once, by its national digits. Facts:
Pipedrive's v2 specification and its own client; a 403 that is a web page is a block for asking too much.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connector.config_fields import Text
from connector.errors import Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Retry, Upsert
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.http import Call, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.outcomes import outcome
from connector.targets.pipedrive_errors import judge
from connector.targets.pipedrive_fields import Fields
from connector.targets.settings import HttpSettings, Rate, address, secret
from connector.targets.writing import upsert

MOST_READ = 10
CUSTOM = "custom_fields"
SEARCHED = {CUSTOM: CUSTOM, "emails": "email", "phones": "phone", "name": "name"}


class PipedriveSettings(HttpSettings):
    """Be the settings of a Pipedrive target."""

    base_url = Text(
        load_default="https://api.pipedrive.com/api/v2",
        validate=address,
        metadata={"help": "https://api.pipedrive.com/api/v2"},
    )
    token = secret("from Pipedrive: Personal preferences, API, Your personal API token", required=True)
    id_field = Text(
        load_default="Flavours ID",
        metadata={"help": "the custom field of a person that holds the Flavours customer's id (Flavours ID)"},
    )
    pace = Rate(load_default=(8, 2.0), metadata={"help": "at most so many requests in so long (8/2s)"})


class Pipedrive(Account, Contacts):
    """Be one Pipedrive company."""

    kind = "pipedrive"
    batch_size = 1
    partial = True
    fetches = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        token = settings["token"]
        way = line(settings, headers={"x-api-token": token}, secrets=(token,), judge=judge)
        super().__init__(settings, around, way, settings["base_url"], token)
        self._fields = Fields(self._http, self._clock)
        self._id = self.customer_field = f"{CUSTOM}.{settings['id_field']}"

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Ask for the fields of a person, and look for those that the mapping fills; `fix` makes them."""
        wanted = dict.fromkeys(name.partition(".")[2] for name in (self._id, *fields) if name.startswith(f"{CUSTOM}."))
        return Check.of(self._fields.looked(wanted, fix=fix))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Pipedrive, once."""
        signed = [records.signed(request, self._id) for request in requests]
        try:
            self._fields.need(*_used(signed))
        except TargetError as error:
            return [outcome(error) for _ in signed]
        return [self._one(request, run) for request in signed]

    def _one(self, request: Upsert, run: Run) -> Outcome:
        """Bring one record, without the custom fields that are not there: never silent."""
        unknown = [name for name in request.record[CUSTOM] if self._fields.key(name) is None]
        names = [f"{CUSTOM}.{name}" for name in unknown]
        came_to = upsert(replace(request, record=records.without(request.record, names)), self, run)
        if not names or isinstance(came_to, Retry):
            return came_to
        told = tuple(f"{name}: left out, for Pipedrive has no such field of a person" for name in names)
        return replace(came_to, warnings=(*came_to.warnings, *told))

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Search by each match value; a phone by its national digits, which all its spellings hold."""
        return [self._rung(name, value, request) for name, value in request.match if _group(name) in SEARCHED]

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        phone = name in request.phones
        term = spellings(value)[-1] if phone else value

        def same(row: Row) -> bool:
            there = _values(row, name)
            return any(records.same(value, item, phone=phone) for item in there)

        def obeyed(row: Row) -> bool:
            return any(term.casefold() in records.text(item).casefold() for item in _values(row, name))

        query = (("term", term), ("fields", SEARCHED[_group(name)]), ("exact_match", "false" if phone else "true"))
        return Rung(name, [Question(lambda _: self._search(query, request), obeyed)], same)

    def _search(self, query: tuple[tuple[str, str], ...], request: Upsert) -> Page:
        path = "/persons/search"
        personal = (query[0][1], *records.texts(request.record))
        items = records.look(self._http.call(Call("GET", path, path, query, personal=personal)).data, "data.items")
        ids = [records.identity(records.look(item, "item.id")) for item in items] if isinstance(items, list) else [""]
        if not all(ids):
            raise Uncertain(f"GET {self._http.host}{path} answered with something that is not a list of persons")
        read = [self.fetch(remote_id, request) for remote_id in ids[:MOST_READ]]
        rest = [Found(remote_id, {}) for remote_id in ids[MOST_READ:]]  # so many are no answer to the question
        return Page([found for found in read if found is not None] + rest)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a person, None when Pipedrive knows none of that id."""
        call = Call("GET", _path(remote_id), "/persons/{id}", personal=records.texts(request.record))
        try:
            row = self._row(self._http.call(call).data, request)
        except Rejected as error:
            if error.status in (404, 410):
                return None
            raise
        if row is None or records.identity(row["id"]) != remote_id:
            raise Uncertain(f"GET {self._http.host}/persons/{{id}} answered with something that is not that person")
        return Found(remote_id, row)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the person."""
        return self._write("POST", "/persons", "/persons", request.record, request, ours)

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields."""
        return self._write("PATCH", _path(remote_id), "/persons/{id}", fields, request, ours)

    def _write(self, method: str, path: str, shown: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        payload, personal = self._keyed(fields), records.texts(request.record)
        call = Call(method, path, shown, payload=payload, writes=True, personal=personal)
        answer = self._http.call(replace(call, repeatable=method != "POST"), ours)
        row = self._row(answer.data, request)
        if row is None:
            raise Uncertain(f"{method} {self._http.host}{shown} answered {answer.status} without data.id")
        return Written(records.identity(row["id"]), f"{answer.status}", row)

    def _keyed(self, fields: Row) -> dict[str, Any]:
        """Return the fields with the company's own keys of the custom ones."""
        custom = fields.get(CUSTOM)
        if not isinstance(custom, Mapping):
            return dict(fields)
        return {**fields, CUSTOM: {self._fields.key(name): value for name, value in custom.items()}}

    def _row(self, data: Any, request: Upsert) -> dict[str, Any] | None:
        """Return a person with its custom fields named as in the record."""
        row = records.look(data, "data")
        if not isinstance(row, dict) or not records.identity(row.get("id")):
            return None
        names = {self._fields.key(name): name for name in request.record[CUSTOM]}
        custom = row[CUSTOM] if isinstance(row.get(CUSTOM), dict) else {}
        return {**row, CUSTOM: {names.get(code, code): value for code, value in custom.items()}}


def _used(requests: Sequence[Upsert]) -> tuple[set[str], set[str]]:
    """Return the custom fields that are searched by, and those that are filled."""
    searched = {name.partition(".")[2] for r in requests for name, _ in r.match if name.startswith(f"{CUSTOM}.")}
    return searched, {name for request in requests for name in request.record[CUSTOM]}


def _group(name: str) -> str:
    return name.partition(".")[0].partition("[")[0]


def _values(row: Row, name: str) -> list[Any]:
    """Return all e-mails or phones of a person, else the one value of the field."""
    if _group(name) in ("emails", "phones"):
        listed = row.get(_group(name))
        return [records.look(item, "value") for item in listed] if isinstance(listed, list) else []
    return [records.look(row, name)]


def _path(remote_id: str) -> str:
    return f"/persons/{quote(remote_id, safe='')}"


KIND = Kind(
    label="Pipedrive",
    schema=PipedriveSettings(),
    open=lambda _config, settings, around: Pipedrive(settings, around),
    batch_size=1,
    match="the custom field Flavours ID (id_field), then the mapping's match list: e-mail, phone (by its national digits)",
    upsert="searches, then creates, or patches what changed",
    limits="20 requests in 2 s for a token; 30,000 tokens a day times plan and seats, some 65 for a new person; paced at 8 in 2 s",
    auth="API token",
    proved="vendor's specification",
    twice="only a person that Pipedrive stores, or lets be found, later than uncertain_wait after a lost answer",
    record_url=lambda _settings, at: f"https://app.pipedrive.com/person/{at}",
)

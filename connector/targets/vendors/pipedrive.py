"""Pipedrive: persons over its API v2.

Nothing is unique there, and a custom field goes by a key of 40 characters that each company has its own of: mappings
name it as people do (`custom_fields.Flavours ID`), and the key is looked up. Searches answer with short rows, so each
hit is read whole; they cost 20 of the day's tokens, so a phone is asked for once, by its national digits. Facts:
Pipedrive's v2 specification and its own client; a 403 that is a web page is a block for asking too much.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from connector.config_fields import Text
from connector.errors import Busy, Refused, Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Retry, Upsert
from connector.targets import records
from connector.targets.answers import Answer, Asked, retry_after, verdict
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.http import Call, Http, Line, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.outcomes import outcome
from connector.targets.pace import opened
from connector.targets.settings import HttpSettings, Rate, address, fingerprint, secret
from connector.targets.writing import upsert

BLOCKED, DAY = 600.0, 3600.0  # seconds: after a block; and between looks whether the day's tokens are renewed
AGAIN = 300.0  # seconds after which the fields are read again for a name that was not there
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


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Tell a limit from a lack of permission, and a day that is used up from a burst."""
    error = verdict(answer, asked, now)
    if answer.status == 403 and not answer.is_json:
        return Busy(f"{asked.shown} answered 403 with a web page: blocked for asking too much", BLOCKED)
    if answer.status != 429:
        return error
    if answer.headers.get("x-daily-ratelimit-token-remaining") == "0":
        renewed = datetime.combine(now.date() + timedelta(days=1), time(0, 1), now.tzinfo)
        return Busy(f"{error}; the company's tokens of today are used up", min(DAY, (renewed - now).total_seconds()))
    waits = [retry_after(answer.headers.get(name), now) for name in ("Retry-After", "x-ratelimit-reset")]
    return Busy(str(error), max((wait for wait in waits if wait is not None), default=None))


class Pipedrive(Contacts):
    """Be one Pipedrive company."""

    kind = "pipedrive"
    batch_size = 1
    partial = True
    fetches = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        token, base_url = settings["token"], settings["base_url"]
        line = Line(
            base_url,
            settings["timeout"],
            headers={"x-api-token": token},
            secrets=(token,),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=judge,
        )
        self._http = Http(line, opened(settings["pace"], around), around.clock)
        self._lock, self._clock = threading.Lock(), around.clock
        self._codes: dict[str, str] = {}
        self._read_at = float("-inf")
        self._id = self.customer_field = f"{CUSTOM}.{settings['id_field']}"
        self.account = fingerprint(base_url, token)
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Ask for the fields of a person, and look for those that the mapping fills; `fix` makes them."""
        wanted = dict.fromkeys(name.partition(".")[2] for name in (self._id, *fields) if name.startswith(f"{CUSTOM}."))
        try:
            codes = self._read_codes()
            lines = [f"{self._http.host} answers and takes the API token"]
            missing = [name for name in wanted if name.casefold() not in codes]
            for name in missing if fix else ():
                payload = {"field_name": name, "field_type": "varchar"}
                path = "/personFields"
                self._http.call(Call("POST", path, path, payload=payload, writes=True, repeatable=False))
                lines.append(f"made the custom field {name} of a person")
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))
        cure = "make it (type Text), or let `connector targets check NAME --fix` make it"
        lines += [f"a person has no custom field {name}: {cure}" for name in missing if not fix]
        return Check(ok=fix or not missing, lines=tuple(lines))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Pipedrive, once."""
        signed = [records.signed(request, self._id) for request in requests]
        try:
            self._need(signed)
        except TargetError as error:
            return [outcome(error) for _ in signed]
        return [self._one(request, run) for request in signed]

    def _one(self, request: Upsert, run: Run) -> Outcome:
        """Bring one record, without the custom fields that are not there: never silent."""
        unknown = [name for name in request.record[CUSTOM] if name.casefold() not in self._codes]
        names = [f"{CUSTOM}.{name}" for name in unknown]
        came_to = upsert(replace(request, record=records.without(request.record, names)), self, run)
        if not names or isinstance(came_to, Retry):
            return came_to
        told = tuple(f"{name}: left out, for Pipedrive has no such field of a person" for name in names)
        return replace(came_to, warnings=(*came_to.warnings, *told))

    def _need(self, requests: Sequence[Upsert]) -> None:
        """Read the fields' keys where a name is not known yet; without those to search by nothing may be made."""
        searched = {name.partition(".")[2] for r in requests for name, _ in r.match if name.startswith(f"{CUSTOM}.")}
        filled = {name for request in requests for name in request.record[CUSTOM]}
        with self._lock:
            old = self._clock.monotonic() - self._read_at > AGAIN
            if any(name.casefold() not in self._codes for name in searched) or (
                old and any(name.casefold() not in self._codes for name in filled)
            ):
                self._codes, self._read_at = self._read_codes(), self._clock.monotonic()
        for name in sorted(searched):
            if name.casefold() not in self._codes:
                raise Refused(
                    f"{self._http.host}: a person has no custom field {name}, by which customers are found again; "
                    "`connector targets check NAME --fix` makes it"
                )

    def _read_codes(self) -> dict[str, str]:
        codes: dict[str, str] = {}
        cursor = ""
        while True:
            query = (("limit", "500"), *((("cursor", cursor),) if cursor else ()))
            data = self._http.call(Call("GET", "/personFields", "/personFields", query)).data
            fields = records.look(data, "data")
            if not isinstance(fields, list):
                raise Uncertain(f"GET {self._http.host}/personFields answered with something that is not a list")
            for field in fields:
                code = records.text(records.look(field, "field_code"))
                codes |= {code.casefold(): code, records.text(records.look(field, "field_name")).casefold(): code}
            cursor = records.text(records.look(data, "additional_data.next_cursor"))
            if not cursor:
                return codes

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
        ids = [records.text(records.look(item, "item.id")) for item in items] if isinstance(items, list) else [""]
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
        if row is None or records.text(row["id"]) != remote_id:
            raise Uncertain(f"GET {self._http.host}/persons/{{id}} answered with something that is not that person")
        return Found(remote_id, row)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the person."""
        return self._write("POST", "/persons", "/persons", request.record, request, ours)

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields."""
        return self._write("PATCH", _path(remote_id), "/persons/{id}", fields, request, ours)

    def _write(self, method: str, path: str, shown: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        call = Call(
            method,
            path,
            shown,
            payload=self._keyed(fields),
            writes=True,
            repeatable=method != "POST",
            personal=records.texts(request.record),
        )
        answer = self._http.call(call, ours)
        row = self._row(answer.data, request)
        if row is None:
            raise Uncertain(f"{method} {self._http.host}{shown} answered {answer.status} without data.id")
        return Written(records.text(row["id"]), f"{answer.status}", row)

    def _keyed(self, fields: Row) -> dict[str, Any]:
        """Return the fields with the company's own keys of the custom ones."""
        custom = fields.get(CUSTOM)
        if not isinstance(custom, Mapping):
            return dict(fields)
        return {**fields, CUSTOM: {self._codes[name.casefold()]: value for name, value in custom.items()}}

    def _row(self, data: Any, request: Upsert) -> dict[str, Any] | None:
        """Return a person with its custom fields named as in the record."""
        row = records.look(data, "data")
        if not isinstance(row, dict) or not records.text(row.get("id")):
            return None
        names = {self._codes.get(name.casefold()): name for name in request.record[CUSTOM]}
        custom = row.get(CUSTOM) or {}
        return {**row, CUSTOM: {names.get(code, code): value for code, value in custom.items()}}


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
)

"""Microsoft Dynamics 365 (Dataverse): contacts, each known again by an alternate key that holds the Flavours id.

A PATCH to the key makes the contact or updates it, and makes nothing twice; one that is there is updated by its own id.
A key's value cannot hold / < > * % & : \\ ? or +, so it is the customer's id and never a phone or an e-mail; these are
asked for by a filter. Facts: https://learn.microsoft.com/power-apps/developer/data-platform/webapi.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, urlsplit

from connector.config_fields import Text, Whole, matches
from connector.errors import AlreadyThere, Refused, Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import records
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.dynamics_schema import Schema
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.http import Call, Http, Line, Ours, TokenSource
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.oauth2 import tokens_of
from connector.targets.oauth2_settings import oauth2
from connector.targets.pace import opened
from connector.targets.settings import HttpSettings, address, fingerprint
from connector.targets.writing import upsert

PACE = (5400, 300.0)  # Dataverse allows a user 6,000 in 5 minutes
ODATA = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
WHOLE = {"Prefer": "return=representation"}
CONTACT = "/contacts({id})"
BY_KEY = "/contacts({key})"
_CURE = "make it by `connector targets check NAME --fix`"
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_COLUMN = re.compile(r"[a-z][a-z0-9_]*")
_NO_KEY_VALUE = re.compile(r"[/<>*%&:\\?+]")
_OTHER = re.compile(r"<Id>\s*([0-9a-fA-F-]{36})\s*</Id>")
_NAMED = re.compile(r"'(\w+)' attribute|attribute '?(\w+)'?")
_LOST = re.compile(r"segment|resource not found", re.IGNORECASE)
_NO_KEY = re.compile(r"key in the request URI|not an? (?:\w+ )?key\b|alternate key\b.*\b(?:not|no)\b", re.IGNORECASE)

Json = Mapping[str, Any]


class DynamicsSettings(HttpSettings):
    """Be the settings of a Dynamics 365 target."""

    base_url = Text(
        required=True, validate=address, metadata={"help": "of your environment, as in https://acme.crm4.dynamics.com"}
    )
    tenant = Text(
        required=True,
        validate=matches(re.compile(r"[A-Za-z0-9.-]{1,253}"), "must be the directory's id, or its domain"),
        metadata={"help": "the directory (tenant) id, from the app's page in Microsoft Entra"},
    )
    oauth2 = oauth2("client_credentials", required=True)
    alternate_key = Text(
        load_default="new_flavoursid",
        validate=matches(_COLUMN, "must be the logical name of a column, as in new_flavoursid"),
        metadata={"help": "the contact's column, and key, that holds the Flavours customer's id"},
    )
    version = Text(
        load_default="v9.2",
        validate=matches(re.compile(r"v\d{1,2}\.\d"), "must be as v9.2"),
        metadata={"help": "of the Web API (v9.2)"},
    )
    at_once = Whole(1, 100, load_default=20, metadata={"help": "how many requests may be on their way at once (20)"})


class Dynamics(Contacts):
    """Be the contacts of one environment."""

    kind = "dynamics"
    batch_size = 1
    idempotent = True
    partial = True
    fetches = True
    soft = frozenset({"mobilephone", "telephone1", "telephone2", "gendercode"})

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        client = settings["oauth2"]
        base_url = _environment(settings)
        line = Line(
            f"{base_url}/api/data/{settings['version']}",
            settings["timeout"],
            headers=ODATA,
            secrets=tuple(filter(None, (client["client_secret"],))),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=_judge,
            tokens=tokens,
            at_once=settings["at_once"],
        )
        self._http = Http(line, opened(settings["pace"] or PACE, around), around.clock)
        self._key = self.customer_field = settings["alternate_key"]
        self._schema = Schema(self._http, self._key)
        self.account = fingerprint(base_url, client["client_id"])
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look at the key and at the mapping's columns; makes what is missing when told to `fix`."""
        try:
            return Check.of(self._looked(fields, fix=fix))
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))

    def _looked(self, fields: Collection[str], *, fix: bool) -> Iterator[Said]:
        there = self._schema.columns()
        yield True, f"{self._http.host} answers and takes the tokens"
        for name in dict.fromkeys((self._key, *fields)):
            if name in there or not _COLUMN.fullmatch(name):
                continue
            if fix and "_" in name:
                yield self._schema.make_column(name)
                continue
            near = get_close_matches(name, there, n=1)
            meant = f", did you mean `{near[0]}`?" if near else ""
            yield (
                False,
                f"{name}: the contact has no such column{meant}; {_CURE if '_' in name else 'mend the mapping'}",
            )
        yield self._schema.key(fix=fix)

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Dynamics, once."""
        return [upsert(records.signed(request, self._key), self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by the key, then by each match value; by a phone in each usual spelling."""
        fields = [(name, value) for name, value in request.match if name != self._key and _COLUMN.fullmatch(name)]
        own = Question(lambda _: self._by_key(request), lambda row: self.owner(row) == request.customer)
        return [Rung(self._key, [own], own.obeyed), *(self._rung(name, value, request) for name, value in fields)]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact by its id, None when it is gone."""
        if not _ID.fullmatch(remote_id):
            return None
        return self._one(Call("GET", f"/contacts({remote_id})", CONTACT, self._columns(request)), request)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact by its key, or update it where an answer was lost."""
        fields = {name: value for name, value in request.record.items() if name != self._key}
        call = self._patch(self._address(request), BY_KEY, fields, request)
        try:
            return self._written(call, ours)
        except AlreadyThere as error:  # another key of the organisation's own, which the message may name the holder of
            found = None if error.remote_id else next(iter(self._by_key(request).rows), None)
            raise AlreadyThere(str(error), found.remote_id if found else error.remote_id, status=412) from None

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields; If-Match keeps a contact that is gone from being made again."""
        call = self._patch(f"/contacts({remote_id})", CONTACT, fields, request)
        return self._written(replace(call, headers={**call.headers, "If-Match": "*"}), ours)

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        phone = name in request.phones
        asked = " or ".join(f"{name} eq {_quoted(text)}" for text in (spellings(value) if phone else (value,)))

        def same(row: Row) -> bool:
            return records.same(value, row.get(name), phone=phone)

        return Rung(name, [Question(lambda _: self._filtered(asked, request), same)], same)

    def _by_key(self, request: Upsert) -> Page:
        found = self._one(Call("GET", self._address(request), BY_KEY, self._columns(request)), request)
        return Page([found] if found else (), last=True)

    def _address(self, request: Upsert) -> str:
        if _NO_KEY_VALUE.search(request.customer):
            raise Rejected("the customer's id cannot be a key of Dataverse, which takes none of / < > * % & : \\ ? +")
        return f"/contacts({self._key}={quote(_quoted(request.customer), safe='')})"

    def _one(self, call: Call, request: Upsert) -> Found | None:
        call = replace(call, headers={"If-None-Match": "null"}, personal=records.texts(request.record))
        try:
            return self._found(self._http.call(call).data, call)
        except Rejected as error:
            if error.status == 404:
                return None
            raise

    def _filtered(self, asked: str, request: Upsert) -> Page:
        query = (*self._columns(request), ("$filter", asked))
        headers = {"If-None-Match": "null"}
        call = Call(
            "GET", "/contacts", "/contacts", query, headers=headers, personal=[asked, *records.texts(request.record)]
        )
        data = self._http.call(call).data
        rows = records.look(data, "value")
        if not isinstance(rows, list):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return Page([self._found(row, call) for row in rows], last="@odata.nextLink" not in data)

    def _found(self, row: Any, call: Call) -> Found:
        remote_id = records.text(records.look(row, "contactid"))
        if not _ID.fullmatch(remote_id):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a contact")
        return Found(remote_id, row)

    def _columns(self, request: Upsert) -> tuple[tuple[str, str], ...]:
        names = {"contactid", self._key, *request.record, *(name for name, _ in request.match)}
        return (("$select", ",".join(sorted(name for name in names if _COLUMN.fullmatch(name)))),)

    def _patch(self, path: str, shown: str, fields: Row, request: Upsert) -> Call:
        personal = records.texts(request.record)
        return Call("PATCH", path, shown, self._columns(request), fields, headers=WHOLE, writes=True, personal=personal)

    def _written(self, call: Call, ours: Ours) -> Written:
        answer = self._http.call(call, ours)
        stored = self._found(answer.data, call)
        return Written(stored.remote_id, f"{answer.status}", stored.row, created=answer.status == 201)


def _judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    error = verdict(answer, asked, now)
    if not isinstance(error, Rejected):
        return error
    message = records.text(records.look(answer.data, "error.message"))
    code = records.text(records.look(answer.data, "error.code"))
    what = f"{error} (code {code})" if code else str(error)
    if answer.status == 404 and _LOST.search(message):
        return Refused(f"{what}; look at base_url and version")
    if _NO_KEY.search(message):  # nothing that one customer can help
        return Refused(f"{what}; alternate_key names no key of the contact: {_CURE}")
    if answer.status == 412:
        other = _OTHER.search(message)
        return AlreadyThere(what, other[1].lower() if other else None, status=412)
    named = [first or second for first, second in _NAMED.findall(message)]
    return Rejected(what, fields=tuple(dict.fromkeys(named)), status=error.status)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _environment(settings: Json) -> str:
    base_url: str = settings["base_url"]
    return base_url.partition("/api/data")[0].rstrip("/")


def _oauth2(settings: Json) -> OAuth2:
    host = urlsplit(_environment(settings)).netloc.replace(".api.crm", ".crm", 1)
    ways = Ways(
        token_url=f"https://login.microsoftonline.com/{settings['tenant']}/oauth2/v2.0/token",
        scope=f"https://{host}/.default",
    )
    return described(settings["oauth2"], ways)


def _open(config: Any, settings: Json, around: Around) -> Dynamics:
    return Dynamics(settings, around, tokens_of(_oauth2(settings), config.name, settings, around))


KIND = Kind(
    label="Microsoft Dynamics 365 (Dataverse)",
    schema=DynamicsSettings(),
    open=_open,
    oauth2=_oauth2,
    batch_size=1,
    match="`alternate_key`, then the mapping's match list: e-mail, phone (in every usual spelling)",
    upsert="reads, then upserts by `alternate_key`",
    limits="6,000 in 5 minutes, 52 at once; paced at 5,400 and 20",
    auth="OAuth2 client credentials of an application user",
    proved="vendor's documents",
    twice="never: `alternate_key` takes a value only once",
)

"""EspoCRM: contacts over its REST API, self-hosted.

No key, no upsert; a contact is looked up by a custom field, e-mail and phone before it is made. Its own check for
duplicates refuses a contact of the same name OR e-mail with a 409 and the list of those alike: one of them that agrees
with this customer is the contact; strangers of the same name are told apart by asking again without the check. What is
wrong stands in a header, X-Status-Reason. Facts: EspoCRM's source code and specification.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connector.config_fields import Text
from connector.errors import AlreadyThere, Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import records
from connector.targets.answers import Answer, Asked, failure, says, verdict
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.http import Call, Http, Line, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.pace import opened
from connector.targets.settings import HttpSettings, address, fingerprint, secret
from connector.targets.writing import upsert

API, PER_PAGE = "/api/v1", 50
UNCHECKED = {"X-Skip-Duplicate-Check": "true"}
FIELD = ("field", "messageTranslation.data.field")  # where a 400 names the field


class EspocrmSettings(HttpSettings):
    """Be the settings of an EspoCRM target."""

    base_url = Text(
        required=True, validate=address, metadata={"help": "where EspoCRM is, such as https://crm.example.com"}
    )
    api_key = secret("of an API User: Administration, API Users", required=True)
    id_field = Text(
        load_default="cFlavoursId",
        metadata={"help": "the field of a contact that holds the Flavours customer's id (cFlavoursId)"},
    )


class Alike(Rejected):
    """Report the contacts that EspoCRM finds too much alike."""

    def __init__(self, message: str, rows: Sequence[Row]) -> None:
        super().__init__(message, status=409)
        self.rows = rows


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Read the reason in its header, the field that is refused, and the list of those alike."""
    error = verdict(answer, asked, now)
    reason = answer.headers.get("X-Status-Reason", "")
    if error is None or answer.status < 400:
        return error
    if answer.status == 409 and isinstance(answer.data, list):
        found = [row for row in answer.data if isinstance(row, dict)]
        return Alike(f"{asked.shown} answered 409: {len(found)} contacts are too much alike", found)
    said = ": ".join(text for text in (reason, says(answer)) if text)
    error = failure(answer.status, answer, asked, now, said)
    if isinstance(error, Rejected):
        error.fields = tuple(name for place in FIELD if (name := records.text(records.look(answer.data, place))))
    return error


class Espocrm(Contacts):
    """Be one EspoCRM."""

    kind = "espocrm"
    batch_size = 1
    partial = True
    fetches = True
    soft = frozenset({"phoneNumber", "emailAddress"})

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        key, base_url = settings["api_key"], settings["base_url"]
        line = Line(
            base_url,
            settings["timeout"],
            headers={"X-Api-Key": key},
            secrets=(key,),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=judge,
        )
        self._http = Http(line, opened(settings["pace"], around), around.clock)
        self._id = self.customer_field = settings["id_field"]
        self.account = fingerprint(base_url, key)
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - only an admin makes fields
        """Ask for one contact, and for the fields of a contact."""
        path = f"{API}/Metadata"
        try:
            self._list((("maxSize", "1"),), 0, None)
            there = self._http.call(Call("GET", path, path, (("key", "entityDefs.Contact.fields"),))).data
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))
        known = there if isinstance(there, dict) else {}
        missing = [name for name in dict.fromkeys((self._id, *fields)) if name not in known]
        lines = [f"{self._http.host} answers and takes the API key"]
        lines += [
            f"a contact has no field {name}: make it (Administration, Entity Manager, Contact, Fields), or take it out "
            "of the mapping"
            for name in missing
        ]
        return Check(ok=not missing, lines=tuple(lines))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to EspoCRM, once."""
        return [upsert(records.signed(request, self._id), self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by each match value; by a phone in each usual spelling."""
        return [self._rung(name, value, request) for name, value in request.match]

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        phone = name in request.phones
        asked = spellings(value) if phone else (value,)
        return Rung(
            name,
            [Question(self._pages(name, text, request), _obeyed(name, text), PER_PAGE) for text in asked],
            lambda row: records.same(value, row.get(name), phone=phone),
        )

    def _pages(self, name: str, text: str, request: Upsert) -> Callable[[int], Page]:
        where = (("where[0][type]", "equals"), ("where[0][attribute]", name), ("where[0][value]", text))
        return lambda number: self._list((*where, ("maxSize", str(PER_PAGE))), (number - 1) * PER_PAGE, request)

    def _list(self, query: tuple[tuple[str, str], ...], offset: int, request: Upsert | None) -> Page:
        path = f"{API}/Contact"
        personal = (*(text for _, text in query), *(records.texts(request.record) if request else ()))
        data = self._http.call(Call("GET", path, path, (*query, ("offset", str(offset))), personal=personal)).data
        rows = records.look(data, "list")
        found = [_found(row) for row in rows] if isinstance(rows, list) else [None]
        if None in found:
            raise Uncertain(f"GET {self._http.host}{path} answered with something that is not a list of contacts")
        total = records.look(data, "total")
        last = isinstance(total, int) and 0 <= total <= offset + len(found)
        return Page([item for item in found if item is not None], last=last)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact, None when EspoCRM knows none of that id."""
        shown = f"{API}/Contact/{{id}}"
        call = Call("GET", _path(remote_id), shown, bare_404=True, personal=records.texts(request.record))
        try:
            found = _found(self._http.call(call).data)
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        if found is None or found.remote_id != remote_id:
            raise Uncertain(f"GET {self._http.host}{shown} answered with something that is not that contact")
        return found

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact; of those too much alike take the one that agrees, and pass by strangers of the same name."""
        if request.create_anyway:
            return self._made(request, ours, UNCHECKED)
        try:
            return self._made(request, ours, {})
        except Alike as alike:
            agreeing = [row for row in alike.rows if records.agrees(request, row)]
            if agreeing:
                only = _found(agreeing[0]) if len(agreeing) == 1 else None
                raise AlreadyThere(str(alike), only.remote_id if only else None, status=409) from None
        warning = "another contact has the same name; made beside it, for neither phone nor e-mail agree"
        return replace(self._made(request, ours, UNCHECKED), warnings=(warning,))

    def _made(self, request: Upsert, ours: Ours, headers: Mapping[str, str]) -> Written:
        path = f"{API}/Contact"
        call = Call(
            "POST",
            path,
            path,
            payload=request.record,
            headers=headers,
            writes=True,
            repeatable=False,
            personal=records.texts(request.record),
        )
        answer = self._http.call(call, ours)
        made = _found(answer.data)
        if made is None:
            raise Uncertain(f"POST {self._http.host}{path} answered {answer.status} without an id")
        return Written(made.remote_id, f"{answer.status}", made.row, whole=True)

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields."""
        call = Call(
            "PUT",
            _path(remote_id),
            f"{API}/Contact/{{id}}",
            payload=fields,
            headers=UNCHECKED,
            writes=True,
            bare_404=True,
            personal=records.texts(request.record),
        )
        answer = self._http.call(call, ours)
        stored = _found(answer.data)
        return Written(remote_id, f"{answer.status}", stored.row if stored else None, whole=True)


def _obeyed(name: str, asked: str) -> Callable[[Row], bool]:
    return lambda row: records.same(asked, row.get(name))


def _path(remote_id: str) -> str:
    return f"{API}/Contact/{quote(remote_id, safe='')}"


def _found(row: Any) -> Found | None:
    remote_id = records.text(row.get("id")) if isinstance(row, dict) else ""
    return Found(remote_id, row) if remote_id else None


KIND = Kind(
    label="EspoCRM",
    schema=EspocrmSettings(),
    open=lambda _config, settings, around: Espocrm(settings, around),
    batch_size=1,
    match="cFlavoursId (id_field), then the mapping's match list: e-mail, phone (in every usual spelling)",
    upsert="looks up, then creates, or puts what changed",
    limits="none",
    auth="API key of an API User",
    proved="vendor's source code and specification",
    twice="only a contact that EspoCRM stores later than uncertain_wait after a lost answer",
)

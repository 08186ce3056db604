"""EspoCRM: contacts over its REST API, self-hosted.

No key, no upsert; a contact is looked up by a custom field, e-mail and phone before it is made. Its own check for
duplicates refuses a contact of the same name OR e-mail with a 409 and the list of those alike: one of them that agrees
with this customer is the contact; strangers of the same name are told apart by asking again without the check. What is
wrong stands in a header, X-Status-Reason. Facts: EspoCRM's source code and specification.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.errors import AlreadyThere, Uncertain
from connector.models import Outcome, Upsert
from connector.targets import espocrm_calls as calls
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.espocrm_errors import Alike, judge
from connector.targets.espocrm_settings import EspocrmSettings
from connector.targets.http import Call, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written, rung
from connector.targets.writing import upsert

PER_PAGE = 50
UNCHECKED = {"X-Skip-Duplicate-Check": "true"}


class Espocrm(Account, Contacts):
    """Be one EspoCRM."""

    kind = "espocrm"
    batch_size = 1
    partial = True
    fetches = True
    soft = frozenset({"phoneNumber", "emailAddress"})

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        key = settings["api_key"]
        way = line(settings, headers={"X-Api-Key": key}, secrets=(key,), judge=judge)
        super().__init__(settings, around, way, settings["base_url"], key)
        self._id = self.customer_field = settings["id_field"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - only an admin makes fields
        """Ask for one contact, and for the fields of a contact."""
        return Check.of(self._looked((self._id, *fields)))

    def _looked(self, fields: Collection[str]) -> Iterator[Said]:
        self._list((("maxSize", "1"),), 0, None)
        there = self._http.call(
            Call("GET", calls.METADATA, calls.METADATA, (("key", "entityDefs.Contact.fields"),))
        ).data
        yield True, f"{self._http.host} answers and takes the API key"
        cure = "make it (Administration, Entity Manager, Contact, Fields), or take it out of the mapping"
        missing = dict.fromkeys(name for name in fields if not isinstance(there, dict) or name not in there)
        yield from ((False, f"a contact has no field {name}: {cure}") for name in missing)

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to EspoCRM, once."""
        return [upsert(records.signed(request, self._id), self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by each match value; by a phone in each usual spelling."""
        return [rung(n, v, self._question(n, request), phone=n in request.phones) for n, v in request.match]

    def _question(self, name: str, request: Upsert) -> Callable[[str], Question]:
        return lambda text: Question(self._pages(name, text, request), _obeyed(name, text), PER_PAGE)

    def _pages(self, name: str, text: str, request: Upsert) -> Callable[[int], Page]:
        where = (("where[0][type]", "equals"), ("where[0][attribute]", name), ("where[0][value]", text))
        return lambda number: self._list((*where, ("maxSize", str(PER_PAGE))), (number - 1) * PER_PAGE, request)

    def _list(self, query: tuple[tuple[str, str], ...], offset: int, request: Upsert | None) -> Page:
        personal = (*(text for _, text in query), *(records.texts(request.record) if request else ()))
        call = Call("GET", calls.CONTACTS, calls.CONTACTS, (*query, ("offset", str(offset))), personal=personal)
        data = self._http.call(call).data
        rows = records.look(data, "list")
        found = [calls.found(row) for row in rows] if isinstance(rows, list) else [None]
        if None in found:
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        total = records.look(data, "total")
        last = isinstance(total, int) and 0 <= total <= offset + len(found)
        return Page([item for item in found if item is not None], last=last)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact, None when EspoCRM knows none of that id."""
        call = Call("GET", calls.path(remote_id), calls.CONTACT, bare_404=True, personal=records.texts(request.record))
        answer = self._http.look(call)
        if answer is None:
            return None
        found = calls.found(answer.data)
        if found is None or found.remote_id != remote_id:
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not that contact")
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
                only = calls.found(agreeing[0]) if len(agreeing) == 1 else None
                raise AlreadyThere(str(alike), only.remote_id if only else None, status=409) from None
        warning = "another contact has the same name; made beside it, for neither phone nor e-mail agree"
        return replace(self._made(request, ours, UNCHECKED), warnings=(warning,))

    def _made(self, request: Upsert, ours: Ours, headers: Mapping[str, str]) -> Written:
        call = replace(
            calls.write("POST", calls.CONTACTS, calls.CONTACTS, request.record, request),
            headers=headers,
            repeatable=False,
        )
        answer = self._http.call(call, ours)
        made = calls.found(answer.data)
        if made is None:
            raise Uncertain(f"{self._http.shown(call)} answered {answer.status} without an id")
        return Written(made.remote_id, f"{answer.status}", made.row, whole=True)

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields."""
        call = calls.write("PUT", calls.path(remote_id), calls.CONTACT, fields, request)
        answer = self._http.call(replace(call, headers=UNCHECKED, bare_404=True), ours)
        stored = calls.found(answer.data)
        return Written(remote_id, f"{answer.status}", stored.row if stored else None, whole=True)


def _obeyed(name: str, asked: str) -> Callable[[Row], bool]:
    return lambda row: records.same(asked, row.get(name))


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
    record_url=lambda settings, at: f"{settings['base_url']}/#Contact/view/{at}",
)

"""Qoyod (قيود), the Saudi accounting system: customers over its API 2.0.

It has no unique field, no upsert and no idempotency key: a contact is looked up by tax number, phone and e-mail before
it is made. Facts: https://apidoc.qoyod.com (resources, ransack filters), and what working clients do where it is
silent: a list without rows is a 404, paging is ignored on some lists, a contact cannot be deleted by the API.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connector.config_fields import Text
from connector.errors import Uncertain
from connector.models import Outcome, Upsert
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.http import Call, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Rung, Written, rung
from connector.targets.settings import HttpSettings, address, secret
from connector.targets.writing import upsert

PER_PAGE = 100
PACE = (280, 60.0)  # Qoyod allows 300 a minute to all who use the account's key


class QoyodSettings(HttpSettings):
    """Be the settings of a Qoyod target."""

    base_url = Text(
        load_default="https://api.qoyod.com/2.0", validate=address, metadata={"help": "https://api.qoyod.com/2.0"}
    )
    api_key = secret("from Qoyod: Settings, General Settings, Generate New Key", required=True)


class Qoyod(Account, Contacts):
    """Be one Qoyod account."""

    kind = "qoyod"
    batch_size = 1
    partial = True
    fetches = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        key = settings["api_key"]
        way = line(settings, headers={"API-KEY": key}, secrets=(key,))
        super().__init__(settings, around, way, settings["base_url"], key, pace=PACE)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - no list of fields
        """Ask for one customer; writes nothing."""
        return Check.of(self._looked())

    def _looked(self) -> Iterator[Said]:
        self._list((("page", "1"), ("per_page", "1")))
        yield True, f"{self._http.host} answers and takes the API key"

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Qoyod, once."""
        return [upsert(request, self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by each match value; by a phone in each usual spelling, for staff type 0551234567."""
        fields = [(name, value) for name, value in request.match if "." not in name]
        return [
            rung(name, value, self._question(name, request), phone=name in request.phones) for name, value in fields
        ]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact, None when Qoyod knows none of that id."""
        path = f"/customers/{quote(remote_id, safe='')}"
        call = Call("GET", path, "/customers/{id}", bare_404=True, personal=records.texts(request.record))
        answer = self._http.look(call)
        if answer is None:
            return None
        found = _contact(answer.data)
        if found is None or found.remote_id != remote_id:
            raise Uncertain(f"GET {self._http.host}/customers/{{id}} answered with something that is not that contact")
        return found

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact."""
        answer = self._http.call(_write("POST", "/customers", "/customers", request.record, request), ours)
        made = _contact(answer.data)
        if made is None:
            raise Uncertain(f"POST {self._http.host}/customers answered {answer.status} without contact.id")
        return Written(made.remote_id, f"{answer.status}", made.row)

    def update(self, remote_id: str, fields: Mapping[str, Any], request: Upsert, ours: Ours) -> Written:
        """Write the changed fields."""
        path = f"/customers/{quote(remote_id, safe='')}"
        call = _write("PUT", path, "/customers/{id}", fields, request)
        answer = self._http.call(replace(call, repeatable=True, needs_json=False), ours)
        stored = _contact(answer.data)
        return Written(remote_id, f"{answer.status}", stored.row if stored else None)

    def _question(self, name: str, request: Upsert) -> Callable[[str], Question]:
        personal = records.texts(request.record)
        return lambda text: Question(self._pages(name, text, (*personal, text)), _obeyed(name, text), PER_PAGE)

    def _pages(self, name: str, value: str, personal: Sequence[str]) -> Callable[[int], Page]:
        def page(number: int) -> Page:
            query = ((f"q[{name}_eq]", value), ("page", str(number)), ("per_page", str(PER_PAGE)))
            return self._list(query, number, personal)

        return page

    def _list(self, query: tuple[tuple[str, str], ...], number: int = 1, personal: Sequence[str] = ()) -> Page:
        call = Call("GET", "/customers", "/customers", query, bare_404=True, personal=personal)
        answer = self._http.look(call)
        if answer is None:  # a list without rows
            return Page((), last=True)
        data = answer.data
        rows = data.get("customers") if isinstance(data, dict) else None
        found = [_row(row) for row in rows] if isinstance(rows, list) else [None]
        if None in found:
            raise Uncertain(f"GET {self._http.host}/customers answered with something that is not a list of customers")
        total = records.look(data, "pagination.totalPages")
        last = isinstance(total, int) and number >= total
        return Page([item for item in found if item is not None], last=last)


def _write(method: str, path: str, shown: str, fields: Mapping[str, Any], request: Upsert) -> Call:
    personal = records.texts(request.record)
    return Call(method, path, shown, payload={"contact": fields}, writes=True, repeatable=False, personal=personal)


def _obeyed(name: str, asked: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda row: records.same(asked, row.get(name))


def _contact(data: Any) -> Found | None:
    return _row(data.get("contact")) if isinstance(data, dict) else None


def _row(row: Any) -> Found | None:
    remote_id = records.identity(row.get("id")) if isinstance(row, dict) else ""
    return Found(remote_id, row) if remote_id else None


KIND = Kind(
    label="Qoyod",
    schema=QoyodSettings(),
    open=lambda _config, settings, around: Qoyod(settings, around),
    batch_size=1,
    match="qoyod_id, then the mapping's match list: tax number, phone (in every usual spelling), e-mail",
    limits="300 a minute; paced at 280",
    auth="API key",
    proved="vendor's documents",
    twice="only a contact that Qoyod stores later than uncertain_wait after a lost answer",
)

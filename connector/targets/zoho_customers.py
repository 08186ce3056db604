"""The customers of a Zoho Books organization: asked for, read, made and updated, for one Flavours customer at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connector.errors import Rejected, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Upsert
from connector.targets import records, zoho_people
from connector.targets.http import Call, Http, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written

PER_PAGE, DETAILS, LONGEST = 200, 10, 100  # rows of a page; rows of it that are read whole; letters of a question
ASKED = {"phone": "phone_contains", "email": "email", "contact_name": "contact_name", "company_name": "company_name"}


class Customers(Contacts):
    """Be the organization's customers, for one request; `rows` are those that were read for it."""

    partial = True
    fetches = True
    name_field = "contact_name"
    soft = frozenset({"language_code"})

    def __init__(self, http: Http, uncertain_wait: float, unique: str | None) -> None:
        self._http, self._rows = http, dict[str, Row]()
        self.uncertain_wait, self.customer_field, self.idempotent = uncertain_wait, unique, unique is not None

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask by each match value that Zoho Books can be asked for; by a phone's digits, however it is typed.

        It cannot be asked for a custom field: who has neither phone nor e-mail is found by his name, if he has signed it.
        """
        found = [self._rung(name, value, request) for name, value in request.match if leaf_of(name) in ASKED]
        name, key = records.text(request.record.get("contact_name")), self.customer_field
        if found or not name or key is None:
            return found
        named = self._rung("contact_name", name, request)
        return [replace(named, name=key, same=lambda row: records.text(row.get(key)) == request.customer)]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact with its persons and custom fields, None when Zoho Books knows none of that id."""
        path = f"/contacts/{quote(remote_id, safe='')}"
        call = Call("GET", path, "/contacts/{id}", personal=_texts(request))
        try:
            found = _contact(self._http.call(call).data, request)
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        if found is None or found.remote_id != remote_id:
            raise Uncertain(f"GET {self._http.host}/contacts/{{id}} answered with something that is not that contact")
        self._rows[remote_id] = found.row
        return found

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact; with a unique field Zoho Books itself sees to it that it is there once."""
        if self.customer_field is None:
            call = Call("POST", "/contacts", "/contacts", payload=request.record, repeatable=False)
            return replace(self._write(call, request, ours), created=None)
        headers = {
            "X-Unique-Identifier-Key": self.customer_field,
            "X-Unique-Identifier-Value": request.customer,
            "X-Upsert": "true",
        }
        call = Call("PUT", "/contacts", "/contacts", payload=request.record, headers=headers)
        written = self._write(call, request, ours)
        known = f"Zoho Books knew this customer already by {self.customer_field}: the whole record was written over it"
        return written if written.created else replace(written, warnings=(known,))

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields, with all persons, and with the name, which Zoho Books wants each time."""
        row = self._rows[remote_id]
        payload = {"contact_name": row.get("contact_name"), **fields}
        if isinstance(persons := fields.get("contact_persons"), list):
            payload["contact_persons"] = zoho_people.merged(persons, row)
        if fields.keys() & set(zoho_people.TAX):
            payload = {name: row[name] for name in zoho_people.TAX if row.get(name)} | payload
        call = Call("PUT", f"/contacts/{quote(remote_id, safe='')}", "/contacts/{id}", payload=payload)
        return replace(self._write(call, request, ours), created=None)

    def named(self, name: str, request: Upsert) -> Sequence[Found]:
        """Return the customers of this name, the inactive ones too; a vendor of it is nobody whom we know."""
        question = self._rung("contact_name", name, request)
        return [found for found in question.questions[0].page(1).rows if question.same(found.row)]

    def _write(self, call: Call, request: Upsert, ours: Ours) -> Written:
        answer = self._http.call(replace(call, writes=True, personal=_texts(request)), ours)
        made = _contact(answer.data, request)
        if made is None:
            where = f"{call.method} {self._http.host}{call.shown} answered {answer.status}"
            raise Uncertain(f"{where} without contact.contact_id")
        created = answer.status == 201 or "created" in records.text(records.look(answer.data, "message"))
        return Written(made.remote_id, f"{answer.status}", made.row, created=created)

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        leaf = leaf_of(name)
        asked = spellings(value)[-1].lstrip("+") if leaf == "phone" else value

        def obeyed(row: Row) -> bool:
            return zoho_people.holds(row, asked) if leaf == "phone" else zoho_people.has(row, leaf, value)

        def same(row: Row) -> bool:
            return row.get("contact_type") != "vendor" and zoho_people.has(row, leaf, value)

        return Rung(name, [Question(self._pages(leaf, asked, same, request), obeyed, PER_PAGE)], same)

    def _pages(self, leaf: str, asked: str, same: Callable[[Row], bool], request: Upsert) -> Callable[[int], Page]:
        """Return the pages of a question: the rows of a list hold too little to compare, so the near ones are read."""
        filters = ((ASKED[leaf], asked) if len(asked) <= LONGEST else (f"{leaf}_startswith", asked[:LONGEST]),)
        fixed = (*filters, ("filter_by", "Status.All"), ("per_page", str(PER_PAGE)))

        def page(number: int) -> Page:
            call = Call(
                "GET", "/contacts", "/contacts", (*fixed, ("page", str(number))), personal=(*_texts(request), asked)
            )
            data = self._http.call(call).data
            rows = sorted(self._listed(data, request), key=lambda found: not same(found.row))
            whole = [self.fetch(found.remote_id, request) for found in rows[:DETAILS]]
            last = records.look(data, "page_context.has_more_page") is False
            return Page([found for found in whole if found] + rows[DETAILS:], last=last)

        return page

    def _listed(self, data: Any, request: Upsert) -> list[Found]:
        rows = data.get("contacts") if isinstance(data, dict) else None
        found = [_row(row, request) for row in rows] if isinstance(rows, list) else [None]
        if None in found:
            raise Uncertain(f"GET {self._http.host}/contacts answered with something that is not a list of contacts")
        return [item for item in found if item is not None]


def leaf_of(name: str) -> str:
    """Return the last part of a dotted field name."""
    return name.rpartition(".")[2]


def _texts(request: Upsert) -> records.Texts:
    return records.texts(request.record)


def _contact(data: Any, request: Upsert) -> Found | None:
    return _row(data.get("contact"), request) if isinstance(data, dict) else None


def _row(row: Any, request: Upsert) -> Found | None:
    remote_id = records.identity(row.get("contact_id")) if isinstance(row, dict) else ""
    return Found(remote_id, zoho_people.read(row, request)) if remote_id else None

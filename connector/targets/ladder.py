"""Who is it? The one ladder by which every target with contacts of its own finds a customer, and never makes a twin.

link ──> remote hint ──> each rung of the mapping's match values ──> create
 │ gone: drop it, a warning    │ gone: a warning           │ one hit: update it
 │                             │ somebody else: held       │ two, or another customer's: held
 └ there: update               └ agrees: update            └ rows that are no answer: read on, or held

Finding only decides (an Outcome, or a Write still to be done); connector/targets/writing.py does the write, and
connector/targets/batches.py climbs with many customers at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from connector.errors import TargetError
from connector.mapping.transforms.phone import spellings
from connector.models import Delivered, Hold, Outcome, Skip, Upsert
from connector.targets import records
from connector.targets.base import Onlooker, Run
from connector.targets.http import Ours
from connector.targets.outcomes import outcome

MOST_PAGES = 20
WHICH = "say which it is: connector deliveries resolve ID --link CONTACT, or --create, or --skip"

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    """Hold one contact of the target."""

    remote_id: str
    row: Row


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one page of an answer; `last` when the target said that there are no more."""

    rows: Sequence[Found]
    last: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Ask for contacts with one value, page by page from 1.

    `obeyed` tells whether a row answers the question as it was asked; rows that do not mean that the filter was
    ignored. `full` is how many rows a page holds when there may be more; None: there is one page only.
    """

    page: Callable[[int], Page]
    obeyed: Callable[[Row], bool]
    full: int | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """Look for the customer by one field; `same` re-checks every row on our side."""

    name: str
    questions: Sequence[Question]
    same: Callable[[Row], bool]


def rung(name: str, value: str, ask: Callable[[str], Question], *, phone: bool) -> Rung:
    """Return the rung of a field that holds one text; a phone is asked for in each usual spelling, by `ask`."""
    asked = spellings(value) if phone else (value,)
    return Rung(name, [ask(text) for text in asked], lambda row: records.same(value, row.get(name), phone=phone))


@dataclass(frozen=True, slots=True)
class Written:
    """Hold what a write came to: the contact's id, what the target answered, and the contact as it is stored now.

    `row` is None where the answer does not carry the contact; `whole`: a field that it does not name is not there.
    `created`: what a native upsert says; None: the request was to create, or to update, and so it was.
    """

    remote_id: str
    answer: str
    row: Row | None = None
    whole: bool = False
    created: bool | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """Say what is to be written: a new contact, or these fields of one that is there; `row` is it as it was read."""

    request: Upsert
    fields: Row
    remote_id: str | None = None
    warnings: tuple[str, ...] = ()
    row: Row | None = None


class Contacts(Protocol):
    """Be the contacts of one account, as one kind of target knows them.

    `idempotent`: a create that is sent again makes nothing twice. `partial`: an update takes the changed fields only,
    so the contact is read first. `fetches`: a contact can be read by its id. `name_field` is the record's field that
    the target takes only once among all contacts, `customer_field` the one that holds the Flavours customer's id.
    `soft` are fields that the target may refuse, when it names them, without losing the rest (a phone, a value of a
    list).
    """

    idempotent: bool = False
    partial: bool = False
    fetches: bool = False
    uncertain_wait: float = 0.0
    name_field: str | None = None
    customer_field: str | None = None
    soft: frozenset[str] = frozenset()

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Return what can be asked with the customer's valid values, best first."""
        ...

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact by its id, None when it is gone."""
        ...

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact. Raises NameTaken and AlreadyThere where the vendor tells them apart."""
        ...

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the fields. Raises Rejected with 404 or 410 when the contact is gone."""
        ...

    def write(self, write: Write, ours: Ours) -> Written:
        """Do one write, by `create` or `update`; a kind that needs the contact as it was read does it its own way."""
        if write.remote_id is None:
            return self.create(replace(write.request, record=write.fields), ours)
        return self.update(write.remote_id, write.fields, write.request, ours)

    def owner(self, row: Row) -> str | None:
        """Return the Flavours customer whose id the contact itself holds, None when it holds none."""
        field = self.customer_field
        return (records.text(records.look(row, field)) or None) if field else None

    def named(self, name: str, request: Upsert) -> Sequence[Found]:  # noqa: ARG002 - most names may repeat
        """Return the contacts that have a name, those switched off too; asked when the name is taken."""
        return ()


@dataclass(slots=True)
class _Listing:
    hits: dict[str, Found] = field(default_factory=dict)
    strangers: bool = False
    complete: bool = True


@dataclass(slots=True)
class Climb:
    """Find one customer, rung by rung; `asked`: a rung was asked; `reached`: the target answered.

    `anew`: a contact that was found is gone, and the customer is looked for once more.
    """

    request: Upsert
    contacts: Contacts
    run: Run
    warnings: list[str] = field(default_factory=list)
    asked: bool = False
    reached: bool = False
    anew: bool = False

    def decide(self) -> Outcome | Write:
        """Return what is to be done. Raises TargetError."""
        if self.request.create_anyway:
            return self.anyway()
        return self.by_link() or self.by_hint() or self.by_rungs() or self.nobody()

    def failed(self, error: TargetError) -> Outcome:
        """Return what it comes to that the target could not be asked."""
        return outcome(error, tuple(self.warnings))

    def by_link(self) -> Outcome | Write | None:
        """Follow the link; None when there is none, or it leads nowhere."""
        remote_id, request = self.request.remote_id, self.request
        if remote_id is None:
            return None
        protects = request.keep or request.fill_if_empty
        if self.contacts.fetches and (self.contacts.partial or protects or request.observe):
            return self.linked(remote_id, self._fetch(remote_id))
        found = self._among_rungs(remote_id) if protects else None
        return self.update(found) if found else self._blindly(remote_id)

    def linked(self, remote_id: str, found: Found | None) -> Outcome | Write | None:
        """Take the contact that this customer is linked to, if it is still there."""
        if found is not None:
            return self.update(found)
        self.gone(remote_id)
        return None

    def _fetch(self, remote_id: str) -> Found | None:
        found = self.contacts.fetch(remote_id, self.request)
        self.reached = True
        return found

    def _among_rungs(self, remote_id: str) -> Found | None:
        """Find the linked contact where it cannot be read by its id."""
        for rung in self.contacts.rungs(self.request):
            found = _listed(rung).hits.get(remote_id)
            if found is not None:
                return found
        return None

    def _blindly(self, remote_id: str) -> Outcome | Write:
        """Write to the linked contact without having read it."""
        if self.request.observe:
            return Skip(f"observe: would update {remote_id}", tuple(self.warnings))
        return self._write(records.joined(self.request, None), remote_id)

    def gone(self, remote_id: str) -> None:
        """Say that the linked contact is no more."""
        self.warnings.append(f"the contact {remote_id} that this customer was linked to is gone; looked for anew")

    def by_hint(self) -> Outcome | Write | None:
        """Look at the contact that this customer is said to be."""
        hint = self.request.remote_hint
        return None if hint is None or not self.contacts.fetches else self.hinted(hint, self._fetch(hint))

    def hinted(self, hint: str, found: Found | None) -> Outcome | Write | None:
        """Take the contact that this customer is said to be, if it is there and agrees."""
        if found is None:
            self.warnings.append(f"there is no contact {hint}, which this customer is said to be; looked for anew")
            return None
        self._show(found)
        if not records.agrees(self.request, found.row):
            return self.hold(
                f"contact {hint} is said to be this customer, but neither phone, e-mail nor tax number agree",
                "id_differs",
            )
        return self.found(found)

    def by_rungs(self) -> Outcome | Write | None:
        """Ask rung by rung; None when nobody is there."""
        for rung in self.contacts.rungs(self.request):
            self.asked = self.reached = True
            listing = _listed(rung)
            if listing.hits:
                return self.hits(rung.name, listing.hits.values())
            if listing.strangers and not listing.complete:
                return self.ignored(rung.name)
        return None

    def ignored(self, name: str) -> Hold:
        """Leave it to a person that a question was answered with others, and not to the end."""
        return self.hold(
            f"asked for this {name}, the target lists other contacts too, so it cannot be told whether the customer is there",
            "filter_ignored",
        )

    def hits(self, name: str, found: Iterable[Found]) -> Outcome | Write:
        """Take the one contact that a rung found; two are for a person to decide."""
        contacts = {contact.remote_id: contact for contact in found}
        self._show(*contacts.values())
        if len(contacts) > 1:
            ids = ", ".join(sorted(contacts)[:5])
            return self.hold(
                f"several contacts have this {name} ({ids}); merge them there and replay, or {WHICH}", "two_matches", ""
            )
        return self.found(next(iter(contacts.values())))

    def found(self, found: Found) -> Outcome | Write:
        """Take a contact, unless it is another customer's."""
        owner = self.run.linked_to(found.remote_id) or self.contacts.owner(found.row)
        if owner not in {None, self.request.customer}:
            return self.hold(
                f"contact {found.remote_id} belongs to another Flavours customer already ({owner[:255]})",
                "already_linked",
            )
        return self.update(found)

    def hold(self, reason: str, code: str, cure: str = WHICH) -> Hold:
        """Leave it to a person."""
        return Hold(f"{reason}; {cure}" if cure else reason, code, warnings=tuple(self.warnings))

    def update(self, found: Found) -> Outcome | Write:
        """Compare the contact with the record; nothing is written where nothing differs."""
        self._show(found)
        record = records.joined(self._called(found.row), found.row)
        changed = records.changed(self.request, record, found.row)
        if self.request.observe:
            what = f"would update {found.remote_id}" if changed else f"{found.remote_id} is as it should be"
            return Skip(f"observe: {what}", tuple(self.warnings), proves_target=True)
        if not changed:
            return Delivered("unchanged", found.remote_id, tuple(self.warnings))
        return self._write(changed if self.contacts.partial else record, found.remote_id, found.row)

    def _called(self, row: Row) -> Upsert:
        # A contact that got a suffix because its name was taken keeps it: the plain name would be taken again.
        name = self.contacts.name_field
        given = records.look(self.request.record, name) if name else None
        if name is None or not given or records.look(row, name) != records.suffixed(str(given), self.request.customer):
            return self.request
        return records.renamed(self.request, name, str(records.look(row, name)))

    def _write(self, fields: Row, remote_id: str | None, row: Row | None = None) -> Write:
        return Write(self.request, fields, remote_id, tuple(self.warnings), row)

    def anyway(self) -> Outcome | Write:
        """Make a contact of its own beside others that look alike, as a person asked."""
        # No rung could tell it from them: a lost answer is not repeated.
        lost = self.request.maybe_sent and not self.contacts.idempotent
        return self._maybe_there() if lost else self._create()

    def nobody(self) -> Outcome | Write:
        """Make a contact, for nobody was found."""
        if self.request.maybe_sent and not self.asked and not self.contacts.idempotent:
            return self._maybe_there()
        return self._create()

    def _maybe_there(self) -> Hold:
        return self.hold(
            "an earlier answer was lost and there is nothing to look the customer up by: it may already be there; look there",
            "maybe_there",
            f"and {WHICH}",
        )

    def _create(self) -> Outcome | Write:
        if self.request.observe:
            self._show_namesakes()
            return Skip("observe: would create", tuple(self.warnings), proves_target=self.reached)
        return self._write(self.request.record, None)

    def _show(self, *found: Found) -> None:
        if isinstance(self.run, Onlooker):
            for contact in found:
                self.run.saw(contact.remote_id, contact.row)

    def _show_namesakes(self) -> None:
        """Show who has the name, where a name is taken once: a delivery meets them only when it writes."""
        name = self.contacts.name_field
        given = records.look(self.request.record, name) if name else None
        if given and isinstance(self.run, Onlooker):
            self._show(*self.contacts.named(str(given), self.request))
            self.reached = True


def _listed(rung: Rung) -> _Listing:
    """Ask a rung's questions; one that lists everybody to the end has answered the others too."""
    listing = _Listing()
    for question in rung.questions:
        strangers, complete = _read(question, rung, listing.hits)
        listing.strangers |= strangers
        listing.complete &= complete or not strangers
        if strangers:
            break
    return listing


def _read(question: Question, rung: Rung, hits: dict[str, Found]) -> tuple[bool, bool]:
    """Add the hits; return whether there were rows that do not answer, and whether all rows were seen."""
    seen: set[str] = set()
    strangers = False
    for number in range(1, MOST_PAGES + 1):
        page = question.page(number)
        fresh = [found for found in page.rows if found.remote_id not in seen]
        seen |= {found.remote_id for found in fresh}
        hits |= {found.remote_id: found for found in fresh if rung.same(found.row)}
        strangers = strangers or not all(rung.same(f.row) or question.obeyed(f.row) for f in fresh)
        if page.last or not page.rows:
            return strangers, True
        if question.full is None or not fresh:  # one page, or the same page again: nobody knows what is behind it
            return strangers, not strangers
        if not strangers and len(page.rows) < question.full:
            return False, True
    return strangers, False

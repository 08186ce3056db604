"""Who is it? The one ladder by which every target with contacts of its own finds a customer, and never makes a twin.

link ──> remote hint ──> each rung of the mapping's match values ──> create
 │ gone: drop it, a warning    │ gone: a warning           │ one hit: update it
 │                             │ somebody else: held       │ two, or another customer's: held
 └ there: update               └ agrees: update            └ rows that are no answer: read on, or held
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector.errors import Rejected, TargetError
from connector.models import Delivered, Hold, Outcome, Skip, Upsert
from connector.targets import records
from connector.targets.base import Run
from connector.targets.http import Ours
from connector.targets.outcomes import Create, outcome

MOST_PAGES = 20

Row = Mapping[str, Any]


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


class Contacts(Protocol):
    """Be the contacts of one account, as one kind of target knows them.

    `idempotent`: a create that is sent again makes nothing twice. `partial`: an update takes the changed fields only,
    so the contact is read first. `fetches`: a contact can be read by its id.
    """

    idempotent: bool
    partial: bool
    fetches: bool
    uncertain_wait: float

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Return what can be asked with the customer's valid values, best first."""
        ...

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact by its id, None when it is gone."""
        ...

    def create(self, request: Upsert, ours: Ours) -> tuple[str, str]:
        """Make the contact; return its id and what the target answered."""
        ...

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> str:
        """Write the fields; return what the target answered. Raises Rejected with 404 or 410 when it is gone."""
        ...


def upsert(request: Upsert, contacts: Contacts, run: Run) -> Outcome:
    """Bring one customer's record to the target, once; whatever happens comes back as a value."""
    climb = _Climb(request, contacts, run)
    try:
        return climb.anyway() if request.create_anyway else climb.climb()
    except TargetError as error:
        return outcome(error, tuple(climb.warnings))


@dataclass(slots=True)
class _Listing:
    hits: dict[str, Found] = field(default_factory=dict)
    strangers: bool = False
    complete: bool = True


@dataclass(slots=True)
class _Climb:
    request: Upsert
    contacts: Contacts
    run: Run
    warnings: list[str] = field(default_factory=list)
    asked: bool = False  # a rung was asked
    reached: bool = False  # the target answered

    def climb(self) -> Outcome:
        return self._by_link() or self._by_hint() or self._by_rungs() or self._nobody()

    def _by_link(self) -> Outcome | None:
        remote_id, request = self.request.remote_id, self.request
        if remote_id is None:
            return None
        protects = request.keep or request.fill_if_empty
        if self.contacts.fetches and (self.contacts.partial or protects or request.observe):
            found = self._fetch(remote_id)
            if found is not None:
                return self._update(found)
            self._gone(remote_id)
            return None
        found = self._among_rungs(remote_id) if protects else None
        return self._update(found) if found else self._blindly(remote_id)

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

    def _blindly(self, remote_id: str) -> Outcome | None:
        """Write to the linked contact without having read it."""
        if self.request.observe:
            return Skip(f"observe: would update {remote_id}", tuple(self.warnings))
        try:
            return self._write(remote_id, records.joined(self.request, None))
        except Rejected as error:
            if error.status not in (404, 410):
                raise
            self._gone(remote_id)
            return None

    def _gone(self, remote_id: str) -> None:
        self.warnings.append(f"the contact {remote_id} that this customer was linked to is gone; looked for anew")

    def _by_hint(self) -> Outcome | None:
        hint = self.request.remote_hint
        if hint is None or not self.contacts.fetches:
            return None
        found = self._fetch(hint)
        if found is None:
            self.warnings.append(f"there is no contact {hint}, which this customer is said to be; looked for anew")
            return None
        if not records.agrees(self.request, found.row):
            return Hold(
                f"contact {hint} is said to be this customer, but neither phone, e-mail nor tax number agree; {_WHICH}",
                "id_differs",
                warnings=tuple(self.warnings),
            )
        return self._found(found)

    def _by_rungs(self) -> Outcome | None:
        for rung in self.contacts.rungs(self.request):
            self.asked = self.reached = True
            listing = _listed(rung)
            if len(listing.hits) > 1:
                ids = ", ".join(sorted(listing.hits)[:5])
                return self._hold(
                    f"several contacts have this {rung.name} ({ids}); merge them there and replay, or {_WHICH}",
                    "two_matches",
                )
            if listing.hits:
                return self._found(next(iter(listing.hits.values())))
            if listing.strangers and not listing.complete:
                return self._hold(
                    f"asked for this {rung.name}, the target lists other contacts too, so it cannot be told whether the customer is there; {_WHICH}",
                    "filter_ignored",
                )
        return None

    def _found(self, found: Found) -> Outcome:
        owner = self.run.linked_to(found.remote_id)
        if owner is not None and owner != self.request.customer:
            return self._hold(
                f"contact {found.remote_id} belongs to another Flavours customer already ({owner}); {_WHICH}",
                "already_linked",
            )
        return self._update(found)

    def _hold(self, reason: str, code: str) -> Hold:
        return Hold(reason, code, warnings=tuple(self.warnings))

    def _update(self, found: Found) -> Outcome:
        record = records.joined(self.request, found.row)
        changed = records.changed(self.request, record, found.row)
        if self.request.observe:
            what = f"would update {found.remote_id}" if changed else f"{found.remote_id} is as it should be"
            return Skip(f"observe: {what}", tuple(self.warnings), proves_target=True)
        if not changed:
            return Delivered("unchanged", found.remote_id, tuple(self.warnings))
        return self._write(found.remote_id, changed if self.contacts.partial else record)

    def _write(self, remote_id: str, fields: Row) -> Outcome:
        answer = self.contacts.update(remote_id, fields, self.request, self.run.still_ours)
        return Delivered("updated", remote_id, tuple(self.warnings), answer)

    def anyway(self) -> Outcome:
        # A person asked for a contact of its own beside others that look alike: no rung could tell it from them.
        lost = self.request.maybe_sent and not self.contacts.idempotent
        return self._maybe_there() if lost else self.create()

    def _nobody(self) -> Outcome:
        if self.request.maybe_sent and not self.asked and not self.contacts.idempotent:
            return self._maybe_there()
        return self.create()

    def _maybe_there(self) -> Hold:
        return self._hold(
            f"an earlier answer was lost and there is nothing to look the customer up by: it may already be there; look there, and {_WHICH}",
            "maybe_there",
        )

    def create(self) -> Outcome:
        if self.request.observe:
            return Skip("observe: would create", tuple(self.warnings), proves_target=self.reached)
        try:
            remote_id, answer = self.contacts.create(self.request, self.run.still_ours)
        except TargetError as error:
            how = Create(self.contacts.idempotent, self.contacts.uncertain_wait)
            return outcome(error, tuple(self.warnings), how)
        return Delivered("created", remote_id, tuple(self.warnings), answer)


_WHICH = "say which it is: connector deliveries resolve ID --link CONTACT, or --create, or --skip"


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

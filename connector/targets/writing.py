"""Write what the ladder decided, and deal with what a vendor says to it: name taken, already there, a field refused."""

from dataclasses import dataclass, field, replace

from connector.errors import AlreadyThere, NameTaken, Rejected, TargetError
from connector.models import Delivered, Outcome, Retry, Upsert
from connector.targets import records
from connector.targets.base import Run
from connector.targets.ladder import WHICH, Climb, Contacts, Found, Row, Write, Written
from connector.targets.outcomes import Create, outcome

GONE = (404, 410)


def upsert(request: Upsert, contacts: Contacts, run: Run) -> Outcome:
    """Bring one customer's record to the target, once; whatever happens comes back as a value."""
    climb = Climb(request, contacts, run)
    try:
        found = climb.decide()
    except TargetError as error:
        return climb.failed(error)
    return found if not isinstance(found, Write) else Writing(found, climb).outcome()


@dataclass(slots=True)
class Writing:
    """Do one write; `warnings` gather what had to be left out or changed."""

    write: Write
    climb: Climb
    warnings: list[str] = field(default_factory=list)
    suffixed: bool = False

    def __post_init__(self) -> None:
        self.warnings = list(self.write.warnings)

    @property
    def contacts(self) -> Contacts:
        """Return the contacts that are written to."""
        return self.climb.contacts

    def outcome(self) -> Outcome:
        """Do it, and say what it came to."""
        try:
            written = self.contacts.write(self.write, self.climb.run.still_ours)
        except TargetError as error:
            return self.refused(error)
        return self.delivered(written)

    def delivered(self, written: Written) -> Delivered:
        """Return what was written; what the target did not keep as it was sent is a warning."""
        kept = _read_back(self.write, written)
        created = self.write.remote_id is None if written.created is None else written.created
        warnings = (*self.warnings, *written.warnings, *kept)
        return Delivered("created" if created else "updated", written.remote_id, warnings, written.answer)

    def refused(self, error: TargetError) -> Outcome:
        """Deal with a refusal that the customer need not suffer from; any other comes to what it is."""
        if isinstance(error, NameTaken):
            return self._name_taken(error)
        if isinstance(error, AlreadyThere):
            return self._already_there(error)
        if isinstance(error, Rejected) and self.write.remote_id is not None and error.status in GONE:
            return self._gone(error)
        if isinstance(error, Rejected) and (softer := self._softer(error)) is not None:
            return self._again(softer)
        contacts = self.contacts
        create = Create(contacts.idempotent, contacts.uncertain_wait) if self.write.remote_id is None else None
        return outcome(error, tuple(self.warnings), create)

    def _again(self, fields: Row) -> Outcome:
        if self.write.remote_id is not None and not fields:
            return Delivered("unchanged", self.write.remote_id, tuple(self.warnings))
        self.write = replace(self.write, fields=fields)
        return self.outcome()

    def _softer(self, error: Rejected) -> Row | None:
        """Leave out the fields that the target names, if they are such as may be left out."""
        named = [name for name in error.fields if records.look(self.write.fields, name) is not None]
        if not named or not (error.soft or set(named) <= self.contacts.soft):
            return None
        self.warnings += [f"{name}: left out, for the target refuses it ({error})" for name in named]
        return records.without(self.write.fields, named)

    def _gone(self, error: Rejected) -> Outcome:
        """Look for the customer anew, for the contact that was to be updated is no more."""
        if self.climb.anew:  # what was found anew is gone, too: the target still lists what it has no more
            return Retry(str(error), answer=str(error))
        self.climb.gone(self.write.remote_id or "")
        request = replace(self.write.request, remote_id=None)
        anew = Climb(request, self.contacts, self.climb.run, self.climb.warnings, anew=True)
        try:
            found = anew.decide()
        except TargetError as problem:
            return anew.failed(problem)
        return found if not isinstance(found, Write) else Writing(found, anew).outcome()

    def _name_taken(self, error: NameTaken) -> Outcome:
        name = self.contacts.name_field
        given = str(records.look(self.write.fields, name) or "") if name else ""
        if name is None or not given:
            return outcome(error, tuple(self.warnings))
        if self.write.remote_id is not None:
            self.warnings.append(f"{name}: left as it is, for another contact has the new name")
            return self._again(records.without(self.write.fields, [name]))
        try:
            others = self.contacts.named(given, self.write.request)
        except TargetError as problem:
            return outcome(problem, tuple(self.warnings))
        same = [found for found in others if self._same(found)]
        if not same and self.suffixed:
            return outcome(error, tuple(self.warnings))
        return self._do(self.climb.hits(name, same)) if same else self._another_name(name, given)

    def _same(self, found: Found) -> bool:
        """Tell whether the contact that has the name is this customer; who wants a new one has but his own."""
        request = self.write.request
        own = self.contacts.owner(found.row) == request.customer
        return own or (not request.create_anyway and records.agrees(request, found.row))

    def _another_name(self, name: str, given: str) -> Outcome:
        request = self.write.request
        if request.on_name_taken == "hold":
            return self.climb.hold(
                f"another contact has the name of this customer, and the target takes a name once; {WHICH}",
                "name_taken",
                "",
            )
        self.suffixed = True
        self.warnings.append(f"{name}: got a suffix, for another contact has this name")
        return self._again(
            records.renamed(
                replace(request, record=self.write.fields), name, records.suffixed(given, request.customer)
            ).record
        )

    def _already_there(self, error: AlreadyThere) -> Outcome:
        """Take the contact that the target says is this one, if it agrees and is nobody else's."""
        # Another contact than the one to be updated, or than the new one that a person wants, is for a person.
        new = self.write.remote_id is None and not self.write.request.create_anyway
        found = self._fetched(error.remote_id) if error.remote_id and new else None
        if isinstance(found, Found) and records.agrees(self.write.request, found.row):
            return self._do(self.climb.found(found))
        if found is not None and not isinstance(found, Found):
            return found
        return self.climb.hold(f"the target says that this customer is there already ({error})", "already_there")

    def _fetched(self, remote_id: str) -> Found | Outcome | None:
        try:
            return self.contacts.fetch(remote_id, self.write.request) if self.contacts.fetches else None
        except TargetError as problem:
            return outcome(problem, tuple(self.warnings))

    def _do(self, found: Outcome | Write) -> Outcome:
        if not isinstance(found, Write):
            return found
        warnings = dict.fromkeys((*self.warnings, *found.warnings))
        return Writing(replace(found, warnings=tuple(warnings)), self.climb).outcome()


def _read_back(write: Write, written: Written) -> tuple[str, ...]:
    if written.row is None:
        return ()
    return records.unkept(write.fields, written.row, write.request.phones, whole=written.whole)

"""Bring many customers at once to a target that takes batches: one question for each rung, one write, an outcome each.

links ──> hints ──> each rung's value ──> create          the ladder of ladder.py, climbed side by side
   each step is one request for all who stand there; who is decided stands aside

A question or a write that is refused whole may be spoilt by one record: each goes alone at the next claim. What a
person decided, and what is refused record by record, goes singly at once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from connector.errors import Rejected, TargetError
from connector.mapping.fold import fold
from connector.models import Delivered, Outcome, Retry, Trouble, Upsert
from connector.targets import records
from connector.targets.base import Run
from connector.targets.http import Ours
from connector.targets.ladder import Climb, Contacts, Found, Page, Question, Row, Rung, Write, Written
from connector.targets.writing import Writing, upsert

_LATER = Retry("waits for another customer who may be the same contact", after=0.0, spent=False)

Answered = TypeVar("Answered")
Taken = Callable[[Climb, str, Found | None], Outcome | Write | None]


@dataclass(frozen=True, slots=True)
class Ask:
    """Look for the customer in one field: by its value, or by each spelling of it; `same` re-checks every row."""

    name: str
    values: tuple[str, ...]
    same: Callable[[Row], bool]


class Batches(Contacts, Protocol):
    """Be the contacts of an account that takes many at once. What is asked singly is asked as a batch of one."""

    fetches: bool = True

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Return what can be asked with the customer's valid values, best first; one field for each rung."""
        ...

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts that have one of the values in the field; `last` when there are no more of them.

        `requests` are those of the customers who are looked for: their records name the fields to read.
        """
        ...

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids, those that are there."""
        ...

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Make all of these contacts, or update all of them: they are of one sort.

        One answer each, in the same order. Raises TargetError when nothing of it was done, or nobody knows.
        """
        ...

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask for one customer."""
        return [self._rung(ask, request) for ask in self.asks(request)]

    def _rung(self, ask: Ask, request: Upsert) -> Rung:
        question = Question(lambda _: self.find_many(ask.name, ask.values, [request]), ask.same)
        return Rung(ask.name, [question], ask.same)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact by its id, None when it is gone."""
        return self.fetch_many([remote_id], [request]).get(remote_id)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make one contact."""
        return self._one(Write(request, request.record), ours)

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write one contact's fields."""
        return self._one(Write(request, fields, remote_id), ours)

    def _one(self, write: Write, ours: Ours) -> Written:
        (answer,) = self.write_many([write], ours)
        if isinstance(answer, TargetError):
            raise answer
        return answer


def matches(name: str, value: str, *, phone: bool = False) -> Callable[[Row], bool]:
    """Return the check that a row has the value in the field."""
    return lambda row: records.same(value, records.look(row, name), phone=phone)


def personal(requests: Iterable[Upsert]) -> records.Texts:
    """Return the customers' own texts, which no error may hold."""
    return records.Texts(*[request.record for request in requests])


def upsert_many(requests: Sequence[Upsert], contacts: Batches, run: Run) -> list[Outcome]:
    """Bring the customers' records to the target, each once; one outcome for each, in the same order."""
    climbs = {r.customer: Climb(r, contacts, run) for r in requests if not r.create_anyway}
    # Lanes see to it that a customer comes once; if not, the second must see what the first made.
    repeated = len({request.customer for request in requests}) < len(requests)
    done = {} if repeated or len(climbs) == 1 else _Batch(climbs, contacts, run.still_ours).outcomes()
    return _counted_once([done.get(r.customer) or upsert(r, contacts, run) for r in requests])


def _counted_once(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Let one request that failed be one failure of the target, however many customers were in it."""
    counted: dict[Trouble, Outcome] = {}
    return [_counted(outcome, counted) for outcome in outcomes]


def _counted(outcome: Outcome, counted: dict[Trouble, Outcome]) -> Outcome:
    if not isinstance(outcome, Retry) or outcome.trouble is None or outcome.trouble.kind != "sick":
        return outcome
    first = counted.setdefault(outcome.trouble, outcome)
    return outcome if first is outcome else replace(outcome, trouble=None)


@dataclass(slots=True)
class _Batch:
    """Hold customers on their way: `done` what it came to, `writes` what is to be written; who is in neither stands."""

    climbs: Mapping[str, Climb]
    contacts: Batches
    ours: Ours
    done: dict[str, Outcome] = field(default_factory=dict)
    writes: dict[str, Write] = field(default_factory=dict)

    def outcomes(self) -> dict[str, Outcome]:
        """Climb, write, and return what each customer came to."""
        self._read({name: climb.request.remote_id for name, climb in self.climbs.items()}, Climb.linked)
        self._read({name: climb.request.remote_hint for name, climb in self.climbs.items()}, Climb.hinted)
        self._ask()
        for name in self._standing():
            self._decide(name, self.climbs[name].nobody())
        self._part()
        self._write([write for write in self.writes.values() if write.remote_id is not None])
        self._write([write for write in self.writes.values() if write.remote_id is None])
        return self.done

    def _standing(self) -> list[str]:
        return [name for name in self.climbs if name not in self.done and name not in self.writes]

    def _decide(self, name: str, what: Outcome | Write | None) -> None:
        if isinstance(what, Write):
            self.writes[name] = what
        elif what is not None:
            self.done[name] = what

    def _read(self, ids: Mapping[str, str | None], take: Taken) -> None:
        """Read the contacts that customers are linked to, or said to be."""
        asked = {name: remote_id for name in self._standing() if (remote_id := ids[name]) is not None}
        wanted = list(dict.fromkeys(asked.values()))
        found = self._answer(asked, lambda: self.contacts.fetch_many(wanted, self._requests(asked))) if asked else None
        if found is None:
            return
        for name, remote_id in asked.items():
            self.climbs[name].reached = True
            self._decide(name, take(self.climbs[name], remote_id, found.get(remote_id)))

    def _ask(self) -> None:
        """Climb with all at once: at each height, one question for each field that somebody stands at."""
        asks = {name: list(self.contacts.asks(self.climbs[name].request)) for name in self._standing()}
        while here := {name: asks[name].pop(0) for name in self._standing() if asks[name]}:
            for rung in dict.fromkeys(ask.name for ask in here.values()):
                standing = self._standing()
                self._rung(rung, {name: here[name] for name in standing if name in here and here[name].name == rung})

    def _rung(self, rung: str, asks: Mapping[str, Ask]) -> None:
        values = list(dict.fromkeys(value for ask in asks.values() for value in ask.values))
        page = self._answer(asks, lambda: self.contacts.find_many(rung, values, self._requests(asks))) if asks else None
        if page is None:
            return
        strangers = not all(any(ask.same(found.row) for ask in asks.values()) for found in page.rows)
        for name, ask in asks.items():
            climb = self.climbs[name]
            climb.asked = climb.reached = True
            if hits := [found for found in page.rows if ask.same(found.row)]:
                self._decide(name, climb.hits(rung, hits))
            elif strangers and not page.last:
                self._decide(name, climb.ignored(rung))

    def _requests(self, names: Iterable[str]) -> list[Upsert]:
        return [self.climbs[name].request for name in names]

    def _answer(self, names: Collection[str], question: Callable[[], Answered]) -> Answered | None:
        """Return what the target answers, None when it did not: then that is what it came to."""
        try:
            return question()
        except Rejected as error:
            if len(names) > 1:
                self._alone(names, error)
            self.done |= {name: self.climbs[name].failed(error) for name in names if name not in self.done}
        except TargetError as error:
            self._stop(error)
        return None

    def _alone(self, names: Iterable[str], error: Rejected) -> None:
        """Send each singly at the next claim: one of them may have spoilt it for all."""
        again = Retry(f"the batch was refused as a whole: {error}", alone=True, spent=False)
        self.done |= dict.fromkeys(names, again)

    def _stop(self, error: TargetError) -> None:
        """Ask and write no more: the target cannot be spoken to just now."""
        self.writes.clear()
        self.done |= {name: self.climbs[name].failed(error) for name in self._standing()}

    def _part(self) -> None:
        """Let one customer alone take a contact, or a value: another who was led to it looks again, and then finds it."""
        taken: set[tuple[str, str]] = set()
        for name in self.climbs:
            values = self._values(self.writes.get(name) or self.done[name])
            if values & taken:
                self.writes.pop(name, None)
                self.done[name] = _LATER
            else:
                taken |= values

    def _values(self, what: Outcome | Write) -> set[tuple[str, str]]:
        contact = {("", what.remote_id)} if isinstance(what, Write | Delivered) and what.remote_id else set()
        asks = self.contacts.asks(what.request) if isinstance(what, Write) else ()
        asked = {(ask.name, value.casefold()) for ask in asks for value in ask.values}
        return contact | asked | (self._name(what) if isinstance(what, Write) else set())

    def _name(self, write: Write) -> set[tuple[str, str]]:
        """Return the name of a new contact where the target takes each once: two of one name do not go together."""
        name = self.contacts.name_field if write.remote_id is None else None
        return {(name, fold(records.text(records.look(write.fields, name))))} if name else set()

    def _write(self, writes: Sequence[Write]) -> None:
        names = [write.request.customer for write in writes]
        for name in names:
            del self.writes[name]
        try:
            answers = self.contacts.write_many(writes, self.ours) if writes else ()
        except Rejected as error:
            if len(writes) > 1:
                self._alone(names, error)
                return
            answers = [error]
        except TargetError as error:
            answers = [error] * len(writes)
            self._stop(error)
        for name, write, answer in zip(names, writes, answers, strict=True):
            self.done[name] = self._came_to(Writing(write, self.climbs[name]), answer)

    def _came_to(self, writing: Writing, answer: Written | TargetError) -> Outcome:
        return writing.refused(answer) if isinstance(answer, TargetError) else writing.delivered(answer)

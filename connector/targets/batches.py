"""Bring many customers at once to a target that takes batches: one question for each rung, one write, an outcome each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.errors import Rejected, TargetError
from connector.models import Delivered, Outcome, Retry, Upsert
from connector.targets import records
from connector.targets.base import Run
from connector.targets.http import Ours
from connector.targets.ladder import Climb, Contacts, Found, Page, Question, Row, Rung, Write, Written
from connector.targets.outcomes import Create, outcome
from connector.targets.writing import Writing, upsert

_LATER = Retry("waits for another customer who may be the same contact", after=0.0, spent=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """Look for the customer by one value of one field; `same` re-checks every row on our side."""

    name: str
    value: str
    same: Callable[[Row], bool]


class Batches(Contacts, Protocol):
    """Be the contacts of an account that takes many at once. What is asked singly is asked as a batch of one."""

    fetches: bool = True

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Return what can be asked with the customer's valid values, best first; one value for each rung."""
        ...

    def find_many(self, name: str, values: Sequence[str]) -> Sequence[Found]:
        """Return the contacts that have one of the values in the field."""
        ...

    def fetch_many(self, remote_ids: Sequence[str]) -> Mapping[str, Found]:
        """Return the contacts with these ids, those that are there."""
        ...

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Do the writes; one answer each, in the same order. Raises TargetError when the batch was refused whole."""
        ...

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Ask for one customer."""
        return [self._rung(ask) for ask in self.asks(request)]

    def _rung(self, ask: Ask) -> Rung:
        question = Question(lambda _: Page(self.find_many(ask.name, [ask.value]), last=True), ask.same)
        return Rung(ask.name, [question], ask.same)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:  # noqa: ARG002 - the protocol's
        """Return a contact by its id, None when it is gone."""
        return self.fetch_many([remote_id]).get(remote_id)

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


def upsert_many(requests: Sequence[Upsert], contacts: Batches, run: Run) -> list[Outcome]:
    """Bring the customers' records to the target, each once; one outcome for each, in the same order.

    What needs a person's word or a look of its own (a hint, a decision, a refusal) goes singly.
    """
    if len(requests) == 1:
        return [upsert(requests[0], contacts, run)]
    climbs = {request.customer: Climb(request, contacts, run) for request in requests}
    if len(climbs) < len(requests):  # the same customer twice: lanes do not let that happen
        return [upsert(request, contacts, run) for request in requests]
    decided: dict[str, Outcome | Write] = {}
    try:
        decided |= _linked(climbs, contacts)
        decided |= _unlinked(climbs, decided, contacts)
    except TargetError as error:
        decided |= {name: outcome(error) for name in climbs if name not in decided}
    decided = _apart(decided)
    written = _written([item for item in decided.values() if isinstance(item, Write)], climbs, contacts, run)
    return [written.get(r.customer) or _final(decided[r.customer]) for r in requests]


def _linked(climbs: Mapping[str, Climb], contacts: Batches) -> dict[str, Outcome | Write]:
    """Read the linked contacts at once and compare; those that are gone are looked for like the others."""
    linked = {name: climb.request.remote_id or "" for name, climb in climbs.items() if _follows(climb)}
    found = contacts.fetch_many(list(dict.fromkeys(linked.values()))) if linked else {}
    decided: dict[str, Outcome | Write] = {}
    for name, remote_id in linked.items():
        climbs[name].reached = True
        if remote_id in found:
            decided[name] = climbs[name].update(found[remote_id])
        else:
            climbs[name].gone(remote_id)
    return decided


def _follows(climb: Climb) -> bool:
    return climb.request.remote_id is not None and not climb.request.create_anyway


def _unlinked(
    climbs: Mapping[str, Climb], decided: Mapping[str, Outcome | Write], contacts: Batches
) -> dict[str, Outcome | Write]:
    """Climb with all at once: at each height, one question for each field that somebody stands at."""
    here: dict[str, Outcome | Write] = {}
    standing = {name: climb for name, climb in climbs.items() if name not in decided}
    for name, climb in list(standing.items()):
        if climb.request.create_anyway or climb.request.remote_hint is not None:
            here[name] = climb.decide()
            del standing[name]
    asks = {name: list(contacts.asks(climb.request)) for name, climb in standing.items()}
    while any(asks.values()):
        height = {name: todo.pop(0) for name, todo in asks.items() if todo}
        here |= _asked(height, standing, asks, contacts)
    return here | {name: climb.nobody() for name, climb in standing.items() if name not in here}


def _asked(
    height: Mapping[str, Ask], climbs: Mapping[str, Climb], asks: dict[str, list[Ask]], contacts: Batches
) -> Iterator[tuple[str, Outcome | Write]]:
    for field in dict.fromkeys(ask.name for ask in height.values()):
        mine = {name: ask for name, ask in height.items() if ask.name == field}
        rows = contacts.find_many(field, list(dict.fromkeys(ask.value for ask in mine.values())))
        for name, ask in mine.items():
            climbs[name].asked = climbs[name].reached = True
            hits = [found for found in rows if ask.same(found.row)]
            if hits:
                asks[name] = []
                yield name, climbs[name].hits(field, hits)


def _apart(decided: Mapping[str, Outcome | Write]) -> dict[str, Outcome | Write]:
    """Let one customer alone take a contact: a second that was led to it looks again, when the first is linked."""
    taken: set[str] = set()
    apart: dict[str, Outcome | Write] = {}
    for name, item in decided.items():
        remote_id = item.remote_id if isinstance(item, Write | Delivered) else None
        apart[name] = _LATER if remote_id in taken else item
        taken |= {remote_id} if remote_id else set()
    return apart


def _written(writes: Sequence[Write], climbs: Mapping[str, Climb], contacts: Batches, run: Run) -> dict[str, Outcome]:
    if not writes:
        return {}
    try:
        answers = contacts.write_many(writes, run.still_ours)
    except Rejected as error:  # one bad record may have spoilt it for all: each goes alone at the next claim
        again = Retry(f"the batch was refused as a whole: {error}", alone=True, spent=False)
        return {write.request.customer: again for write in writes}
    except TargetError as error:
        return {write.request.customer: _lost(write, error, contacts) for write in writes}
    return {
        write.request.customer: _came_to(write, answer, climbs[write.request.customer])
        for write, answer in zip(writes, answers, strict=True)
    }


def _lost(write: Write, error: TargetError, contacts: Batches) -> Outcome:
    create = Create(contacts.idempotent, contacts.uncertain_wait) if write.remote_id is None else None
    return outcome(error, write.warnings, create)


def _came_to(write: Write, answer: Written | TargetError, climb: Climb) -> Outcome:
    writing = Writing(write, climb)
    return writing.refused(answer) if isinstance(answer, TargetError) else writing.delivered(answer)


def _final(decided: Outcome | Write) -> Outcome:
    if isinstance(decided, Write):
        raise TypeError("a write was decided and not done")
    return decided


def matches(name: str, value: str, *, phone: bool = False) -> Callable[[Row], bool]:
    """Return the check that a row has the value in the field."""
    return lambda row: records.same(value, records.look(row, name), phone=phone)

"""Compare what two mappings make of the same customers: what would change, for whom, before it goes live."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.mapping.paths import leaves
from connector.mapping.shape import Mapped
from connector.mapping.shape import Mapping as MappingDocument

EXAMPLES = 5
SETTINGS = ("kind", "match", "fill_if_empty", "keep", "on_name_taken", "when")


@dataclass(frozen=True, slots=True)
class Change:
    """Say what stood at one place, and what stands there now; None: nothing."""

    place: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Example:
    """Name one customer for whom something changes; `event` is the number of the event that was mapped."""

    event: int
    customer: str
    old: Any
    new: Any


@dataclass(slots=True)
class Tally:
    """Count the customers for whom one thing appears, vanishes or becomes another, and keep some of them."""

    appears: int = 0
    vanishes: int = 0
    differs: int = 0
    examples: list[Example] = field(default_factory=list)

    @property
    def customers(self) -> int:
        """Return how many customers it touches."""
        return self.appears + self.vanishes + self.differs

    def add(self, example: Example, most: int | None) -> None:
        """Count one more customer; keep it while there are fewer than `most` (None: keep all)."""
        if example.old is None:
            self.appears += 1
        elif example.new is None:
            self.vanishes += 1
        else:
            self.differs += 1
        if most is None or len(self.examples) < most:
            self.examples.append(example)


class Comparison:
    """Gather what becomes different, customer by customer; `most` bounds the examples of each thing (None: all)."""

    def __init__(self, most: int | None = EXAMPLES) -> None:
        self.fields: dict[str, Tally] = {}
        self.holds, self.skips = Tally(), Tally()
        self.customers = self.changed = self.asked_otherwise = 0
        self._most = most

    def add(self, event: int, customer: str, old: Mapped, new: Mapped) -> None:
        """Compare what the two mappings made of one customer.

        What is held or skipped sends nothing: there only the reason counts, not the record.
        """
        self.customers += 1
        touched = [
            self._note(tally, event, customer, was, becomes)
            for tally, was, becomes in ((self.holds, old.hold, new.hold), (self.skips, old.skip, new.skip))
        ]
        if not (old.hold or old.skip or new.hold or new.skip):
            touched += [
                self._note(self.fields.setdefault(change.place, Tally()), event, customer, change.old, change.new)
                for change in changes(old.record, new.record)
            ]
            self.asked_otherwise += (old.match, old.phones) != (new.match, new.phones)
        self.changed += any(touched)

    def _note(self, tally: Tally, event: int, customer: str, old: Any, new: Any) -> bool:
        if old == new:
            return False
        tally.add(Example(event, customer, old, new), self._most)
        return True


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the places at which two records differ, sorted; null is the same as nothing."""
    was, becomes = dict(leaves(old)), dict(leaves(new))
    places = sorted(was.keys() | becomes.keys())
    found = (Change(place, was.get(place), becomes.get(place)) for place in places)
    return [change for change in found if not _same(change.old, change.new)]


def settings(old: MappingDocument, new: MappingDocument) -> list[Change]:
    """Return what changes beside the fields: how a contact is found, and what an update may write over."""
    pairs = ((name, _setting(old, name), _setting(new, name)) for name in SETTINGS)
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def _setting(mapping: MappingDocument, name: str) -> str | None:
    if name == "when":
        return mapping.when.text if mapping.when else None
    value = getattr(mapping, name)
    return (value if isinstance(value, str) else ", ".join(value)) or None


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)  # in Python 1 == True

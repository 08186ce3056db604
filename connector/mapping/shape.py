"""The nouns of the mapping, frozen: the document, its rules, and what applying them came to."""

import typing as t
from dataclasses import dataclass, field

from connector.mapping.paths import Keys, items
from connector.mapping.template import Condition
from connector.mapping.transforms import OnInvalid, Options, Transform
from connector.models import Event, OnNameTaken


class Taken(t.NamedTuple):
    """Hold what a rule took from an event; `source` is the one path it came from, where there is one.

    `complete` is false where a template had an empty hole: its text is right, and yet nobody is found by it.
    """

    value: str | bool | None
    sources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    complete: bool = True

    @property
    def source(self) -> str | None:
        """Return the single path that the value came from, or None."""
        return self.sources[0] if len(self.sources) == 1 else None


class Take(t.Protocol):
    """Be one way to get a value; `paths` are the fields it may read (none: the same for every customer)."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the fields it may read."""
        ...

    def __call__(self, event: Event, /) -> Taken:
        """Take the value from the event."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one word of `use`, with its options."""

    name: str
    transform: Transform
    options: Options
    on_invalid: OnInvalid
    on_junk: OnInvalid


@dataclass(frozen=True, slots=True)
class Rule:
    """Say how one field of the record is made.

    `keys` is its place in the record, `lookup` is keyed by folded text, `max_length` counts characters.
    """

    target: str
    keys: Keys
    take: Take
    steps: tuple[Step, ...] = ()
    lookup: t.Mapping[str, str] | None = None
    default: Take | None = None
    required: bool = False
    when: Condition | None = None
    max_length: int | None = None
    # What the rules ask for each customer is answered once: does it only take a value, is its value cut or left out
    # when it is too long, is it a phone number, and does it differ from customer to customer.
    bare: bool = field(init=False)
    exact: bool = field(init=False)
    phone: bool = field(init=False)
    varies: bool = field(init=False)
    items: tuple[Keys, ...] = field(init=False)  # of lists, that it lies in

    def __post_init__(self) -> None:
        extra = (self.steps, self.lookup, self.default, self.when, self.required, self.max_length)
        facts = {
            "bare": not any(extra),
            "exact": any(step.transform.exact for step in self.steps),
            "phone": any(step.name == "phone" for step in self.steps),
            "varies": bool(self.take.paths),
            "items": items(self.keys),
        }
        for name, fact in facts.items():
            object.__setattr__(self, name, fact)


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold a customer, the record the mapping promises for it, and the line of the document it stands on.

    `name` says which of the sample customers it is, "" for one that is written out.
    """

    given: t.Mapping[str, t.Any]
    expect: t.Mapping[str, t.Any]
    line: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Hold a mapping document, read and compiled; `hash` is the SHA-256 of its text."""

    kind: str
    version: int
    hash: str
    match: tuple[str, ...]
    fields: tuple[Rule, ...]
    ignore: tuple[str, ...]
    fill_if_empty: tuple[str, ...]
    keep: tuple[str, ...]
    on_name_taken: OnNameTaken
    when: Condition | None
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class FieldTrace:
    """Say where a field's value came from (paths) and what was done to it, in words without the value."""

    sources: tuple[str, ...] = ()
    done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """Hold what a mapping made of an event.

    `match` are the match fields that are there and valid, in the mapping's order; `phones` the fields that are valid
    phone numbers. `hold` says why a person must decide, `skip` why nothing is to be done; None: neither.
    """

    record: dict[str, t.Any]
    warnings: tuple[str, ...] = ()
    trace: t.Mapping[str, FieldTrace] = field(default_factory=dict)
    match: tuple[tuple[str, str], ...] = ()
    phones: frozenset[str] = frozenset()
    hold: str | None = None
    skip: str | None = None

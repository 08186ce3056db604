"""The forms of a rule: where a field's value comes from."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from connector.mapping.clean import clean, flat
from connector.mapping.expressions import LONGEST_RESULT
from connector.mapping.paths import Keys, Path
from connector.mapping.shape import Rule, Taken
from connector.mapping.template import Condition, Template
from connector.models import Event


@dataclass(frozen=True, slots=True)
class First:
    """Take the first of these fields that holds something (`from`, `first_of`, or a bare path)."""

    sources: tuple[Path, ...]
    paths: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(source.text for source in self.sources))

    def __call__(self, event: Event) -> Taken:
        """Take the value."""
        warnings: tuple[str, ...] = ()
        for source in self.sources:
            value, warning = clean(source.find(event))
            if warning:
                warnings += _named(source, warning)
            if value is not None:
                return Taken(value, source.texts, warnings)
        return Taken(None, self.paths, warnings)


@dataclass(frozen=True, slots=True)
class Join:
    """Put these fields together, those that hold something, with a text between."""

    sources: tuple[Path, ...]
    between: str = " "

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the fields it may read."""
        return tuple(source.text for source in self.sources)

    def __call__(self, event: Event) -> Taken:
        """Take the value."""
        found = [(source, *clean(source.find(event))) for source in self.sources]
        parts = [(source.text, flat(value).strip()) for source, value, _ in found if value is not None]
        warnings = tuple(text for source, _, warning in found for text in _named(source, warning))
        value = self.between.join(text for _, text in parts) if parts else None
        return Taken(value, tuple(name for name, _ in parts) or self.paths, warnings)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Take the same value for every customer."""

    value: str | bool
    paths: tuple[str, ...] = ()

    def __call__(self, _event: Event) -> Taken:
        """Take the value."""
        return Taken(self.value)


@dataclass(frozen=True, slots=True)
class Filled:
    """Fill a template."""

    template: Template

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the fields it may read."""
        return self.template.paths

    def __call__(self, event: Event) -> Taken:
        """Take the value, without white space at its ends."""
        text, complete = self.template.fill(event)
        cut = (f"the text was cut to {LONGEST_RESULT} characters",) if len(text) == LONGEST_RESULT else ()
        return Taken(text.strip() or None, self.paths, cut, complete)


@dataclass(frozen=True, slots=True)
class Choice:
    """Choose between two fixed texts; None leaves the field out."""

    test: Condition
    then: str
    otherwise: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the fields it may read."""
        return self.test.paths

    def __call__(self, event: Event) -> Taken:
        """Take the value."""
        return Taken(self.then if self.test(event) else self.otherwise, self.paths)


def shared(rule: Rule) -> bool:
    """Tell whether many customers have the same value in this field: fixed text, and what is chosen from a list."""
    return not rule.take.paths or rule.lookup is not None or isinstance(rule.take, Choice)


def left_alone(rules: Iterable[Rule], there: Container[str]) -> list[str]:
    """Return which of the fields that are `there` go with an item of a list to which the customer gave nothing.

    A label helps nobody without its number. They are all `shared` ones; an item of nothing else is meant, and stays.
    """
    inside = [(rule, rule.items) for rule in rules if rule.items]
    given: dict[Keys, bool] = {}
    for rule, places in inside:
        if not shared(rule):
            given |= {place: given.get(place, False) or rule.target in there for place in places}
    empty = {place for place, something in given.items() if not something}
    return [rule.target for rule, places in inside if rule.target in there and not empty.isdisjoint(places)]


def _named(source: Path, warning: str | None) -> tuple[str, ...]:
    return (f"{source.text} {warning}",) if warning else ()

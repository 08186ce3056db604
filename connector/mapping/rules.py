"""Apply a mapping to an event: pure, total and fast; any JSON goes in, and nothing is raised."""

import unicodedata
from collections.abc import Mapping as TextMap
from dataclasses import dataclass

from connector.mapping.clean import flat
from connector.mapping.fold import fold
from connector.mapping.forms import left_alone
from connector.mapping.paths import nest, path
from connector.mapping.shape import FieldTrace, Mapped, Mapping, Rule, Step, Taken
from connector.mapping.transforms import Context
from connector.models import Event

__all__ = ["FieldTrace", "Mapped", "apply"]

_THEN = {"raw": "sent as typed", "drop": "left out", "hold": "held"}


@dataclass(slots=True)
class _Making:
    """Follow one field on its way from the event to the record."""

    rule: Rule
    taken: Taken
    value: str | bool | None
    done: list[str]
    warnings: list[str]
    valid: bool
    hold: str | None = None


def apply(mapping: Mapping, event: Event) -> Mapped:
    """Return the record that the mapping makes of the event, with warnings and a trace for each field."""
    if mapping.when is not None and not mapping.when(event):
        return Mapped({}, skip=f"the mapping is only for customers with: {mapping.when.text}")
    made = [_make(rule, event) for rule in mapping.fields]
    there = {making.rule.target: making for making in made if making.value is not None}
    for target in left_alone(mapping.fields, there):
        there.pop(target).done.append("left out: the rest of its item is empty")
    valid = {target for target, making in there.items() if making.valid}
    return Mapped(
        record=nest((making.rule.keys, making.value) for making in there.values()),
        warnings=tuple(f"{making.rule.target}: {warning}" for making in made for warning in making.warnings),
        trace={making.rule.target: FieldTrace(making.taken.sources, tuple(making.done)) for making in made},
        match=tuple((target, flat(there[target].value)) for target in mapping.match if target in valid),
        phones=frozenset(target for target in valid if _is_phone(there[target].rule)),
        hold=next((making.hold for making in made if making.hold), None),
    )


def _make(rule: Rule, event: Event) -> _Making:
    if rule.when is not None and not rule.when(event):
        return _Making(
            rule, Taken(None, rule.when.paths), None, ["left out: its `when` does not hold"], [], valid=False
        )
    taken = rule.take(event)
    making = _Making(rule, taken, taken.value, [], list(taken.warnings), valid=bool(rule.take.paths))
    for step in rule.steps:
        if making.value is not None:
            _use(step, making, event)
    if rule.lookup is not None and making.value is not None:
        _look_up(rule.lookup, making)
    _fit(making)
    _fall_back(making, event)
    _fit(making)
    return making


def _fit(making: _Making) -> None:
    longest = making.rule.max_length
    if longest is not None and isinstance(making.value, str) and len(making.value) > longest:
        _shorten(making, longest)


def _shorten(making: _Making, longest: int) -> None:
    """Cut a text that the target would refuse; half a phone or VAT number is worse than none."""
    making.valid = False
    length, text = len(str(making.value)), str(making.value)
    if making.rule.exact:
        making.value = None
        making.warnings.append(f"has {length} characters, {longest} are allowed; left out")
        return
    while longest and unicodedata.combining(text[longest]):  # never part a letter from its marks
        longest -= 1
    making.value = text[:longest].rstrip() or None
    making.done.append("shortened")
    making.warnings.append(f"had {length} characters; shortened to {longest}")


def _use(step: Step, making: _Making, event: Event) -> None:
    context = Context(making.taken.source, lambda text: flat(path(text).find(event)))
    result = step.transform.run(flat(making.value), step.options, context)
    making.done.append(step.name)
    making.value = result.value or None
    if result.valid:
        return
    making.valid = False
    wanted = step.on_junk if result.junk else step.on_invalid
    then = "drop" if wanted == "raw" and making.value is None else wanted
    reason = f"{making.taken.source or 'the value'} {result.warning}"
    making.warnings.append(f"{reason}; {'sent all the same' if result.junk and then == 'raw' else _THEN[then]}")
    if then != "raw":
        making.value = None
    if then == "hold":
        making.hold = f"{making.rule.target}: {reason}; correct it in Flavours or change the mapping, then replay"


def _look_up(lookup: TextMap[str, str], making: _Making) -> None:
    making.done.append("map")
    making.value = lookup.get(fold(flat(making.value)))
    if making.value is None and making.rule.default is None:
        making.warnings.append("the value is not listed in `map`; left out")


def _fall_back(making: _Making, event: Event) -> None:
    if making.value is not None:
        return
    if making.rule.default is not None:
        making.value, making.valid = making.rule.default(event).value, False
        making.done.append("default")
    if making.value is None:
        making.done.append("left out: empty")
        making.hold = making.hold or (_missing(making.rule) if making.rule.required else None)


def _missing(rule: Rule) -> str:
    sources = " or ".join(rule.take.paths)
    return f"{rule.target} is required and {sources or 'its rule'} gives nothing; fill it in Flavours, or give the rule a default, then replay"


def _is_phone(rule: Rule) -> bool:
    return any(step.name == "phone" for step in rule.steps)

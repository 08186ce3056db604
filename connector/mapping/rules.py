"""Apply a mapping to an event: pure, total and fast; any JSON goes in, and nothing is raised."""

import unicodedata
from collections.abc import Mapping as TextMap
from dataclasses import dataclass, field
from functools import lru_cache

from connector.mapping.clean import flat
from connector.mapping.fold import fold
from connector.mapping.forms import left_alone
from connector.mapping.paths import Keys, nest, path
from connector.mapping.shape import FieldTrace, Mapped, Mapping, Rule, Step, Taken
from connector.mapping.transforms import NOWHERE, Context
from connector.models import Event

__all__ = ["FieldTrace", "Mapped", "apply"]

_EMPTY = ("left out: empty",)
_JOINER = "\u200d"
_JOINS = f"{_JOINER}\u200c\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_THEN = {"raw": "sent as typed", "drop": "left out", "hold": "held"}


# The same few traces come again with every customer; they hold no value.
trace = lru_cache(maxsize=4096)(FieldTrace)


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


@dataclass(slots=True)
class _Gathered:
    """Gather what the fields come to."""

    values: dict[str, tuple[Keys, str | bool]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    trace: dict[str, FieldTrace] = field(default_factory=dict)
    valid: dict[str, str | bool] = field(default_factory=dict)
    phones: list[str] = field(default_factory=list)
    hold: str | None = None


def apply(mapping: Mapping, event: Event) -> Mapped:
    """Return the record that the mapping makes of the event, with warnings and a trace for each field."""
    if mapping.when is not None and not mapping.when(event):
        return Mapped({}, skip=f"the mapping is only for customers with: {mapping.when.text}")
    all_ = _Gathered()
    for rule in mapping.fields:
        if rule.bare:
            _take(rule, event, all_)
        else:
            _gather(_make(rule, event), all_)
    for target in left_alone(mapping.fields, all_.values):
        _leave_out(target, all_)
    return Mapped(
        record=nest(all_.values.values()),
        warnings=tuple(all_.warnings),
        trace=all_.trace,
        match=tuple((target, flat(all_.valid[target])) for target in mapping.match if target in all_.valid),
        phones=frozenset(all_.phones),
        hold=all_.hold,
    )


def _leave_out(target: str, all_: _Gathered) -> None:
    del all_.values[target]
    made = all_.trace[target]
    all_.trace[target] = trace(made.sources, (*made.done, "left out: the rest of its item is empty"))


def _take(rule: Rule, event: Event, all_: _Gathered) -> None:
    """Make a field of a rule that only takes a value, as most do."""
    value, sources, warnings, complete = rule.take(event)
    target = rule.target
    if value is None:
        all_.trace[target] = trace(sources, _EMPTY)
    else:
        all_.trace[target] = trace(sources, ())
        all_.values[target] = rule.keys, value
        if complete and rule.varies:
            all_.valid[target] = value
    if warnings:
        all_.warnings += [f"{target}: {warning}" for warning in warnings]


def _gather(made: _Making, all_: _Gathered) -> None:
    target = made.rule.target
    all_.trace[target] = trace(made.taken.sources, tuple(made.done))
    if made.warnings:
        all_.warnings += [f"{target}: {warning}" for warning in made.warnings]
    all_.hold = all_.hold or made.hold
    if made.value is None:
        return
    all_.values[target] = made.rule.keys, made.value
    if made.valid:
        all_.valid[target] = made.value
        if made.rule.phone:
            all_.phones.append(target)


def _make(rule: Rule, event: Event) -> _Making:
    if rule.when is not None and not rule.when(event):
        return _Making(
            rule, Taken(None, rule.when.paths), None, ["left out: its `when` does not hold"], [], valid=False
        )
    taken = rule.take(event)
    making = _Making(rule, taken, taken.value, [], list(taken.warnings), valid=rule.varies and taken.complete)
    for step in rule.steps:
        if making.value is not None:
            _use(step, making, event)
    if rule.lookup is not None and making.value is not None:
        _look_up(rule.lookup, making)
    _fit(making)
    if making.value is None:
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
    while longest and _belongs(text[longest], text[longest - 1]):
        longest -= 1
    making.value = text[:longest].rstrip() or None
    making.done.append("shortened")
    making.warnings.append(
        f"had {length} characters; shortened to {longest}"
        if longest
        else f"has {length} characters, one letter under too many marks; left out"
    )


def _belongs(char: str, before: str) -> bool:
    """Tell whether a character is one with that before it: a mark on a letter, or part of an emoji."""
    return unicodedata.category(char).startswith("M") or char in _JOINS or before == _JOINER


def _use(step: Step, making: _Making, event: Event) -> None:
    value, context = making.value, NOWHERE
    if step.transform.looks:
        context = Context(making.taken.source, lambda text: flat(path(text).find(event)))
    result = step.transform.run(value if isinstance(value, str) else flat(value), step.options, context)
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
    if making.rule.default is not None:
        making.value, making.valid = making.rule.default(event).value, False
        making.done.append("default")
    if making.value is None:
        making.done.extend(_EMPTY)
        making.hold = making.hold or (_missing(making.rule) if making.rule.required else None)


def _missing(rule: Rule) -> str:
    sources = " or ".join(rule.take.paths)
    return f"{rule.target} is required and {sources or 'its rule'} gives nothing; fill it in Flavours, or give the rule a default, then replay"

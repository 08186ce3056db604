"""Measure what a mapping loses: which fields of Flavours reach the record, and which go nowhere unsaid."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connector.mapping.clean import clean
from connector.mapping.company import READS
from connector.mapping.forms import Choice
from connector.mapping.paths import CUSTOMER, ENVELOPE
from connector.mapping.shape import Mapping as MappingDocument
from connector.mapping.shape import Rule

Fate = Literal["lost", "mapped", "asked", "ignored", "technical"]
FATES: tuple[Fate, ...] = ("lost", "mapped", "asked", "ignored", "technical")

MOST_NEW = 200  # fields that Flavours does not document; beyond, somebody keeps data in the names of fields
_LONGEST_NAME = 120
# What keeps Flavours' own house in order and says nothing of the customer; the leaves hold for new fields too.
_TECHNICAL = frozenset(("created_by", "qoyod_id", "user.userable_id", "user.role", "user.is_active"))
_LEAVES, _ENDINGS = frozenset(("id", "uuid")), ("_at", "_token")
# What words of `use` ask beside the value that they are given; the phone's prefix is mapped with the phone.
LOOKS: Mapping[str, tuple[str, ...]] = {"last_name": ("is_company",)}
_ITEM = re.compile(r"\[\d+\]")

Purposes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """Say what becomes of one field of Flavours; `by` names the fields of the record that it fills, or decides."""

    name: str
    fate: Fate
    by: tuple[str, ...] = ()


class Meter:
    """Count in how many customers each field held something."""

    def __init__(self) -> None:
        self.customers = 0
        self.left_off = False
        self._filled: Counter[str] = Counter()
        self._new: set[str] = set()

    def add(self, data: Mapping[str, Any]) -> None:
        """Count one customer as Flavours sent it."""
        self.customers += 1
        for name in filled(data):
            if name in _KNOWN or name in self._new or len(self._new) < MOST_NEW:
                self._filled[name] += 1
                self._new |= {name} - _KNOWN
            else:
                self.left_off = True

    def filled(self, name: str) -> int:
        """Return in how many customers the field held something."""
        return self._filled[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Return every field of the documented payload, and those that Flavours added since."""
        return (*CUSTOMER, *sorted(self._new))


_KNOWN = frozenset(CUSTOMER)


def filled(data: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that hold something, as a mapping writes them.

    The items of a list count as one: `data.markets[0].id` stands for the `id` of each. A name is cut to 120 characters.
    """
    return frozenset(_name(text) for text, value in _leaves(data, "") if clean(value)[0] is not None)


def judge(mapping: MappingDocument, names: Iterable[str] = CUSTOMER) -> tuple[Field, ...]:
    """Say what becomes of each of these fields, in their order."""
    mapped, asked = _gather(_mapped(mapping)), _gather(_asked(mapping))
    ignored = [_usual(text) for text in mapping.ignore]
    return tuple(_judged(name, mapped, asked, ignored) for name in names)


def lost(mapping: MappingDocument) -> tuple[str, ...]:
    """Return the fields of the documented payload that the mapping loses."""
    return tuple(field.name for field in judge(mapping) if field.fate == "lost")


def _judged(name: str, mapped: Purposes, asked: Purposes, ignored: list[str]) -> Field:
    text = _usual(name)
    if text in mapped:
        return Field(name, "mapped", mapped[text])
    if text in asked:
        return Field(name, "asked", asked[text])
    if any(text == whole or text.startswith((f"{whole}.", f"{whole}[")) for whole in ignored):
        return Field(name, "ignored")
    return Field(name, "technical" if _technical(text) else "lost")


def _technical(text: str) -> bool:
    leaf = text.rpartition(".")[2]
    return text in _TECHNICAL or leaf in _LEAVES or leaf.endswith(_ENDINGS)


def _gather(pairs: Iterable[tuple[str, str]]) -> Purposes:
    """Return for each field what it is read for; what `is_company` reads are other fields."""
    found: dict[str, dict[str, None]] = {}
    for read, purpose in pairs:
        for text in READS.get(read, () if read in ENVELOPE else (read,)):
            found.setdefault(_usual(text), {})[purpose] = None
    return {text: tuple(purposes) for text, purposes in found.items()}


def _mapped(mapping: MappingDocument) -> Iterator[tuple[str, str]]:
    """Yield each path whose value goes into the record, with the record's field."""
    for rule in mapping.fields:
        takes = [take for take in (rule.take, rule.default) if take is not None and not isinstance(take, Choice)]
        paths = [text for take in takes for text in take.paths if text not in READS]
        yield from ((text, rule.target) for text in (*paths, *_prefixes(rule)))


def _asked(mapping: MappingDocument) -> Iterator[tuple[str, str]]:
    """Yield each path that only decides, with what it decides about."""
    yield from ((text, "when") for text in (mapping.when.paths if mapping.when else ()))
    for rule in mapping.fields:
        decides = [text for text in rule.take.paths if isinstance(rule.take, Choice) or text in READS]
        decides += [text for step in rule.steps for text in LOOKS.get(step.name, ())]
        yield from ((text, rule.target) for text in (*decides, *(rule.when.paths if rule.when else ())))


def _prefixes(rule: Rule) -> Iterator[str]:
    """Yield the fields that hold the country of a mapped phone: the one that is named, or those beside the phone."""
    for step in rule.steps:
        if step.name == "phone" and "prefix" not in step.options:
            yield from (f"{text}_prefix" for text in rule.take.paths)
        elif step.name == "phone" and any(char.isalpha() for char in step.options["prefix"]):
            yield step.options["prefix"]


def _usual(text: str) -> str:
    """Return the one spelling of a path: `data.city` is `city`, and all items of a list are the first."""
    return _ITEM.sub("[0]", text.removeprefix("data."))


def _leaves(value: Any, text: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{text}.{key}" if text else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{text}[0]")
    else:
        yield text, value


def _name(text: str) -> str:
    return text if text in _KNOWN else f"data.{text}"[:_LONGEST_NAME]

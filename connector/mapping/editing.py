"""Change single places of a mapping's text, and leave every other character as it is: comments, order, quotes.

Nothing is read and written anew as YAML: the place is found, and what stands there is replaced.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from connector.mapping import paths
from connector.mapping.yamltext import LARGEST

_DEEPEST, _MOST = 20, 20_000
FORMS = ("from", "first_of", "join")
FIXED = ("value", "template", "if")
_BARE = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, slots=True)
class Source:
    """Hold a field of Flavours that a rule names, and where it stands in the text."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """Hold a field of the target as the text has it: its line, its form, and the fields of Flavours that it names.

    `form` is from, first_of, join, value, template or if; "" for what is none of these (yet). `said` is what the text
    says for a form that names no field by itself.
    """

    target: str
    line: int
    form: str
    sources: tuple[Source, ...] = ()
    said: str = ""


def fields(text: str) -> list[Field]:
    """Return the fields of a mapping in their order; none of a text that is no mapping yet."""
    return [_field(key, value) for key, value in _entries(_group(text)) if key.text is not None]


def choose(text: str, target: str, number: int, path: str) -> str:
    """Return the text in which a field names another field of Flavours at the same place; as it is where there is none.

    Raises ValueError for a path that Flavours does not send.
    """
    if paths.unknown(path):
        raise ValueError(f"Flavours sends no {path}")
    field = next((one for one in fields(text) if one.target == target), None)
    if field is None or not 0 <= number < len(field.sources):
        return text
    source = field.sources[number]
    return text[: source.start] + _written(path) + text[source.end :]


def add(text: str, target: str, path: str) -> str:
    """Return the text with one more field at the end of its fields. Raises ValueError: it cannot be put there."""
    if paths.unknown(path):
        raise ValueError(f"Flavours sends no {path}")
    if paths.place(target) is None or any(field.target == target for field in fields(text)):
        raise ValueError(f"{target} is no name of a field, or it is there already")
    group = _group(text)
    if group is None:
        raise ValueError("there are no fields that it could be put to")
    entry = f"{_written(target)}: {_written(path)}"
    if group.flow:
        at = group.end - 1
        return f"{text[:at].rstrip()}, {entry}{text[at:]}"
    return _line_after(text, group.last, " " * group.pairs[0][0].column + entry)


def remove(text: str, target: str) -> str:
    """Return the text without a field. Raises ValueError where it does not stand on lines of its own."""
    group = _group(text)
    found = [(key, value) for key, value in _entries(group) if key.text == target]
    if group is None or group.flow or not found:
        raise ValueError(f"{target} does not stand on lines of its own")
    key, value = found[0]
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: key.line], *lines[value.last + 1 :]])


@dataclass(frozen=True, slots=True)
class _Node:
    """Hold a part of the text: its scalar, or what lies in it; `last` is the last line (from 0) that says some of it."""

    start: int
    end: int
    line: int
    column: int
    last: int
    text: str | None = None
    block: bool = False  # a text of several lines behind | or >
    items: tuple["_Node", ...] = ()
    pairs: tuple[tuple["_Node", "_Node"], ...] = ()
    flow: bool = False


class _Odd(Exception):
    """Report a text of which no place can be changed: an alias, or too much of it."""


def _group(text: str) -> _Node | None:
    """Return the group `fields`, None where the text has none that can be read; what stands behind it is not read."""
    if len(text) > LARGEST:
        return None
    try:
        return _Reading(text).group()
    except (_Odd, YAMLError, StopIteration, ValueError):
        return None


class _Reading:
    def __init__(self, text: str) -> None:
        self._text, self._events, self._count = text, iter(YAML(typ="rt").parse(text)), 0

    def group(self) -> _Node | None:
        for _ in range(2):  # of the stream, of the document
            next(self._events)
        if not isinstance(next(self._events), MappingStartEvent):
            return None
        while not isinstance(event := next(self._events), MappingEndEvent):
            key, value = self._node(event, 1), self._node(next(self._events), 1)
            if key.text == "fields":
                return value if value.pairs else None
        return None

    def _node(self, event: Event, depth: int) -> _Node:
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST or not isinstance(event, ScalarEvent | CollectionStartEvent):
            raise _Odd
        start, end = event.start_mark, event.end_mark
        if isinstance(event, ScalarEvent):
            block = event.style in ("|", ">")
            last = start.line + len(self._text[start.index : end.index].rstrip().splitlines()) - 1
            return _Node(start.index, end.index, start.line, start.column, last, event.value, block)
        items, pairs = [], []
        while not isinstance(inner := next(self._events), MappingEndEvent | SequenceEndEvent):
            items.append(self._node(inner, depth + 1))
            if isinstance(event, MappingStartEvent):
                pairs.append((items[-1], self._node(next(self._events), depth + 1)))
        flow = bool(event.flow_style)
        within = [pair[1] for pair in pairs] or items
        # A group on lines of its own ends where the next thing begins; what it says ends with the last thing in it.
        last = within[-1].last if within and not flow else inner.end_mark.line
        listed = tuple(items) if isinstance(event, SequenceStartEvent) else ()
        return _Node(
            start.index, inner.end_mark.index, start.line, start.column, last, None, False, listed, tuple(pairs), flow
        )


def _entries(node: _Node | None) -> Iterator[tuple[_Node, _Node]]:
    yield from node.pairs if node is not None else ()


def _field(key: _Node, value: _Node) -> Field:
    target, line = key.text or "", key.line + 1
    if value.text is not None:
        return Field(target, line, "from", _sources(value))
    for name, inner in _entries(value):
        if name.text in FORMS:
            return Field(target, line, str(name.text), _sources(inner))
        if name.text in FIXED:
            return Field(target, line, str(name.text), said=inner.text or "")
    return Field(target, line, "")


def _sources(node: _Node) -> tuple[Source, ...]:
    plain = (one for one in node.items or (node,) if one.text and not one.block)
    return tuple(Source(str(one.text), one.start, one.end) for one in plain)


def _written(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _line_after(text: str, line: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    if not lines[line].endswith("\n"):
        lines[line] += "\n"
    return "".join([*lines[: line + 1], new + "\n", *lines[line + 1 :]])

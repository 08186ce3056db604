"""Read YAML into plain values that remember their place; refuse early what a mapping never needs."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError

from connector.errors import MappingError, Problem
from connector.mapping.yamlwords import TEMPLATE, said

LARGEST = 256 * 1024
_DEEPEST, _MOST = 20, 10_000
_ODD_INDENT = re.compile("^[ \t]*[\u00a0\u2000-\u200a\u202f\u3000]", re.MULTILINE)  # as web pages and chats give it
_QUOTES = "put it in quotes"
_TAG = "tag:yaml.org,2002:"

Value = Any  # None, bool, int, float, str, list[Node] or dict[str, Node]


@dataclass(frozen=True, slots=True)
class Node:
    """Hold a value and where it stands; `key` is where its key stands, for an entry of a group."""

    value: Value
    line: int
    column: int
    key: tuple[int, int] = (1, 1)

    def plain(self) -> Any:
        """Return the value without the places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read(text: str, file: str) -> Node:
    """Return the document's root. Raises MappingError: the first thing that stops the reading."""
    if len(text) > LARGEST:
        raise MappingError([Problem(file, 1, 1, f"is larger than {LARGEST // 1024} kB; a mapping is far smaller")])
    if odd := _ODD_INDENT.search(text):
        line, column = text.count("\n", 0, odd.end()) + 1, odd.end() - text.rfind("\n", 0, odd.end()) - 1
        raise MappingError([Problem(file, line, column, "begins with a no-break space; type the spaces in front anew")])
    yaml = YAML(typ="rt")
    try:
        return _Composer(yaml, text).document()
    except _Refused as refused:
        line, column, message = refused.line, refused.column, refused.message
    except MarkedYAMLError as wrong:
        line, column, message = said(wrong, [*text.split("\n"), ""])
        line, column = line + 1, column + 1
    except ReaderError as wrong:
        before = text[: wrong.position]
        line, column = before.count("\n") + 1, wrong.position - before.rfind("\n")
        message = "holds an invisible control character; delete it"
    raise MappingError([Problem(file, line, column, message)])


class _Refused(Exception):
    def __init__(self, at: Event, message: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message = at.start_mark.line + 1, at.start_mark.column + 1, message


class _Composer:
    """Build the nodes from the parser's events, and stop at the first that is too deep, too many or too clever."""

    def __init__(self, yaml: YAML, text: str) -> None:
        self._resolver = yaml.resolver
        self._events: Iterator[Event] = iter(yaml.parse(text))
        self._count = 0

    def document(self) -> Node:
        begin, start = next(self._events), next(self._events)
        if not isinstance(start, DocumentStartEvent):
            raise _Refused(begin, "is empty; a mapping begins with version, kind and fields")
        if start.version not in {None, (1, 2)}:
            raise _Refused(start, "is written in YAML 1.2; delete the %YAML line")
        root = self._node(next(self._events), 1)
        next(self._events)
        if isinstance(more := next(self._events), DocumentStartEvent):
            raise _Refused(more, "holds a second document; one file is one mapping")
        return root

    def _node(self, event: Event, depth: int) -> Node:
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST:
            raise _Refused(event, "is nested too deeply" if depth > _DEEPEST else "holds too many entries")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _Refused(event, "`&` and `*` are not used in mappings; write it out, or put the text in quotes")
        if getattr(event, "ctag", None) is not None:
            raise _Refused(event, "tags (`!`) are not used in mappings; put the text in quotes")
        value = self._value(event, depth)
        return Node(value, event.start_mark.line + 1, event.start_mark.column + 1)

    def _value(self, event: Event, depth: int) -> Value:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, MappingStartEvent):
            return self._group(depth)
        return [self._node(item, depth + 1) for item in self._until(SequenceEndEvent)]

    def _until(self, end: type[Event]) -> Iterator[Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _group(self, depth: int) -> dict[str, Node]:
        group: dict[str, Node] = {}
        for event in self._until(MappingEndEvent):
            key = self._node(event, depth + 1).value if isinstance(event, ScalarEvent) else None
            if not isinstance(key, str):
                # {{ user.name }} is a group within a group, written in braces.
                template = isinstance(event, MappingStartEvent) and event.flow_style
                raise _Refused(event, TEMPLATE if template else f"a key must be text; {_QUOTES}")
            if key in group:
                raise _Refused(event, f"`{key[:60]}` stands here twice; delete one")
            at = (event.start_mark.line + 1, event.start_mark.column + 1)
            node = self._node(next(self._events), depth + 1)
            # What is empty has no place of its own: YAML puts it where the next thing begins.
            line, column = at if node.value is None else (node.line, node.column)
            group[key] = Node(node.value, line, column, at)
        return group

    def _scalar(self, event: ScalarEvent) -> Value:
        # The parser marks each fold of a `>` text with a bell, which no typed text can hold.
        text = event.value.replace("\a", "") if event.style == ">" else event.value
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise _Refused(event, "holds half a character (a lone surrogate); delete it")
        kind = str(self._resolver.resolve(ScalarNode, text, event.implicit)).removeprefix(_TAG)
        try:
            return _PLAIN.get(kind, str)(text)
        except ValueError:
            raise _Refused(event, f"is not a number that can be read; {_QUOTES}") from None


def _whole(text: str) -> int:
    return int(text, 10)


def _real(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


_PLAIN: dict[str, Callable[[str], Value]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _whole,
    "float": _real,
}

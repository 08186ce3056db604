"""Fill the {{ blanks }} of a declarative target: the customer's id, the remote id, or a field of the record."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_BLANK = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_NAME = re.compile(r"customer|remote_id|record(?:\.[^\s.{}()|*'\"]+)+")

Value = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Template:
    """Hold a text with blanks; `names` are the blanks in order, `fixed` the texts around them (one more)."""

    text: str
    fixed: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def only(self) -> str | None:
        """Return the one blank that is the whole text, or None."""
        return self.names[0] if len(self.names) == 1 and self.fixed == ("", "") else None

    def fill(self, value: Value) -> str | None:
        """Return the text with its blanks filled, None when one has no value."""
        return self._filled([value(name) for name in self.names])

    def address(self, value: Value) -> str | None:
        """Return the text as part of an address: what is filled in can neither end nor climb the path.

        None when a blank has no value, or nothing but dots (which would climb).
        """
        values = [value(name) for name in self.names]
        if any(not text.strip(".") for text in values):
            return None
        return self._filled([quote(text, safe="") for text in values])

    def _filled(self, values: list[str]) -> str | None:
        if not all(values):
            return None
        return self.fixed[0] + "".join(value + after for value, after in zip(values, self.fixed[1:], strict=True))


@dataclass(frozen=True, slots=True)
class Shape:
    """Hold groups and lists (of JSON) whose texts are templates."""

    data: Any

    @property
    def names(self) -> tuple[str, ...]:
        """Return the blanks of all texts, in order."""
        return tuple(name for text in _texts(self.data) for name in text.names)

    def made(self, value: Value) -> Any:
        """Return the data with all blanks filled, None when one has no value."""
        return None if not all(value(name) for name in self.names) else _made(self.data, value)

    def fill(self, value: Value) -> str | None:
        """Return the data as JSON with all blanks filled, None when one has no value."""
        made = self.made(value)
        return None if made is None else json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def shape(data: Any) -> Shape:
    """Read groups and lists of texts with blanks. Raises ValueError with the cure."""
    return Shape(_read(data))


def _read(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _read(item) for name, item in data.items()}
    if isinstance(data, list):
        return [_read(item) for item in data]
    return template(data) if isinstance(data, str) else data


def _texts(data: Any) -> Iterator[Template]:
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    if isinstance(data, Template):
        yield data
    for item in items:
        yield from _texts(item)


def _made(data: Any, value: Value) -> Any:
    if isinstance(data, dict):
        return {name: _made(item, value) for name, item in data.items()}
    if isinstance(data, list):
        return [_made(item, value) for item in data]
    return data.fill(value) if isinstance(data, Template) else data


def template(text: str) -> Template:
    """Read a text with blanks. Raises ValueError with the cure."""
    pieces = _BLANK.split(text)
    fixed, names = tuple(pieces[::2]), tuple(pieces[1::2])
    wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        shown = wrong[:40]
        raise ValueError(
            f"cannot fill {{{{ {shown} }}}}; write {{{{ customer }}}}, {{{{ record.FIELD }}}} or {{{{ remote_id }}}}"
        )
    if any("{{" in part or "}}" in part for part in fixed):
        raise ValueError("has a {{ or }} without its other half")
    return Template(text, fixed, names)

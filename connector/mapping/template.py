"""Text with {{ holes }}, and conditions: Jinja's grammar, of which we evaluate a small, closed part ourselves.

Jinja only parses; what may stand in it is listed in connector/mapping/expressions.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from jinja2 import Environment, TemplateSyntaxError
from jinja2.parser import Parser

from connector.errors import MappingError, Problem
from connector.mapping.expressions import LONGEST_RESULT, Evaluate, Reader, RefusedError, truth, written
from connector.mapping.paths import shown
from connector.models import Event

LONGEST_TEXT = 2_000
_JINJA = Environment(autoescape=False)  # noqa: S701 - it renders nothing, it only parses

_HOLES = "a field stands between two braces on each side, as in {{ user.name }}"
_TESTS = 'it is written like: tax_number or crn, type == "b2b", user.lang in ["ar", "en"]'

Where = tuple[str, int, int]  # file, line and column
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Template:
    """Hold a text with holes, ready to be filled from an event; `paths` are the fields it reads."""

    text: str
    paths: tuple[str, ...]
    # What stands there as it is, and the holes; two templates are equal when their texts are.
    _parts: tuple[str | Evaluate, ...] = field(compare=False, repr=False)

    def __call__(self, event: Event) -> str:
        """Return the filled text, at most 10,000 characters; an empty field leaves nothing."""
        return self.fill(event)[0]

    def fill(self, event: Event) -> tuple[str, bool]:
        """Return the filled text, and whether every hole held something."""
        parts, complete = [], True
        for part in self._parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            parts.append(written(part(event)))
            complete = complete and parts[-1].strip() != ""
        return "".join(parts)[:LONGEST_RESULT], complete


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold a condition; `paths` are the fields it reads."""

    text: str
    paths: tuple[str, ...]
    _holds: Evaluate = field(compare=False, repr=False)

    def __call__(self, event: Event) -> bool:
        """Tell whether it holds; null, empty text, false and 0 do not."""
        return truth(self._holds(event))


def template(text: str, file: str = "template", line: int = 1, column: int = 1) -> Template:
    """Compile a text such as `Flavours customer {{ user.name }}`.

    The place is where the text begins, for the message. Raises MappingError.
    """

    def parts(reader: Reader) -> tuple[str | Evaluate, ...]:
        found = tuple(reader.body(_JINJA.parse(text)))
        if any("{" in part or "}" in part for part in found if isinstance(part, str)):
            raise RefusedError(_HOLES)
        return found

    found, paths = _compiled(text, parts, _HOLES, (file, line, column))
    return Template(text, paths, found)


def condition(text: str, file: str = "condition", line: int = 1, column: int = 1) -> Condition:
    """Compile a condition such as `tax_number or crn`, `type == "company"`, `user.lang in ["ar", "en"]`.

    The place is where the text begins, for the message. Raises MappingError.
    """

    def holds(reader: Reader) -> Evaluate:
        parser = Parser(_JINJA, text, state="variable")
        found = parser.parse_expression()
        if not parser.stream.eos:
            sign = shown(str(parser.stream.current))
            raise RefusedError(f"`{sign}` is not expected here" + ("; to compare, write ==" if sign == "=" else ""))
        return reader.read(found)

    found, paths = _compiled(text, holds, _TESTS, (file, line, column))
    return Condition(text, paths, found)


def _compiled(text: str, make: Callable[[Reader], T], cure: str, where: Where) -> tuple[T, tuple[str, ...]]:
    file, line, column = where
    reader = Reader()
    if not text.strip() or len(text) > LONGEST_TEXT:
        what = f"is longer than {LONGEST_TEXT} characters" if text.strip() else "is empty"
        raise MappingError([Problem(file, line, column, what)])
    try:
        return make(reader), tuple(reader.paths)
    except RefusedError as refused:
        message, at = refused.message, refused.line
    except TemplateSyntaxError as wrong:
        message, at = f"cannot be read ({(wrong.message or '').rstrip('.')}); {cure}", wrong.lineno
    except RecursionError:
        message, at = "is nested too deeply", 1
    raise MappingError([Problem(file, line + at - 1, column, f"`{shown(text.strip())}`: {message}")])

"""Text with {{ holes }}, and conditions: Jinja's grammar, of which we evaluate a small, closed part ourselves.

Jinja only parses. What is not listed here (calls, loops, arithmetic, items, attributes) is refused when the mapping is
read, and no Python attribute is ever looked up: `user.name` is a path in the event, nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from connector.errors import MappingError, Problem
from connector.mapping.clean import clean, flat
from connector.mapping.paths import did_you_mean, path, shown, unknown
from connector.mapping.transforms import NOWHERE, TRANSFORMS
from connector.models import Event

LONGEST_TEXT = 2_000
LONGEST_RESULT = 10_000
_WORDS = ("lower", "upper", "strip", "digits", "first_word", "rest_words")
_FILTERS = (*_WORDS, "left", "default")
_WRITTEN = {"left": "left(8)", "default": 'default("text")'}
_DEEPEST = 60
_JINJA = Environment(autoescape=False)  # noqa: S701 - it renders nothing, it only parses

T = TypeVar("T")
Evaluate = Callable[[Event], Any]


class _RefusedError(Exception):
    """Carry what is wrong with an expression, and on which of its lines, up to where its place is known."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True, slots=True)
class Template:
    """Hold a text with holes, ready to be filled from an event; `paths` are the fields it reads."""

    text: str
    paths: tuple[str, ...]
    _parts: tuple[Evaluate, ...]

    def __call__(self, event: Event) -> str:
        """Return the filled text, at most 10,000 characters; an empty field leaves nothing."""
        return "".join(flat(part(event)) for part in self._parts)[:LONGEST_RESULT]


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold a condition; `paths` are the fields it reads."""

    text: str
    paths: tuple[str, ...]
    _holds: Evaluate

    def __call__(self, event: Event) -> bool:
        """Tell whether it holds; null, empty text, false and 0 do not."""
        return _truth(self._holds(event))


def template(text: str, file: str = "template", line: int = 1, column: int = 1) -> Template:
    """Compile a text such as `Flavours customer {{ user.name }}`.

    The place is where the text begins, for the message. Raises MappingError.
    """

    def parts(reader: "_Reader") -> tuple[Evaluate, ...]:
        return tuple(reader.body(_JINJA.parse(text)))

    found, paths = _compiled(text, parts, (file, line, column))
    return Template(text, paths, found)


def condition(text: str, file: str = "condition", line: int = 1, column: int = 1) -> Condition:
    """Compile a condition such as `tax_number or crn`, `type == "company"`, `user.lang in ["ar", "en"]`.

    The place is where the text begins, for the message. Raises MappingError.
    """

    def holds(reader: "_Reader") -> Evaluate:
        parser = Parser(_JINJA, text, state="variable")
        found = parser.parse_expression()
        if not parser.stream.eos:
            raise _RefusedError(f"`{shown(str(parser.stream.current))}` is not expected here")
        return reader.read(found)

    found, paths = _compiled(text, holds, (file, line, column))
    return Condition(text, paths, found)


def _compiled(text: str, make: Callable[["_Reader"], T], where: tuple[str, int, int]) -> tuple[T, tuple[str, ...]]:
    file, line, column = where
    reader = _Reader()
    try:
        if not text.strip() or len(text) > LONGEST_TEXT:
            raise _RefusedError(f"is empty or longer than {LONGEST_TEXT} characters")
        return make(reader), tuple(reader.paths)
    except _RefusedError as refused:
        message, at = refused.message, refused.line
    except TemplateSyntaxError as wrong:
        message, at = f"cannot be read: {wrong.message}", wrong.lineno
    except RecursionError:
        message, at = "is nested too deeply", 1
    raise MappingError([Problem(file, line + at - 1, column, f"`{shown(text.strip())}`: {message}")])


class _Reader:
    """Turn Jinja's tree into a function of the event; the methods below are the whole language."""

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self._depth = 0
        self._rules: dict[type[nodes.Node], Callable[[Any], Evaluate]] = {
            nodes.TemplateData: lambda node: _always(node.data),
            nodes.Const: lambda node: _always(node.value),
            nodes.Name: self._path,
            nodes.Getattr: self._path,
            nodes.Filter: self._filter,
            nodes.CondExpr: self._choice,
            nodes.And: self._and,
            nodes.Or: self._or,
            nodes.Not: self._not,
            nodes.Compare: self._compare,
            nodes.Concat: self._concat,
        }

    def body(self, tree: nodes.Template) -> Iterator[Evaluate]:
        for node in tree.body:
            if not isinstance(node, nodes.Output):
                raise _RefusedError(_not_allowed(node), node.lineno)
            yield from map(self.read, node.nodes)

    def read(self, node: nodes.Node) -> Evaluate:
        rule = self._rules.get(type(node))
        if rule is None:
            raise _RefusedError(_not_allowed(node), node.lineno)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _RefusedError("is nested too deeply", node.lineno)
        found = rule(node)
        self._depth -= 1
        return found

    def _path(self, node: nodes.Node) -> Evaluate:
        text = _dotted(node)
        if problem := unknown(text):
            raise _RefusedError(problem, node.lineno)
        self.paths[text] = None
        here = path(text)
        return lambda event: _value(here.find(event))

    def _filter(self, node: nodes.Filter) -> Evaluate:
        if node.name not in _FILTERS or node.node is None:
            problem = f"there is no filter `{shown(node.name)}`{did_you_mean(node.name, _FILTERS)}"
            raise _RefusedError(f"{problem} (filters: {', '.join(_FILTERS)})", node.lineno)
        inner, argument = self.read(node.node), _argument(node)
        if node.name == "left":
            return lambda event: flat(inner(event))[:argument]
        if node.name == "default":
            return lambda event: value if _truth(value := inner(event)) else argument
        run = TRANSFORMS[node.name].run
        return lambda event: run(flat(inner(event)), {}, NOWHERE).value

    def _choice(self, node: nodes.CondExpr) -> Evaluate:
        test, then = self.read(node.test), self.read(node.expr1)
        otherwise = self.read(node.expr2) if node.expr2 is not None else _always(None)
        return lambda event: (then if _truth(test(event)) else otherwise)(event)

    def _and(self, node: nodes.And) -> Evaluate:
        left, right = self.read(node.left), self.read(node.right)
        return lambda event: right(event) if _truth(value := left(event)) else value

    def _or(self, node: nodes.Or) -> Evaluate:
        left, right = self.read(node.left), self.read(node.right)
        return lambda event: value if _truth(value := left(event)) else right(event)

    def _not(self, node: nodes.Not) -> Evaluate:
        inner = self.read(node.node)
        return lambda event: not _truth(inner(event))

    def _concat(self, node: nodes.Concat) -> Evaluate:
        parts = [self.read(part) for part in node.nodes]
        return lambda event: "".join(flat(part(event)) for part in parts)[:LONGEST_RESULT]

    def _compare(self, node: nodes.Compare) -> Evaluate:
        left, operand = self.read(node.expr), node.ops[0]
        if len(node.ops) > 1 or operand.op not in {"eq", "ne", "in", "notin"}:
            raise _RefusedError("only == != `in [...]` and `not in [...]` compare here, one at a time", node.lineno)
        wanted = operand.op in {"eq", "in"}
        if operand.op in {"in", "notin"}:
            choices = _texts(operand.expr)
            return lambda event: (flat(left(event)) in choices) is wanted
        right = self.read(operand.expr)
        return lambda event: (flat(left(event)) == flat(right(event))) is wanted


def _always(value: Any) -> Evaluate:
    return lambda _: value


def _value(value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    text = clean(value)[0]
    return text[:LONGEST_RESULT] if isinstance(text, str) else None


def _truth(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_dotted(node.node)}.{node.attr}"
    raise _RefusedError(_not_allowed(node), node.lineno)


def _texts(node: nodes.Node) -> frozenset[str]:
    items = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    texts = [flat(item.value) for item in items if isinstance(item, nodes.Const)]
    if len(texts) != len(items) or items == [node]:
        raise _RefusedError('`in` takes a list of texts, as in ["ar", "en"]', node.lineno)
    return frozenset(texts)


def _argument(node: nodes.Filter) -> Any:
    """Return the filter's one fixed argument, None for those that take none."""
    wanted = {"left": int, "default": str}.get(node.name)
    if wanted is None and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs):
        return None
    given = node.args[0] if len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs) else None
    if wanted and isinstance(given, nodes.Const) and isinstance(given.value, wanted):
        return given.value
    raise _RefusedError(f"the filter `{node.name}` is written {_WRITTEN.get(node.name, node.name)}", node.lineno)


def _not_allowed(node: nodes.Node) -> str:
    what = type(node).__name__.lower()
    return (
        f"`{what}` is not allowed here; what is: fields, text in quotes, and, or, not, ==, !=, in, if/else, ~, filters"
    )

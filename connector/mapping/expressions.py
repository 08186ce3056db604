"""Turn Jinja's tree of an expression into a function of the event: the whole language of templates and conditions.

What is not listed in the reader (calls, loops, arithmetic, items, attributes) is refused, and no Python attribute is
ever looked up: `user.name` is a path in the event, nothing else.
"""

from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import nodes

from connector.mapping.clean import INVISIBLE, clean, flat
from connector.mapping.fold import fold
from connector.mapping.paths import did_you_mean, path, shown, unknown
from connector.mapping.transforms import NOWHERE, TRANSFORMS
from connector.models import Event

LONGEST_RESULT = 10_000
_WORDS = ("lower", "upper", "strip", "digits", "first_word", "rest_words")
_FILTERS = (*_WORDS, "left", "default")
_WRITTEN = {"left": "left(8)", "default": 'default("text")'}
_DEEPEST = 60

_ALLOWED = "fields, text in quotes, and, or, not, ==, !=, in, if/else, ~, filters"
# What Jinja's parts are called in the text that a person wrote.
_SIGNS = {
    "Call": "()",
    "Getitem": "[...]",
    "List": "[...]",
    "Dict": "{...}",
    "Test": "is",
    "For": "{% for %}",
    "If": "{% if %}",
    "Assign": "{% set %}",
    "Const": "text.part",
}

Evaluate = Callable[[Event], Any]


class RefusedError(Exception):
    """Carry what is wrong with an expression, and on which of its lines, up to where its place is known."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def written(value: Any) -> str:
    """Return the value as a template writes it; a text stays as it is, white space too."""
    return value if isinstance(value, str) else flat(value)


def truth(value: Any) -> bool:
    """Tell whether a value counts as there; null, empty text, false and 0 do not."""
    return bool(value.strip() if isinstance(value, str) else value)


class Reader:
    """Read a tree, one method for each thing that may stand in it; `paths` gathers the fields it names."""

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self._depth = 0
        self._rules: dict[type[nodes.Node], Callable[[Any], Evaluate]] = {
            nodes.Const: self._constant,
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

    def body(self, tree: nodes.Template) -> Iterator[str | Evaluate]:
        """Read a text with holes, part by part; what is put together with `~` counts as so many holes."""
        for node in tree.body:
            if not isinstance(node, nodes.Output):
                raise RefusedError(_not_allowed(node), node.lineno)
            for part in node.nodes:
                if isinstance(part, nodes.TemplateData):
                    yield part.data
                else:
                    yield from map(self.read, part.nodes if isinstance(part, nodes.Concat) else [part])

    def read(self, node: nodes.Node) -> Evaluate:
        """Read one expression. Raises RefusedError."""
        rule = self._rules.get(type(node))
        if rule is None:
            raise RefusedError(_not_allowed(node), node.lineno)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RefusedError("is nested too deeply", node.lineno)
        found = rule(node)
        self._depth -= 1
        return found

    def _constant(self, node: nodes.Const) -> Evaluate:
        if warning := clean(node.value)[1]:
            hidden = warning == INVISIBLE
            what = "holds an invisible control character; delete it" if hidden else "holds a number that is too large"
            raise RefusedError(what, node.lineno)
        return _always(node.value)

    def _path(self, node: nodes.Node) -> Evaluate:
        text = _dotted(node)
        if problem := unknown(text):
            cure = "" if "did you mean" in problem else f'; a text stands in quotes: "{shown(text)}"'
            raise RefusedError(problem + cure, node.lineno)
        self.paths[text] = None
        here = path(text)
        return lambda event: _value(here.find(event))

    def _filter(self, node: nodes.Filter) -> Evaluate:
        if node.name not in _FILTERS or node.node is None:
            problem = f"there is no filter `{shown(node.name)}`{did_you_mean(node.name, _FILTERS)}"
            raise RefusedError(f"{problem} (filters: {', '.join(_FILTERS)})", node.lineno)
        inner, argument = self.read(node.node), _argument(node)
        if node.name == "left":
            return lambda event: written(inner(event))[:argument]
        if node.name == "default":
            return lambda event: value if truth(value := inner(event)) else argument
        run = TRANSFORMS[node.name].run
        return lambda event: run(flat(inner(event)), {}, NOWHERE).value

    def _choice(self, node: nodes.CondExpr) -> Evaluate:
        test, then = self.read(node.test), self.read(node.expr1)
        otherwise = self.read(node.expr2) if node.expr2 is not None else _always(None)
        return lambda event: (then if truth(test(event)) else otherwise)(event)

    def _and(self, node: nodes.And) -> Evaluate:
        left, right = self.read(node.left), self.read(node.right)
        return lambda event: right(event) if truth(value := left(event)) else value

    def _or(self, node: nodes.Or) -> Evaluate:
        left, right = self.read(node.left), self.read(node.right)
        return lambda event: value if truth(value := left(event)) else right(event)

    def _not(self, node: nodes.Not) -> Evaluate:
        inner = self.read(node.node)
        return lambda event: not truth(inner(event))

    def _concat(self, node: nodes.Concat) -> Evaluate:
        parts = [self.read(part) for part in node.nodes]
        return lambda event: "".join(written(part(event)) for part in parts)[:LONGEST_RESULT]

    def _compare(self, node: nodes.Compare) -> Evaluate:
        left, operand = self.read(node.expr), node.ops[0]
        if len(node.ops) > 1 or operand.op not in {"eq", "ne", "in", "notin"}:
            raise RefusedError("only == != `in [...]` and `not in [...]` compare here, one at a time", node.lineno)
        wanted = operand.op in {"eq", "in"}
        if operand.op in {"in", "notin"}:
            choices = _texts(operand.expr)
            return lambda event: (fold(flat(left(event))) in choices) is wanted
        if isinstance(operand.expr, nodes.Name) and unknown(operand.expr.name):
            raise RefusedError(f'a text stands in quotes: "{shown(operand.expr.name)}"', node.lineno)
        right = self.read(operand.expr)
        return lambda event: (fold(flat(left(event))) == fold(flat(right(event)))) is wanted


def _always(value: Any) -> Evaluate:
    return lambda _: value


def _value(value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    # Cut first: a text of a million letters is not searched for each of a template's holes.
    return clean(value[:LONGEST_RESULT])[0] if isinstance(value, str) else None


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_dotted(node.node)}.{node.attr}"
    raise RefusedError(_not_allowed(node), node.lineno)


def _texts(node: nodes.Node) -> frozenset[str]:
    items = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    texts = [fold(flat(item.value)) for item in items if isinstance(item, nodes.Const)]
    if len(texts) != len(items) or items == [node]:
        raise RefusedError('`in` takes a list of texts, as in ["ar", "en"]', node.lineno)
    return frozenset(texts)


def _argument(node: nodes.Filter) -> Any:
    """Return the filter's one fixed argument, None for those that take none."""
    wanted = {"left": int, "default": str}.get(node.name)
    if wanted is None and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs):
        return None
    given = node.args[0] if len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs) else None
    if wanted and isinstance(given, nodes.Const) and isinstance(given.value, wanted):
        return given.value
    raise RefusedError(f"the filter `{node.name}` is written {_WRITTEN.get(node.name, node.name)}", node.lineno)


def _not_allowed(node: nodes.Node) -> str:
    what = getattr(node, "operator", None) or type(node).__name__
    return f"`{_SIGNS.get(what, what.lower())}` is not allowed here; what is: {_ALLOWED}"

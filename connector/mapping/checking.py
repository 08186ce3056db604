"""Ask the nodes of a document for what they should hold, and gather every mistake with its place."""

from collections.abc import Callable
from typing import TypeVar

from connector.errors import MappingError, Problem
from connector.mapping.clean import clean
from connector.mapping.expressions import LONGEST_RESULT
from connector.mapping.paths import KNOWN, Path, did_you_mean, path, shown, unknown
from connector.mapping.template import Condition, Template
from connector.mapping.yamltext import Node

MOST_PROBLEMS = 100
MOST_EXPRESSIONS = 50_000  # characters: what is read in a fifth of a second
_CHOOSING = """a template chooses by itself: {template: "{{ user.name if crn else 'guest' }}"}"""
_CURLY = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019")

T = TypeVar("T", Template, Condition)


class TooMany(Exception):
    """Stop the reading of a document in which nearly everything is wrong: a hundred problems are enough to begin with."""


class Checker:
    """Ask nodes for what they should hold, and gather every problem; what could not be read comes back empty."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._expressions = 0  # characters read so far

    def wrong(self, node: Node, message: str, *, key: bool = False) -> None:
        """Note a problem at the node, or at its key. Raises TooMany."""
        line, column = node.key if key else (node.line, node.column)
        self.note(Problem(self.file, line, column, message))

    def note(self, *problems: Problem) -> None:
        """Note problems that know their place. Raises TooMany."""
        self.problems.extend(problems)
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooMany

    def group(self, node: Node, keys: tuple[str, ...], what: str, cure: str = "") -> dict[str, Node]:
        """Return the entries of a group that may hold these keys."""
        if not isinstance(node.value, dict):
            self.wrong(node, f"{what} a group of: {', '.join(keys)}")
            return {}
        for key in node.value.keys() - set(keys):
            meant = did_you_mean(key, keys) or f" (known: {', '.join(keys)}){cure}"
            if key.partition(":")[0] in keys and node.value[key].value is None:
                meant = "; write a space behind its `:`"
            self.wrong(node.value[key], f"unknown key `{shown(key)}`{meant}", key=True)
        return node.value

    def items(self, node: Node | None, what: str) -> list[Node]:
        """Return the items of a list, or the one text that stands for a list of one."""
        if node is None:
            return []
        if isinstance(node.value, str):
            return [node]
        if not isinstance(node.value, list) or not node.value:
            self.wrong(node, f"{what} must be a list, as in [tax_number, user.phone]")
            return []
        return node.value

    def text(self, node: Node, what: str) -> str:
        """Return a text, "" where there is none; a number or true stands in quotes."""
        value = node.value
        if not isinstance(value, str):
            unquoted = isinstance(value, bool | int | float)
            self.wrong(node, f"{what} must be text; " + ("put it in quotes" if unquoted else "write it in quotes"))
            return ""
        if clean(value)[1]:
            self.wrong(node, f"{what} holds invisible control characters; delete them")
        return value

    def filled(self, node: Node, what: str) -> str:
        """Return a text that holds something."""
        text = self.text(node, what)
        if isinstance(node.value, str) and not text.strip():
            self.wrong(node, f"{what} is empty; leave it out, or fill it")
        return text

    def fixed(self, node: Node, what: str, template: bool = True) -> str:
        """Return a text that is the same for every customer; who meant a template or a field learns how to write it.

        `template`: one may be written in its place.
        """
        text = self.filled(node, what)
        self._curly(node, what)
        if len(text) > LONGEST_RESULT:
            self.wrong(node, f"{what} is longer than {LONGEST_RESULT} characters")
        if "{{" in text:
            cure = f'a template is written {{template: "{shown(text)}"}}' if template else _CHOOSING
            self.wrong(node, f"{what} is sent as it stands; {cure}")
        if "." in text and text in KNOWN:
            self.wrong(node, f"{what} is sent as it stands, not looked up; a field is named in `from` or `first_of`")
        return text

    def path(self, node: Node) -> tuple[Path, ...]:
        """Return the path, () where it is not one."""
        text = self.filled(node, "a path")
        if not text.strip() or self._curly(node, "a path"):
            return ()
        problem = unknown(text)
        if problem:
            self.wrong(node, problem)
        return () if problem else (path(text),)

    def _curly(self, node: Node, what: str) -> bool:
        """Find the quotes that a word processor or a chat made of straight ones: YAML takes them for text."""
        text = node.value if isinstance(node.value, str) else ""
        curly = text[:1] in _CURLY and text[-1:] in _CURLY and text != ""
        if curly:
            self.wrong(node, f'{what} is in curly quotes; write straight ones: "{shown(text[1:-1])}"')
        return curly

    def paths(self, node: Node | None, what: str) -> tuple[Path, ...]:
        """Return the paths of a list."""
        return tuple(found for item in self.items(node, what) for found in self.path(item))

    def expression(self, compile_: Callable[[str, str, int, int], T], node: Node | None, what: str) -> T | None:
        """Return the template or condition, None where it cannot be read."""
        text = self.filled(node, what) if node else ""
        if node is None or not text.strip():
            return None
        self._expressions += len(text)
        if self._expressions > MOST_EXPRESSIONS:
            self.wrong(node, f"all templates and conditions together hold more than {MOST_EXPRESSIONS} characters")
            return None
        try:
            return compile_(text, self.file, node.line, node.column)
        except MappingError as error:
            self.note(*error.problems)
            return None

    def flag(self, node: Node | None, what: str) -> bool:
        """Return true or false."""
        if node is not None and not isinstance(node.value, bool):
            self.wrong(node, f"{what} is true or false, without quotes")
        return node is not None and node.value is True

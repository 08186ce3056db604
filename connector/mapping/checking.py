"""Ask the nodes of a document for what they should hold, and gather every mistake with its place."""

from collections.abc import Callable
from typing import TypeVar

from connector.errors import MappingError, Problem
from connector.mapping.clean import INVISIBLE, clean
from connector.mapping.paths import Path, did_you_mean, path, shown, unknown
from connector.mapping.template import Condition, Template
from connector.mapping.yamltext import Node

T = TypeVar("T", Template, Condition)


class Checker:
    """Ask nodes for what they should hold, and gather every problem; what could not be read comes back empty."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, node: Node, message: str, *, key: bool = False) -> None:
        """Note a problem at the node, or at its key."""
        line, column = node.key if key else (node.line, node.column)
        self.problems.append(Problem(self.file, line, column, message))

    def group(self, node: Node, keys: tuple[str, ...], what: str, cure: str = "") -> dict[str, Node]:
        """Return the entries of a group that may hold these keys."""
        if not isinstance(node.value, dict):
            self.wrong(node, f"{what} a group of: {', '.join(keys)}")
            return {}
        for key in node.value.keys() - set(keys):
            meant = did_you_mean(key, keys) or f" (known: {', '.join(keys)}){cure}"
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
            self.wrong(node, f"{what} {INVISIBLE.removesuffix(', which were removed')}; delete them")
        return value

    def filled(self, node: Node, what: str) -> str:
        """Return a text that holds something."""
        text = self.text(node, what)
        if isinstance(node.value, str) and not text.strip():
            self.wrong(node, f"{what} is empty; leave it out, or fill it")
        return text

    def path(self, node: Node) -> tuple[Path, ...]:
        """Return the path, () where it is not one."""
        text = self.filled(node, "a path")
        problem = unknown(text) if text.strip() else None
        if problem:
            self.wrong(node, problem)
        return () if problem or not text.strip() else (path(text),)

    def paths(self, node: Node | None, what: str) -> tuple[Path, ...]:
        """Return the paths of a list."""
        return tuple(found for item in self.items(node, what) for found in self.path(item))

    def expression(self, compile_: Callable[[str, str, int, int], T], node: Node | None, what: str) -> T | None:
        """Return the template or condition, None where it cannot be read."""
        text = self.filled(node, what) if node else ""
        try:
            return compile_(text, self.file, node.line, node.column) if node and text.strip() else None
        except MappingError as error:
            self.problems.extend(error.problems)
            return None

    def flag(self, node: Node | None, what: str) -> bool:
        """Return true or false."""
        if node is not None and not isinstance(node.value, bool):
            self.wrong(node, f"{what} is true or false")
        return node is not None and node.value is True

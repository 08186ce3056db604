"""Read YAML into plain values, remember where each stands, and put ${VAR} and ${file:…} into its texts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from connector.errors import ConfigError, Problem
from connector.masking import Secret

Keys = tuple[str | int, ...]
Place = tuple[int, int]

_DEEPEST, _MOST = 30, 20_000
_TAG = "tag:yaml.org,2002:"
_HOLE = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")
_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)


class Unset(Secret):
    """Stand where a value could not be read (already reported), so that the rest can still be checked."""

    __slots__ = ()


@dataclass(slots=True)
class Document:
    """Hold a file's values and places: a key's own place, an item's own place; lines and columns count from 1."""

    file: str
    data: Any = None
    where: dict[Keys, Place] = field(default_factory=lambda: {(): (1, 1)})
    unset: set[Keys] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, keys: Keys, message: str) -> None:
        """Note a problem at the nearest place that is in the file, unless the value there is unset anyway."""
        if keys not in self.unset:
            self.problems.append(Problem(self.file, *self.place(keys), message))

    def place(self, keys: Keys) -> Place:
        """Return where this stands, or the group that it is missing from."""
        while keys not in self.where:
            keys = keys[:-1]
        return self.where[keys]


def read(path: Path, env: Mapping[str, str]) -> Document:
    """Read a file. Texts with something put in come back as Secret; what is unset is a problem of the document.

    Raises ConfigError when the file cannot be read as YAML 1.2.
    """
    document = Document(str(path))
    root = _composed(_text(path), document.file)
    document.data = _Walk(document, path.parent, env).value(root, ())
    return document


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        message = f"is not UTF-8 (byte {wrong.start + 1}); save it as UTF-8"
    except FileNotFoundError:
        message = "there is no such file; `connector init` writes one, --config names another"
    except OSError as wrong:
        message = f"cannot be read: {wrong.strerror}"
    raise ConfigError([Problem(str(path), 1, 1, message)])


def _composed(text: str, file: str) -> Node | None:
    try:
        root: Node | None = YAML(typ="rt").compose(text)
    except MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        raise ConfigError([Problem(file, mark.line + 1, mark.column + 1, f"is not YAML: {wrong.problem}")]) from None
    except ReaderError as wrong:
        before = text[: wrong.position]
        place = before.count("\n") + 1, wrong.position - before.rfind("\n")
        raise ConfigError([Problem(file, *place, "holds an invisible control character; delete it")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 1, 1, "is nested too deeply")]) from None
    return root


class _Walk:
    """Turn YAML nodes into plain values, noting every problem in the document."""

    def __init__(self, document: Document, folder: Path, env: Mapping[str, str]) -> None:
        self._document, self._folder, self._env = document, folder, env
        self._count = 0

    def value(self, node: Node | None, keys: Keys) -> Any:
        if node is None:
            return None
        self._count += 1
        if len(keys) > _DEEPEST or self._count > _MOST:
            raise ConfigError([Problem(self._document.file, *_place(node), "is nested too deeply, or far too long")])
        if _kind(node) not in _KINDS:
            self._problem(node, "tags (`!`) are not used here; put the text in quotes")
        if isinstance(node, MappingNode):
            return {key: self.value(child, (*keys, key)) for key, child in self._entries(node, keys)}
        if isinstance(node, SequenceNode):
            return [self._item(child, (*keys, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, keys) if isinstance(node, ScalarNode) else None

    def _item(self, node: Node, keys: Keys) -> Any:
        self._document.where[keys] = _place(node)
        return self.value(node, keys)

    def _entries(self, node: MappingNode, keys: Keys) -> Iterator[tuple[str, Node]]:
        seen: set[str] = set()
        for name, child in node.value:
            if not isinstance(name, ScalarNode) or _kind(name) != "str":
                self._problem(name, "a key must be text; put it in quotes")
            elif name.value in seen:
                self._problem(name, f"duplicate key `{name.value}`; delete one")
            else:
                seen.add(name.value)
                self._document.where[(*keys, name.value)] = _place(name)
                yield name.value, child

    def _scalar(self, node: ScalarNode, keys: Keys) -> Any:
        try:
            plain = _PLAIN.get(_kind(node), str)(node.value)
        except ValueError:
            plain = node.value
        return self._filled(node, plain, keys) if isinstance(plain, str) and "${" in plain else plain

    def _filled(self, node: ScalarNode, text: str, keys: Keys) -> str:
        made, put_in, last = [], False, 0
        for hole in _HOLE.finditer(text):
            made.append(text[last : hole.start()])
            last = hole.end()
            if hole.group() == "$${":
                made.append("${")
                continue
            put_in = True
            found = self._look_up(hole)
            if isinstance(found, _Missing):
                self._problem(node, found.message)
                self._document.unset.add(keys)
                return Unset()
            made.append(found)
        whole = "".join([*made, text[last:]])
        return Secret(whole) if put_in else whole

    def _look_up(self, hole: re.Match[str]) -> "str | _Missing":
        inside = hole["inside"]
        if inside is not None and inside.startswith("file:"):
            return self._file(inside.removeprefix("file:").strip())
        name = _NAME.fullmatch(inside or "")
        if name is None:
            return _Missing(
                f"`{hole.group()}` is not ${{VAR}}, ${{VAR:-default}} or ${{file:path}}; write $${{ for ${{"
            )
        found, default = self._env.get(name["name"]), name["default"]
        if default is not None:
            return found or default
        return _Missing(f"the environment variable `{name['name']}` is not set") if found is None else found

    def _file(self, name: str) -> "str | _Missing":
        try:
            return (self._folder / name).read_bytes().decode("utf-8").removesuffix("\n").removesuffix("\r")
        except OSError as wrong:
            return _Missing(f"the file `{name}` cannot be read: {wrong.strerror}")
        except ValueError:
            return _Missing(f"the file `{name}` is not UTF-8 text")

    def _problem(self, node: Node, message: str) -> None:
        self._document.problems.append(Problem(self._document.file, *_place(node), message))


@dataclass(frozen=True, slots=True)
class _Missing:
    message: str


def _place(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _kind(node: Node) -> str:
    return str(node.tag).removeprefix(_TAG)


_PLAIN: Mapping[str, Any] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": lambda text: int(text, 10),
    "float": float,
}
_KINDS = {*_PLAIN, "str", "map", "seq", "timestamp"}

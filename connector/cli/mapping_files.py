"""Find the mappings that a person names: by a name in the folder, by a path, or by what the store keeps."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import MappingError, NotFound, Problem

if TYPE_CHECKING:
    from connector.config import Config
    from connector.mapping.document import Mapping
    from connector.store import Store

ACTIVE = "active"
_HASH = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Named:
    """Hold a mapping as a person named it: `label` says where it is kept, for messages."""

    name: str
    label: str
    mapping: "Mapping"


def file(word: str, path: Path) -> Path:
    """Return the file of the mapping that a word names. Raises NotFound, ConfigError."""
    from connector import folder

    named = Path(word)
    if named.suffix in {".yaml", ".yml"} or len(named.parts) > 1:
        return named
    inside = folder_of(path)
    found = folder.path(inside, word)
    if not found.is_file():
        there = ", ".join(folder.names(inside)) or "none"
        raise NotFound(f"there is no mapping {word} in {inside} (there are: {there})")
    return found


def files(words: Sequence[str], path: Path) -> list[Path]:
    """Return the files of the mappings that are named, or of all in the folder. Raises NotFound, ConfigError."""
    from connector import folder

    if words:
        return [file(word, path) for word in dict.fromkeys(words)]
    inside = folder_of(path)
    names = folder.names(inside)
    if not names:
        raise NotFound(f"there is no mapping in {inside}; `connector init` writes one to begin with")
    return [folder.path(inside, name) for name in names]


def folder_of(path: Path) -> Path:
    """Return the configured folder, or the shipped one where there is no configuration yet. Raises ConfigError."""
    from connector import config
    from connector.bundled import bundled
    from connector.errors import ConfigError

    if not path.exists():
        return bundled("mappings")
    reading = config.examine(path, os.environ)
    if reading.config is None:
        raise ConfigError(list(reading.problems))
    return reading.config.mappings


def read(file: Path) -> Named:
    """Read a mapping from its file. Raises MappingError."""
    from connector import folder

    return _named(file.stem, str(file), folder.text(file))


def read_all(files: Iterable[Path]) -> tuple[list[Named], list[Problem]]:
    """Read mappings; return those that can be read, and every problem of the others."""
    read_well: list[Named] = []
    problems: list[Problem] = []
    for each in files:
        try:
            read_well.append(read(each))
        except MappingError as error:
            problems += error.problems
    return read_well, problems


def find(word: str, config: "Config", store: "Store") -> Named:
    """Read the mapping that a word names, also one that the store keeps: NAME@active, or a hash.

    Raises NotFound, MappingError, StoreBusy.
    """
    from connector import folder

    name, at, which = word.partition("@")
    if at and which != ACTIVE:
        raise NotFound(f"{word} names no mapping: write NAME, NAME@{ACTIVE}, a hash, or a path")
    text = store.mappings.active(name) if at else None
    if at and text is None:
        raise NotFound(f"no mapping {name} was published yet; `connector serve` does it")
    if text is None and _HASH.fullmatch(word) and not folder.path(config.mappings, word).is_file():
        text = store.mappings.text(store.mappings.find(word))
    return read(file(word, config.path)) if text is None else _named(name, word, text)


def _named(name: str, label: str, text: str) -> Named:
    from connector.mapping import document

    return Named(name, label, document.read(text, label))

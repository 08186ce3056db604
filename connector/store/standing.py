"""Compare a mapping's file in the folder with the version in use, and say in one sentence what a person must know."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector import folder
from connector.config import Config
from connector.errors import MappingError, Problem
from connector.mapping import document
from connector.store.mappings import Mappings, Version


@dataclass(frozen=True, slots=True)
class Edition:
    """Hold what a file of the folder says: its text, and what that means."""

    text: str
    mapping: document.Mapping


@dataclass(frozen=True, slots=True)
class Standing:
    """Say how a file stands to the store: what is wrong with it, its hash when nothing is, and what is in use.

    `file` is as people call it, `known` the newest version with the file's text, `active` the version in use.
    """

    name: str
    file: str
    problems: tuple[Problem, ...]
    digest: str | None
    active: Version | None
    known: Version | None = None

    @property
    def broken(self) -> str:
        """Return what is wrong with the file, in short; nothing when it can be used."""
        count = len(self.problems)
        return f"{self.file} has {count} problem{'s' if count > 1 else ''}" if count else ""

    @property
    def differs(self) -> bool:
        """Tell whether the file could be used, and is not what is in use."""
        return not self.problems and self.active is not None and self.digest != self.active.hash

    @property
    def note(self) -> str:
        """Return one sentence when the file is broken or is not what is in use, else nothing."""
        if self.broken:
            stays = f"version {said(self.active)} stays in use" if self.active else "no version of it is in use"
            return f"mapping {self.name}: {self.broken}; {stays}"
        if not self.differs or self.active is None:
            return ""
        holds = f"holds version {said(self.known)}" if self.known else "holds a text that was never published"
        return f"mapping {self.name}: {self.file} {holds}; version {said(self.active)} is in use"

    @property
    def cure(self) -> str:
        """Return what to do about it, as the end of a sentence."""
        if self.broken:
            return "`connector check` names what is wrong"
        return f"`connector mapping publish {self.name}` puts the file in use" if self.differs else ""


def said(version: Version) -> str:
    """Return how a version is named to people: the beginning of its hash, and when it was published."""
    at = datetime.fromtimestamp(version.published_at / 1000).astimezone()
    return f"{version.hash[:12]} of {at:%Y-%m-%d %H:%M}"


def used(config: Config) -> list[str]:
    """Return the names of the mappings that syncs use, sorted."""
    return sorted({sync.mapping for sync in config.syncs.values()})


def shown(config: Config, name: str) -> str:
    """Return how people call a mapping's file: its path from the configuration on."""
    file = folder.path(config.mappings, name)
    home = config.path.parent
    return str(file.relative_to(home) if file.is_relative_to(home) else file)


def edition(config: Config, name: str, file: Path | None = None) -> Edition:
    """Read a mapping's file (the folder's, unless told) as one for its syncs.

    Raises MappingError: it is not there, it is broken, or it is for another kind than the targets of its syncs.
    """
    path = file or folder.path(config.mappings, name)
    return fitting(config, name, folder.text(path), str(path))


def fitting(config: Config, name: str, text: str, file: str) -> Edition:
    """Read a text as a mapping for the syncs that use this name; `file` is what it is called. Raises MappingError."""
    mapping = document.read(text, file)
    wrong = [Problem(str(config.path), *place, message) for place, message in strangers(config, name, mapping.kind)]
    if wrong:
        raise MappingError(wrong)
    return Edition(text, mapping)


def strangers(config: Config, name: str, kind: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the place of each sync that uses this mapping for a target of another kind, with the sentence about it."""
    for sync in config.syncs.values():
        target = config.targets.get(sync.target)
        if sync.mapping == name and target is not None and target.kind != kind:
            is_for = f"the mapping `{name}` is for {kind}, the target `{target.name}` is {target.kind}"
            yield sync.where, f"{is_for}; choose another mapping or target"


def standing(config: Config, name: str, history: Sequence[Version]) -> Standing:
    """Look at a mapping's file; `history` is what was published under its name, newest first."""
    active = history[0] if history else None
    file = shown(config, name)
    try:
        digest = edition(config, name).mapping.hash
    except MappingError as error:
        return Standing(name, file, tuple(error.problems), None, active)
    known = next((version for version in history if version.hash == digest), None)
    return Standing(name, file, (), digest, active, known)


def put_back(config: Config, mappings: Mappings, name: str, text: str) -> tuple[bool, Path | None]:
    """Write a text that was published into the folder's file, where there is one that says something else.

    Return whether it was written, and the copy of what it held when that was never published. Raises OSError.
    """
    file = folder.path(config.mappings, name)
    there = _digest(file)
    if not file.is_file() or there == hashlib.sha256(text.encode()).hexdigest():
        return False, None
    kept = None if there in mappings.known([there] if there else []) else folder.keep_beside(file)
    folder.replace(file, text)
    return True, kept


def _digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(folder.text(file).encode()).hexdigest()
    except MappingError:
        return None

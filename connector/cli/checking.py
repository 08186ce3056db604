"""Check the whole configuration: the file, each target by its kind, each mapping that a sync uses."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from connector import config, folder
from connector.config import Config, Reading, SyncConfig
from connector.errors import ConfigError, MappingError, Problem
from connector.mapping import coverage, document
from connector.mapping.template import condition
from connector.targets import kinds


def checked(path: Path, env: Mapping[str, str]) -> Config:
    """Return the configuration. Raises ConfigError with every problem, those of targets and mappings too."""
    reading = config.examine(path, env)
    problems = problems_of(reading, str(path))
    if reading.config is None or problems:
        raise ConfigError(problems)
    return reading.config


def problems_of(reading: Reading, file: str) -> list[Problem]:
    """Return every problem of what could be read, sorted, each once."""
    problems = set(reading.problems)
    if reading.config is not None:
        problems |= {p for p in _targets(reading.config) if (p.line, p.column) not in reading.unset}
        problems |= {p for sync in reading.config.syncs.values() for p in _sync(reading.config, sync, file)}
    return sorted(problems)


def lost(read: Config) -> dict[str, tuple[str, ...]]:
    """Return, for each mapping in use that can be read, the documented fields that it loses, where there are any."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted({sync.mapping for sync in read.syncs.values()}):
        path = folder.path(read.mappings, name)
        with suppress(MappingError):  # problems_of tells it
            found[name] = coverage.lost(document.read(folder.text(path), str(path)))
    return {name: fields for name, fields in found.items() if fields}


def _targets(read: Config) -> Iterator[Problem]:
    for target in read.targets.values():
        yield from kinds.problems(target)


def _sync(read: Config, sync: SyncConfig, file: str) -> Iterator[Problem]:
    if sync.when is not None:
        try:
            condition(sync.when, file, *sync.where)
        except MappingError as error:
            yield from error.problems
    path = read.mappings / f"{sync.mapping}.yaml"
    if path.is_file():
        yield from _mapping(read, sync, path, file)


def _mapping(read: Config, sync: SyncConfig, path: Path, file: str) -> Iterator[Problem]:
    try:
        mapping = document.read(path.read_text(encoding="utf-8"), str(path))
    except MappingError as error:
        yield from error.problems
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(str(path), 1, 1, f"cannot be read: {error}")
    else:
        target = read.targets.get(sync.target)
        if target is not None and mapping.kind != target.kind:
            is_for = f"the mapping `{sync.mapping}` is for {mapping.kind}, the target `{target.name}` is {target.kind}"
            yield Problem(file, *sync.where, f"{is_for}; choose another mapping or target")

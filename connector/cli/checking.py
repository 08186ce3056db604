"""Check the whole configuration: the file, each target by its kind, each mapping that a sync uses."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from connector import config
from connector.config import Config, Reading, SyncConfig, TargetConfig
from connector.errors import ConfigError, MappingError, Problem
from connector.mapping import document
from connector.mapping.template import condition
from connector.targets import kinds

NO_KEY = (
    "its tokens are stored encrypted, and there is no secret_key to do it with; put a long random text into "
    'secrets/key (for its owner only) and write: secret_key: "${file:secrets/key}"'
)


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


def fields_for(read: Config, target: str) -> tuple[str, ...]:
    """Return the record's fields that the mappings of a target fill, as they are in the folder now."""
    names = {sync.mapping for sync in read.syncs.values() if sync.target == target}
    files = [read.mappings / f"{name}.yaml" for name in sorted(names)]
    read_ones = [document.read(file.read_text(encoding="utf-8"), str(file)) for file in files if file.is_file()]
    return tuple(dict.fromkeys(rule.target for mapping in read_ones for rule in mapping.fields))


def _targets(read: Config) -> Iterator[Problem]:
    for target in read.targets.values():
        found = kinds.problems(target)
        yield from found or _keyless(read, target)


def _keyless(read: Config, target: TargetConfig) -> Iterator[Problem]:
    """Refuse tokens that would be lost with the process, and the target with them."""
    oauth2 = None if read.secret_keys else kinds.oauth2(target)
    if oauth2 is not None and oauth2.keeps:
        place = next((at for name, at in target.where.items() if name.rpartition(".")[2] == "oauth2"), (1, 1))
        yield Problem(target.file, *place, f"target {target.name}: oauth2: {NO_KEY}")


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

"""Check the whole configuration: the file, each target by its kind, each mapping that a sync uses."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from connector import config, folder
from connector.config import Config, Reading, TargetConfig
from connector.errors import ConfigError, MappingError, Problem, StoreError
from connector.mapping import coverage, document
from connector.mapping.template import condition
from connector.store import Store, standing
from connector.store.mappings import Version
from connector.store.standing import Standing
from connector.targets import kinds

NO_KEY = (
    "its tokens are stored encrypted, and there is no secret_key to do it with; put a long random text into "
    'secrets/key (for its owner only) and write: secret_key: "${file:secrets/key}"'
)


def checked(path: Path, env: Mapping[str, str]) -> Config:
    """Return the configuration. Raises ConfigError with every problem, those of targets and mappings too.

    A broken file of a mapping is no obstacle while the store has a version to go on with.
    """
    reading = config.examine(path, env)
    read, problems = reading.config, problems_of(reading, str(path))
    if read is not None and problems:
        broken = {found.name: found for found in standings(read) if found.problems}
        going_on = {name for name, found in broken.items() if _usable(read, found)}
        problems = problems_of(reading, str(path), going_on)
    if read is None or problems:
        raise ConfigError(problems)
    return read


def _usable(read: Config, found: Standing) -> bool:
    return found.active is not None and not list(standing.strangers(read, found.name, found.active.kind))


def problems_of(reading: Reading, file: str, without: frozenset[str] | set[str] = frozenset()) -> list[Problem]:
    """Return every problem of what could be read, sorted, each once; `without` those in the files of these mappings."""
    problems = set(reading.problems)
    if reading.config is not None:
        problems |= {p for p in _targets(reading.config) if (p.line, p.column) not in reading.unset}
        problems |= set(_conditions(reading.config, file))
        names = [name for name in standing.used(reading.config) if name not in without]
        problems |= {p for name in names for p in _mapping(reading.config, name, file)}
    return sorted(problems)


def fields_for(read: Config, target: str) -> tuple[str, ...]:
    """Return the record's fields that the mappings of a target fill, as they are in the folder now."""
    names = {sync.mapping for sync in read.syncs.values() if sync.target == target}
    return tuple(dict.fromkeys(rule.target for _, mapping in _readable(read, names) for rule in mapping.fields))


def lost(read: Config) -> dict[str, tuple[str, ...]]:
    """Return, for each mapping in use that can be read, the documented fields that it loses, where there are any."""
    found = {name: coverage.lost(mapping) for name, mapping in _readable(read, standing.used(read))}
    return {name: fields for name, fields in found.items() if fields}


def _readable(read: Config, names: Iterable[str]) -> Iterator[tuple[str, document.Mapping]]:
    """Yield those of the folder's mappings that can be read; problems_of tells of the others."""
    for name in sorted(names):
        path = folder.path(read.mappings, name)
        with suppress(MappingError):
            yield name, document.read(folder.text(path), str(path))


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


def _conditions(read: Config, file: str) -> Iterator[Problem]:
    for sync in read.syncs.values():
        try:
            if sync.when is not None:
                condition(sync.when, file, *sync.where)
        except MappingError as error:
            yield from error.problems


def _mapping(read: Config, name: str, file: str) -> Iterator[Problem]:
    if not folder.path(read.mappings, name).is_file():
        return  # the configuration's own problem, and told as such
    try:
        standing.edition(read, name)
    except MappingError as error:
        for problem in error.problems:
            here = file if problem.file == str(read.path) else problem.file
            yield Problem(here, problem.line, problem.column, problem.message)


def standings(read: Config) -> list[Standing]:
    """Return how the file of each mapping stands to the store, as far as there is a store that can be read."""
    try:
        store = Store(read.database)
    except StoreError:  # its driver is not installed, as whatever opens it will say
        return [standing.standing(read, name, ()) for name in standing.used(read)]
    try:
        history: Callable[[str], Sequence[Version]] = store.mappings.history if store.engine.revision() else _never
        return [standing.standing(read, name, history(name)) for name in standing.used(read)]
    except StoreError:
        return [standing.standing(read, name, ()) for name in standing.used(read)]
    finally:
        store.close()


def _never(_name: str) -> Sequence[Version]:
    return ()

"""Read config.yaml, ${VAR} and ${file:…} into one frozen Config; name every problem at once with file:line:col."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from connector import config_text
from connector.config_fields import did_you_mean, duration
from connector.config_schema import ConfigSchema
from connector.config_text import Document, Keys
from connector.errors import ConfigError, Problem
from connector.masking import Secret

__all__ = [
    "Config",
    "HeaderAuth",
    "HmacAuth",
    "Reading",
    "RetryConfig",
    "ServerConfig",
    "SourceConfig",
    "SyncConfig",
    "TargetConfig",
    "WorkerConfig",
    "duration",
    "examine",
    "load",
]


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    """Require a header with one of these values."""

    name: str
    values: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class HmacAuth:
    """Require a signature over the raw body in a header; one of these secrets."""

    header: str
    secrets: tuple[Secret, ...]
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Describe one Flavours account that sends to us; all the auth that is given must hold."""

    name: str
    path_tokens: tuple[Secret, ...] = ()
    header: HeaderAuth | None = None
    hmac: HmacAuth | None = None
    rejected_status: int = 422


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """Describe one target; `settings` is everything but `kind`, interpolated, checked by the kind itself.

    `where` maps a dotted path inside `settings` ("auth.bearer", "" for the target) to its (line, column).
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    file: str = ""
    where: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """Describe a sync: these actions from this source go through this mapping to this target."""

    name: str
    source: str
    actions: tuple[str, ...]
    mapping: str
    target: str
    when: str | None = None
    observe: bool = False
    on_delete: str = "skip"
    where: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Say where the door listens."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    trusted_proxy: str | None = None


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """Bound the retries; seconds."""

    give_up_after: float = 14 * 86400.0
    first_wait: float = 5.0
    longest_wait: float = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Size the worker; `lease` in seconds."""

    push_threads: int = 16
    lease: float = 60.0


@dataclass(frozen=True, slots=True)
class Config:
    """Hold the whole configuration, paths absolute, durations in seconds; `secret_keys` newest first."""

    path: Path
    database: str = field(repr=False)  # may hold a password
    mappings: Path
    server: ServerConfig
    alert_url: Secret | None
    retry: RetryConfig
    worker: WorkerConfig
    keep_bodies: float
    keep_ledger: float
    sources: Mapping[str, SourceConfig]
    targets: Mapping[str, TargetConfig]
    syncs: Mapping[str, SyncConfig]
    secret_keys: tuple[Secret, ...] = ()
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what could be read: the configuration, as far as its shape is right, and every problem found so far.

    `unset` are the places of values that are problems already, so that nobody reports them twice.
    """

    config: Config | None
    problems: tuple[Problem, ...]
    unset: frozenset[tuple[int, int]] = frozenset()


def load(path: Path, env: Mapping[str, str]) -> Config:
    """Return the configuration. Raises ConfigError with every problem at once."""
    reading = examine(path, env)
    if reading.config is None or reading.problems:
        raise ConfigError(list(reading.problems))
    return reading.config


def examine(path: Path, env: Mapping[str, str]) -> Reading:
    """Read as much of the configuration as can be read, for a check that goes on; raises nothing of ours."""
    try:
        document = config_text.read(path, env)
    except ConfigError as error:
        return Reading(None, tuple(error.problems))
    config = _config(document, path)
    if config is not None:
        _cross_check(document, config)
    places = frozenset(document.place(keys) for keys in document.unset)
    return Reading(config, tuple(sorted(set(document.problems))), places)


def _config(document: Document, path: Path) -> Config | None:
    if document.data is None:
        document.wrong((), "is empty; `connector init` writes a configuration to begin with")
        return None
    try:
        loaded = ConfigSchema().load(document.data)
    except ValidationError as error:
        for keys, message in _flat(error.messages, ()):
            about = "" if message.startswith("unknown key") or not keys else ".".join(map(str, keys)) + ": "
            document.wrong(keys, about + message)
        return None
    return _built(document, loaded, path.absolute())


def _flat(messages: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # marshmallow files what is wrong with a whole group under _schema: that is the group's own place.
            yield from _flat(inner, keys if key == "_schema" else (*keys, key))
    else:
        for message in messages:
            yield keys, message


def _built(document: Document, loaded: Mapping[str, Any], path: Path) -> Config:
    folder = path.parent
    return Config(
        path=path,
        database=_database(folder, loaded["database"]),
        mappings=folder / loaded["mappings"],
        server=_server(loaded["server"]),
        alert_url=loaded["alerts"]["url"] if loaded["alerts"] else None,
        retry=RetryConfig(**loaded["retry"]),
        worker=WorkerConfig(**loaded["worker"]),
        keep_bodies=loaded["keep"]["bodies"],
        keep_ledger=loaded["keep"]["ledger"],
        sources={name: _source(name, source) for name, source in loaded["sources"].items()},
        targets={name: _target(document, name, target["kind"]) for name, target in loaded["targets"].items()},
        syncs={
            name: SyncConfig(name=name, where=document.place(("syncs", name)), **sync)
            for name, sync in loaded["syncs"].items()
        },
        secret_keys=loaded["secret_key"],
        admin=bool(loaded["admin"] and loaded["admin"]["enabled"]),
    )


def _database(folder: Path, value: str) -> str:
    if value.startswith("postgresql"):
        return "postgresql+psycopg:" + value.partition(":")[2]  # the one driver that is used
    return "sqlite:///" + str(folder / value.removeprefix("sqlite:///"))


def _server(loaded: Mapping[str, Any]) -> ServerConfig:
    url = loaded["public_url"]
    return ServerConfig(**{**loaded, "public_url": url.rstrip("/") if url else None})


def _source(name: str, loaded: Mapping[str, Any]) -> SourceConfig:
    auth = loaded["auth"]
    header, hmac = auth["header"], auth["hmac"]
    return SourceConfig(
        name=name,
        path_tokens=auth["path_token"],
        header=HeaderAuth(header["name"], header["value"]) if header else None,
        hmac=HmacAuth(secrets=hmac.pop("secret"), **hmac) if hmac else None,
        rejected_status=loaded["rejected_status"],
    )


def _target(document: Document, name: str, kind: str) -> TargetConfig:
    settings = {key: value for key, value in document.data["targets"][name].items() if key != "kind"}
    inside = {keys[2:]: place for keys, place in document.where.items() if keys[:2] == ("targets", name)}
    where = {".".join(map(str, keys)): place for keys, place in inside.items()}
    return TargetConfig(name, kind, settings, document.file, where)


def _cross_check(document: Document, config: Config) -> None:
    if config.database.startswith("sqlite") and "?" in config.database:
        document.wrong(("database",), f"the path {config.database} holds a `?`, which no store can have; move it")
    if config.admin and not config.secret_keys:
        document.wrong(("admin",), "the admin pages need a secret_key, which signs the cookies; make one")
    for name, sync in config.syncs.items():
        for what, given, known in (("source", sync.source, config.sources), ("target", sync.target, config.targets)):
            if given not in known:
                document.wrong(("syncs", name, what), f"there is no {what} `{given}`{did_you_mean(given, known)}")
        if not (config.mappings / f"{sync.mapping}.yaml").is_file():
            there = {file.stem: file for file in sorted(config.mappings.glob("*.yaml"))}
            cure = did_you_mean(sync.mapping, there) if there else "; `connector init` writes those that ship with us"
            missing = f"there is no mapping file {config.mappings / sync.mapping}.yaml{cure}"
            document.wrong(("syncs", name, "mapping"), missing)

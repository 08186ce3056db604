"""Read config.yaml, ${VAR} and ${file:…} into one frozen Config; name every problem at once with file:line:col."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.masking import Secret


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
    """Hold the whole configuration, paths absolute, durations in seconds."""

    path: Path
    database: str
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

"""What a target is, what a kind of target tells of itself, and what a target may ask of the worker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from marshmallow import Schema

from connector.config import TargetConfig
from connector.errors import NotSent
from connector.models import Outcome, Upsert


class LeaseLost(NotSent):
    """Report a write that was not sent because the worker's lease may end before it does."""

    def __init__(self) -> None:
        super().__init__("the lease was lost before the write; nothing was sent")


@dataclass(frozen=True, slots=True)
class Check:
    """Say whether a target can be used: `ok`, and one plain line for each thing looked at."""

    ok: bool
    lines: tuple[str, ...]


class Run(Protocol):
    """Give a target what it may need of the worker, and nothing of the store."""

    def still_ours(self) -> bool:
        """Tell whether the lease holds long enough for one more write; asked right before each write."""
        ...

    def linked_to(self, remote_id: str) -> str | None:
        """Return the Flavours customer that this target's remote id is linked to, or None."""
        ...


class Target(Protocol):
    """Be one configured CRM or accounting account; used by many threads at a time."""

    kind: str
    batch_size: int
    account: str  # fingerprint of the account: a link made for another account is not followed
    timeout: float  # seconds that one write may take at most; the lease outlives it
    uncertain_wait: float  # seconds after which a write whose answer was lost is there, or will never be

    def check(self) -> Check:
        """Look whether the credentials, scopes and fields are there; writes nothing."""
        ...

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to the target, once; one outcome per request in the same order; raises nothing of ours."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """Tell what every target of a kind has in common; the README's table is made of it.

    `open` takes the target's configuration and its settings as `schema` loaded them.
    """

    label: str
    schema: Schema
    open: Callable[[TargetConfig, Mapping[str, Any]], Target]
    batch_size: int
    match: str
    twice: str

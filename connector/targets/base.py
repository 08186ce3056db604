"""What a target is, and the one ladder by which every target answers "who is it?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.models import Outcome, Upsert


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

    def pace(self, n: int = 1) -> None:
        """Wait until `n` more requests fit the target's pace (shared by this process's push threads)."""
        ...


class Target(Protocol):
    """Be one configured CRM or accounting account."""

    kind: str
    batch_size: int
    account: str  # fingerprint of the account: a link made for another account is not followed
    timeout: float  # seconds that one write may take at most; the lease outlives it

    def check(self) -> Check:
        """Look whether the credentials, scopes and fields are there; writes nothing."""
        ...

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to the target, once; one outcome per request in the same order; raises nothing of ours."""
        ...

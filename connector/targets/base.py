"""What a target is, what a kind of target tells of itself, and what a target may ask of the worker."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from marshmallow import Schema

from connector.config import TargetConfig
from connector.errors import NotSent, TargetError
from connector.models import Kept, Outcome, Upsert
from connector.targets.clock import Clock
from connector.targets.grants import OAuth2


class LeaseLost(NotSent):
    """Report a write that was not sent because the worker's lease may end before it does."""

    def __init__(self) -> None:
        super().__init__("the lease was lost before the write; nothing was sent")


class NoToken(NotSent):
    """Report a request that was not sent because no OAuth2 token could be had for it just now."""


Said = tuple[bool, str]  # whether one thing that was looked at is good, and one plain line about it


@dataclass(frozen=True, slots=True)
class Check:
    """Say whether a target can be used: `ok`, and one plain line for each thing looked at."""

    ok: bool
    lines: tuple[str, ...]

    @classmethod
    def of(cls, said: Iterable["Said"]) -> "Check":
        """Return what many looks came to: good when all are; a TargetError on the way is all that there is to say."""
        try:
            looked = tuple(said)
        except TargetError as error:
            return cls(ok=False, lines=(str(error),))
        return cls(all(ok for ok, _ in looked), tuple(line for _, line in looked))


class Run(Protocol):
    """Give a target what it may need of the worker, and nothing of the store."""

    def still_ours(self) -> bool:
        """Tell whether the lease holds long enough for one more write; asked right before each write."""
        ...

    def linked_to(self, remote_id: str) -> str | None:
        """Return the Flavours customer that this target's remote id is linked to, or None."""
        ...


@runtime_checkable
class Onlooker(Protocol):
    """Be a run that is shown what a target holds: a person looks, and nothing is written."""

    def saw(self, remote_id: str, row: Mapping[str, object]) -> None:
        """Take note of a contact that could be the customer; `row` is it in the record's field names."""
        ...


class Target(Protocol):
    """Be one configured CRM or accounting account; used by many threads at a time."""

    kind: str
    batch_size: int
    timeout: float  # seconds that one write may take at most; the lease outlives it
    uncertain_wait: float  # seconds after which a write whose answer was lost is there, or will never be

    @property
    def account(self) -> str:
        """Return the account's fingerprint: a link made for another account is not followed."""
        ...

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:
        """Look whether the credentials, scopes and fields are there; writes nothing unless told to `fix`.

        `fields` are the record's fields (dotted) that the mappings fill; they are compared with the vendor's own list
        where it has one. `fix` makes what is missing and can be made: a custom field, a unique property.
        """
        ...

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to the target, once; one outcome per request in the same order; raises nothing of ours."""
        ...


class Turns(Protocol):
    """Share one target's request limit among all workers, wherever they run."""

    def reserve(self, count: int, every: float, burst: int) -> float:
        """Take the next `count` turns, `every` seconds apart, `burst` of them at once; return the seconds to wait.

        Less than 0: the first could have been taken so long ago. Raises StoreBusy.
        """
        ...


class Vault(Protocol):
    """Keep one target's OAuth2 tokens, encrypted, for all workers; one at a time may renew them. All raise StoreBusy."""

    def load(self) -> Kept | None:
        """Return what is kept, None when nothing is."""
        ...

    def begin(self, version: int, seconds: float) -> bool:
        """Take the right to renew this version (0: nothing kept) for so long; False when another has it, or did it."""
        ...

    def end(self, version: int) -> None:
        """Give the right back when nothing came of it; harmless once another has it."""
        ...

    def put(self, version: int, blob: bytes) -> bool:
        """Keep new tokens in place of this version, on disk when it returns; False when another was quicker."""
        ...


@dataclass(frozen=True, slots=True)
class Around:
    """Give a target its surroundings: a clock, and what it shares with other workers (None: this process is alone).

    `keys` encrypt what the vault keeps, newest first.
    """

    clock: Clock = field(default_factory=Clock)
    turns: Turns | None = None
    vault: Vault | None = None
    keys: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """Tell what every target of a kind has in common; the README's table is made of it.

    `open` takes the target's configuration, its settings as `schema` loaded them, and the surroundings. `limits`,
    `auth` and `proved` are words for people: the vendor's limit and our pace, the credentials, and against what it was
    tried. `asks` are settings that `init` asks for although the schema can do without. `oauth2` says, from a target's
    settings, what it needs to know of OAuth2 (None: this target uses none). `record_url` gives, from a target's settings
    and a record's id, where a person sees the record in the vendor's own pages; None where nobody knows.
    """

    label: str
    schema: Schema
    open: Callable[[TargetConfig, Mapping[str, Any], Around], Target]
    batch_size: int
    match: str
    twice: str
    upsert: str = "looks up, then creates or updates"
    limits: str = "–"
    auth: str = "none"
    proved: str = ""
    asks: tuple[str, ...] = ()
    oauth2: Callable[[Mapping[str, Any]], OAuth2 | None] | None = None
    record_url: Callable[[Mapping[str, Any], str], str | None] | None = None

"""Turn what went wrong with a target into what it means for the delivery, and for the target as a whole."""

from dataclasses import dataclass

from connector.errors import Busy, NotSent, Refused, TargetError, Uncertain
from connector.models import Fail, Retry, Trouble
from connector.targets.base import LeaseLost

LEASE_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Create:
    """Say that a create failed: without a key of its own the next look waits `uncertain_wait` seconds."""

    idempotent: bool
    uncertain_wait: float


def outcome(error: TargetError, warnings: tuple[str, ...] = (), create: Create | None = None) -> Retry | Fail:
    """Return what an error comes to; `create` when the request that failed was to make a new record."""
    reason = str(error)
    match error:
        case LeaseLost():
            return Retry(reason, after=LEASE_WAIT, spent=False, maybe_sent=_doubt(create))
        case NotSent():
            return Retry(reason, spent=False, trouble=Trouble("busy", reason), maybe_sent=_doubt(create))
        case Busy():
            trouble = Trouble("busy", reason, error.retry_after)
            return Retry(reason, spent=False, trouble=trouble, maybe_sent=_doubt(create))
        case Refused():
            return Retry(reason, spent=False, trouble=Trouble("refused", reason), maybe_sent=_doubt(create))
        case Uncertain():
            after = create.uncertain_wait if create and not create.idempotent else None
            trouble = Trouble("sick", reason)
            return Retry(reason, after=after, maybe_sent=create is not None, trouble=trouble, answer=reason)
    return Fail(reason, answer=reason, warnings=warnings)


def _doubt(create: Create | None) -> bool:
    # Only a create with a key is repeated after a lost answer: an earlier try of the same attempt may have arrived.
    return create is not None and create.idempotent

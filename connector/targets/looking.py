"""Look for a customer at a target, and write nothing: whom it has who could be this one, and what it holds of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from connector.models import Fail, Retry, Skip, Upsert
from connector.targets.base import Target
from connector.targets.ladder import Row


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold what a look came to: each contact that could be the customer, by its id there.

    `trouble` is one plain sentence where the target could not be asked to the end; `asked`: it was asked at all.
    """

    contacts: Mapping[str, Row]
    trouble: str = ""
    asked: bool = True


@dataclass(slots=True)
class _Onlooker:
    """Be the worker of a look: nothing is ours to write, and what is found is kept."""

    owner: Callable[[str], str | None]
    contacts: dict[str, Row] = field(default_factory=dict)

    def still_ours(self) -> bool:
        return False

    def linked_to(self, remote_id: str) -> str | None:
        return self.owner(remote_id)

    def saw(self, remote_id: str, row: Row) -> None:
        self.contacts[remote_id] = row


def look(target: Target, request: Upsert, owner: Callable[[str], str | None]) -> Seen:
    """Return whom a target has who could be the customer of a request, found as a delivery finds them.

    `owner` tells which Flavours customer a contact there is linked to.
    """
    onlooker = _Onlooker(owner)
    (came_to,) = target.upsert([replace(request, observe=True, create_anyway=False, maybe_sent=False)], onlooker)
    trouble = came_to.reason if isinstance(came_to, Retry | Fail) else ""
    return Seen(onlooker.contacts, trouble, asked=not isinstance(came_to, Skip) or came_to.proves_target)

"""Be what a target may ask of the worker while it pushes: whether the lease still holds, and whose a record is."""

from dataclasses import dataclass

from connector.delivery.lease import Lease
from connector.store import Store
from connector.targets.base import Target


@dataclass(frozen=True, slots=True)
class TargetRun:
    """Answer the questions of one target during one push."""

    name: str
    target: Target
    lease: Lease
    term: int  # the lease's, when the deliveries were claimed
    store: Store

    def still_ours(self) -> bool:
        """Tell whether the lease outlives one more write."""
        return self.lease.holds_for(self.target.timeout, self.term)

    def linked_to(self, remote_id: str) -> str | None:
        """Return whose record this is, by the links of this account."""
        return self.store.links.owner(self.name, self.target.account, remote_id)

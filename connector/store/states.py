"""Keep what all workers know of each target: open, paused, held or probing."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from connector.errors import NotFound
from connector.models import Outcome, Settlement, StateName, TargetState
from connector.store import bulk
from connector.store.engine import Engine
from connector.store.tables import targets

Advance = Callable[[TargetState, Sequence[Outcome], int], TargetState]


class States:
    """Ask for and change the targets' states from outside a worker's turn."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def register(self, names: Sequence[str]) -> None:
        """Make a row for each target that has none."""
        self._engine.write(_register, list(names))

    def all(self) -> dict[str, TargetState]:
        """Return every target's state by name."""
        return self._engine.read(load)

    def pause(self, name: str, until: int | None, reason: str) -> TargetState:
        """Pause a target until a time (epoch ms), or until a person resumes it. Raises NotFound, StoreBusy."""
        return self._change(name, "paused", until, reason)

    def resume(self, name: str) -> TargetState:
        """Open a target; its deliveries go on at once. Raises NotFound, StoreBusy."""
        return self._change(name, "open", None, "")

    def _change(self, name: str, state: StateName, until: int | None, reason: str) -> TargetState:
        changed: TargetState = self._engine.write(_change_many, (name, state, until, reason, self._clock()))
        return changed


_ALL = bulk.gather(sa.select(*[targets.c[name] for name in TargetState.__slots__]))


def load(connection: sa.Connection) -> dict[str, TargetState]:
    """Read every target's state."""
    return {row[0]: TargetState(*row) for row in bulk.rows(connection, _ALL)}


def save(connection: sa.Connection, state: TargetState) -> None:
    """Write a target's state."""
    values = {name: getattr(state, name) for name in TargetState.__slots__ if name != "name"}
    connection.execute(sa.update(targets).where(targets.c.name == state.name).values(values))


def probe(connection: sa.Connection, paused: TargetState, owner: str) -> bool:
    """Let this worker try a target whose pause is over; False when it was moved meanwhile: one may probe."""
    same = (targets.c.name == paused.name, targets.c.state == paused.state, targets.c.until == paused.until)
    return connection.execute(sa.update(targets).where(*same).values(state="probing", prober=owner)).rowcount == 1


def _locked(connection: sa.Connection, name: str) -> TargetState | None:
    columns = [targets.c[column] for column in TargetState.__slots__]
    row = connection.execute(sa.select(*columns).where(targets.c.name == name).with_for_update()).first()
    return None if row is None else TargetState(*row)


def move(
    connection: sa.Connection,
    known: dict[str, TargetState],
    settlements: Sequence[Settlement],
    now: int,
    advance: Advance,
) -> list[TargetState]:
    """Move each target by what its settlements tell of it; update `known`, return the states that changed."""
    by_target: dict[str, list[Outcome]] = {}
    for settlement in settlements:
        by_target.setdefault(settlement.claim.target, []).append(settlement.outcome)
    changed = []
    for name, outcomes in sorted(by_target.items()):
        before = known.get(name, TargetState(name))
        if advance(before, outcomes, now) == before:
            continue
        before = _locked(connection, name) or before  # another worker may have moved it meanwhile
        after = known[name] = advance(before, outcomes, now)
        if after != before:
            save(connection, after)
            changed.append(after)
    return changed


def moved(before: TargetState, state: StateName, until: int | None, reason: str, now: int) -> TargetState:
    """Return the state after a person's word; time not open counts as stopped."""
    if state == "open":
        return before.opened(now)
    since = now if before.state == "open" else before.since
    fresh = replace(before, until=until, reason=reason, since=since, prober=None)
    return replace(fresh, state=state, failures=0, pauses=0)


def _change_many(
    connection: sa.Connection, orders: Sequence[tuple[str, StateName, int | None, str, int]]
) -> list[TargetState]:
    return [_change_one(connection, *order) for order in orders]


def _change_one(
    connection: sa.Connection, name: str, state: StateName, until: int | None, reason: str, now: int
) -> TargetState:
    before = _locked(connection, name)
    if before is None:
        raise NotFound(f"there is no target {name}")
    after = moved(before, state, until, reason, now)
    save(connection, after)
    return after


def _register(connection: sa.Connection, groups: Sequence[list[str]]) -> list[None]:
    names = {name for group in groups for name in group}
    if names:
        bulk.insert(connection, targets, [{"name": name} for name in sorted(names)], once=True)
    return [None] * len(groups)

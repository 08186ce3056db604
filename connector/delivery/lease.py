"""Hold this worker's lease, and notice whose lease is lost, by monotonic clocks only (wall clocks jump)."""

from collections.abc import Callable, Mapping

Clock = Callable[[], float]


class Lease:
    """Know until when this worker may write to targets; renewed by each beat that was committed."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds, self._clock = seconds, clock
        self._until = clock()
        self.term = 0  # a lease that ended and was renewed is another one: what was claimed before may be taken over

    def renew(self, asked_at: float) -> None:
        """Count the lease from when the beat was asked for, not from when it came through."""
        if not self.holds_for(0):
            self.term += 1
        self._until = max(self._until, asked_at + self.seconds)

    def holds_for(self, seconds: float, term: int | None = None) -> bool:
        """Tell whether the lease outlives a write that takes this long, of what was claimed in this term."""
        return self._clock() + seconds < self._until and term in (None, self.term)


class Silence:
    """Watch other workers' beats: one that stays unchanged for a whole lease means that its lease is lost."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds, self._clock = seconds, clock
        self._seen: dict[str, tuple[int, float]] = {}

    def lost(self, beats: Mapping[str, int]) -> dict[str, int]:
        """Return the owners whose beat (given with it) did not change for a lease, by what was seen before."""
        now = self._clock()
        kept = {owner: self._seen[owner] for owner in beats if self._seen.get(owner, (None,))[0] == beats[owner]}
        self._seen = {owner: kept.get(owner, (beat, now)) for owner, beat in beats.items()}
        return {owner: beat for owner, (beat, since) in self._seen.items() if now - since >= self._seconds}

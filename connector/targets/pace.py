"""Keep below a vendor's request limit: all workers together where they share turns, else this process alone."""

import threading
from collections import deque

from connector.errors import StoreError
from connector.targets.base import Around, Turns
from connector.targets.clock import Clock

BLOCK = 1.0  # seconds' worth of turns that are reserved at once: each reservation is a commit
LATE = 1 / 50  # of a period: how late a reserved turn may still be taken; the pace is so much slower for it
ALONE = 10.0  # seconds that a process paces itself after the store was busy
MOST = 500  # turns that are reserved at once at most: each is a number that is kept
TRIES = 3

Rate = tuple[int, float]


def opened(rate: Rate | None, around: Around) -> "Pace | None":
    """Return the pace of a target, None where there is no limit; `rate` is (requests, seconds)."""
    return Pace(rate, around.clock, around.turns) if rate else None


class Pace:
    """Let at most so many requests begin in any so many seconds; a twentieth of them may come as a burst."""

    def __init__(self, rate: Rate, clock: Clock, turns: Turns | None = None) -> None:
        count, period = rate
        late = 0.0 if turns is None else period * LATE
        self._burst = max(1, count // 20)
        self._every = (period + late) / (count - self._burst + 1)
        self._late = late + (self._burst - 1) * self._every
        self._block = max(1, min(MOST, int(BLOCK / self._every)))
        self._clock, self._turns = clock, turns
        self._lock, self._door = threading.Lock(), threading.Lock()
        self._next = self._alone = float("-inf")
        self._held: deque[float] = deque()

    def take(self) -> None:
        """Wait for this request's turn."""
        if self._turns is None or not self._took_shared(self._turns):
            self._take_own()

    def _take_own(self) -> None:
        with self._lock:
            now = self._clock.monotonic()
            earliest = now - (self._burst - 1) * self._every
            turn = max(self._next, earliest)
            self._next = turn + self._every
        if turn > now:
            self._clock.sleep(turn - now)

    def _took_shared(self, turns: Turns) -> bool:
        # The door is held while we wait, so that a process has no more than one block before the others.
        with self._door:
            now = self._clock.monotonic()
            if now < self._alone:
                return False
            turn = self._turn(turns)
            if turn is None:
                self._alone = self._clock.monotonic() + ALONE
                return False
            if (wait := turn - self._clock.monotonic()) > 0:
                self._clock.sleep(wait)
            return True

    def _turn(self, turns: Turns) -> float | None:
        """Return when the next turn is (by the monotonic clock), None when the store gives none in time."""
        for _ in range(TRIES):
            if (turn := self._usable()) is not None:
                return turn
            asked = self._clock.monotonic()
            try:
                first = asked + turns.reserve(self._block, self._every, self._burst)
            except StoreError:
                return None
            self._held.extend(first + n * self._every for n in range(self._block))
        return self._usable()

    def _usable(self) -> float | None:
        # A turn that nobody took in time is gone: kept, it would come on top of those of the others.
        while self._held:
            turn = self._held.popleft()
            if turn >= self._clock.monotonic() - self._late:
                return turn
        return None

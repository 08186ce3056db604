"""Keep below a vendor's request limit, across the push threads of one process."""

import threading

from connector.targets.clock import Clock


class Pace:
    """Let at most so many requests begin in any so many seconds; a twentieth of them may come as a burst."""

    def __init__(self, rate: tuple[int, float], clock: Clock) -> None:
        count, period = rate
        self._burst = max(1, count // 20)
        self._every = period / (count - self._burst + 1)
        self._clock, self._lock = clock, threading.Lock()
        self._next = float("-inf")

    def take(self) -> None:
        """Wait for this request's turn; turns are given in the order of asking."""
        with self._lock:
            now = self._clock.monotonic()
            earliest = now - (self._burst - 1) * self._every
            turn = max(self._next, earliest)
            self._next = turn + self._every
        if turn > now:
            self._clock.sleep(turn - now)

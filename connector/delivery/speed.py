"""Know how fast a target takes what it is given, so that enough is at hand for the next moment and no more."""

from collections.abc import Callable

SPAN = 0.5  # seconds over which is counted
AHEAD = 0.25  # seconds' worth that is claimed ahead: several turns of the store, whatever else its disk does
MOST = 256


class Speed:
    """Count the batches of one target that come back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._since = clock, clock()
        self._count, self._per_second = 0, 0.0

    def came_back(self) -> None:
        """Count one more."""
        self._count += 1
        passed = self._clock() - self._since
        if passed >= SPAN:
            self._per_second = self._count / passed
            self._count, self._since = 0, self._clock()

    @property
    def ahead(self) -> int:
        """Return how many batches may be out, by the target's speed lately."""
        return min(int(self._per_second * AHEAD), MOST)

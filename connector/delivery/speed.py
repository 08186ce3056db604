"""Know how fast a target could take what it is given, so that enough is at hand for the next moment and no more."""

AHEAD = 0.25  # seconds' worth that is claimed ahead: several turns of the store, whatever else its disk does
MOST = 128  # deliveries: what was claimed by a worker that is killed may have been sent: the next one has to look
NEWEST = 0.1  # how much the newest time counts


class Speed:
    """Watch how long one target's batches of `size` take; `at_once` are pushed side by side."""

    def __init__(self, at_once: int, size: int) -> None:
        self._at_once, self._most = at_once, MOST // size
        self._seconds: float | None = None

    def took(self, seconds: float) -> None:
        """Count a batch that came back. What is asked is what the target could take, not what it was given lately."""
        before = seconds if self._seconds is None else self._seconds
        self._seconds = before + NEWEST * (seconds - before)

    @property
    def ahead(self) -> int:
        """Return how many batches may be out; 0 before the first one came back."""
        if self._seconds is None:
            return 0
        return min(int(self._at_once * AHEAD / max(self._seconds, 1e-6)), self._most)

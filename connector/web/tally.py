"""Count what the store does not keep: how webhooks were answered since this process began."""

import threading
from collections import Counter

Labels = tuple[tuple[str, str], ...]


class Tally:
    """Count things by name and labels, from many threads."""

    def __init__(self) -> None:
        self._lock, self._counts = threading.Lock(), Counter[tuple[str, Labels]]()

    def add(self, name: str, **labels: str) -> None:
        """Count one more."""
        with self._lock:
            self._counts[name, tuple(labels.items())] += 1

    def counts(self) -> dict[tuple[str, Labels], int]:
        """Return all counts so far."""
        with self._lock:
            return dict(self._counts)

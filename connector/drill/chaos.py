"""Kill doors, workers and the supervisor at moments drawn from the seed, and start again whoever lies down."""

import random
import threading
import time
from dataclasses import dataclass, field

from connector.drill.house import House

SHORTEST, LONGEST = 0.5, 1.8  # seconds between two kills, where nothing else runs
TICK = 0.1


@dataclass(slots=True)
class Chaos:
    """Keep killing until told to stop, and keep everybody up until told to end."""

    house: House
    seed: int
    _calm: threading.Event = field(default_factory=threading.Event)
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._loop, name="chaos", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Tell whether the killing is over."""
        return self._calm.is_set()

    def calm(self) -> None:
        """Kill nobody any more."""
        self._calm.set()

    def end(self) -> None:
        """Let them lie."""
        self.calm()
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        chance = random.Random(f"chaos {self.seed}")  # noqa: S311 - a drill must be repeatable
        due = self._next(chance)
        while not self._end.wait(TICK):
            self.house.keep_up()
            if time.monotonic() < due or self._calm.is_set():
                continue
            due = self._next(chance)
            if victims := self.house.victims():
                self.house.kill(victims[chance.randrange(len(victims))])

    def _next(self, chance: random.Random) -> float:
        # A busy machine would do little but start processes.
        return time.monotonic() + chance.uniform(SHORTEST, LONGEST) * self.house.slowness

"""Be Flavours: post every letter until it is thanked for (or refused as it deserves), over all doors, side by side."""

import http.client
import json
import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.drill.judging import Thanked
from connector.drill.plan import Letter, Plan

THREADS, TIMEOUT, AGAIN, TRIES = 8, 8.0, 0.15, 1000
RATE, SHORTEST = 70, 10.0  # rounds in a second, and seconds at least: there must be time to kill somebody


@dataclass(slots=True)
class Sender:
    """Send a plan; `thanked` grows as the doors answer, `wrong` holds what they should not have said."""

    plan: Plan
    ports: Sequence[int]
    token: str
    seed: int
    thanked: list[Thanked] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin; the rounds are shared out among the threads as they come."""
        rounds = deque(self.plan.rounds)
        work = [threading.Thread(target=self._work, args=(rounds, n), daemon=True) for n in range(THREADS)]
        self._threads = work
        for thread in work:
            thread.start()

    @property
    def busy(self) -> bool:
        """Tell whether letters are still being sent."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def done(self) -> int:
        """Return how many letters are through."""
        return len(self.thanked) + len(self.wrong)

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 1)

    def _work(self, rounds: "deque[Sequence[Letter]]", number: int) -> None:
        chance = random.Random(f"sender {self.seed} {number}")  # noqa: S311 - a drill must be repeatable
        pause = THREADS * max(1 / RATE, SHORTEST / len(self.plan.rounds))
        while not self._stop.wait(chance.uniform(0, 2 * pause)):
            try:
                letters = rounds.popleft()
            except IndexError:
                return
            for letter in letters:
                self._deliver(letter, lambda: chance.choice(self.ports))

    def _deliver(self, letter: Letter, port: Callable[[], int]) -> None:
        status, said = 0, None
        for _ in range(TRIES):
            if self._stop.is_set():
                return
            status, said = self._post(letter, port())
            if status == 0 or status >= 500:
                self._stop.wait(AGAIN)
                continue
            break
        with self._lock:
            if status in letter.status:
                self.thanked.append(Thanked(letter, _event(said)))
            else:
                self.wrong.append(f"a letter to be {letter.fate} was answered with {status or 'nothing'}: {said}")

    def _post(self, letter: Letter, port: int) -> tuple[int, Any]:
        token = "x" * len(self.token) if letter.fate == "unauthorized" else self.token
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        try:
            path = f"/webhooks/{letter.source}/{token}"
            connection.request("POST", path, letter.body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            status, said = answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):  # refused, cut, or half an answer
            status, said = 0, None
        finally:
            connection.close()
        with self._lock:
            self.answers[str(status) if status else "none"] += 1
        return status, said


def _event(said: Any) -> int | None:
    name = said.get("event") if isinstance(said, dict) else None
    return int(name[1:]) if isinstance(name, str) and name[1:].isdecimal() else None

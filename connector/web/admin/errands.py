"""Do what takes long beside the pages, which only look how it goes: a vendor that is slow keeps no webhook waiting.

Each errand has a thread of its own, four at most; the page that asked for it comes back at once and looks again. What
came of it is kept in this process, for the person who asked, and forgotten after some minutes. Where several processes
serve the pages, the session of who asked tells which of them knows (see `Asked`).
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import session

from connector.errors import ConnectorError

MOST = 4
LIMIT = 20.0  # seconds after which a person is told that there is no answer; the thread ends by its own timeouts
KEPT = 300.0
ELSEWHERE = 60_000  # milliseconds for which a page goes on asking for the process that knows
NOTED = 8  # errands that a session names, for a cookie holds only so much
AT_ONCE = 1.0  # seconds that the asking page itself waits, for targets that are quick
Key = tuple[str, ...]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Errand:
    """Hold one errand: what came of it, or the sentence about what went wrong (an own one of ours, or a word of ours)."""

    since: float
    ended: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    said: str = ""
    broke: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """Say how an errand stands: `asking`, `late`, `done` (with its `result`), `failed` (with what was `said`), `broke`."""

    state: Literal["asking", "late", "done", "failed", "broke"]
    result: Any = None
    said: str = ""


class Errands:
    """Know the errands of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._known, self._lock = clock, dict[Key, Errand](), threading.Lock()
        self.here = secrets.token_hex(4)

    def start(self, key: Key, work: Callable[[], Any]) -> bool:
        """Begin an errand, unless it is under way already; return False when there are too many."""
        with self._lock:
            self._forget()
            known = self._known.get(key)
            if known is not None and not known.ended.is_set():
                return True
            if sum(not one.ended.is_set() for one in self._known.values()) >= MOST:
                return False
            errand = self._known[key] = Errand(self._clock())
        threading.Thread(target=_run, args=(errand, work), name="errand", daemon=True).start()
        errand.ended.wait(AT_ONCE)
        return True

    def look(self, key: Key) -> Look | None:
        """Return how an errand stands, None for one that nobody knows here."""
        with self._lock:
            self._forget()
            errand = self._known.get(key)
        if errand is None:
            return None
        if not errand.ended.is_set():
            return Look("late" if self._clock() - errand.since > LIMIT else "asking")
        if errand.broke:
            return Look("broke")
        return Look("failed", said=errand.said) if errand.said else Look("done", errand.result)

    def _forget(self) -> None:
        old = [key for key, one in self._known.items() if one.ended.is_set() and self._clock() - one.since > KEPT]
        for key in old:
            del self._known[key]


class Asked:
    """Let a person's session say which process runs each of their errands, so that no other speaks for it.

    A page that comes to another process says that the target is still being asked: it looks again, until it comes to
    the one that knows. `now` is the time in epoch ms of all of them.
    """

    def __init__(self, errands: Errands, now: Callable[[], int]) -> None:
        self._errands, self._now = errands, now

    def start(self, key: Key, work: Callable[[], Any]) -> bool:
        """Begin an errand, unless it is under way already; return False when there are too many."""
        began = self._errands.start(key, work)
        if began:
            others = {name: one for name, one in self._noted().items() if name != "/".join(key)}
            recent = dict(sorted(others.items(), key=lambda item: item[1][1])[-NOTED + 1 :])
            session["errands"] = {**recent, "/".join(key): [self._errands.here, self._now()]}
        return began

    def look(self, key: Key) -> Look | None:
        """Return how an errand stands, None for one that nobody knows here."""
        where, since = self._noted().get("/".join(key), (self._errands.here, 0))
        if where == self._errands.here:
            return self._errands.look(key)
        return Look("asking") if self._now() - since < ELSEWHERE else None

    def _noted(self) -> dict[str, tuple[str, int]]:
        noted: dict[str, tuple[str, int]] = session.get("errands", {})
        return noted


def _run(errand: Errand, work: Callable[[], Any]) -> None:
    try:
        errand.result = work()
    except ConnectorError as error:
        errand.said = str(error)
    except Exception as error:  # noqa: BLE001 - the page says that it broke; its text may be personal
        _log.error("an errand of the admin pages broke: %s", type(error).__name__)
        errand.broke = True
    finally:
        errand.ended.set()

"""Tell people, once and briefly: a target was held or works again, deliveries failed."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import requests
import structlog

log = structlog.get_logger()

Post = Callable[[str], None]


def poster(url: str, timeout: float = 10.0) -> Post:
    """Return a function that POSTs {"text": …} to the alert address (Slack, Teams, Mattermost take this form)."""

    def post(text: str) -> None:
        try:
            answer = requests.post(url, json={"text": text}, timeout=timeout, allow_redirects=False)
        except requests.RequestException as problem:
            log.error("the alert address does not answer", problem=type(problem).__name__)
            return
        if answer.status_code >= 300:
            log.error("the alert address refuses", status=answer.status_code)

    return post


class Alerts:
    """Gather what happens for a while and send it as one message, in a thread of its own."""

    def __init__(self, post: Post | None, every: float = 30.0) -> None:
        self._post, self._every = post, every
        self._lines: Counter[str] = Counter()
        self._lock, self._news = threading.Lock(), threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, line: str) -> None:
        """Add a line to the next message; equal lines are counted. Never waits for the address."""
        if self._post is None:
            return
        with self._lock:
            self._lines[line] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="alerts", daemon=True)
                self._thread.start()
        self._news.set()

    def close(self) -> None:
        """Send what is gathered, and stop."""
        self._ending.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(15)

    def _loop(self) -> None:
        last = float("-inf")
        while not self._ending.is_set():
            self._news.wait()
            self._ending.wait(max(0.0, last + self._every - time.monotonic()))
            self._send()
            last = time.monotonic()

    def _send(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, Counter()
            self._news.clear()
        if lines and self._post is not None:
            self._post("\n".join(line if n == 1 else f"{line} ({n} times)" for line, n in lines.items()))

"""Make what arrived findable on the admin pages, a little later and in small steps: the door never waits for it."""

import threading

import structlog

from connector.errors import StoreBusy
from connector.store import Store
from connector.store.search import STEP

log = structlog.get_logger()

PAUSE = 0.5  # seconds between two looks when nothing waits
BREATH = 0.02  # seconds between two steps when much waits, for whoever else wants to write


def follow(store: Store, stop: threading.Event) -> None:
    """Write what new events are found by until `stop` is set."""
    pause = PAUSE
    while not stop.wait(pause):
        try:
            pause = BREATH if store.search.follow() == STEP else PAUSE
        except StoreBusy as busy:
            log.warning("what arrived is not findable yet: the store is busy", problem=str(busy))
            pause = PAUSE

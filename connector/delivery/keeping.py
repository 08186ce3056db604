"""Purge what is older than told, by itself and beside the work: one small step, a breath, the next."""

import threading

import structlog

from connector.config import Config
from connector.errors import StoreBusy
from connector.store import Store
from connector.store.keeping import Step

log = structlog.get_logger()

FIRST = 60.0  # seconds until the first look: a worker that starts has other things to do
PAUSE = 3600.0  # seconds between two looks when nothing is left to do
BREATH = 0.1  # seconds between two steps, for whoever else wants to write: five times what a step may take


def follow(config: Config, store: Store, stop: threading.Event, first: float = FIRST) -> None:
    """Purge until `stop` is set; several workers may do it at once, one of them does each step."""
    pause, done = first, Step()
    while not stop.wait(pause):
        try:
            step = store.keeping.step(store.keeping.cuts(config.keep_bodies, config.keep_ledger))
        except StoreBusy as busy:
            log.warning("what is old is purged later: the store is busy", problem=str(busy))
            pause = PAUSE / 60
            continue
        done += step
        pause = BREATH if step.more else PAUSE
        if not step.more:
            _tell(done)
            done = Step()


def _tell(done: Step) -> None:
    if done.emptied or done.deleted or done.notes:
        log.info("purged", bodies=done.emptied, events=done.deleted, notes=done.notes)

"""Put a worker together from a configuration, and run it until a signal."""

import gc
import os
import random
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from connector.config import Config
from connector.delivery import keeping
from connector.delivery.alerts import Alerts, poster
from connector.delivery.around import around
from connector.delivery.searchable import follow
from connector.delivery.worker import Worker
from connector.store import open_store
from connector.targets.kinds import open_target

log = structlog.get_logger()

NICE = 5  # pushing waits for the door, never the door for pushing
AUTOGROUP = Path("/proc/self/autogroup")  # only on Linux, and not on every one
PATIENCE = 5.0  # seconds that what runs beside the worker may take to end
RUBBISH = 10_000  # objects, some hundred contacts' worth: Python's own 700 would let it search after each few pushes


def work(config: Config, *, watch_mappings: bool = False) -> None:
    """Deliver until SIGTERM or SIGINT; publish what changes in the mappings folder when told to watch it.

    Raises StoreOutdated, ConfigError.
    """
    stop = _told_to_stop()
    alerts = Alerts(poster(config.alert_url) if config.alert_url else None)
    store = open_store(config.database)
    owner = f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
    try:
        targets = {name: open_target(of, around(config, store, name)) for name, of in config.targets.items()}
        store.writable()
        # Only now: its writer has begun, and threads keep the priority that they were born with. The door must not wait
        # for the store's lock while who holds it is kept off the processor.
        _stand_back()
        beside = [_beside("keeping", lambda: keeping.follow(config, store, stop))]
        if config.admin:
            beside.append(_beside("search", lambda: follow(store, stop)))
        gc.freeze()  # the program itself stays: it is not searched for rubbish with every thousand contacts
        gc.set_threshold(RUBBISH)
        log.info("worker starts", worker=owner, targets=sorted(targets))
        Worker(config, store, targets, owner, alerts).run(stop, watch_mappings=watch_mappings)
        for thread in beside:  # they end between two steps: none is left in the middle of something when Python ends
            thread.join(PATIENCE)
    finally:
        alerts.close()
        store.close()


def _stand_back() -> None:
    os.nice(NICE)
    # Linux may weigh sessions before processes (man 7 sched, autogroup): then a process's own niceness counts only
    # within its session, and `serve` gives each of its children one. A session with others in it is not ours to set.
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(NICE), encoding="ascii")


def _told_to_stop() -> threading.Event:
    stop, told = threading.Event(), False

    def tell(_number: int, _frame: object) -> None:
        nonlocal told
        if not told:  # a signal that arrives while the first one is in `set` would wait for it, and it for this one
            told = True
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    return stop


def _beside(name: str, task: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=task, name=name, daemon=True)
    thread.start()
    return thread

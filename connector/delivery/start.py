"""Put a worker together from a configuration, and run it until a signal."""

import os
import random
import signal
import socket
import threading

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


def work(config: Config, *, watch_mappings: bool = False) -> None:
    """Deliver until SIGTERM or SIGINT; publish what changes in the mappings folder when told to watch it.

    Raises StoreOutdated, ConfigError.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _got, _frame: stop.set())
    alerts = Alerts(poster(config.alert_url) if config.alert_url else None)
    store = open_store(config.database)
    owner = f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
    try:
        targets = {name: open_target(of, around(config, store, name)) for name, of in config.targets.items()}
        store.writable()
        # Only now: its writer has begun, and threads keep the priority that they were born with. The door must not wait
        # for the store's lock while who holds it is kept off the processor.
        os.nice(NICE)
        if config.admin:
            threading.Thread(target=follow, args=(store, stop), name="search", daemon=True).start()
        threading.Thread(target=keeping.follow, args=(config, store, stop), name="keeping", daemon=True).start()
        log.info("worker starts", worker=owner, targets=sorted(targets))
        Worker(config, store, targets, owner, alerts).run(stop, watch_mappings=watch_mappings)
    finally:
        alerts.close()
        store.close()

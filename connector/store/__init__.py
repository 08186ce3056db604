"""The only rooms that speak SQL: what came in, what is to be delivered, and what became of it."""

import time
from collections.abc import Callable

from connector.errors import StoreOutdated
from connector.store.audit import Audit
from connector.store.desk import Desk
from connector.store.engine import Engine
from connector.store.inbox import Inbox, Receipt
from connector.store.leases import Leases
from connector.store.links import Links
from connector.store.mappings import Mappings
from connector.store.overview import Overview
from connector.store.people import People
from connector.store.queue import Queue, Turned
from connector.store.search import Search
from connector.store.states import States
from connector.store.tables import REVISION
from connector.store.tokens import Tokens
from connector.store.turns import Turns

__all__ = ["Receipt", "Store", "Turned", "now_ms", "open_store"]


def now_ms() -> int:
    """Return the wall clock in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Store:
    """Hold the rooms of one store: inbox, queue, states, leases, links, mappings, desk, people, audit, search."""

    def __init__(self, url: str, clock: Callable[[], int] = now_ms, patience: float = 5.0) -> None:
        self._clock = clock
        self.engine = Engine(url, patience)
        self.inbox = Inbox(self.engine, clock)
        self.queue = Queue(self.engine, clock)
        self.states = States(self.engine, clock)
        self.leases = Leases(self.engine, clock)
        self.links = Links(self.engine)
        self.mappings = Mappings(self.engine, clock)
        self.desk = Desk(self.engine, clock)
        self.people = People(self.engine, clock)
        self.audit = Audit(self.engine, clock)
        self.search = Search(self.engine, clock)
        self.overview = Overview(self.engine)

    def vault(self, target: str) -> Tokens:
        """Return the room that keeps a target's OAuth2 tokens."""
        return Tokens(self.engine, self._clock, target)

    def turns(self, target: str) -> Turns:
        """Return the room that gives a target's turns."""
        return Turns(self.engine, self._clock, target)

    def writable(self) -> None:
        """Commit an empty transaction. Raises StoreBusy when the store cannot be written."""
        self.engine.write(lambda _connection, args: list(args), None)

    def schema_current(self) -> bool:
        """Tell whether the schema is this program's."""
        return self.engine.current()

    def worker_alive(self) -> bool:
        """Tell whether a worker gave a sign of life within its lease."""
        newest = self.leases.newest()
        return newest is not None and self._clock() - newest[0] <= newest[1]

    def close(self) -> None:
        """Finish what waits to be written and let go of the database."""
        self.engine.close()


def open_store(url: str, clock: Callable[[], int] = now_ms, patience: float = 5.0) -> Store:
    """Open a store whose schema is current. Raises StoreOutdated with the cure, StoreBusy."""
    store = Store(url, clock, patience)
    revision = store.engine.revision()
    if revision != REVISION:
        store.close()
        was = "was never made" if revision is None else f"has schema {revision}, this program needs {REVISION}"
        raise StoreOutdated(
            f"the store {store.engine.path} {was}: start `connector serve`, or run `connector db upgrade`"
        )
    return store

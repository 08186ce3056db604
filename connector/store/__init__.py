"""The only rooms that speak SQL: what came in, what is to be delivered, and what became of it."""

from collections.abc import Callable

import sqlalchemy as sa

from connector.errors import StoreOutdated
from connector.store.audit import Audit
from connector.store.customers import Customers
from connector.store.desk import Desk
from connector.store.engine import Engine
from connector.store.engines import open_engine
from connector.store.forgetting import Forgetting
from connector.store.inbox import Inbox, Receipt
from connector.store.keeping import Keeping
from connector.store.leases import Leases
from connector.store.links import Links
from connector.store.mappings import Mappings
from connector.store.overview import Overview
from connector.store.people import People
from connector.store.queue import Queue, Turned
from connector.store.search import Search
from connector.store.sqlite import now_ms
from connector.store.states import States
from connector.store.tables import REVISION
from connector.store.tokens import Tokens
from connector.store.turns import Turns

__all__ = ["Receipt", "Store", "Turned", "address", "now_ms", "open_store"]


class Store:
    """Hold the rooms of one store, from the inbox to what forgets."""

    def __init__(self, url: str, clock: Callable[[], int] | None = None, patience: float = 5.0) -> None:
        self.engine = open_engine(url, patience)
        self._clock = clock = clock or self.engine.clock
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
        self.customers = Customers(self.engine)
        self.keeping = Keeping(self.engine, clock)
        self.forgetting = Forgetting(self.engine, clock)

    def now(self) -> int:
        """Return the time in epoch milliseconds by the clock of everybody who uses this store. Raises StoreBusy."""
        return self._clock()

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
        return any(sign.alive for sign in self.leases.signs())

    def close(self) -> None:
        """Finish what waits to be written and let go of the database."""
        self.engine.close()


def open_store(url: str, clock: Callable[[], int] | None = None, patience: float = 5.0) -> Store:
    """Open a store whose schema is current. Raises StoreOutdated with the cure, StoreBusy, StoreError."""
    store = Store(url, clock, patience)
    try:
        _current(store.engine)
    except BaseException:
        store.close()
        raise
    return store


def address(url: str) -> str:
    """Return the address of a store as it may be shown: without its password."""
    return sa.make_url(url).render_as_string(hide_password=True)


def _current(engine: Engine) -> None:
    revision = engine.revision()
    if revision == REVISION:
        return
    was = "was never made" if revision is None else f"has schema {revision}, this program needs {REVISION}"
    cure = "start `connector serve`, or run `connector db upgrade`" if engine.migrates else "run `connector db upgrade`"
    if revision is not None and revision > REVISION:
        cure = "it was upgraded by a newer program; install that one here too"
    raise StoreOutdated(f"the store {engine.name} {was}: {cure}")

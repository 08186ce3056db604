import sqlalchemy as sa

from connector.config import SyncConfig
from connector.store import lanes, open_store, settling
from tests import postgres
from tests.store.conftest import SYNC, Clock, arrive, settled, turn

BOOKS = SyncConfig("books_sync", "flavours", ("customers.CREATE",), "rest", "books")


def test_two_workers_that_settle_one_customer_at_two_targets_do_not_wait_for_each_other():
    with postgres.database() as url:
        store = open_store(url, Clock())
        store.states.register(["crm", "books"])
        arrive(store, syncs=(SYNC, BOOKS))
        at_crm, at_books = (turn(store, owner=name, targets=(name,)).claims[0] for name in ("crm", "books"))
        engine = sa.create_engine(url)
        with engine.begin() as one, engine.begin() as other:
            for connection in (one, other):
                connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            assert settling.fence(one, "crm", [settled(at_crm)])[0]
            assert settling.fence(other, "books", [settled(at_books)])[0]
            lanes.arrange(one, [("crm", at_crm.customer)])
            lanes.arrange(other, [("books", at_books.customer)])
        engine.dispose()
        store.close()

import itertools
from dataclasses import replace

import pytest

from connector.config import SyncConfig
from connector.models import Claim, Delivered, Event, Link, Outcome, Retry, Settlement, TargetState
from connector.store import open_store
from connector.store.migrate import upgrade
from tests import postgres

SYNC = SyncConfig("crm_sync", "flavours", ("customers.CREATE",), "rest", "crm")


class Clock:
    def __init__(self):
        self.now = 1_700_000_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    "The address of a fresh store on each database: what is asked of it is asked of both."
    if request.param == "postgres":
        with postgres.database() as fresh:
            yield fresh
    else:
        fresh = f"sqlite:///{tmp_path}/connector.db"
        upgrade(fresh)
        yield fresh


@pytest.fixture
def store(url, clock):
    store = open_store(url, clock)
    store.states.register(["crm"])
    yield store
    store.close()


_numbers = itertools.count()


def event(xid="x1", customer="c1", fingerprint=None, updated_at=None):
    return Event(xid, "customers.CREATE", 1, {}, customer, updated_at, False, fingerprint or f"print-{xid}-{customer}")


def arrive(store, xid=None, customer="c1", syncs=(SYNC,), **more):
    return store.inbox.accept(event(xid or f"n{next(_numbers)}", customer, **more), b"{}", "flavours", syncs)


def stay(state: TargetState, outcomes, now) -> TargetState:
    return state


def turn(store, settlements=(), owner="w1", limit=10, advance=stay, targets=("crm",)):
    return store.queue.turn(owner, list(settlements), dict.fromkeys(targets, limit), advance)


def settled(claim: Claim, outcome: Outcome | None = None, **more) -> Settlement:
    outcome = outcome or Delivered("created", f"r-{claim.customer}")
    pending = isinstance(outcome, Retry)
    state = {"Delivered": "delivered", "Retry": "pending", "Hold": "held", "Fail": "failed", "Skip": "skipped"}
    link = None
    if isinstance(outcome, Delivered) and outcome.remote_id:
        link = Link("crm", claim.customer, outcome.remote_id, "acct", None, claim.event, "rh", "mh")
    made = Settlement(
        claim=claim,
        outcome=outcome,
        state=state[type(outcome).__name__],
        due_at=1_700_000_000_000 if pending else None,
        reason=getattr(outcome, "reason", ""),
        spent=True,
        maybe_sent=False,
        started_at=1_700_000_000_000,
        took_ms=5,
        link=link,
    )
    return replace(made, **more)


def explained(store, statement, **values):
    "How the database would answer: on PostgreSQL as far as an index helps at all, for these tables are empty."

    def plan(connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        how = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        given = compiled.construct_params(values)
        given = tuple(given[name] for name in compiled.positiontup) if compiled.positional else given
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(how + str(compiled), given))

    return store.engine.read(plan)


def stranded(store):
    "Count the blocked deliveries whose lane has no head: always 0."
    rows = store.desk.deliveries(limit=100_000)
    heads = {(r["target"], r["customer"]) for r in rows if r["state"] in ("pending", "running")}
    return sum(r["state"] == "blocked" and (r["target"], r["customer"]) not in heads for r in rows)

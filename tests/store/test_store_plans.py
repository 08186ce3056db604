"""Every question that a busy store is asked finds its index: none walks over a table that only grows."""

import re

import pytest
import sqlalchemy as sa

from connector.models import Delivered
from tests.store.conftest import arrive, settled, turn

WALKS = re.compile(r"SCAN (deliveries|events|links|attempts|search_keys)(?! USING)")


@pytest.fixture
def plans(store):
    "The plan of each statement that runs meanwhile, on SQLite, which tells it without looking at what is stored."
    if not store.engine.url.startswith("sqlite"):
        pytest.skip("PostgreSQL plans by what is stored")
    asked, engine = [], store.engine._engine

    def note(connection, cursor, statement, parameters, context, many):
        asked.append((statement, parameters))

    def explained():
        sa.event.remove(engine, "before_cursor_execute", note)
        found = {}
        with engine.connect() as connection:
            for statement, parameters in asked:
                if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
                    rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
                    found[statement] = [row[3] for row in rows]
        return found

    arrive(store, "x1", "c1")
    sa.event.listen(engine, "before_cursor_execute", note)
    return explained


def walking(plans):
    return [statement for statement, plan in plans.items() if any(WALKS.match(step) for step in plan)]


def test_of_the_door_and_of_a_turn(store, plans):
    arrive(store, "x2", "c1")
    (claim,) = turn(store, owner="w1").claims
    turn(store, owner="w1", settlements=[settled(claim, Delivered("updated", "r1"))])
    turn(store, owner="w1")
    store.leases.beats()
    assert store.leases.reclaim("w1", 0, {}) == 1
    found = plans()
    assert len(found) > 15
    assert walking(found) == []
    owners = next(plan for statement, plan in found.items() if "FROM links" in statement)
    assert "(target=? AND remote_id=?)" in " ".join(owners)


def test_of_people(store, plans):
    for state in ("pending", "blocked", "running", "held", "failed", "skipped"):
        store.desk.deliveries(state=state, target="crm")
        store.overview.deliveries({"state": state, "target": "crm"}, None)
    for state in ("ignored", "rejected"):
        store.desk.events(state)
    store.overview.waiting()
    assert store.overview.oldest_waiting()["id"] == 1
    store.overview.last_of(["flavours"])
    store.overview.last_delivered()
    assert walking(plans()) == []


def test_a_claim_leaves_the_index_of_the_lanes_alone(store):
    "An entry that lies anywhere in a million is written when a delivery comes and when it ends, and not between."
    index = next(
        i for i in sa.inspect(store.engine._engine).get_indexes("deliveries") if i["name"] == "ix_deliveries_lane"
    )
    where = next(text for name, text in index["dialect_options"].items() if name.endswith("_where"))
    assert re.sub(r"[()]", "", str(where)) == "finished_at IS NULL"


def test_postgresql_clears_away_what_is_dead_before_a_claim_has_to_step_over_a_million(store):
    if not store.engine.url.startswith("postgresql"):
        pytest.skip("SQLite has nothing dead")
    ask = sa.text("SELECT reloptions FROM pg_class WHERE relname = 'deliveries'")
    options = store.engine.read(lambda c: c.execute(ask).scalar_one())
    assert "autovacuum_vacuum_scale_factor=0" in options
    assert "vacuum_index_cleanup=on" in options

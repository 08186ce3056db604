"""`connector db copy`: a stopped installation moves to PostgreSQL, whole or not at all."""

import contextlib
import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from connector.cli import main
from connector.models import Fail
from connector.store import now_ms, open_store
from connector.store.keeping import Cuts
from connector.store.migrate import upgrade
from connector.store.tables import deliveries, events, metadata
from tests import postgres
from tests.store.conftest import arrive, event, settled, turn


@pytest.fixture
def target():
    with postgres.database() as fresh:
        yield fresh


@pytest.fixture
def file(tmp_path):
    "A store with something in each table: some delivered, one failed, one running, the rest waiting; one purged."
    path = tmp_path / "connector.db"
    upgrade(f"sqlite:///{path}")
    with contextlib.closing(open_store(f"sqlite:///{path}")) as store:
        store.states.register(["crm"])
        for n in range(200):
            arrive(store, f"x{n}", f"c{n % 50}")
        store.inbox.accept(event("مرحبا", "c1"), bytes(range(256)), "flavours", ())
        store.inbox.reject("flavours", b"{", "not JSON", None, None)
        claims = turn(store, limit=20).claims
        done = [settled(c) for c in claims[:-2]] + [settled(claims[-2], Fail("bad \0 name"), warnings=("w",))]
        turn(store, done, limit=0)
        store.leases.beat("w1", 1000)
        store.vault("crm").put(0, b"\x00sealed")
        store.turns("crm").reserve(3, 0.00025, 1)
        store.mappings.publish("csv", "csv", "a" * 64, "text: عربي")
        store.keeping.step(Cuts(now_ms() + 1, 0))

        def purge(connection, args):
            last = connection.execute(sa.select(sa.func.max(events.c.id))).scalar_one()
            connection.execute(sa.delete(deliveries).where(deliveries.c.event_id == last))
            connection.execute(sa.delete(events).where(events.c.id == last))
            return args

        arrive(store, "purged", "c99")
        store.engine.write(purge, None)
    return path


def copy(*arguments):
    return CliRunner().invoke(main, ["db", "copy", *map(str, arguments)])


def counted(url):
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {
            t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar()
            for t in metadata.sorted_tables
        }
    engine.dispose()
    return found


def test_all_is_there_and_what_waited_goes_on(file, target):
    before = counted(f"sqlite:///{file}")
    rooms = {
        "people",
        "sessions",
        "sign_in_failures",
        "audit",
        "search_keys",
        "marks",
    }  # of the admin pages: empty here
    assert all(rows for table, rows in before.items() if table not in rooms)
    ended = copy(file, target, "--json")
    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert {row["table"]: row["rows"] for row in told["tables"]} == before == counted(target)
    old, new = open_store(f"sqlite:///{file}"), open_store(target)
    with contextlib.closing(old), contextlib.closing(new):
        for n in (1, 150, 201, 202):
            assert new.desk.event(n) == old.desk.event(n)
        assert new.vault("crm").load() == old.vault("crm").load()
        assert new.mappings.active("csv") == "text: عربي"
        assert new.links.owner("crm", "acct", "r-c1") == "c1"
        assert arrive(new, "fresh", "c60").event == 204  # e203 was purged; people may quote it
        assert arrive(new, "x5", "c5").status == "duplicate"
        assert new.leases.reclaim("w1", new.leases.beats()["w1"], {}) == 1
        delivered = 0
        while claims := turn(new, owner="w2", limit=100).claims:
            delivered += len(claims)
            turn(new, [settled(claim) for claim in claims], owner="w2", limit=0)
        assert delivered == 200 - 19 + 1
        assert {row["state"] for row in new.desk.deliveries(limit=500)} == {"delivered", "failed"}


def test_a_store_that_is_in_use_is_left_alone(file, target):
    with contextlib.closing(open_store(f"sqlite:///{file}")):
        ended = copy(file, target)
    assert (ended.exit_code, "stop `connector serve`" in ended.output) == (1, True), ended.output
    assert not any(counted(target).values())


def test_a_target_that_is_not_empty_is_left_alone(file, target):
    with contextlib.closing(open_store(target)) as store:
        arrive(store)
    ended = copy(file, target)
    assert (ended.exit_code, "the target is not empty: events has 1 rows" in ended.output) == (1, True), ended.output
    assert counted(target)["deliveries"] == 1


def test_a_copy_that_fails_leaves_nothing(file, target, monkeypatch):
    from connector.store import copying

    monkeypatch.setattr(copying, "_go_on", lambda old, new: new.exec_driver_sql("SELECT 1/0"))
    ended = copy(file, target)
    assert (ended.exit_code, "nothing was copied: DivisionByZero" in ended.output) == (1, True), ended.output
    assert not any(counted(target).values())


def test_a_row_that_came_out_otherwise_is_noticed(file, target):
    with contextlib.closing(open_store(target)) as store:
        upper = "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.customer = NEW.customer || ''!''; RETURN NEW; END'"

        def change(connection, args):
            connection.exec_driver_sql(upper)
            connection.exec_driver_sql(
                "CREATE TRIGGER other BEFORE INSERT ON links FOR EACH ROW WHEN (NEW.customer = 'c3') EXECUTE FUNCTION other()"
            )
            return args

        store.engine.write(change, None)
    ended = copy(file, target)
    assert (ended.exit_code, "links came out as" in ended.output) == (1, True), ended.output
    assert not any(counted(target).values())


def test_targets_and_files_that_are_none(file, target, tmp_path):
    assert "there is no file" in copy(tmp_path / "none.db", target).output
    assert "is no PostgreSQL" in copy(file, "sqlite:///x.db").output
    wrong = copy(file, "postgresql+psycopg://u:geheim@host")
    assert (wrong.exit_code, "is not an address of PostgreSQL" in wrong.output, "geheim" in wrong.output) == (
        2,
        True,
        False,
    )
    with postgres.database("template0") as empty:
        assert "was never made: run `connector db upgrade`" in copy(file, empty).output


def test_the_target_may_come_from_the_configuration(file, target, tmp_path):
    text = f'database: "{target}"\nsources: {{flavours: {{auth: {{path_token: a-path-token-of-the-tests}}}}}}\n'
    (tmp_path / "config.yaml").write_text(text)
    ended = copy(file, "--config", tmp_path / "config.yaml")
    assert (ended.exit_code, "read back the same" in ended.output) == (0, True), ended.output

"""PostgreSQL's own disk is full: the door says so in time, thanks for nothing that is not kept, and all go on by themselves."""

import contextlib
import re
import signal
import tempfile
from pathlib import Path

import pytest

from tests import postgres
from tests.end_to_end.test_disk import fill, small_disk
from tests.installation import Installation, post, wait_for

psycopg = pytest.importorskip("psycopg")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CUSTOMERS = 60


@pytest.fixture
def room():
    "A folder that PostgreSQL's user may look into, which tmp_path is not."
    with tempfile.TemporaryDirectory(prefix="room") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def start(tmp_path, crm):
    "Start a door and a worker on a cluster; return the installation, the worker and the database's name."
    begun = []

    def started(cluster):
        name = cluster.database()
        installed = Installation(
            tmp_path, crm.port, database=cluster.url(name, tcp=True), lease="4s", uncertain_wait="500ms", threads=4
        )
        begun.append(installed)
        installed.spawn("_door")
        worker = installed.spawn("worker", wait=False)
        wait_for(lambda: "mapping published" in installed.log(), 60)
        return installed, worker, name

    yield started
    for installed in begun:
        installed.stop()


def kept(cluster, name):
    return {int(xid.removeprefix("xid-")) for (xid,) in cluster.sql("SELECT xid FROM events", name)}


def intact(cluster, name):
    "Each table and each index can be read to its end, and they agree."
    if cluster.sql("SELECT FROM pg_available_extensions WHERE name = 'amcheck'", name):
        cluster.sql("CREATE EXTENSION amcheck", name)
        mine = "relnamespace = 'public'::regnamespace AND relam = (SELECT oid FROM pg_am WHERE amname = 'btree')"
        assert cluster.sql(f"SELECT bt_index_check(oid, true) FROM pg_class WHERE relkind = 'i' AND {mine}", name)
    cluster.sql("VACUUM", name)


def told(installed, count):
    "Post so many customers; return who was thanked for, and who was told to come again."
    said = {n: post(installed, n) for n in range(count)}
    acked = {n for n, (status, *_) in said.items() if status == 202}
    refused = {n for n, (status, *_) in said.items() if status == 503}
    assert acked | refused == set(said)
    assert {said[n][1] for n in refused} == {"5"}
    assert max(took for *_, took in said.values()) < 10
    return acked, refused


def all_delivered(installed, crm, cluster, name):
    wait_for(lambda: all(post(installed, n)[0] in (200, 202) for n in range(CUSTOMERS)), 90, every=0.5)
    wait_for(lambda: len(crm.all()["contacts"]) == CUSTOMERS, 120, every=0.5)
    done = "SELECT count(*) FROM deliveries WHERE state = 'delivered'"
    wait_for(lambda: cluster.sql(done, name) == [(CUSTOMERS,)], 120, every=0.5)
    assert set(crm.all()["creates"].values()) == {1}
    assert kept(cluster, name) == set(range(CUSTOMERS))
    assert "Traceback" not in installed.log()


def test_a_full_disk_of_the_database_is_told_and_costs_nothing(room, start, crm):
    with small_disk(room / "disk", 160 << 20) as disk:
        cluster = postgres.Cluster(fsync=True, data=disk / "data")
        try:
            installed, worker, name = start(cluster)
            fill(disk, leave=100_000)
            acked, refused = told(installed, CUSTOMERS)
            assert acked
            assert len(refused) > 10
            assert kept(cluster, name) == acked
            (disk / "ballast").unlink()
            all_delivered(installed, crm, cluster, name)
            assert worker.poll() is None
            assert "PANIC" not in cluster.log.read_text()
            intact(cluster, name)
        finally:
            cluster.stop(signal.SIGQUIT)
            cluster.remove()


def test_a_full_disk_of_the_log_ends_the_database_and_costs_nothing(room, start, crm):
    "Without room for its log PostgreSQL ends itself. Who watches over it starts it again; ours go on by themselves."
    with small_disk(room / "disk", 12 << 20) as disk:
        cluster = postgres.Cluster(fsync=True, initdb=("--wal-segsize=1", f"--waldir={disk}/wal"))
        try:
            installed, worker, name = start(cluster)
            fill(disk)
            acked = set(until_refused(installed, cluster))
            assert acked
            assert re.search("PANIC.*No space left", cluster.log.read_text())
            assert told(installed, 3)[0] <= acked
            (disk / "ballast").unlink()
            cluster.stop(signal.SIGQUIT)
            cluster.start()
            assert acked <= kept(cluster, name)
            all_delivered(installed, crm, cluster, name)
            assert worker.poll() is None
            intact(cluster, name)
        finally:
            cluster.stop(signal.SIGQUIT)  # without room there is no orderly end
            cluster.remove()


def until_refused(installed, cluster):
    "Post the customers in turn, until the door takes no more, and yield who was thanked for; the log grows meanwhile."
    for n in range(CUSTOMERS):
        status = post(installed, n)[0]
        assert status in (202, 503)
        if status == 503:
            return
        yield n
        with contextlib.suppress(psycopg.OperationalError):
            cluster.sql("SELECT pg_logical_emit_message(true, 'a part of the log', 'ends'), pg_switch_wal()")
    raise AssertionError("the log never came to its end")

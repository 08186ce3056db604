"""What an admin page costs at 1,000,000 deliveries, beside a bare Flask page of the same run (goal: under 100 ms).

pytest -m benchmark -s tests/benchmarks/test_benchmarks_admin.py
"""

import re
import statistics
import time

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from connector.config import (
    Config,
    RetryConfig,
    ServerConfig,
    SourceConfig,
    SyncConfig,
    TargetConfig,
    WorkerConfig,
)
from connector.masking import Secret
from connector.store import now_ms, open_store
from connector.store.migrate import upgrade
from connector.web.app import create_app

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

COUNT = 1_000_000
WEEK = 7 * 86_400_000
NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT}) "
BODY = (
    """'{"action":"customers.CREATE","xid":"x'||i||'","data":{"id":"c'||i||'","user":{"name":"Sara","phone":"x"}}}'"""
)
FILLING = (
    f"""INSERT INTO events (id, source, state, xid, fingerprint, action, customer, received_at, body) {NUMBERS}
    SELECT i, 'flavours', 'accepted', 'x'||i, 'f'||i, 'customers.CREATE', 'c'||i, :start + i * {WEEK // COUNT},
    CAST({BODY} AS BLOB) FROM n""",
    f"""INSERT INTO deliveries (id, event_id, source, sync, target, customer, state, due_at, created_at) {NUMBERS}
    SELECT i, i, 'flavours', 's', 'contacts', 'c'||i,
    CASE WHEN i % 50 = 0 THEN 'held' WHEN i % 77 = 0 THEN 'failed' WHEN i > 900000 THEN 'pending' ELSE 'delivered' END,
    :start, :start + i * {WEEK // COUNT} FROM n""",
    f"INSERT INTO search_keys (key, event_id) {NUMBERS} SELECT '=c'||i, i FROM n",
    f"INSERT INTO search_keys (key, event_id) {NUMBERS} SELECT 'wsara', i FROM n",
    f"INSERT INTO search_keys (key, event_id) {NUMBERS} SELECT 'n5'||(10000000 + i), i FROM n WHERE i % 3 = 0",
    f"INSERT INTO marks (name, value) SELECT 'search', {COUNT} + 0 * :start",
)
PAGES = (
    *("/", "/now", "/deliveries", "/deliveries?before=500000", "/deliveries?state=held", "/deliveries?state=running"),
    *("/deliveries?target=contacts&state=skipped", "/deliveries?q=Sara", "/deliveries?q=c777777"),
    *("/deliveries?q=0510333333", "/deliveries?q=nobody", "/events/500000", "/held", "/targets", "/audit", "/people"),
    *("/customers?id=c777777", "/deliveries?since=2020-01-01&until=2030-01-01", "/deliveries?q=Sara&since=2020-01-01"),
)


@pytest.fixture
def visitor(tmp_path):
    "A client that is signed in to the admin pages over a million deliveries."
    import sqlite3

    url = f"sqlite:///{tmp_path}/connector.db"
    upgrade(url)
    connection = sqlite3.connect(tmp_path / "connector.db")
    for statement in FILLING:
        connection.execute(statement, {"start": now_ms() - WEEK})
    connection.commit()
    connection.close()
    store = open_store(url)
    store.people.add("editor", "editor", generate_password_hash("a-password-of-the-tests"))
    csv = TargetConfig("contacts", "csv", {"path": "book.csv"}, str(tmp_path / "config.yaml"), {})
    sync = SyncConfig("s", "flavours", ("customers.CREATE",), "csv", "contacts")
    config = Config(
        path=tmp_path / "config.yaml",
        database=url,
        mappings=tmp_path,
        server=ServerConfig(),
        alert_url=None,
        retry=RetryConfig(),
        worker=WorkerConfig(),
        keep_bodies=0,
        keep_ledger=0,
        sources={"flavours": SourceConfig("flavours", (Secret("path-token-0123456789"),))},
        targets={"contacts": csv},
        syncs={"s": sync},
        secret_keys=(Secret("a-key-of-the-tests"),),
        admin=True,
    )
    client = create_app(config, store).test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/sign-in").text)[1]
    client.post("/admin/sign-in", data={"csrf_token": token, "name": "editor", "password": "a-password-of-the-tests"})
    yield client
    store.close()


def _median(client, path, status=200):
    took = []
    for _ in range(11):
        before = time.perf_counter()
        assert client.get(path).status_code == status
        took.append((time.perf_counter() - before) * 1000)
    return statistics.median(took)


def test_every_page_at_a_million_deliveries(visitor):
    bare = Flask("bare")
    bare.add_url_rule("/", view_func=lambda: "hello")
    print(f"\na bare Flask page: {_median(bare.test_client(), '/'):.1f} ms")
    for page in PAGES:
        print(f"/admin{page}: {_median(visitor, '/admin' + page):.1f} ms (goal: under 100 ms)")

"""What monitors read."""

import sqlite3

from flask.testing import FlaskClient

from connector.store import Store
from connector.web.ops import Count


def test_the_process_is_up(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_without_a_worker_it_is_not_ready_and_says_why(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["status"] == "not ready"
    assert answer.json["checks"]["store"] == answer.json["checks"]["schema"] == "ok"
    assert "connector worker" in answer.json["checks"]["worker"]


def test_with_a_worker_it_is_ready(client: FlaskClient, store: Store) -> None:
    store.leases.beat("w1", 60_000)
    store.leases.beat("w2", 60_000)
    store.leases.beat("w3", -1)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    checks = {"store": "ok", "schema": "ok", "worker": "ok"}
    assert answer.json == {"status": "ready", "checks": checks, "workers": {"alive": 2, "silent": 1}}
    assert 'flavours_workers{state="alive"} 2' in client.get("/metrics").text.splitlines()


def test_a_store_that_cannot_be_written_is_named(client: FlaskClient, store: Store) -> None:
    store.leases.beat("w1", 60_000)
    holder = sqlite3.connect(store.engine.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    answer = client.get("/readyz")
    holder.rollback()
    holder.close()
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["store"].startswith("the store did not take the write")
    assert answer.json["checks"]["worker"] == "ok"


def test_an_old_schema_is_named(client: FlaskClient, store: Store) -> None:
    with sqlite3.connect(store.engine.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    answer = client.get("/readyz")
    assert answer.json is not None
    assert "connector db upgrade" in answer.json["checks"]["schema"]


def test_metrics_count_what_came_in_and_what_waits(
    client: FlaskClient, url: str, customer: bytes, product: bytes
) -> None:
    for body in (customer, customer, product):
        client.post(url, data=body)
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    for status in ("accepted", "duplicate", "rejected"):
        assert f'flavours_webhooks_total{{source="flavours",status="{status}"}} 1' in lines
    assert 'flavours_events{state="accepted"} 1' in lines
    assert 'flavours_events{state="rejected"} 1' in lines
    assert 'flavours_deliveries{target="contacts",state="pending"} 1' in lines
    assert "# TYPE flavours_deliveries gauge" in lines


def test_counting_takes_a_fiftieth_of_the_time_at_most(
    client: FlaskClient, url: str, store: Store, customer: bytes
) -> None:
    looks = iter((0.0, 2.0, 2.0, 101.0, 102.0, 102.0, 102.0))  # the first count takes two seconds
    count = Count(store, lambda: next(looks))
    assert count() == {}
    client.post(url, data=customer)
    assert count() == {}
    assert count()["flavours_events", (("state", "accepted"),)] == 1


def test_metrics_of_an_unreadable_store_are_a_503(client: FlaskClient, store: Store) -> None:
    with sqlite3.connect(store.engine.path) as connection:
        connection.execute("DROP TABLE deliveries")
    connection.close()
    assert client.get("/metrics").status_code == 503

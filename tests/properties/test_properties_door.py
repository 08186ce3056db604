"""The door takes whatever comes: never a 5xx, never a traceback, and what it keeps is in the store as it was sent."""

import io
import json
import logging
import os
import random
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy import event as happens

from connector.config import Config, RetryConfig, ServerConfig, SourceConfig, SyncConfig, WorkerConfig
from connector.masking import Secret
from connector.store import open_store
from connector.store.migrate import upgrade
from connector.store.tables import events
from connector.web.app import create_app
from tests.properties.odd import changed, spoiled

TOKEN = "path-token-0123456789"
SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "samples").glob("*.json"))]
SEED = int(os.environ.get("FLAVOURS_SEED", "5"))
BODIES = int(os.environ.get("FLAVOURS_BODIES", "5000"))
KEPT = {200, 202, 400, 422}

TYPES = ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "",
         "application/json; charset=utf-16", "\xff", "a" * 3000, "multipart/form-data"]  # fmt: skip
HEADERS = ["X-Forwarded-For", "Content-Encoding", "Authorization", "X-Signature", "Expect", "Cookie", "Range", "Accept",
           "Content-Length", "X-\xe9"]  # fmt: skip
PATHS = ["/webhooks/flavours/", "/webhooks/flavours", "/webhooks//", "/webhooks/%2e%2e/%00", "/webhooks/flavours/%ff%fe",
         "/webhooks/flavours/..%2f..%2fetc", "//webhooks/flavours/x/errors", "/healthz", "/%"]  # fmt: skip


def body(dice):
    "Bytes that are a payload, nearly one, or nothing of the kind."
    kind = dice.random()
    if kind < 0.1:
        return dice.randbytes(dice.randint(0, 200))
    made = dice.choice(SAMPLES)
    if kind < 0.7:
        made = json.dumps(changed(json.loads(made), dice), ensure_ascii=dice.random() < 0.9).encode(
            "utf-8", "surrogatepass"
        )
    if kind < 0.5:
        return made
    return spoiled(made, dice)


def path(dice):
    return dice.choice(PATHS) if dice.random() < 0.05 else f"/webhooks/flavours/{TOKEN}"


def headers(dice):
    made = {"Content-Type": dice.choice(TYPES) if dice.random() < 0.3 else "application/json"}
    if dice.random() < 0.2:
        made[dice.choice(HEADERS[:-2])] = "".join(
            chr(dice.choice([9, 32, 65, 233, 255])) for _ in range(dice.randint(0, 50))
        )
    return made


@pytest.fixture
def door(tmp_path):
    "The real door on a real store that does not wait for the disk: a power cut is not asked about here."
    url = f"sqlite:///{tmp_path}/connector.db"
    upgrade(url)
    store = open_store(url, patience=100.0)  # a busy machine is not asked about either
    happens.listen(store.engine._engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
    syncs = {"to_crm": SyncConfig("to_crm", "flavours", ("customers.CREATE",), "csv", "contacts")}
    sources = {"flavours": SourceConfig("flavours", (Secret(TOKEN),))}
    more = {"alert_url": None, "retry": RetryConfig(), "worker": WorkerConfig(), "keep_bodies": 1e9, "keep_ledger": 1e9}
    config = Config(path=tmp_path / "c", database=url, mappings=tmp_path, server=ServerConfig(), sources=sources,
                    targets={}, syncs=syncs, **more)  # fmt: skip
    yield create_app(config, store), store
    store.close()


def kept(store, event_id):
    found = store.engine.read(lambda c: c.execute(sa.select(events.c.body).where(events.c.id == event_id)).scalar())
    return bytes(found)


def fuzz(door, count, caplog):
    app, store = door
    client, dice = app.test_client(), random.Random(SEED)
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.ERROR):
        for n in range(count):
            sent = body(dice)
            # As a stream: of no bytes and a multipart type, the test client would make a multipart body of its own.
            stream = {"input_stream": io.BytesIO(sent), "content_length": len(sent)}
            answer = client.post(path(dice), headers=headers(dice), **stream)
            assert answer.status_code < 500, (n, answer.status_code, sent)
            told = answer.get_json(silent=True) or {}
            if "event" in told and told["status"] != "duplicate":
                assert kept(store, int(told["event"][1:])) == sent
            elif answer.status_code in KEPT:
                assert told.get("status") in ("duplicate", "noted"), (n, told, sent)
            lines[:] = [line for line in lines if line["log_level"] not in ("warning", "info", "debug")]
    assert not lines
    assert not caplog.records


def test_no_body_and_no_header_makes_the_door_stumble(door, caplog):
    fuzz(door, 150, caplog)


@pytest.mark.slow
@pytest.mark.timeout(600 + BODIES // 20)
def test_many_odd_bodies(door, caplog):
    "FLAVOURS_BODIES asks for more."
    fuzz(door, BODIES, caplog)

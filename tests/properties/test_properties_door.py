"""The door takes whatever comes: never a 5xx, never a traceback, and what it keeps is in the store as it was sent."""

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

TOKEN = "path-token-0123456789"
SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "samples").glob("*.json"))]
SEED = int(os.environ.get("FLAVOURS_SEED", "5"))
BODIES = int(os.environ.get("FLAVOURS_BODIES", "5000"))
KEPT = {200, 202, 400, 422}

ODD = [
    None, True, -1, 0, 10**30, 1e308, -0.0, "", "\0", "\ud800", "\U0001f600", "ا" * 50, "x" * 5000, [], {}, [[]], {"": None},
    2**63, "customers.CREATE", "customers.", "\u202e", "1" * 400, [None] * 200,
]  # fmt: skip
PIECES = [b"\0", b"\xff", b"\xed\xa0\x80", b"{", b"}", b"[" * 200, b"]", b'"', b"\\u0000", b"\\ud800", b"1e999", b"NaN",
          b"9" * 5000, b"\xef\xbb\xbf", b",", b":", b"\r\n", b"-", b"null", b'{"a":' * 120]  # fmt: skip
TYPES = ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "",
         "application/json; charset=utf-16", "\xff", "a" * 3000, "multipart/form-data"]  # fmt: skip
HEADERS = ["X-Forwarded-For", "Content-Encoding", "Authorization", "X-Signature", "Expect", "Cookie", "Range", "Accept",
           "Content-Length", "X-\xe9"]  # fmt: skip
PATHS = ["/webhooks/flavours/", "/webhooks/flavours", "/webhooks//", "/webhooks/%2e%2e/%00", "/webhooks/flavours/%ff%fe",
         "/webhooks/flavours/..%2f..%2fetc", "//webhooks/flavours/x/errors", "/healthz", "/%"]  # fmt: skip


def changed(document, dice):
    "A JSON document with a few odd things in it."
    places = []

    def look(value):
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            places.append((value, key))
            look(value[key])

    look(document)
    for _ in range(dice.randint(1, 3)):
        holder, key = dice.choice(places)
        if isinstance(holder, dict) and dice.random() < 0.2:
            holder.pop(key, None)
        elif isinstance(holder, dict) and dice.random() < 0.1:
            holder[str(dice.choice(ODD))] = dice.choice(ODD)
        else:
            holder[key] = dice.choice(ODD)
    return document


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
    made = bytearray(made)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made) + 1)
        made[at : at + dice.choice([0, 1, 10])] = dice.choice(PIECES)
    return bytes(made[: dice.choice([len(made), dice.randrange(len(made) + 1)])])


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
    store = open_store(url)
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
            answer = client.post(path(dice), data=sent, headers=headers(dice))
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

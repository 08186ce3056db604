"""kill -9 of the door within its group commit, again and again: what was acked is stored, and stored once.

The size is a parameter; the whole of it takes a few minutes on each engine:

    KILLED_EVENTS=10000 KILLS=100 pytest -m slow -s tests/end_to_end/test_group_commit.py
"""

import http.client
import os
import random
import threading
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from connector.config import load
from tests.installation import Installation, customer, free_port

EVENTS = int(os.environ.get("KILLED_EVENTS", "1000"))
KILLS = int(os.environ.get("KILLS", "10"))
SENDERS = 16

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 6 * KILLS + EVENTS // 20)]


def send(installed, numbers, acked, unanswered):
    "Post as Flavours would: again until a 2xx."
    for n in numbers:
        status = 0
        while not 200 <= status < 300:
            try:
                status, _ = installed.post(customer(n), timeout=9)
            except (OSError, http.client.HTTPException):  # refused, or no answer: the door died over it
                unanswered.append(n)
                time.sleep(0.05)
        acked[n] = status


def doors(installed, chance, done):
    "Start doors that die within a commit, or at any moment, until there were enough deaths; then one that lives."
    deaths = 0
    while deaths < KILLS and not done():
        place, nth = chance.choice(["before", "after"]), chance.randint(1, max(2, EVENTS // KILLS // 8))
        blind = chance.random() < 0.3  # then its death is of no named place
        faults = {} if blind else {"FAULT": f"kill {place}-accept-commit {nth}"}
        door = installed.spawn("_door", faults=faults, wait=False)
        if blind:
            while not (installed.up() or done()):
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.2))
            door.kill()
        while door.poll() is None and not done():
            time.sleep(0.01)
        deaths += door.poll() is not None
    if not done():
        installed.spawn("_door")
    return deaths


def test_every_acked_event_is_stored_once(tmp_path, database):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    installed = Installation(tmp_path, free_port(), database=database)
    assert installed.cli("db", "upgrade")[0] == 0
    acked, unanswered = {}, []
    senders = [
        threading.Thread(target=send, args=(installed, range(first, EVENTS, SENDERS), acked, unanswered))
        for first in range(SENDERS)
    ]
    try:
        for sender in senders:
            sender.start()
        deaths = doors(installed, random.Random(seed), lambda: not any(sender.is_alive() for sender in senders))
        for sender in senders:
            sender.join()
    finally:
        installed.stop()
    print(f"{deaths} deaths, {len(unanswered)} without an answer, {Counter(acked.values())}")
    assert deaths == KILLS
    assert len(acked) == EVENTS
    engine = sa.create_engine(load(tmp_path / "config.yaml", {}).database)
    with engine.connect() as connection:
        stored = Counter(connection.execute(sa.text("SELECT xid FROM events")).scalars())
        assert stored == Counter(f"xid-{n}" for n in range(EVENTS))
        assert connection.execute(sa.text("SELECT count(*) FROM deliveries")).scalar() == EVENTS
        if engine.name == "sqlite":
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
    engine.dispose()

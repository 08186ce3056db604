"""PostgreSQL that stops and comes back, or whose connections are cut around a commit: told in time, nothing lost or twice.

How long it is away is a parameter; done once by hand with half a minute:

    AWAY=30 pytest -m slow -s tests/end_to_end/test_database_away.py
"""

import contextlib
import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.config import load
from connector.store import open_store
from tests import postgres
from tests.installation import TOKEN, Installation, customer, wait_for
from tests.relay import Relay

AWAY = float(os.environ.get("AWAY", "6"))
RATE = 100

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 10 * AWAY)]


@pytest.fixture
def cluster():
    "A PostgreSQL of this test's own, that it may stop."
    cluster = postgres.Cluster(fsync=True)
    yield cluster
    cluster.remove()


class Sender:
    "Post as Flavours would: again until a 2xx; note what was answered to what, and the longest wait."

    def __init__(self, installed):
        self.installed, self.said, self.acked, self.longest, self.bare = installed, Counter(), {}, 0.0, 0

    def once(self, n):
        connection = http.client.HTTPConnection("127.0.0.1", self.installed.port, timeout=30)
        with contextlib.closing(connection):
            asked = time.monotonic()
            connection.request("POST", f"/webhooks/flavours/{TOKEN}", json.dumps(customer(n)))
            answer = connection.getresponse()
            answer.read()
        self.longest = max(self.longest, time.monotonic() - asked)
        self.bare += answer.status == 503 and answer.headers["Retry-After"] is None
        self.said[answer.status] += 1
        return answer.status

    def send(self, n):
        while (status := self.once(n)) not in (200, 202):
            assert status == 503
            time.sleep(0.5)
        self.acked[n] = status


def delivered(store, count):
    return store.desk.counts().get(("crm", "delivered"), 0) == count


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_database_that_stops_for_a_while_costs_nobody_anything(tmp_path, crm, cluster, how):
    url = cluster.url(cluster.database(), tcp=True)
    installed = Installation(tmp_path, crm.port, database=url, lease="4s", uncertain_wait="500ms")
    sender = Sender(installed)
    try:
        installed.serve()
        wait_for(lambda: "mapping published" in installed.log())
        pids = installed.children()
        began, count = time.monotonic(), int((AWAY + 4) * RATE)
        with ThreadPoolExecutor(24) as pool:
            stopping = threading.Timer(2, cluster.stop, [how])
            stopping.start()
            coming = threading.Timer(2 + AWAY, lambda: (stopping.join(), cluster.start()))
            coming.start()
            sent = []
            for n in range(count):
                time.sleep(max(0.0, began + n / RATE - time.monotonic()))
                sent.append(pool.submit(sender.send, n))
            coming.join()
            for one in sent:
                one.result()
        print(f"{dict(sender.said)}, the longest answer {sender.longest:.2f} s")
        assert sender.said[503] > 20
        assert sender.bare == 0
        assert sender.longest < 9  # Flavours waits 10 s
        assert set(sender.said) <= {200, 202, 503}
        with ThreadPoolExecutor(8) as pool:  # who saw no answer sends again, and so does who saw one
            assert set(pool.map(sender.once, range(0, count, 7))) == {200}
        wait_for(lambda: len(crm.all()["contacts"]) == count, 90, every=0.3)
        store = open_store(load(tmp_path / "config.yaml", {}).database)
        wait_for(lambda: delivered(store, count), 60, every=0.3)
        assert sum(store.desk.counts().values()) == count
        store.close()
        assert Counter(crm.all()["creates"].values()) == {1: count}
        assert installed.children() == pids
        assert "Traceback" not in installed.log()
    finally:
        installed.stop()


def test_connections_cut_around_their_commits_lose_nothing_and_do_nothing_twice(tmp_path, crm):
    seed, count = random.randrange(10**6), 150
    print(f"seed {seed}")
    here = postgres.cluster()
    name = here.database()
    relay = Relay(("127.0.0.1", here.port), seed=seed)
    url = here.url(name, tcp=True)
    through = url.replace(f":{here.port}/", f":{relay.port}/")
    installed = Installation(tmp_path, crm.port, database=through, lease="3s", uncertain_wait="500ms", threads=4)
    sender = Sender(installed)
    try:
        installed.serve()
        wait_for(lambda: "mapping published" in installed.log())
        crm.mode(latency=0.05)
        relay.cuts = 0.2
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(sender.send, range(count)))
        store = open_store(url)
        wait_for(lambda: store.desk.counts().get(("crm", "delivered"), 0) > count // 2, 90, every=0.2)
        relay.cuts = 0.0
        wait_for(lambda: delivered(store, count), 60, every=0.3)
        assert sum(store.desk.counts().values()) == count
        store.close()
        print(f"{relay.cut}, {dict(sender.said)}")
        assert min(relay.cut.values()) >= 3
        assert sender.said[200] > 0  # committed, and not known: the retry was deduplicated
        assert Counter(crm.all()["creates"].values()) == {1: count}
        assert "Traceback" not in installed.log()
    finally:
        installed.stop()
        relay.close()
        here.drop(name)

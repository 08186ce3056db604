"""A vendor's request limit is kept by all workers together, and used to the full.

The number of deliveries is a parameter; the whole of it takes half an hour:

    LIMIT_DELIVERIES=50000 pytest -m slow -s tests/end_to_end/test_limits.py
"""

import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector import config, flavours
from connector.bundled import bundled
from connector.store import open_store
from connector.store.migrate import upgrade
from tests.installation import TOKEN, Installation, customer
from tests.targets.stub_vendor import served
from tests.targets.vendors.hubspot.lab import HUBSPOT_TOKEN, KEY, HubSpotVendor

DELIVERIES = int(os.environ.get("LIMIT_DELIVERIES", "3000"))
LIMIT = (10, 10.0)  # a tenth of what HubSpot allows, so that it bites
STEPS = 3  # requests for a hundred new customers: asked for by our property, by e-mail, then made

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + DELIVERIES // 10)]

CONFIG = """\
database: sqlite:///connector.db
mappings: mappings
worker: {{push_threads: 4, lease: 30s}}
sources: {{flavours: {{auth: {{path_token: {token}}}}}}}
targets:
  hubspot: {{kind: hubspot, base_url: "{base}", token: "{secret}", allow_private: true, pace: 9/10s}}
syncs:
  customers_to_hubspot: {{source: flavours, actions: [customers.CREATE], mapping: hubspot, target: hubspot}}
"""


class Quick(HubSpotVendor):
    "HubSpot that finds at once among many, and counts how often a contact was made."

    def __init__(self, **more):
        super().__init__(**more)
        self.places, self.made = {KEY: {}, "email": {}}, 0

    def stored(self, value, key):
        if key is None:
            return super().stored(value, key)
        return self.contacts.get(self.places[key].get(value.casefold()))

    def save(self, one):
        self.made += self.target(one) is None
        row = super().save(one)
        for key, places in self.places.items():
            if value := self.contacts[int(row["id"])].get(key):
                places[value.casefold()] = int(row["id"])
        return row


def fill(folder, count):
    "Let so many customers have arrived."
    read = config.load(folder / "config.yaml", {})
    upgrade(read.database)
    store = open_store(read.database)
    syncs = list(read.syncs.values())

    def arrive(n):
        body = json.dumps(customer(n, email=f"customer{n}@example.com")).encode()
        store.inbox.accept(flavours.read(body), body, "flavours", syncs)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(arrive, range(count)))
    return store


def test_two_workers_keep_hubspots_limit_and_use_it(tmp_path):
    vendor = Quick(limit=LIMIT)
    with served(vendor) as base:
        installed = Installation(tmp_path, 0)
        (tmp_path / "config.yaml").write_text(CONFIG.format(base=base, token=TOKEN, secret=HUBSPOT_TOKEN))
        (tmp_path / "mappings" / "hubspot.yaml").write_text((bundled("mappings") / "hubspot.yaml").read_text())
        store = fill(tmp_path, DELIVERIES)
        try:
            began = time.monotonic()
            workers = [installed.spawn("worker", wait=False) for _ in range(2)]
            while store.desk.counts().get(("hubspot", "delivered"), 0) < DELIVERIES:
                assert [worker.poll() for worker in workers] == [None, None], installed.log()
                time.sleep(0.2)
            took = time.monotonic() - began
        finally:
            installed.stop()
            store.close()
    needed = STEPS * math.ceil(DELIVERIES / 100)
    floor = needed * LIMIT[1] / LIMIT[0]
    print(f"\n{DELIVERIES} deliveries, {len(vendor.requests)} requests ({needed} needed), {took:.1f} s, floor {floor:.0f} s: {took / floor:.3f}")  # fmt: skip
    assert vendor.refused == 0
    assert (vendor.made, len(vendor.contacts)) == (DELIVERIES, DELIVERIES)
    assert took < 1.3 * floor

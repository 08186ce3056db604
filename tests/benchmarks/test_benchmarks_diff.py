"""How long an admin waits for `mapping diff` and `mapping coverage` over 10,000 stored customers (goal: under 10 s).

pytest -m benchmark -s tests/benchmarks/test_benchmarks_diff.py
"""

import json
import time

import pytest

from connector.store import bulk, open_store
from connector.store.tables import events
from tests.installation import Installation, customer, free_port

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

COUNT = 10_000


@pytest.fixture
def installation(tmp_path):
    "A store with 10,000 customers, and a draft of the shipped csv mapping with one rule changed."
    made = Installation(tmp_path, free_port(), csv=True)
    assert made.cli("db", "upgrade")[0] == 0
    store = open_store(f"sqlite:///{tmp_path}/connector.db")
    for first in range(0, COUNT, 1000):
        store.engine.write(_put, [_row(n) for n in range(first, first + 1000)])
    store.close()
    text = (tmp_path / "mappings" / "csv.yaml").read_text()
    (tmp_path / "draft.yaml").write_text(text.replace("  city: city ", "  town: city "))
    return made


def _row(n):
    body = customer(n, email=f"person{n}@example.com")
    body["data"] |= {"tax_number": "310122393500003", "crn": "1010010000", "city": "Riyadh", "street": "King Fahd Road"}
    facts = {"source": "flavours", "state": "accepted", "action": "customers.CREATE", "received_at": n}
    who = {"xid": body["xid"], "fingerprint": f"print-{n}", "customer": body["data"]["id"]}
    return facts | who | {"body": json.dumps(body).encode()}


def _put(connection, groups):
    for rows in groups:
        bulk.insert(connection, events, rows)
    return groups


def test_ten_thousand_customers(installation):
    draft = str(installation.folder / "draft.yaml")
    for words in (("diff", "csv", draft), ("coverage", "csv")):
        before = time.perf_counter()
        code, told, _ = installation.cli("mapping", *words, "--last", str(COUNT))
        print(f"mapping {words[0]} over {COUNT} customers: {time.perf_counter() - before:.1f} s (goal: under 10 s)")
        assert code == 0
        assert f"{COUNT} of {COUNT}" in told

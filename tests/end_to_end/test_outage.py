"""A target that is down for a minute costs nobody anything."""

import json
import time

import pytest

from tests.installation import Installation, customer, wait_for

pytestmark = pytest.mark.slow


def test_five_hundred_customers_over_a_minute_of_outage(tmp_path, crm):
    installed = Installation(tmp_path, crm.port)
    try:
        installed.serve()
        crm.stop()
        down, answers = time.monotonic(), []
        for n in range(500):
            answers.append(installed.post(customer(n))[0])
            time.sleep(max(0.0, down + n * 0.12 - time.monotonic()))
        assert time.monotonic() - down > 55
        assert set(answers) == {202}
        crm.start()
        wait_for(lambda: len(crm.all()["contacts"]) == 500, 90)
        time.sleep(1)
        assert set(crm.all()["creates"].values()) == {1}
        rows = json.loads(installed.cli("deliveries", "list", "--limit", "1000", "--json")[1])
        assert len(rows) == 500
        assert {row["state"] for row in rows} == {"delivered"}
        assert max(row["attempts"] for row in rows) == 1  # none was wasted on a paused target
    finally:
        installed.stop()

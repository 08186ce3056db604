"""Two workers of one store: one token for both, and turns in one row."""

import contextlib
import sqlite3

import pytest

from tests.installation import Installation, customer, wait_for
from tests.targets.stub_issuer import CLIENT, SECRET, Issuer, slowly
from tests.targets.stub_vendor import served

OAUTH2 = "    auth: {{oauth2: {{token_url: {url}, client_id: {client}, client_secret: {secret}}}}}\n    pace: 100/1s\n"


@pytest.mark.slow
def test_two_workers_ask_for_one_token_and_share_their_turns(tmp_path):
    issuer = Issuer()
    issuer.before = slowly()
    with served(issuer) as base:
        installed = Installation(tmp_path, "0", timeout="10s")
        path = tmp_path / "config.yaml"
        auth = OAUTH2.format(url=base.replace("/api", "/oauth/token"), client=CLIENT, secret=SECRET)
        text = path.read_text().replace("    base_url: http://127.0.0.1:0\n", f"    base_url: {base}\n{auth}")
        path.write_text(f"secret_key: a-secret-key-of-the-tests\n{text}")
        try:
            installed.serve()
            installed.spawn("worker", wait=False)
            for n in range(20):
                assert installed.post(customer(n))[0] == 202
            wait_for(lambda: len(issuer.contacts) == 20, 60)
        finally:
            installed.stop()
    assert len(issuer.asked) == 1
    with contextlib.closing(sqlite3.connect(tmp_path / "connector.db")) as database:
        assert database.execute("SELECT target FROM turns").fetchall() == [("crm",)]
        assert database.execute("SELECT target, version FROM tokens").fetchall() == [("crm", 1)]

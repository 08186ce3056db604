"""A folder with a configuration, a command line that runs in it, and a store with something to look at."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector import config
from connector.cli import main
from connector.models import Fail, Hold, Skip
from connector.store import open_store
from tests.installation import TESTS, call, free_port, wait_for
from tests.store.conftest import arrive, event, settled, turn

TOKEN = "a-path-token-of-the-tests"
CONFIG = f"""\
server: {{host: 127.0.0.1, port: PORT}}
sources:
  flavours: {{auth: {{path_token: {TOKEN}}}}}
targets:
  crm: {{kind: csv, path: contacts.csv}}
syncs:
  crm_sync: {{source: flavours, actions: [customers.CREATE], mapping: csv, target: crm}}
"""


class Cli:
    "Run commands as a person would, in a folder of their own."

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments, stdin=None, env=None, color=False):
        "Run a command; `color`: as on a terminal, where click takes no escape code away."
        return CliRunner().invoke(main, [*map(str, arguments)], input=stdin, env=env, color=color)

    def json(self, *arguments, code=0):
        result = self(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def process(self, *arguments, **more):
        "Run a real process."
        return subprocess.run(
            command(*arguments), check=False, capture_output=True, text=True, timeout=60, env=environment(), **more
        )


def command(*arguments):
    return [sys.executable, "-m", "connector", *map(str, arguments)]


def environment():
    return {key: value for key, value in os.environ.items() if key != "CONNECTOR_CONFIG"} | {
        "PYTHONPATH": str(TESTS.parent)
    }


@pytest.fixture
def cli(tmp_path, monkeypatch):
    "The command line in an empty folder."
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONNECTOR_CONFIG", raising=False)
    monkeypatch.delenv("CONNECTOR_API_KEY", raising=False)
    return Cli(tmp_path)


@pytest.fixture
def home(cli):
    "The command line in a folder with a configuration and an empty store."
    from connector.bundled import bundled

    (cli.folder / "config.yaml").write_text(CONFIG.replace("PORT", str(free_port())))
    (cli.folder / "mappings").mkdir()
    (cli.folder / "mappings" / "csv.yaml").write_text((bundled("mappings") / "csv.yaml").read_text())
    assert cli("db", "upgrade").exit_code == 0
    return cli


@pytest.fixture
def store(home):
    "The store of that folder."
    opened = open_store(config.load(Path("config.yaml"), {}).database)
    opened.states.register(["crm"])
    yield opened
    opened.close()


@pytest.fixture
def ledger(store):
    "Four deliveries: d1 delivered, d2 held, d3 failed, d4 skipped; e5 is ignored, e6 rejected."
    for number in range(1, 5):
        arrive(store, f"x{number}", f"c{number}")
    claims = {claim.customer: claim for claim in turn(store).claims}
    ends = (
        settled(claims["c1"]),
        settled(claims["c2"], Hold("two contacts match", "two_matches")),
        settled(claims["c3"], Fail("the target refused \x1b[2Jthe data"), warnings=("email: left out",)),
        settled(claims["c4"], Skip("not wanted")),
    )
    turn(store, ends, limit=0)
    store.inbox.accept(event("x5", "c5"), b"{}", "flavours", ())
    store.inbox.reject("flavours", b"[]", "the body is JSON, but not an object", None, None)
    return store


@pytest.fixture
def door(home):
    "The real door of that folder, in a process of its own."
    port = config.load(Path("config.yaml"), {}).server.port
    with (home.folder / "door.log").open("wb") as log:
        process = subprocess.Popen(command("_door"), stdout=log, stderr=log, env=environment())
    wait_for(lambda: _up(port), 30)
    yield home
    process.terminate()
    assert process.wait(20) == 0


def _up(port):
    try:
        return call(port, "GET", "/healthz", timeout=2)[0] == 200
    except OSError:
        return False


@pytest.fixture
def elsewhere():
    "A server that is not our door."

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()

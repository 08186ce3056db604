"""The admin's rooms on a real store, with people of each role; served to a real browser where a test asks for one."""

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.security import generate_password_hash
from werkzeug.serving import WSGIRequestHandler, make_server

from connector.config import TargetConfig
from connector.delivery.alerts import Alerts
from connector.delivery.worker import Hooks, Worker
from connector.masking import Secret
from connector.store import open_store
from connector.targets.base import Around
from connector.targets.kinds import open_target
from connector.web.app import create_app
from tests import postgres
from tests.installation import wait_for

CHROMIUM = Path("/usr/bin/chromium")
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
PASSWORD = "a-password-of-the-tests"
HASH = generate_password_hash(PASSWORD)


@pytest.fixture
def admin_config(config, tmp_path):
    csv = TargetConfig("contacts", "csv", {"path": str(tmp_path / "book.csv")}, str(tmp_path / "config.yaml"), {})
    return replace(config, admin=True, secret_keys=(Secret("a-key-of-the-tests"),), targets={"contacts": csv})


@pytest.fixture
def clock():
    class Clock:
        now = 1_800_000_000_000

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def file(empty_store, tmp_path):
    (tmp_path / "connector.db").write_bytes(empty_store.read_bytes())
    return tmp_path / "connector.db"


@pytest.fixture
def database(request, file):
    "The store's address; a test that asks for it by BOTH is tried on PostgreSQL, too."
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{file}"
    else:
        with postgres.database() as fresh:
            yield fresh


@pytest.fixture
def store(database, clock):
    opened = open_store(database, clock, patience=0.5)
    for role in ("viewer", "operator", "editor"):
        opened.people.add(role, role, HASH)
    yield opened
    opened.close()


@pytest.fixture
def app(admin_config, store):
    return create_app(admin_config, store)


def answered(visitor, path):
    "Come again until a page no longer waits for a target's answer; return it."
    return wait_for(lambda: None if "being asked" in (page := visitor.get(path).text) else page)


class Visitor:
    "A browser without JavaScript: it keeps cookies and sends back the token of the form it was shown."

    def __init__(self, app, **environ):
        self.client = app.test_client()
        self.environ = {"REMOTE_ADDR": "203.0.113.7", **environ}

    def get(self, path, **more):
        return self.client.get(path, environ_overrides=self.environ, **more)

    def post(self, path, page="/admin/deliveries", **form):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)[1]
        return self.client.post(path, data={"csrf_token": token, **form}, environ_overrides=self.environ)

    def sign_in(self, name, password=PASSWORD):
        return self.post("/admin/sign-in", "/admin/sign-in", name=name, password=password)


@pytest.fixture
def visitor(app):
    return Visitor(app)


@pytest.fixture
def someone(app):
    def signed_in(role):
        visitor = Visitor(app)
        assert visitor.sign_in(role).status_code == 302
        return visitor

    return signed_in


@pytest.fixture
def send(app, url):
    "Send customers through the door as Flavours would."

    def post(body):
        answer = app.test_client().post(url, data=body)
        return int(answer.json["event"][1:])

    return post


class _Quiet(WSGIRequestHandler):
    def log(self, *_args):
        pass


@pytest.fixture
def address(app):
    "The rooms and the door on a port of this machine."
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def worker(admin_config, store):
    "A real worker that delivers to the contact book."
    stop, alerts = threading.Event(), Alerts(None, every=0)
    targets = {name: open_target(of, Around()) for name, of in admin_config.targets.items()}
    working = Worker(admin_config, store, targets, "w1", alerts, Hooks())
    thread = threading.Thread(target=working.run, args=(stop,))
    thread.start()
    yield working
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    alerts.close()


@pytest.fixture(scope="module")
def browser():
    "One browser for a file of tests; each page has a context, so cookies, of its own."
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[dev]'")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


def _wrong(said):
    "Tell whether the console says that something is wrong; that nothing is at /nowhere is right."
    return said.type in ("error", "warning") and not said.location["url"].endswith("/nowhere")


@pytest.fixture
def open_page(browser, address):
    "Open pages whose errors, and whatever their policy forbids, fail the test; signed in as one of a role."
    errors, contexts = [], []

    def opened(role=None, lang="en", **more):
        contexts.append(browser.new_context(base_url=address, **more))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if _wrong(said) else None)
        page.goto(f"/admin/sign-in?lang={lang}")
        if role:
            page.locator("input[name=name]").fill(role)
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("main button").click()
            page.wait_for_url("**/admin/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []

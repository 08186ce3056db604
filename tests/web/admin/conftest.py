"""The admin's rooms on a real store, with people of each role."""

import re
from dataclasses import replace

import pytest
from werkzeug.security import generate_password_hash

from connector.config import TargetConfig
from connector.masking import Secret
from connector.store import open_store
from connector.web.app import create_app

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
def database(file):
    return f"sqlite:///{file}"


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

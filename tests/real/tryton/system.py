"""A real Tryton 7.0 with the module `party`, on SQLite."""

import base64
import contextlib
import json
import os
import shutil
import urllib.request
from dataclasses import dataclass

from tests.installation import free_port
from tests.real.systems import answers, home, place, run, running, venv

REQUIREMENTS = ("trytond==7.0.59", "trytond-party==7.0.8", "bcrypt")
DATABASE, LOGIN, PASSWORD = "crm", "admin", "admin"
CONFIG = """\
[database]
uri = sqlite:///{folder}/
path = {folder}
[web]
listen = 127.0.0.1:{port}
[session]
authentications = password
[password]
length = 4
"""


@dataclass
class Tryton:
    "A running Tryton."

    url: str
    database: str = DATABASE
    login: str = LOGIN
    password: str = PASSWORD

    def call(self, method, *of, session=""):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Session {session}"} if session else {})
        body = json.dumps({"id": 1, "method": method, "params": of}).encode()
        request = urllib.request.Request(f"{self.url}/{self.database}/", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["result"]

    def parties(self, *fields):
        user, key = self.call("common.db.login", self.login, {"password": self.password}, "en")
        session = base64.b64encode(f"{self.login}:{user}:{key}".encode()).decode()
        asked = ([], 0, None, None, list(fields), {})
        return self.call("model.party.party.search_read", *asked, session=session)


@contextlib.contextmanager
def tryton():
    "Install what is not there yet, and run it on a fresh database."
    folder = home("tryton")
    venv(folder, *REQUIREMENTS)
    template = folder / "template.sqlite"
    if not template.exists():
        build(folder, template)
    with place("tryton") as own:
        shutil.copy(template, own / f"{DATABASE}.sqlite")
        port, log = free_port(), own / "trytond.log"
        config = written(own, port)
        command = [str(folder / "venv" / "bin" / "trytond"), "-c", str(config), "-d", DATABASE]
        with running(command, log, cwd=own) as process:
            answers(f"http://127.0.0.1:{port}/", process, log)
            yield Tryton(f"http://127.0.0.1:{port}")


def written(own, port):
    config = own / "trytond.conf"
    config.write_text(CONFIG.format(folder=own, port=port))
    return config


def build(folder, template):
    "Make the database with its module and its first user, once."
    with place("tryton-new") as own:
        (own / f"{DATABASE}.sqlite").touch()
        (own / "password").write_text(PASSWORD)
        admin = str(folder / "venv" / "bin" / "trytond-admin")
        install = [
            "--all",
            "-u",
            "party",
            "--activate-dependencies",
            "--email",
            "admin@example.com",
            "--language",
            "en",
        ]
        more = {"env": os.environ | {"TRYTONPASSFILE": str(own / "password")}, "cwd": own, "input": ""}
        run(
            "Tryton cannot make its database",
            admin,
            "-c",
            str(written(own, free_port())),
            "-d",
            DATABASE,
            *install,
            **more,
        )
        shutil.copy(own / f"{DATABASE}.sqlite", template)

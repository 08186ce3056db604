"""A real Radicale: an address book on CardDAV."""

import base64
import contextlib
import re
import urllib.request
from dataclasses import dataclass
from xml.etree import ElementTree

from tests.installation import free_port
from tests.real.systems import answers, home, place, running, venv

REQUIREMENTS = ("radicale==3.9.0",)
USER, PASSWORD = "sara", "radicale-password"
CONFIG = """\
[server]
hosts = 127.0.0.1:{port}
max_connections = 64
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
[storage]
filesystem_folder = {folder}/data
[rights]
type = owner_only
"""
BOOK = b"""<?xml version="1.0"?><create xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>
<resourcetype><collection/><C:addressbook/></resourcetype></prop></set></create>"""
ALL = b"""<?xml version="1.0"?><C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">
<D:prop><C:address-data/></D:prop></C:addressbook-query>"""


@dataclass
class Radicale:
    "A running Radicale with one address book."

    url: str
    username: str = USER
    password: str = PASSWORD

    def call(self, method, path="", body=None, **headers):
        proof = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {proof}", "Content-Type": "application/xml"} | headers
        request = urllib.request.Request(f"{self.url}/{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def cards(self):
        "The texts of all cards, unfolded, by their names."
        tree = ElementTree.fromstring(self.call("REPORT", body=ALL, Depth="1"))
        found = {one.findtext("{DAV:}href").rpartition("/")[2]: one.findtext(".//{*}address-data") for one in tree}
        return {name: re.sub(r"\r?\n[ \t]", "", text) for name, text in found.items()}


@contextlib.contextmanager
def radicale():
    "Install what is not there yet, and run it with an empty address book."
    python = venv(home("radicale"), *REQUIREMENTS)
    with place("radicale") as own:
        port, log = free_port(), own / "radicale.log"
        (own / "users").write_text(f"{USER}:{PASSWORD}\n")
        (own / "config").write_text(CONFIG.format(folder=own, port=port))
        with running([python, "-m", "radicale", "--config", str(own / "config")], log, cwd=own) as process:
            answers(f"http://127.0.0.1:{port}/", process, log)
            book = Radicale(f"http://127.0.0.1:{port}/{USER}/customers")
            book.call("MKCOL", body=BOOK)
            yield book

import csv
import re
from importlib import import_module
from pathlib import Path

import pytest
import responses

from connector.targets.csv import Csv
from tests.targets.lab import BASE, EMAIL, KEY, PHONE, SPELLED, TAX, TOKEN, Lab, Run, clock  # noqa: F401 - used beside
from tests.targets.said import known_in_arabic  # noqa: F401 - it hears every test
from tests.targets.stub_vendor import Vendor, served

VENDORS = sorted(
    folder.name for folder in Path(__file__).with_name("vendors").iterdir() if (folder / "lab.py").exists()
)
LABS = {name: import_module(f"tests.targets.vendors.{name}.lab").lab for name in VENDORS}
SETTINGS = {name: import_module(f"tests.targets.vendors.{name}.lab").settings for name in VENDORS}
MADE = {name: lab() for name, lab in LABS.items()}


def able(*abilities, without=()):
    "Return the kinds whose laboratory has these abilities."
    return [n for n, lab in MADE.items() if set(abilities) <= lab.can and not set(without) & lab.can]


class BookVendor(Vendor):
    "The contact book as a vendor: its rows."

    def __init__(self, path):
        super().__init__()
        self.path = path

    @property
    def contacts(self):
        if not self.path.exists():
            return {}
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            return {row["customer_id"]: row for row in csv.DictReader(file)}

    @contacts.setter
    def contacts(self, _):
        pass


@pytest.fixture
def mocked():
    "The vendors' answers by `responses`."
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def mount(mock, vendor):
    def reply(request):
        status, headers, body, _ = vendor.answer(request.method, request.url, request.headers, request.body)
        return status, headers, body

    for method in ("GET", "POST", "PUT", "PATCH", "REPORT"):
        mock.add_callback(method, re.compile(r"https://[\w.-]+\.example\.com/"), reply, content_type=None)


def mounted(kind, mock, **more):
    lab = LABS[kind](**more)
    mount(mock, lab.vendor)
    return lab


@pytest.fixture(params=able("http"))
def web(request, mocked):
    "Each kind over HTTP, in turn."
    return mounted(request.param, mocked)


@pytest.fixture
def rest(mocked):
    return mounted("rest", mocked)


@pytest.fixture
def qoyod(mocked):
    return mounted("qoyod", mocked)


def book_lab(path):
    return Lab("csv", BookVendor(path), lambda _: Csv(path), [], str(path), can=frozenset({"once", "customer"}))


@pytest.fixture
def book(tmp_path):
    return book_lab(tmp_path / "contacts.csv")


@pytest.fixture(params=["csv", *LABS])
def lab(request, mocked, tmp_path):
    "Each kind, in turn."
    if request.param == "csv":
        return book_lab(tmp_path / "contacts.csv")
    return mounted(request.param, mocked)


@pytest.fixture(params=able("http"))
def live(request):
    "Each kind over HTTP on a true socket, in turn."
    lab = LABS[request.param]()
    with served(lab.vendor) as base:
        yield lab.on(base)

import csv
import dataclasses
import re

import pytest
import responses

from connector.models import Upsert
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.csv import Csv
from connector.targets.qoyod import KIND as QOYOD
from connector.targets.qoyod import Qoyod
from connector.targets.rest import KIND as REST
from connector.targets.rest import Rest
from tests.targets.stub_vendor import QoyodVendor, RestVendor, served

BASE = "https://vendor.example.com/api"
TOKEN = "rest-token-0123456789"
PHONE, EMAIL, TAX = "+966551234567", "sara@example.com", "310122393500003"
MATCH = "{{{{ {} }}}}"


class Run:
    "What the worker would answer."

    def __init__(self, links=None, ours=True):
        self.links, self.ours, self.asked = links or {}, ours, 0

    def still_ours(self):
        self.asked += 1
        return self.ours

    def linked_to(self, remote_id):
        return self.links.get(remote_id)


def rung(field, blank):
    text = "{{ " + blank + " }}"
    return {"path": "/contacts", "query": {field: text}, "records": "items", "match": {field: text}, "id": "id"}


def rest_settings(base_url=BASE, **more):
    return {
        "base_url": base_url,
        "auth": {"bearer": TOKEN},
        "timeout": "700ms",
        "uncertain_wait": "7s",
        "find": [rung("external_id", "customer"), *(rung(f, f"record.{f}") for f in ("tax_number", "phone", "email"))],
        "fetch": {"path": "/contacts/{{ remote_id }}", "record": "contact"},
        "create": {"path": "/contacts", "envelope": "contact", "id": "contact.id"},
        "update": {"path": "/contacts/{{ remote_id }}", "envelope": "contact"},
        **more,
    }


def qoyod_settings(base_url=BASE, **more):
    return {"base_url": base_url, "api_key": "qoyod-key-0123456789", "timeout": "700ms", "uncertain_wait": "7s", **more}


@dataclasses.dataclass
class Lab:
    "A target, its vendor, and the words that differ between the kinds."

    kind: str
    vendor: object
    make: object
    slept: list
    base: str = BASE

    @property
    def phone(self):
        return "phone_number" if self.kind == "qoyod" else "phone"

    @property
    def target(self):
        return self.make(self.base)

    def request(self, customer="c1", phone=PHONE, email=EMAIL, tax=TAX, name="Sara Ahmed", **more):
        fields = {"tax_number": tax, self.phone: phone, "email": email}
        record = {"name": name, **{k: v for k, v in fields.items() if v}}
        if self.kind == "rest":
            record["external_id"] = customer
        match = tuple((k, v) for k, v in fields.items() if v)
        return Upsert(customer, record, match, f"key-of-{customer}", phones=frozenset({self.phone}), **more)

    def push(self, request=None, run=None, target=None):
        "Push one request; return its outcome."
        (outcome,) = (target or self.target).upsert([request or self.request()], run or Run())
        return outcome

    def contacts(self):
        return list(self.vendor.contacts.values())

    def seed(self, **fields):
        return self.vendor.seed(**{(self.phone if k == "phone" else k): v for k, v in fields.items()})

    def on(self, base):
        return dataclasses.replace(self, base=base)


class BookVendor:
    "The contact book as a vendor: its rows."

    def __init__(self, path):
        self.path = path

    @property
    def contacts(self):
        if not self.path.exists():
            return {}
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            return {row["customer_id"]: row for row in csv.DictReader(file)}


def clock(slept):
    return Clock(sleep=slept.append, jitter=lambda: 0.0)


def rest_lab(**more):
    slept = []
    make = lambda base: Rest(REST.schema.load(rest_settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    return Lab("rest", RestVendor(), make, slept)


def qoyod_lab(**more):
    slept = []
    make = lambda base: Qoyod(QOYOD.schema.load(qoyod_settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    return Lab("qoyod", QoyodVendor(), make, slept)


LABS = {"rest": rest_lab, "qoyod": qoyod_lab}


@pytest.fixture
def mocked():
    "The vendors' answers by `responses`."
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def mount(mock, vendor):
    def reply(request):
        status, headers, body, _ = vendor.answer(request.method, request.url, request.headers, request.body)
        return status, headers, body

    for method in ("GET", "POST", "PUT", "PATCH"):
        mock.add_callback(method, re.compile(re.escape(BASE)), reply, content_type=None)


@pytest.fixture(params=LABS)
def web(request, mocked):
    "Each kind over HTTP, in turn."
    lab = LABS[request.param]()
    mount(mocked, lab.vendor)
    return lab


@pytest.fixture
def rest(mocked):
    lab = rest_lab()
    mount(mocked, lab.vendor)
    return lab


@pytest.fixture
def qoyod(mocked):
    lab = qoyod_lab()
    mount(mocked, lab.vendor)
    return lab


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "contacts.csv"
    return Lab("csv", BookVendor(path), lambda _: Csv(path), [], str(path))


@pytest.fixture(params=["csv", *LABS])
def lab(request, mocked, tmp_path):
    "Each kind, in turn."
    if request.param == "csv":
        path = tmp_path / "contacts.csv"
        return Lab("csv", BookVendor(path), lambda _: Csv(path), [], str(path))
    lab = LABS[request.param]()
    mount(mocked, lab.vendor)
    return lab


@pytest.fixture(params=LABS)
def live(request):
    "Each kind over HTTP on a true socket, in turn."
    lab = LABS[request.param]()
    with served(lab.vendor) as base:
        yield lab.on(base)

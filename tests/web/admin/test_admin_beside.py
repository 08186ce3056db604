"""A held customer is shown beside what a real target has, over a true socket; one click decides."""

import threading
from dataclasses import replace

import pytest

from connector.config import TargetConfig
from connector.errors import ConnectorError
from connector.mapping import document
from connector.web.admin.errands import KEPT, LIMIT, MOST, Errands
from connector.web.app import create_app
from tests.targets.stub_vendor import Fault, served
from tests.targets.vendors.espocrm import lab as espo
from tests.web.admin.conftest import Visitor, answered
from tests.web.admin.test_admin_pages import person, settle

TEXT = """\
version: 1
kind: espocrm
match: [emailAddress]
fields:
  lastName: user.name
  emailAddress: user.email
  phoneNumber: {from: user.phone, use: phone}
"""


@pytest.fixture
def vendor():
    vendor = espo.EspocrmVendor()
    with served(vendor) as vendor.address:
        yield vendor


@pytest.fixture
def crm(admin_config, store, vendor):
    settings = espo.settings(vendor.address, allow_private=True)
    target = TargetConfig("crm", "espocrm", settings, "config.yaml", {})
    (sync,) = admin_config.syncs.values()
    sync = replace(sync, target="crm", mapping="espocrm")
    store.mappings.publish("espocrm", "espocrm", document.read(TEXT, "espocrm").hash, TEXT)
    return replace(admin_config, targets={"crm": target}, syncs={sync.name: sync})


@pytest.fixture
def operator(crm, store, url, customer):
    app = create_app(crm, store)
    app.test_client().post(url, data=person(customer))
    settle(store, "held", "several contacts have this emailAddress", "two_matches")
    operator = Visitor(app)
    operator.sign_in("operator")
    return operator


BESIDE = "/admin/held/1/beside"


def look(operator, **form):
    assert operator.post("/admin/held/1/look", page="/admin/held", **form).headers["Location"].startswith(BESIDE)
    return answered(operator, BESIDE)


def test_two_who_could_be_it_stand_beside_what_we_would_write(operator, vendor, store):
    first = vendor.seed(lastName="Sara A.", emailAddress="sara@example.com", phoneNumber="0551234567")
    second = vendor.seed(lastName="Sara Ahmed", emailAddress="sara@example.com", description="came by phone")
    before = {number: dict(row) for number, row in vendor.contacts.items()}
    assert "Compare with what is there" in operator.get("/admin/held").text
    page = look(operator)
    for shown in (first, second, "Sara A.", "came by phone", "+966551234567", "Last name", f"#Contact/view/{first}"):
        assert shown in page
    assert page.count('class="other"') == 2, "the name of the first, the phone that the second has not"
    assert vendor.contacts == before
    assert [(row["what"], row["about"]) for row in store.audit.list(1)] == [("look_there", "d1")]
    assert operator.post("/admin/held/1", page=BESIDE, how="link", remote_id=second).status_code == 200
    assert store.customers.links("customer-1", ["crm"])[0]["remote_id"] == second


def test_one_that_a_person_names_is_shown(operator, vendor, store):
    other = vendor.seed(lastName="Omar", emailAddress="omar@example.com")
    assert other not in look(operator)
    assert "omar@example.com" in look(operator, remote_id=other)
    assert store.audit.list(1)[0]["about"] == f"d1 {other}"


def test_nobody_there_is_said_and_what_the_target_says_too(operator, vendor):
    assert "has nobody who could be this customer" in look(operator)
    vendor.faults = [Fault("GET", status=403, body=b"{}")]
    page = look(operator)
    assert "could not be asked" in page
    assert "403" in page


def test_markup_in_what_the_target_has_stays_text(operator, vendor):
    vendor.seed(lastName="<script>alert(1)</script>", emailAddress="sara@example.com")
    page = look(operator)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_what_one_person_saw_is_not_shown_to_another(operator, vendor, crm, store):
    vendor.seed(lastName="Sara A.", emailAddress="sara@example.com")
    look(operator)
    editor = Visitor(create_app(crm, store))
    editor.client = operator.client.application.test_client()
    editor.sign_in("editor")
    assert "was not asked yet" in editor.get(BESIDE).text


def test_a_target_or_a_mapping_that_is_gone_is_said(crm, store, url, customer):
    app = create_app(replace(crm, targets={}, syncs={}), store)
    create_app(crm, store).test_client().post(url, data=person(customer))
    settle(store, "held", "", "no_target")
    operator = Visitor(app)
    operator.sign_in("operator")
    assert "not in the configuration any more" in look(operator)


def test_an_errand_that_takes_long_is_told_and_there_are_only_so_many():
    now, go = [0.0], threading.Event()
    errands = Errands(lambda: now[0])
    for number in range(MOST):
        assert errands.start(("a", str(number)), lambda: go.wait(30) and "done")
    assert errands.start(("a", "0"), lambda: "it is under way already")
    assert not errands.start(("a", "more"), lambda: "too many")
    assert errands.look(("a", "0")).state == "asking"
    now[0] = LIMIT + 1
    assert errands.look(("a", "0")).state == "late"
    go.set()
    for one in list(errands._known.values()):
        assert one.ended.wait(10)
    assert errands.look(("a", "0")).result == "done"
    now[0] = KEPT + 1
    assert errands.look(("a", "0")) is None


def test_what_an_errand_says_is_a_sentence_and_a_mistake_of_ours_shows_nothing(caplog):
    def fails():
        raise ConnectorError("a sentence")

    def breaks():
        raise ZeroDivisionError("sara@example.com")

    errands = Errands()
    for name, work in (("fails", fails), ("breaks", breaks)):
        assert errands.start((name,), work)
        errands._known[name,].ended.wait(10)
    assert (errands.look(("fails",)).state, errands.look(("fails",)).said) == ("failed", "a sentence")
    assert errands.look(("breaks",)).state == "broke"
    assert "sara" not in caplog.text
    assert "ZeroDivisionError" in caplog.text

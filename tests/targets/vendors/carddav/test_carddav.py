"""CardDAV's own ways: addresses, ETags, XML, and cards that others write too."""

from dataclasses import replace

import pytest

from connector.models import Fail, Hold, Retry
from connector.targets.base import Around
from connector.targets.vendors.carddav import KIND
from tests.targets.conftest import EMAIL, PHONE, TAX, mounted
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.carddav.lab import settings

SABRE = b'<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception</s:exception><s:message>%s</s:message></d:error>'


@pytest.fixture
def book(mocked):
    return mounted("carddav", mocked)


def made(lab, customer="c1", **fields):
    request = lab.request(customer)
    return replace(request, record=request.record | fields)


def test_a_card_lies_under_the_customers_id(book):
    outcome = book.push(made(book, ADR={"street": "King Fahd Road, 5", "locality": "الرياض", "code": "12211"}))
    assert outcome.remote_id == "c1.vcf"
    assert book.vendor.cards["c1.vcf"].split("\r\n") == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "UID:c1",
        "FN:Sara Ahmed",
        f"TEL:{PHONE}",
        f"EMAIL:{EMAIL}",
        f"X-VAT-NUMBER:{TAX}",
        r"ADR:;;King Fahd Road\, 5;الرياض;;12211;",
        "N:;Sara Ahmed;;;",
        "END:VCARD",
        "",
    ]
    put = book.vendor.said("PUT")[0]
    assert put.headers["If-None-Match"] == "*"
    assert put.headers["Content-Type"] == "text/vcard; charset=utf-8"


def test_the_version_is_a_setting(mocked):
    book = mounted("carddav", mocked, vcard="4.0")
    book.push()
    assert "VERSION:4.0\r\n" in book.vendor.cards["c1.vcf"]


def test_an_odd_customer_id_makes_a_plain_address(book):
    outcome = book.push(book.request("عميل 7/..", phone=None, email=None, tax=None))
    assert outcome.remote_id.isascii()
    assert len(outcome.remote_id) == len("x.vcf") + 40
    assert "UID:عميل 7/.." in book.vendor.cards[outcome.remote_id]


def test_a_card_that_a_phone_made_is_found_and_keeps_what_is_in_it(book):
    remote_id = book.seed(name="Sara", phone="055 123 4567", NOTE="likes qahwa", PHOTO="AAAA")
    outcome = book.push(book.request(tax=None))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    card = book.vendor.cards[remote_id]
    assert "NOTE:likes qahwa\r\nPHOTO:AAAA\r\n" in card
    assert f"UID:staff-{remote_id}\r\n" in card
    assert "TEL:055 123 4567\r\n" in card  # the same number, as they typed it


def test_a_card_that_somebody_writes_meanwhile_is_read_again(book):
    remote_id = book.seed(name="Sara", phone=PHONE)
    book.vendor.faults = [Fault("update", 412, b"Precondition failed.")]
    assert book.push().remote_id == remote_id
    assert len(book.vendor.said("PUT")) == 2


def test_a_card_that_somebody_writes_all_the_time_is_for_later(book):
    book.seed(name="Sara", phone=PHONE)
    book.vendor.faults = [Fault("update", 412, b"Precondition failed.")] * 3
    outcome = book.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")


def test_an_update_that_is_refused_otherwise_fails(book):
    book.seed(name="Sara", phone=PHONE)
    book.vendor.faults = [Fault("update", 415, SABRE % b"the validation error in vcard")]
    outcome = book.push()
    assert isinstance(outcome, Fail)
    assert "answered 415: the validation error in vcard" in outcome.reason


def test_a_card_deleted_between_look_and_write_is_made_anew(book):
    remote_id = book.seed(name="Sara", phone=PHONE)
    listed = book.vendor.listed

    def then_gone(request):
        answer = listed(request)
        book.vendor.cards.clear()
        return answer

    book.vendor.listed = lambda request: then_gone(request) if "TEL" in request.payload else listed(request)
    outcome = book.push(book.request(tax=None))
    assert (outcome.how, outcome.remote_id) == ("created", "c1.vcf")
    assert any(f"contact {remote_id}" in warning for warning in outcome.warnings)


def test_a_card_at_the_customers_address_that_no_question_finds_is_the_customers(book):
    book.push()
    book.vendor.listed = lambda _: book.vendor.says(207, b'<?xml version="1.0"?><multistatus xmlns="DAV:"/>')
    outcome = book.push(book.request(name="Sara Salem"))
    assert (outcome.how, outcome.remote_id) == ("updated", "c1.vcf")


def test_a_card_elsewhere_with_the_customers_uid_is_held(book):
    book.vendor.cards["moved.vcf"] = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Sara\r\nEND:VCARD\r\n"
    book.vendor.listed = lambda _: book.vendor.says(207, b'<multistatus xmlns="DAV:"/>')
    outcome = book.push()
    assert (type(outcome), outcome.code) == (Hold, "already_there")
    assert "another card has this customer's UID" in outcome.reason


def test_a_card_that_was_moved_is_found_by_its_uid(book):
    book.vendor.cards["moved.vcf"] = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Sara\r\nEND:VCARD\r\n"
    assert book.push().remote_id == "moved.vcf"


def test_the_mapping_may_give_the_uid(book):
    book.push(made(book, UID="flavours-c1"))
    assert "UID:flavours-c1\r\n" in book.vendor.cards["c1.vcf"]


def test_no_address_book_holds_the_target(book):
    book.vendor.missing = True
    outcome = book.push()
    assert (outcome.spent, outcome.trouble.kind) == (False, "refused")
    assert "there is no address book at base_url" in outcome.reason
    assert book.push(book.request(create_anyway=True)).trouble.kind == "refused"
    check = book.target.check()
    assert not check.ok


@pytest.mark.parametrize(
    "body",
    [
        SABRE % b"not found",
        b'<!DOCTYPE x [<!ENTITY a "b">]><multistatus xmlns="DAV:"/>',
        b'<d:multistatus xmlns:d="DAV:">',
        b'<other xmlns="urn:x"/>',
    ],
)
def test_what_is_no_list_of_cards_is_no_answer(book, body):
    book.vendor.faults = [Fault("REPORT", 207, body)] * 3
    outcome = book.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")
    assert "no list of cards" in outcome.reason


def test_a_card_that_is_none_is_no_answer(book):
    name = book.seed(name="Sara", phone=PHONE)
    book.vendor.faults = [Fault("GET", 200, b"hello")] * 3
    outcome = book.push(book.request(remote_id=name))
    assert (type(outcome), outcome.trouble.kind) == (Retry, "sick")


def test_a_card_that_cannot_be_read_now_is_not_gone(book):
    name = book.seed(name="Sara", phone=PHONE)
    book.vendor.faults = [Fault("GET", 400, b"Bad Request")]
    assert isinstance(book.push(book.request(remote_id=name)), Fail)


def test_a_card_that_is_no_card_in_the_list_is_passed_over(book):
    book.vendor.cards["broken.vcf"] = "hello"
    book.vendor.fits = lambda *_: True
    assert book.push().how == "created"


def test_a_create_without_a_plain_yes_may_have_been_one(book):
    book.vendor.faults = [Fault("create", 202, b"later", commits=True)] * 3
    outcome = book.push()
    assert (type(outcome), outcome.maybe_sent) == (Retry, True)


def test_a_book_without_etags_is_written_without_them(book):
    book.seed(name="Sara", phone=PHONE)
    book.vendor.etag = lambda _: ""
    assert book.push().how == "updated"
    assert "If-Match" not in book.vendor.said("PUT")[0].headers


def test_a_wrong_field_fails_at_once(book):
    outcome = book.push(made(book, ADR={"city": "Riyadh"}))
    assert isinstance(outcome, Fail)
    assert "ADR.city: ADR has only" in outcome.reason
    assert book.vendor.requests == []


def test_the_check_names_wrong_fields(book):
    check = book.target.check(["FN", "ADR.street", "ADR.city", "N.given", "email", "TEL", "TEL.x"])
    assert not check.ok
    assert check.lines == (
        "vendor.example.com answers and takes the password",
        "email: a vCard's properties are written in capitals, as in FN, TEL, ADR",
        "ADR.city: ADR has only box, extended, street, locality, region, code, country",
    )
    assert book.target.check(["FN", "EMAIL"]).ok


def test_the_account_is_the_book_and_its_user(book):
    of = lambda **more: KIND.open(None, KIND.schema.load(settings(**more)), Around()).account  # noqa: E731
    assert of(password="another") == of() == book.target.account
    assert of(username="omar") != of()


def test_a_card_that_is_there_since_we_looked_is_the_customers(book):
    "Our own earlier try, which arrived after all."
    book.vendor.faults = [Fault("create", 412, b"Precondition failed.", commits=True)]
    outcome = book.push()
    assert (outcome.how, outcome.remote_id) == ("unchanged", "c1.vcf")
    assert len(book.contacts()) == 1

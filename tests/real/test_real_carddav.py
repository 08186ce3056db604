"""A real Radicale 3.9 behind the real server and worker."""

from tests.real.connecting import customer, name, send, settled, states, twice

ALL = 200


def settings(book):
    return {"base_url": book.url, "username": book.username, "password": book.password}


def test_two_hundred_customers_sixteen_at_once_each_twice(book, connect):
    installed = connect("carddav", **settings(book))
    send(installed, twice(ALL))
    rows = settled(installed, 2 * ALL)
    assert states(rows) == {"delivered": 2 * ALL}
    cards = book.cards()
    assert sorted(cards) == sorted(f"real-customer-{n}.vcf" for n in range(ALL))
    for n in range(ALL):
        assert f"FN:{name(n)}" in cards[f"real-customer-{n}.vcf"]
        assert "ADR:;العليا;طريق الملك فهد;الرياض;;12211;Saudi Arabia" in cards[f"real-customer-{n}.vcf"]


def test_a_card_that_a_phone_made_is_found_and_keeps_what_is_in_it(book, connect):
    theirs = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:of-the-phone\r\nFN:Noura\r\nN:;Noura;;;\r\nTEL;TYPE=CELL:055 200 0001\r\nNOTE:likes qahwa\r\nEND:VCARD\r\n"
    book.call("PUT", "of-the-phone.vcf", theirs.encode(), **{"Content-Type": "text/vcard; charset=utf-8"})
    installed = connect("carddav", **settings(book))
    send(installed, [customer(1000001)])
    (row,) = settled(installed, 1)
    assert (row["state"], row["remote_id"]) == ("delivered", "of-the-phone.vcf")
    card = book.cards()["of-the-phone.vcf"]
    for line in ("UID:of-the-phone", "FN:Noura", "TEL;TYPE=CELL:055 200 0001", "NOTE:likes qahwa"):
        assert line in card
    assert "EMAIL:customer-1000001@example.com" in card


def test_a_card_in_version_4(book, connect):
    installed = connect("carddav", vcard="4.0", **settings(book))
    send(installed, [customer(n, again) for n in (2000, 2001) for again in ("", "-again")])
    assert states(settled(installed, 4)) == {"delivered": 4}
    assert "VERSION:4.0" in book.cards()["real-customer-2000.vcf"]


def test_an_address_book_that_is_not_there_holds_the_target(book, connect):
    installed = connect("carddav", **settings(book) | {"base_url": book.url.replace("customers", "nothing")})
    code, out, _ = installed.cli("targets", "check", "real")
    assert code == 1
    assert "there is no address book at base_url" in out

"""What people type to get past a form is doubted; it never makes two strangers one contact."""

import pytest

from connector.mapping.fold import fold
from connector.mapping.transforms import NOWHERE, TRANSFORMS

TYPED = ("test12@gmail.com", "guest1@x.sa", "a@a.com", "no@no.com", "123@123.com", "aaa@gmail.com", "1111@x.sa")
NOBODY, MADE_UP = "looks like nobody's name", "looks made up (one digit all over)"


@pytest.mark.parametrize(
    "name",
    [
        "Guest",
        " guest ",
        "GUEST 12",
        "User 1",
        "user_7",
        "Walk-in customer",
        "ضيف",
        "ضَيف",
        "ضيـف ٣",
        "زائر",
        "بدون اسم",
        "test",
        "N/A",
        "HungerStation",
        "Jahez 1042",
        "هنقرستيشن",
        "كِيتا",
        "aaaa",
        "ممممم",
    ],
)
def test_nobodys_name(name):
    result = TRANSFORMS["name"].run(name, {}, NOWHERE)
    assert (result.value, result.valid, result.junk, result.warning) == (" ".join(name.split()), False, True, NOBODY)


@pytest.mark.parametrize("name", [".", "-", "0551234567", "١٢٣"])
def test_a_name_without_a_letter(name):
    assert TRANSFORMS["name"].run(name, {}, NOWHERE).warning == "holds no letter"


@pytest.mark.parametrize(
    "name", ["Sara Ahmed", "نورة", "Guestave", "Test Omar", "Li", "Aa", "Oo Oo Ahmed", "Usera 1", "جاهز العتيبي"]
)
def test_somebodys_name(name):
    assert TRANSFORMS["name"].run(name, {}, NOWHERE) == (name, True, None, False)


@pytest.mark.parametrize("phone", ["0500000000", "0555555555", "+966500000000", "٠٥٠٠٠٠٠٠٠٠", "0511111111"])
def test_a_phone_of_one_digit_is_made_up(phone):
    result = TRANSFORMS["phone"].run(phone, {"prefix": "966"}, NOWHERE)
    assert (result.valid, result.junk, result.warning) == (False, True, MADE_UP)
    assert result.value.startswith("+9665")


@pytest.mark.parametrize("address", ["test@test.com", "NoEmail@example.com", "guest@x.sa", "none@none.com", *TYPED])
def test_nobodys_mailbox(address):
    result = TRANSFORMS["email"].run(address, {}, NOWHERE)
    assert (result.valid, result.junk) == (False, True)


@pytest.mark.parametrize(
    "address",
    ["sara@example.com", "na12@example.com", "noor@noor.sa", "stc@stc.com.sa", "tests@example.com", "ab@example.com"],
)
def test_somebodys_mailbox(address):
    assert TRANSFORMS["email"].run(address, {}, NOWHERE) == (address, True, None, False)


@pytest.mark.parametrize("address", ["[email protected]", "s***@gmail.com"])
def test_a_masked_address(address):
    result = TRANSFORMS["email"].run(address, {}, NOWHERE)
    assert (result.valid, result.junk, result.warning) == (False, False, "is a masked e-mail address")


FIELDS = """\
    name: {{from: user.name, use: {name}}}
    phone: {{from: user.phone, use: {phone}}}
    email: {{from: user.email, use: {email}}}
"""
GUEST = {"user": {"name": "Guest", "phone_prefix": "966", "phone": "0500000000", "email": "test@test.com"}}


def test_by_default_a_guest_is_sent_with_warnings_and_matches_nobody(mapped):
    result = mapped(FIELDS.format(name="name", phone="phone", email="email"), GUEST, "match: [phone, email, name]\n")
    assert result.record == {"name": "Guest", "phone": "+966500000000"}
    assert (result.match, result.phones, result.hold) == ((), frozenset(), None)
    assert result.warnings == (
        "name: user.name looks like nobody's name; sent all the same",
        "phone: user.phone looks made up (one digit all over); sent all the same",
        "email: user.email looks like nobody's e-mail address; left out",
    )


@pytest.mark.parametrize(("word", "field"), [("name", "name"), ("phone", "phone"), ("email", "email")])
@pytest.mark.parametrize("then", ["raw", "drop", "hold"])
def test_on_junk_decides(mapped, word, field, then):
    words = {"name": "name", "phone": "phone", "email": "email"} | {word: f"{{{word}: {{on_junk: {then}}}}}"}
    result = mapped(FIELDS.format(**words), GUEST)
    assert (field in result.record) is (then == "raw")
    assert bool(result.hold) is (then == "hold")
    assert not result.hold or result.hold.startswith(f"{field}: user.{field} looks")


def test_on_junk_is_not_on_invalid(mapped):
    fields = "phone: {from: user.phone, use: {phone: {on_junk: hold, on_invalid: drop}}}"
    assert mapped(fields, GUEST).hold
    short = mapped(fields, {"user": {"phone_prefix": "966", "phone": "123"}})
    assert (short.hold, short.record) == (None, {})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("الرِّيَـــاض", "الرياض"),
        ("  RIYADH ", "riyadh"),
        ("مكة", "مكه"),
        ("أحمد", "احمد"),
        ("إبراهيم", "ابراهيم"),
        ("مصطفى", "مصطفي"),
        ("علی", "علي"),
        ("José", "jose"),
        ("Straße", "STRASSE"),
        ("١٢٣", "123"),
        ("a \n b", "a b"),
    ],
)
def test_two_ways_to_write_the_same_compare_equal(a, b):
    assert fold(a) == fold(b)


@pytest.mark.parametrize(("a", "b"), [("الرياض", "الدمام"), ("a b", "ab"), ("", "a"), ("على", "علا")])
def test_other_words_stay_apart(a, b):
    assert fold(a) != fold(b)


def test_maps_and_conditions_compare_folded_and_send_as_typed(mapped):
    fields = """\
        city: {from: city, map: {الرياض: Riyadh, Jeddah: Jeddah}, default: other}
        kind: {if: 'type == "Company"', then: company, else: person}
        vip: {if: 'type in ["VIP", "Company"]', then: "yes", else: "no"}
        typed: city
    """
    result = mapped(fields, {"city": "الرِّياض", "type": "COMPANY "})
    assert result.record == {"city": "Riyadh", "kind": "company", "vip": "yes", "typed": "الرِّياض"}
    assert mapped(fields, {"city": " jeddah"}).record["city"] == "Jeddah"

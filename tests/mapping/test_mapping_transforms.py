"""The other words of `use`: e-mail, Saudi numbers, dates, names and plain text."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.mapping.transforms import NOWHERE, TRANSFORMS
from connector.mapping.transforms.dates import bad_format, bad_zone
from tests.mapping.conftest import unhurried


def run(name, value, **options):
    return TRANSFORMS[name].run(value, options, NOWHERE)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lower", "ABc", "abc"),
        ("upper", "abC", "ABC"),
        ("strip", "  a b ", "a b"),
        ("digits", "a-١٢3 ۴", "1234"),
        ("first_word", "  Sara  Ahmed Ali", "Sara"),
        ("rest_words", "  Sara  Ahmed Ali", "Ahmed Ali"),
        ("rest_words", "Sara", ""),
        ("first_word", " ", ""),
        ("email", " user1@Example.COM ", "user1@example.com"),
        ("email", "محمد@مثال.السعودية", "محمد@مثال.السعودية"),
        ("saudi_vat", "310122393500003", "310122393500003"),
        ("saudi_vat", "399999999900003", "399999999900003"),  # ZATCA's sample fails any check digit
        ("saudi_vat", "3101 2239-3500 003", "310122393500003"),
        ("saudi_vat", "٣١٠١٢٢٣٩٣٥٠٠٠٠٣", "310122393500003"),
        ("crn", "1010010000", "1010010000"),
        ("crn", "7015 000-000", "7015000000"),
        ("crn", "١٠١٠٠١٠٠٠٠", "1010010000"),
        ("date", "1705548163869", "2024-01-18"),
        ("date", "1705527000000", "2024-01-18"),  # 21:30 UTC the day before is after midnight in Riyadh
        ("date", "-1", "1970-01-01"),
        ("date", "2024-01-17T21:30:00", "2024-01-18"),
        ("date", "2024-01-18T00:30:00+03:00", "2024-01-18"),
        ("date", "20240118", "2024-01-18"),  # a day, not twenty million milliseconds
        ("date", "٢٠٢٤-٠١-١٨", "2024-01-18"),
    ],
)
def test_a_good_value_is_written_right(name, value, expected):
    result = run(name, value)
    assert (result.value, result.valid, result.warning) == (expected, True, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("digits", "none"),
        ("email", "[email protected]"),
        ("email", "x@localhost"),
        ("email", "a@b@example.com"),
        ("email", "x" * 5000 + "@example.com"),
        ("saudi_vat", "123"),
        ("saudi_vat", "310122393500004"),
        ("saudi_vat", "31012239350000３x"),
        ("crn", "123456789"),
        ("crn", "CR 1010010000"),
        ("date", "soon"),
        ("date", "9" * 18),
        ("date", "9" * 40),
        ("date", "253402300799999"),  # the last millisecond of year 9999 is past it in Riyadh
    ],
)
def test_a_bad_value_keeps_its_text_and_says_why(name, value):
    result = run(name, value)
    assert (result.value, result.valid) == (value, False)
    assert result.warning.startswith(("is not ", "holds no ", "is a masked "))
    assert value not in result.warning


def test_a_date_takes_a_format_and_a_time_zone():
    assert run("date", "1705527000000", format="%d/%m/%Y %H:%M", timezone="UTC").value == "17/01/2024 21:30"


@pytest.mark.parametrize("text", ["%Y", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y 100%%"])
def test_plain_date_formats_are_taken(text):
    assert bad_format(text) is None


@pytest.mark.parametrize("text", ["%999999999d", "%-d", "%", "%Q", "today", "%Y" * 40, "%s"])
def test_other_date_formats_are_refused(text):
    assert "date format" in bad_format(text)


@pytest.mark.parametrize("text", ["UTC", "Asia/Riyadh"])
def test_time_zones_are_taken(text):
    assert bad_zone(text) is None


@pytest.mark.parametrize("text", ["Mars/Base", "../../etc/passwd", "/etc/passwd", "", "Asia", "a\0b"])
def test_unknown_time_zones_are_refused(text):
    assert "time zone" in bad_zone(text)


@unhurried
@given(st.sampled_from(sorted(TRANSFORMS)), st.text())
def test_a_transform_takes_any_text(name, text):
    result = run(name, text, **({"shape": "0###*|@@"} if name == "only_if" else {}))
    assert result.valid or result.warning


@pytest.mark.parametrize("zone", ["Asia/Riyadh", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_a_birthday_is_the_same_day_everywhere(zone):
    assert run("date", "1990-05-01", timezone=zone).value == "1990-05-01"


@pytest.mark.parametrize(
    "address", ["sara@mail.test", "sara@here.local", "SALES@Example.com", "a@b-.co", "a@xn--p1ai.com"]
)
def test_what_is_not_plain_is_left_to_the_library(address):
    assert run("email", address)[:2] == by_the_library(address)


LABEL = st.text("abz09-", min_size=1, max_size=5)
ADDRESS = st.tuples(
    st.lists(st.text("abzAZ09_+-.'", min_size=1, max_size=6), min_size=1, max_size=3).map(".".join),
    st.lists(LABEL | st.sampled_from(["Example", "xn--a", "test", "local"]), min_size=1, max_size=3).map(".".join),
).map("@".join)


@unhurried
@given(ADDRESS | st.emails())
def test_a_plain_address_is_read_as_the_library_reads_it(address):
    result = run("email", address)
    assume(not result.junk and "*" not in address)  # what is doubted beyond the library
    assert result[:2] == by_the_library(address)


def by_the_library(address):
    try:
        return validate_email(address, check_deliverability=False).normalized, True
    except EmailNotValidError:
        return address, False

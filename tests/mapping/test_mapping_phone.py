"""Phones: every way people type one, and never a guessed country."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.mapping.transforms import NOWHERE, TRANSFORMS, Context, same_phone, spellings
from tests.mapping.conftest import unhurried

SAUDI = "+966551234567"
VALID = [
    ("966", "0551234567", SAUDI),
    ("966", "551234567", SAUDI),
    ("966", "+966551234567", SAUDI),
    ("966", "+966 55 123 4567", SAUDI),
    ("966", "00966551234567", SAUDI),
    ("966", "00966 55 123 4567", SAUDI),
    ("966", "966551234567", SAUDI),
    ("966", "9660551234567", SAUDI),
    ("966", "+9660551234567", SAUDI),
    ("966", "+966 (0) 55 123 4567", SAUDI),
    ("966", "009660551234567", SAUDI),
    ("966", "966966551234567", SAUDI),
    ("966", "+966966551234567", SAUDI),
    ("966", "9669660551234567", SAUDI),
    ("966", "00966966551234567", SAUDI),
    ("966", "966551234567+", SAUDI),
    ("966", "+00966551234567", SAUDI),
    ("966", "+0551234567", SAUDI),
    ("966", "0966551234567", SAUDI),
    ("966", "000966551234567", SAUDI),
    ("966", "055-123-4567", SAUDI),
    ("966", "055.123.4567", SAUDI),
    ("966", "(055) 123 4567", SAUDI),
    ("966", "055/1234567", SAUDI),
    ("966", "055\u00a0123\u00a04567", SAUDI),
    ("966", "055\u2011123\u20114567", SAUDI),
    ("966", "\u202a+966551234567\u202c", SAUDI),
    ("966", " 0551234567\n", SAUDI),
    ("966", "٠٥٥١٢٣٤٥٦٧", SAUDI),
    ("966", "۰۵۵۱۲۳۴۵۶۷", SAUDI),
    ("966", "０５５１２３４５６７", SAUDI),
    ("966", "+٩٦٦ ٥٥ ١٢٣ ٤٥٦٧", SAUDI),
    ("٩٦٦", "٥٥١٢٣٤٥٦٧", SAUDI),
    ("+966", "0551234567", SAUDI),
    ("00966", "0551234567", SAUDI),
    (" 966 ", "0551234567", SAUDI),
    ("", "+966551234567", SAUDI),
    ("", "00966551234567", SAUDI),
    ("abc", "+966551234567", SAUDI),
    ("966", "0112345678", "+966112345678"),
    ("966", "920012345", "+966920012345"),
    ("966", "+96555223322", "+96555223322"),
    ("966", "0096555223322", "+96555223322"),
    ("966", "+44 20 7946 0958", "+442079460958"),
    ("965", "55223322", "+96555223322"),
    ("965", "96555223322", "+96555223322"),
    ("974", "55223322", "+97455223322"),
    ("973", "36001234", "+97336001234"),
    ("968", "92123456", "+96892123456"),
    ("971", "0501234567", "+971501234567"),
    ("971", "971501234567", "+971501234567"),
    ("967", "0712345678", "+967712345678"),
    ("962", "0790123456", "+962790123456"),
    ("20", "01001234567", "+201001234567"),
    ("20", "201001234567", "+201001234567"),
    ("91", "9876543210", "+919876543210"),
    ("91", "9198765432", "+919198765432"),  # begins like its prefix, and is whole as it is
    ("91", "919198765432", "+919198765432"),
    ("92", "03012345678", "+923012345678"),
    ("880", "01812345678", "+8801812345678"),
    ("63", "09051234567", "+639051234567"),
    ("7", "89161234567", "+79161234567"),
    ("39", "0612345678", "+390612345678"),  # Italy keeps its 0
    ("1", "2015550123", "+12015550123"),
]
INVALID = [
    ("966", "55223322", "+96655223322"),  # the documented sample; a real number in Kuwait and Qatar
    ("966", "96655223322", "+96655223322"),
    ("966", "+96655223322", "+96655223322"),
    ("966", "889773809", "+966889773809"),
    ("966", "123", "+966123"),
    ("966", "+551234567", "+551234567"),
    ("966", "0551234567 0559876543", "+96605512345670559876543"),
    ("971", "966551234567", "+971966551234567"),
    ("999", "551234567", "+999551234567"),
    ("", "0551234567", "0551234567"),
    ("", "551234567", "551234567"),
    ("", "966551234567", "966551234567"),
    ("SA", "0551234567", "0551234567"),
    ("0", "0551234567", "0551234567"),
    ("966", "055123456x7", "055123456x7"),
    ("966", "mobile 0551234567", "mobile 0551234567"),
    ("966", "055+1234567", "055+1234567"),
    ("966", "0551234567,0559876543", "0551234567,0559876543"),
    ("966", "0551234567 0559876543 1", None),
    ("966", "0000000000", None),
    ("966", "unknown", None),
    ("966", "-", None),
    ("966", "9" * 30, None),
    ("966", "9" * 5000, None),
]


def phone(text, prefix="966", source="user.phone"):
    return TRANSFORMS["phone"].run(text, {}, Context(source, {"user.phone_prefix": prefix}.get))


def test_the_table_is_long_enough():
    assert len(VALID) + len(INVALID) >= 60


@pytest.mark.parametrize(("prefix", "typed", "expected"), VALID)
def test_a_number_however_typed_is_written_as_e164(prefix, typed, expected):
    result = phone(typed, prefix)
    assert (result.value, result.valid, result.warning) == (expected, True, None)


@pytest.mark.parametrize(("prefix", "typed", "raw"), INVALID)
def test_what_is_no_number_stays_as_typed_with_a_warning(prefix, typed, raw):
    result = phone(typed, prefix)
    assert (result.value, result.valid) == (raw, False)
    assert result.warning


def test_the_option_prefix_may_be_digits_or_a_field():
    look = {"data.country": "965"}.get
    assert TRANSFORMS["phone"].run("55223322", {"prefix": "965"}, NOWHERE).value == "+96555223322"
    assert TRANSFORMS["phone"].run("55223322", {"prefix": "data.country"}, Context(None, look)).value == "+96555223322"


def test_without_a_field_there_is_no_prefix():
    assert not TRANSFORMS["phone"].run("0551234567", {}, NOWHERE).valid


PIECES = ["0", "00", "+", "5", "966", "123", "0551234567", "55223322", " ", "٠", "x"]
TYPED = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text("0123456789+- ٠٥٦٩x", max_size=20)


@unhurried
@given(TYPED, st.sampled_from(["966", "965", "971", "1", "39", "7", ""]))
@example("00", "966")
@example("+", "966")
@example("0096", "966")
@example("966" * 5, "966")
def test_phone_is_idempotent_and_never_guesses(typed, prefix):
    first = phone(typed, prefix)
    if first.value is not None:
        second = phone(first.value, prefix)
        assert (second.value, second.valid) == (first.value, first.valid)
    if first.valid and "+" not in typed and "00" not in typed.translate(str.maketrans("٠", "0", "- ")):
        assert first.value.startswith(f"+{prefix}")


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+966551234567", ("+966551234567", "966551234567", "00966551234567", "0551234567", "551234567")),
        ("+96555223322", ("+96555223322", "96555223322", "0096555223322", "55223322")),
        ("+390612345678", ("+390612345678", "390612345678", "00390612345678", "0612345678")),
        ("nonsense", ("nonsense",)),
    ],
)
def test_spellings_are_the_usual_ways_to_type_a_number(e164, expected):
    assert spellings(e164) == expected


@pytest.mark.parametrize("spelling", spellings(SAUDI))
def test_every_spelling_is_the_same_phone(spelling):
    assert same_phone(SAUDI, spelling)


@pytest.mark.parametrize(
    ("a", "b"), [(SAUDI, "0551234568"), (SAUDI, ""), ("", ""), ("123", "123"), ("+96555223322", "0551234567")]
)
def test_other_or_impossible_numbers_are_not_the_same(a, b):
    assert not same_phone(a, b)


def test_the_region_decides_how_a_local_number_is_read():
    assert same_phone("+96555223322", "55223322", "965")
    assert not same_phone("+96555223322", "55223322")

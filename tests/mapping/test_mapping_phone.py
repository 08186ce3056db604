"""Phones: every way people type one, and never a guessed country."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.mapping.transforms import NOWHERE, TRANSFORMS, Context, same_phone, spellings
from connector.mapping.transforms.phone import _MOBILE, spaced
from tests.mapping.conftest import unhurried

SAUDI = "+966551234567"
INVALID, IMPOSSIBLE = "is not a valid phone number", "is not a possible phone number"
NONE, NO_PREFIX = "is not a phone number", "has no country prefix"
MADE_UP = "looks made up (one digit all over)"
# The prefix, what was typed, what is sent, the warning, and the country that phonenumbers names for what is sent.
TABLE = [
    ("966", "0551234567", SAUDI, None, "SA"),
    ("966", "551234567", SAUDI, None, "SA"),
    ("966", SAUDI, SAUDI, None, "SA"),
    ("966", "+966 55 123 4567", SAUDI, None, "SA"),
    ("966", "00966551234567", SAUDI, None, "SA"),
    ("966", "00966 55 123 4567", SAUDI, None, "SA"),
    ("966", "966551234567", SAUDI, None, "SA"),
    ("966", "9660551234567", SAUDI, None, "SA"),
    ("966", "+9660551234567", SAUDI, None, "SA"),
    ("966", "+966 (0) 55 123 4567", SAUDI, None, "SA"),
    ("966", "009660551234567", SAUDI, None, "SA"),
    ("966", "966966551234567", SAUDI, None, "SA"),
    ("966", "+966966551234567", SAUDI, None, "SA"),
    ("966", "9669660551234567", SAUDI, None, "SA"),
    ("966", "00966966551234567", SAUDI, None, "SA"),
    ("966", "966551234567+", SAUDI, None, "SA"),
    ("966", "+00966551234567", SAUDI, None, "SA"),
    ("966", "+0551234567", SAUDI, None, "SA"),
    ("966", "0966551234567", SAUDI, None, "SA"),
    ("966", "000966551234567", SAUDI, None, "SA"),
    ("966", "055-123-4567", SAUDI, None, "SA"),
    ("966", "055.123.4567", SAUDI, None, "SA"),
    ("966", "(055) 123 4567", SAUDI, None, "SA"),
    ("966", "055/1234567", SAUDI, None, "SA"),
    ("966", "055\xa0123\xa04567", SAUDI, None, "SA"),
    ("966", "055\u2011123\u20114567", SAUDI, None, "SA"),
    ("966", "\u202a+966551234567\u202c", SAUDI, None, "SA"),
    ("966", " 0551234567\n", SAUDI, None, "SA"),
    ("966", "٠٥٥١٢٣٤٥٦٧", SAUDI, None, "SA"),
    ("966", "۰۵۵۱۲۳۴۵۶۷", SAUDI, None, "SA"),
    ("966", "０５５１２３４５６７", SAUDI, None, "SA"),
    ("966", "+٩٦٦ ٥٥ ١٢٣ ٤٥٦٧", SAUDI, None, "SA"),
    ("٩٦٦", "٥٥١٢٣٤٥٦٧", SAUDI, None, "SA"),
    ("+966", "0551234567", SAUDI, None, "SA"),
    ("00966", "0551234567", SAUDI, None, "SA"),
    (" 966 ", "0551234567", SAUDI, None, "SA"),
    ("", SAUDI, SAUDI, None, "SA"),
    ("", "00966551234567", SAUDI, None, "SA"),
    ("abc", SAUDI, SAUDI, None, "SA"),
    ("966", "0112345678", "+966112345678", None, "SA"),
    ("966", "920012345", "+966920012345", None, "SA"),
    ("966", "+96555223322", "+96555223322", None, "KW"),
    ("966", "0096555223322", "+96555223322", None, "KW"),
    ("966", "+44 20 7946 0958", "+442079460958", None, "GB"),
    ("965", "55223322", "+96555223322", None, "KW"),
    ("965", "96555223322", "+96555223322", None, "KW"),
    ("974", "55223322", "+97455223322", None, "QA"),
    ("973", "36001234", "+97336001234", None, "BH"),
    ("968", "92123456", "+96892123456", None, "OM"),
    ("971", "0501234567", "+971501234567", None, "AE"),
    ("971", "971501234567", "+971501234567", None, "AE"),
    ("967", "0712345678", "+967712345678", None, "YE"),
    ("962", "0790123456", "+962790123456", None, "JO"),
    ("20", "01001234567", "+201001234567", None, "EG"),
    ("20", "201001234567", "+201001234567", None, "EG"),
    ("91", "9876543210", "+919876543210", None, "IN"),
    ("91", "9198765432", "+919198765432", None, "IN"),  # begins like its prefix, and is whole as it is
    ("91", "919198765432", "+919198765432", None, "IN"),
    ("92", "03012345678", "+923012345678", None, "PK"),
    ("880", "01812345678", "+8801812345678", None, "BD"),
    ("63", "09051234567", "+639051234567", None, "PH"),
    ("7", "89161234567", "+79161234567", None, "RU"),
    ("39", "0612345678", "+390612345678", None, "IT"),  # Italy keeps its 0
    ("1", "2015550123", "+12015550123", None, "US"),
    ("966", "55223322", "+96655223322", IMPOSSIBLE, None),  # the documented sample; a real number in Kuwait and Qatar
    ("966", "96655223322", "+96655223322", IMPOSSIBLE, None),
    ("966", "+96655223322", "+96655223322", IMPOSSIBLE, None),
    ("966", "889773809", "+966889773809", INVALID, None),
    ("966", "123", "+966123", IMPOSSIBLE, None),
    ("966", "+551234567", "+551234567", IMPOSSIBLE, None),
    ("966", "0551234567 0559876543", "0551234567 0559876543", IMPOSSIBLE, None),
    ("971", "966551234567", "+971966551234567", INVALID, None),
    ("999", "551234567", "+999551234567", IMPOSSIBLE, None),
    ("", "0551234567", "0551234567", NO_PREFIX, None),
    ("", "551234567", "551234567", NO_PREFIX, None),
    ("", "966551234567", "966551234567", NO_PREFIX, None),
    ("SA", "0551234567", "0551234567", NO_PREFIX, None),
    ("0", "0551234567", "0551234567", NO_PREFIX, None),
    ("966", "055123456x7", "055123456x7", NONE, None),
    ("966", "mobile 0551234567", "mobile 0551234567", NONE, None),
    ("966", "055+1234567", "055+1234567", NONE, None),
    ("966", "0551234567,0559876543", "0551234567,0559876543", NONE, None),
    ("966", "0551234567 0559876543 1", "0551234567 0559876543 1", IMPOSSIBLE, None),
    ("966", "0000000000", None, NONE, None),
    ("966", "unknown", None, NONE, None),
    ("966", "-", None, NONE, None),
    ("966", "999999999999999999999999999999", "999999999999999999999999999999", IMPOSSIBLE, None),
    ("966", "9" * 5000, None, NONE, None),
    ("966", "0500000000", "+966500000000", MADE_UP, "SA"),
    ("966", "0555555555", "+966555555555", MADE_UP, "SA"),
    ("966", "966500000000", "+966500000000", MADE_UP, "SA"),
    ("965", "55555555", "+96555555555", MADE_UP, "KW"),
    ("966", "1111111111", "+9661111111111", INVALID, None),
    ("966", "05512345678", "+96605512345678", INVALID, None),
    ("966", "055123456", "+966055123456", INVALID, None),
    ("966", "5512345678", "+9665512345678", INVALID, None),
    ("966", "0551234567 / 0559876543", "0551234567 / 0559876543", IMPOSSIBLE, None),
    ("966", "+966551234567 +966559876543", "+966551234567 +966559876543", NONE, None),
    ("966", "00966551234567 00966559876543", "00966551234567 00966559876543", IMPOSSIBLE, None),
    ("966", "0551234567 ext 12", "0551234567 ext 12", NONE, None),
    ("966", "0551234567#3", "0551234567#3", NONE, None),
    ("966", "O551234567", "O551234567", NONE, None),
    ("966", "wa.me/966551234567", "wa.me/966551234567", NONE, None),
    ("966", "+966-55-123-4567", SAUDI, None, "SA"),
    ("966", "(+966) 55 1234567", SAUDI, None, "SA"),
    ("966", "[966] 551234567", SAUDI, None, "SA"),
    ("966", "+ 966 55 1234567", SAUDI, None, "SA"),
    ("966", "966 0 551234567", SAUDI, None, "SA"),
    ("966", "8001234567", "+9668001234567", None, "SA"),
    ("966", "+8001234567", "+8001234567", IMPOSSIBLE, None),
    ("966", "911", "+966911", IMPOSSIBLE, None),
    ("966", "112", "+966112", IMPOSSIBLE, None),
    ("966", "*100#", "*100#", NONE, None),
    ("966", "966", "+966966", IMPOSSIBLE, None),
    ("966", "+966", "+966", IMPOSSIBLE, None),
    ("966", "+", None, NONE, None),
    ("966", "00", None, NONE, None),
    ("966", "0000", None, NONE, None),
    ("966", "+971501234567", "+971501234567", None, "AE"),
    ("966", "00971501234567", "+971501234567", None, "AE"),
    ("966", "971501234567", "+966971501234567", IMPOSSIBLE, None),
    ("971", "050 123 4567", "+971501234567", None, "AE"),
    ("971", "041234567", "+971041234567", INVALID, None),
    ("968", "24123456", "+96824123456", None, "OM"),
    ("974", "44123456", "+97444123456", None, "QA"),
    ("973", "17123456", "+97317123456", None, "BH"),
    ("965", "0096599887766", "+96599887766", None, "KW"),
    ("965", "+96599887766", "+96599887766", None, "KW"),
    ("20", "+20 10 0123 4567", "+201001234567", None, "EG"),
    ("91", "098765 43210", "+919876543210", None, "IN"),
    ("92", "0300-1234567", "+923001234567", None, "PK"),
    ("63", "0917 123 4567", "+639171234567", None, "PH"),
    ("90", "0532 123 45 67", "+905321234567", None, "TR"),
    ("44", "07700 900123", "+4407700900123", INVALID, None),
    ("1", "(201) 555-0123", "+12015550123", None, "US"),
    ("1", "12015550123", "+12015550123", None, "US"),
    ("7", "9161234567", "+79161234567", None, "RU"),
    ("961", "03123456", "+9613123456", None, "LB"),
    ("964", "07901234567", "+9647901234567", None, "IQ"),
    ("249", "0912345678", "+249912345678", None, "SD"),
    ("212", "0612345678", "+212612345678", None, "MA"),
    ("216", "20123456", "+21620123456", None, "TN"),
    ("213", "0551234567", "+213551234567", None, "DZ"),
    ("967", "712345678", "+967712345678", None, "YE"),
    ("963", "0944567890", "+963944567890", None, "SY"),
    ("970", "0599123456", "+970599123456", None, "PS"),
    ("0966", "0551234567", SAUDI, None, "SA"),
    ("++966", "0551234567", SAUDI, None, "SA"),
    ("966 ", "0551234567", SAUDI, None, "SA"),
    ("9 6 6", "0551234567", SAUDI, None, "SA"),
    ("966966", "0551234567", "0551234567", IMPOSSIBLE, None),
    ("1234567", "0551234567", "0551234567", NO_PREFIX, None),
    ("00", "0551234567", "0551234567", NO_PREFIX, None),
    ("966", "112345678", "+966112345678", None, "SA"),
    ("966", "01 123 4567", "+966011234567", INVALID, None),
    ("966", "9200 12345", "+966920012345", None, "SA"),
    ("966", "0138001234", "+966138001234", None, "SA"),
    ("966", "٠١١٢٣٤٥٦٧٨", "+966112345678", None, "SA"),
    ("966", "۰۵۵-۱۲۳-۴۵۶۷", SAUDI, None, "SA"),
    ("966", "+٩٦٦٥٥١٢٣٤٥٦٧", SAUDI, None, "SA"),
    ("966", "٩٦٦ 55 123 4567", SAUDI, None, "SA"),
    ("966", "0551234567٬", "0551234567٬", NONE, None),
    ("966", "٠٠٩٦٦٥٥١٢٣٤٥٦٧", SAUDI, None, "SA"),
    ("966", "०५५१२३४५६७", SAUDI, None, "SA"),
    ("966", "0551234567\u200e", SAUDI, None, "SA"),
    ("966", "055_123_4567", SAUDI, None, "SA"),
    ("966", "055\u2013123\u20134567", SAUDI, None, "SA"),
    ("966", "0.551234567e9", "0.551234567e9", NONE, None),
    ("966", "551234567.0", "+9665512345670", INVALID, None),
    ("966", "5.51234567E+8", "5.51234567E+8", NONE, None),
    ("966", "1111111111111111", "1111111111111111", IMPOSSIBLE, None),
    ("966", "055123456705512345670551234567", "055123456705512345670551234567", IMPOSSIBLE, None),
    ("966", "-966551234567", SAUDI, None, "SA"),
    ("966", "0551234567.", SAUDI, None, "SA"),
    ("966", "966+551234567", "966+551234567", NONE, None),
    ("966", "055 123 45 67 (mobile)", "055 123 45 67 (mobile)", NONE, None),
    ("966", "N/A", None, NONE, None),
    ("966", "لا يوجد", None, NONE, None),
    ("966", "جوال ٠٥٥١٢٣٤٥٦٧", "جوال ٠٥٥١٢٣٤٥٦٧", NONE, None),
    ("966", "0551234567, 0559876543", "0551234567, 0559876543", NONE, None),
    ("966", "  ", None, NONE, None),
    ("966", "966 5 5 1 2 3 4 5 6 7", SAUDI, None, "SA"),
    ("966", "0 551 234 567", SAUDI, None, "SA"),
]


def phone(text, prefix="966", source="user.phone"):
    return TRANSFORMS["phone"].run(text, {}, Context(source, {"user.phone_prefix": prefix}.get))


def test_the_table_is_long_enough():
    assert len(TABLE) >= 60
    assert len({(prefix, typed) for prefix, typed, *_ in TABLE}) == len(TABLE)
    assert {country for *_, country in TABLE} >= {"SA", "KW", "AE", "BH", "QA", "OM", "EG", "IN", "PK", None}


@pytest.mark.parametrize(("prefix", "typed", "sent", "warning", "country"), TABLE)
def test_a_number_however_typed_is_written_as_e164_or_doubted(prefix, typed, sent, warning, country):
    result = phone(typed, prefix)
    assert (result.value, result.warning) == (sent, warning)
    assert result.valid is (warning is None)
    assert result.junk is (warning == MADE_UP)


@pytest.mark.parametrize(("prefix", "typed", "sent", "warning", "country"), TABLE)
def test_phonenumbers_agrees_with_the_table(prefix, typed, sent, warning, country):
    try:
        number = phonenumbers.parse(sent or "", None)
    except phonenumbers.NumberParseException:
        number = None
    valid = number is not None and phonenumbers.is_valid_number(number)
    assert valid is (warning in {None, MADE_UP})
    assert (phonenumbers.region_code_for_number(number) if valid else None) == country
    if valid:
        assert sent == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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


@pytest.mark.parametrize(
    ("e164", "expected"), [("+966551234567", ("+966 55 123 4567", "055 123 4567")), ("+0", ()), ("", ())]
)
def test_programs_space_a_number_for_people(e164, expected):
    assert spaced(e164) == expected


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


@given(st.from_regex(r"9660?5[0-9]{6,9}|966[0-9]{7,10}", fullmatch=True))
def test_a_saudi_mobile_is_known_as_the_library_knows_it(digits):
    number = phonenumbers.parse(f"+{digits}", None)
    mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    known = _MOBILE.fullmatch(digits)
    assert (known and f"+966{known[1]}") == (written if mobile else None)

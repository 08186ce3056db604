"""Saudi numbers and addresses: what is taken, what is doubted, and what is never invented."""

import pytest

from connector.mapping.company import has_vat_number, is_company
from connector.mapping.transforms import NOWHERE, TRANSFORMS

VAT, CR, UNIFIED = "310122393500003", "1010010000", "7001234567"
NO_VAT = "is not a Saudi VAT number (15 digits, first and last a 3)"
NO_CR = "is not a commercial registration number (10 digits, the first no 0)"
MADE_UP = "looks made up (one digit all over, or counted up)"
# The word, what was typed, what is sent (None: nothing), and the warning.
TABLE = [
    ("saudi_vat", VAT, VAT, None),
    ("saudi_vat", " 310122393500003 ", VAT, None),
    ("saudi_vat", "3101 2239 3500 003", VAT, None),
    ("saudi_vat", "310122-393500-003", VAT, None),
    ("saudi_vat", "٣١٠١٢٢٣٩٣٥٠٠٠٠٣", VAT, None),
    ("saudi_vat", "۳۱۰۱۲۲۳۹۳۵۰۰۰۰۳", VAT, None),
    ("saudi_vat", "399999999900003", "399999999900003", None),  # ZATCA's own sample fails every check digit
    ("saudi_vat", "312345678912343", "312345678912343", None),
    ("saudi_vat", "300000000000003", "300000000000003", MADE_UP),
    ("saudi_vat", "333333333333333", "333333333333333", MADE_UP),
    ("saudi_vat", "310122393500004", "310122393500004", NO_VAT),
    ("saudi_vat", "210122393500003", "210122393500003", NO_VAT),
    ("saudi_vat", "31012239350003", "31012239350003", NO_VAT),
    ("saudi_vat", "3101223935000003", "3101223935000003", NO_VAT),
    ("saudi_vat", "SA310122393500003", "SA310122393500003", NO_VAT),
    ("saudi_vat", "3002707692", "3002707692", NO_VAT),  # a TIN
    ("saudi_vat", CR, CR, NO_VAT),
    ("saudi_vat", "-", "-", NO_VAT),
    ("crn", CR, CR, None),
    ("crn", "1010 010 000", CR, None),
    ("crn", "١٠١٠٠١٠٠٠٠", CR, None),
    ("crn", UNIFIED, UNIFIED, None),
    ("crn", "7015-000-001", "7015000001", None),
    ("crn", "101001000", "101001000", NO_CR),
    ("crn", "10100100001", "10100100001", NO_CR),
    ("crn", "0551234567", "0551234567", NO_CR),  # a phone number in the wrong field
    ("crn", "CR 1010010000", "CR 1010010000", NO_CR),
    ("crn", "1234567890", "1234567890", MADE_UP),
    ("crn", "1111111111", "1111111111", MADE_UP),
    ("crn", "1" * 80, "1" * 80, NO_CR),
    ("cr_number", CR, CR, None),
    ("cr_number", UNIFIED, None, None),
    ("cr_number", "12", "12", NO_CR),
    ("unified_number", UNIFIED, UNIFIED, None),
    ("unified_number", CR, None, None),
    ("unified_number", "700", None, None),
    ("unified_number", "7777777777", "7777777777", MADE_UP),
    ("crn_type", CR, "CRN", None),
    ("crn_type", UNIFIED, "700", None),
    ("crn_type", "12", None, NO_CR),
    ("postal_code", "12211", "12211", None),
    ("postal_code", "12211-3456", "12211", None),
    ("postal_code", "١٢٢١١", "12211", None),
    ("postal_code", "01221", "01221", "is not a postal code"),
    ("postal_code", "1221", "1221", "is not a postal code"),
    ("additional_number", "12211-3456", "3456", None),
    ("additional_number", "12211", None, None),
    ("building_number", "مبنى 7596 طريق الملك فهد", "7596", None),
    ("building_number", "رقم المبنى: ٧٥٩٦", "7596", None),
    ("building_number", "7596 King Fahd Road", "7596", None),
    ("building_number", "King Fahd Road, Bldg. no. 7596", "7596", None),
    ("building_number", "King Fahd Road 7596", None, None),  # it may be anything
    ("building_number", "12345 King Fahd Road", None, None),
    ("building_number", "مبنى" + " " * 400 + "x", None, None),
    ("short_address", "RRRD2929", "RRRD2929", None),
    ("short_address", "العنوان المختصر rrrd٢٩٢٩ الرياض", "RRRD2929", None),
    ("short_address", "RRRD 2929", "RRRD2929", None),
    ("short_address", "King Road 1234", None, None),
    ("short_address", "Bldg1234", None, None),
    ("short_address", "الرياض", None, None),
]


@pytest.mark.parametrize(("word", "typed", "sent", "warning"), TABLE)
def test_a_saudi_number(word, typed, sent, warning):
    result = TRANSFORMS[word].run(typed, {}, NOWHERE)
    assert (result.value, result.warning) == (sent, warning)
    assert result.valid is (warning is None)
    assert result.junk is (warning == MADE_UP)


def test_the_table_is_long_enough():
    assert sum(word in {"saudi_vat", "crn", "cr_number", "unified_number", "crn_type"} for word, *_ in TABLE) >= 30


@pytest.mark.parametrize(
    ("country", "typed", "sent", "valid"),
    [
        ("KW", "13001", "13001", True),
        ("BH", "319", "319", True),
        ("bh", "1203", "1203", True),
        ("OM", "112", "112", True),
        ("OM", "12211", "12211", False),
        ("AE", "00000", None, False),
        ("QA", "12211", None, False),
    ],
)
def test_a_postal_code_of_a_neighbour(country, typed, sent, valid):
    result = TRANSFORMS["postal_code"].run(typed, {"country": country}, NOWHERE)
    assert (result.value, result.valid) == (sent, valid)


@pytest.mark.parametrize(
    ("customer", "company"),
    [
        ({"tax_number": VAT}, True),
        ({"tax_number": "٣١٠١٢٢٣٩٣٥٠٠٠٠٣"}, True),
        ({"crn": CR}, True),
        ({"crn": UNIFIED, "type": "individual"}, True),  # a number says more than a word
        ({"crn": "12", "tax_number": "none"}, False),
        ({"crn": 1010010000}, True),
        ({"type": "Company"}, True),
        ({"type": "شَركـة"}, True),
        ({"type": "individual", "user": {"name": "شركة النخيل"}}, False),
        ({"type": "vip", "user": {"name": "شركة النخيل"}}, True),
        ({"user": {"name": "مؤسسة الورد"}}, True),
        ({"user": {"name": "Palm House L.L.C."}}, True),
        ({"user": {"name": "Palm House (LLC)"}}, True),
        ({"user": {"name": "النخيل القابضة"}}, True),
        ({"user": {"name": "شركة"}}, False),
        ({"user": {"name": "Sara Ahmed"}}, False),
        ({"user": {"name": "Nico"}}, False),
        ({"user": {"name": 5}}, False),
        ({"user": "Sara"}, False),
        ({"type": ["company"]}, False),
        ({}, False),
    ],
)
def test_a_company_is_told_from_a_person(customer, company):
    assert is_company(customer) is company


@pytest.mark.parametrize(("number", "registered"), [(VAT, True), ("123", False), (None, False), ({}, False)])
def test_who_is_registered_for_vat(number, registered):
    assert has_vat_number({"tax_number": number}) is registered


def test_both_are_read_like_fields(mapped):
    fields = """\
        kind: {if: is_company, then: company, else: person}
        vat: {from: tax_number, use: saudi_vat, when: has_vat_number}
        text: {template: "{{ 'B2B' if is_company else 'B2C' }}"}
    """
    assert mapped(fields, {"tax_number": VAT}).record == {"kind": "company", "vat": VAT, "text": "B2B"}
    assert mapped(fields, {"tax_number": "12"}).record == {"kind": "person", "text": "B2C"}

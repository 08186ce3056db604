"""Limits: what is too long is cut with a warning, what is too much is refused, what is wrong a hundred times is told once."""

import pytest

from connector.errors import MappingError
from connector.mapping.checking import MOST_EXPRESSIONS, MOST_PROBLEMS
from connector.mapping.document import MOST_FIELDS, read
from connector.mapping.samples import tried
from tests.mapping.conftest import mapping_of

HEAD = "version: 1\nkind: rest\nfields:\n"


def problems(text):
    with pytest.raises(MappingError) as error:
        read(text, "m.yaml")
    return [problem.message for problem in error.value.problems]


@pytest.mark.parametrize(
    ("text", "longest", "sent", "warning"),
    [
        ("Riyadh", 6, "Riyadh", None),
        ("Riyadh", 5, "Riyad", "had 6 characters; shortened to 5"),
        ("King Fahd Road", 5, "King", "had 14 characters; shortened to 5"),
        ("الرياض", 3, "الر", "had 6 characters; shortened to 3"),
        ("رَضَ", 3, "رَ", "had 4 characters; shortened to 2"),  # the letter behind would lose its mark
        ("a\u0301\u0301\u0301b", 2, None, "has 5 characters, one letter under too many marks; left out"),
        ("👨\u200d👩\u200d👧", 4, "", "has 5 characters, one letter under too many marks; left out"),
    ],
)
def test_a_long_text_is_cut_between_letters(mapped, text, longest, sent, warning):
    result = mapped(f"f: {{from: city, max_length: {longest}}}", {"city": text})
    assert result.record == ({"f": sent} if sent else {})
    assert result.warnings == ((f"f: {warning}",) if warning else ())
    assert ("shortened" in result.trace["f"].done) is (warning is not None)


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("{from: user.phone, use: {phone: '966'}, max_length: 9}", {"user": {"phone": "0551234567"}}),
        ("{from: user.email, use: email, max_length: 9}", {"user": {"email": "sara@example.com"}}),
        ("{from: tax_number, use: saudi_vat, max_length: 9}", {"tax_number": "310122393500003"}),
    ],
)
def test_half_a_number_is_worse_than_none(mapped, rule, data):
    result = mapped(f"f: {rule}", data)
    assert (result.record, result.phones) == ({}, frozenset())
    assert "are allowed; left out" in result.warnings[0]


def test_a_default_is_cut_too_and_a_required_field_holds(mapped):
    long = mapped("f: {from: city, default: Unknown city, max_length: 7}", {})
    assert (long.record, long.warnings) == ({"f": "Unknown"}, ("f: had 12 characters; shortened to 7",))
    gone = mapped("f: {from: tax_number, use: crn, max_length: 5, required: true}", {"tax_number": "1010010000"})
    assert "f is required" in gone.hold


def test_nobody_is_found_by_what_was_cut(mapped):
    fields = "a: {from: id, max_length: 3}\nb: {from: crn, max_length: 3}"
    assert mapped(fields, {"id": "c12345", "crn": "c1"}, "match: [a, b]\n").match == (("b", "c1"),)


def test_a_hundred_problems_are_enough():
    found = problems(HEAD + "".join(f"  f{n}: nowhere{n}\n" for n in range(MOST_PROBLEMS + 50)))
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1] == f"there may be more: these are the first {MOST_PROBLEMS} problems"


def test_too_many_fields_and_too_much_to_read_are_refused():
    many = HEAD + "".join(f"  f{n}: city\n" for n in range(MOST_FIELDS + 1))
    assert problems(many) == [f"holds {MOST_FIELDS + 1} fields; a mapping has at most {MOST_FIELDS}"]
    text = "{{ user.name }} " * 100
    long = HEAD + "".join(f'  f{n}: {{template: "{text}"}}\n' for n in range(MOST_EXPRESSIONS // len(text) + 1))
    assert problems(long) == [f"all templates and conditions together hold more than {MOST_EXPRESSIONS} characters"]
    assert problems(f"{HEAD}  f: {{value: {'x' * 10_001}}}\n") == ["`value` is longer than 10000 characters"]


def test_templates_join_with_a_tilde_and_the_result_has_a_limit(mapped):
    assert mapped("f: {template: \"{{ id ~ '-' ~ city }}\"}", {"id": 7, "city": "R"}).record == {"f": "7-R"}
    assert mapped('f: {from: id, when: (id ~ city) == "7r"}', {"id": 7, "city": "R"}).record == {"f": "7"}
    cut = mapped('f: {template: "{{ (city ~ city) | upper }}"}', {"city": "x" * 9_000}).record["f"]
    assert cut == "X" * 10_000


def test_a_sample_says_whether_the_mapping_keeps_it():
    more = "samples:\n- {given: {city: R}, expect: {city: R}}\n- {given: {city: R}, expect: {city: X}}\n"
    assert [one.right for one in tried(mapping_of("city: city", more))] == [True, False]


def test_a_mapping_says_what_it_does_to_a_contact_that_is_there():
    mapping = mapping_of("a: city\nb: id\nc: crn", "on_update: {overwrite: a, fill_if_empty: [b], keep: [c]}\n")
    assert (mapping.fill_if_empty, mapping.keep, mapping.on_name_taken) == (("b",), ("c",), "suffix")
    assert mapping_of("a: city", "on_name_taken: hold\n").on_name_taken == "hold"


SHAPES = [
    ("05########", "0551234567", True),
    ("05########", "٠٥٥١٢٣٤٥٦٧", True),
    ("05########", "055123456", False),
    ("05######## | +9665########", "+966551234567", True),
    ("@@@@####", "RRRD2929", True),
    ("@@", "رق", True),
    ("@", "1", False),
    ("CR-*", "CR-12/a", True),
    ("*-#", "a-b-3", True),
    ("*-#", "a-b-x", False),
    ("a.c", "abc", False),  # a dot is a dot
    ("(#)", "(5)", True),
]


@pytest.mark.parametrize(("shape", "text", "fits"), SHAPES)
def test_a_text_that_has_the_shape_is_taken(mapped, shape, text, fits):
    result = mapped(f'f: {{from: city, use: {{only_if: "{shape}"}}}}', {"city": text})
    assert bool(result.record) is fits
    assert bool(result.warnings) is not fits


def test_no_shape_hangs(mapped):
    "One star at most, and no other choice: a match is one pass, also over a megabyte."
    for shape in ("*" + "a" * 190 + "b", "a" * 90 + "*" + "a" * 90, "|".join(["*a"] * 60)):
        assert mapped(f'f: {{from: city, use: {{only_if: "{shape}"}}}}', {"city": "a" * 10**6 + "c"}).record == {}


@pytest.mark.parametrize("address", ["sara@office.local", "sara@x.invalid", "sara@a.test"])
def test_an_address_that_can_reach_nobody_is_none(mapped, address):
    assert mapped("e: {from: user.email, use: email}", {"user": {"email": address}}).record == {}

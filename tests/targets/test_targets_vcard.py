import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.targets.vcard import changed, flat, fresh, read, unknown, written

NONE = frozenset()
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n;,\\"), max_size=200)


def card(*lines):
    return read("\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""]))


def back(record):
    "What comes back of a card that was written and read again."
    return flat(read(written(fresh(record, "3.0"))), record, NONE)


@given(fn=TEXT, street=TEXT, family=TEXT)
def test_what_is_written_is_read_again(fn, street, family):
    record = {"FN": fn, "ADR": {"street": street}, "N": {"family": family}}
    row = back(record)
    assert row["FN"] == fn.strip()
    assert row["ADR"] == ({"street": street.strip()} if street.strip() else {})
    assert row["N"] == ({"family": family.strip()} if family.strip() else {})


@given(st.text(max_size=300))
def test_any_text_is_a_card_or_none(text):
    read(text)


def test_lines_are_folded_within_75_octets_and_never_within_a_letter():
    text = written(fresh({"FN": "نورة_بنت_عبدالله" * 20}, "3.0"))
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert flat(read(text), {}, NONE)["FN"] == "نورة_بنت_عبدالله" * 20


def test_a_card_has_the_version_and_a_name_in_parts():
    assert written(fresh({"UID": "c1", "FN": "Sara, Ahmed"}, "4.0")).split("\r\n") == [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "UID:c1",
        r"FN:Sara\, Ahmed",
        r"N:;Sara\, Ahmed;;;",
        "END:VCARD",
        "",
    ]


def test_control_characters_cannot_make_another_line():
    text = written(fresh({"FN": "Sara\r\nTEL:1\x00\x1b"}, "3.0"))
    assert r"FN:Sara\nTEL:1" + "\r\n" in text


THEIRS = (
    "VERSION:3.0",
    "UID:staff",
    "FN:Sara",
    'item1.TEL;TYPE="CELL,x:y";PREF=1:+966551234567',
    "TEL;TYPE=HOME:tel:+966112345678",
    "PHOTO;ENCODING=b:AAAA",
    "X-ABSHOWAS:COMPANY",
    "CATEGORIES:VIP,Guests",
)


def test_what_others_put_into_a_card_stays_as_it_is():
    lines = changed(card(*THEIRS), {"FN": "Sara Ahmed", "EMAIL": "sara@example.com"})
    assert written(lines).split("\r\n")[1:-2] == [
        *THEIRS[:2],
        "FN:Sara Ahmed",
        *THEIRS[3:],
        "EMAIL:sara@example.com",
    ]


def test_the_first_of_a_name_is_changed_and_keeps_what_it_says_about_itself():
    lines = changed(card(*THEIRS), {"TEL": "+966559999999"})
    assert 'item1.TEL;TYPE="CELL,x:y";PREF=1:+966559999999' in written(lines)
    assert "TEL;TYPE=HOME:tel:+966112345678" in written(lines)


@pytest.mark.parametrize(
    ("before", "after"), [("N:;Sara;;;", "N:;Sara Ahmed;;;"), ("N:Ahmed;Sara;;;", "N:Ahmed;Sara;;;")]
)
def test_a_name_in_parts_follows_the_whole_one_that_it_was_made_of(before, after):
    assert after in written(changed(card("FN:Sara", before), {"FN": "Sara Ahmed"}))


def test_of_several_the_one_that_is_ours_counts():
    row = flat(card(*THEIRS), {"TEL": "0112345678", "CATEGORIES": ["VIP"]}, frozenset({"TEL"}))
    assert (row["TEL"], row["CATEGORIES"]) == ("+966112345678", ["VIP", "Guests"])
    assert flat(card(*THEIRS), {}, NONE)["TEL"] == "+966551234567"


def test_a_list_is_written_with_commas():
    assert "CATEGORIES:VIP,a\\,b\r\n" in written(fresh({"FN": "x", "CATEGORIES": ["VIP", "a,b"]}, "3.0"))


@pytest.mark.parametrize("text", ["", "hello", "<html></html>", "BEGIN:VCARD\r\nFN:x", "BEGIN:VEVENT\r\nEND:VEVENT"])
def test_what_is_no_card(text):
    assert read(text) is None


def test_lines_that_are_none_are_passed_over():
    assert [line.name for line in card("FN:x", "what is this", "note:y")] == ["FN", "NOTE"]


def test_folded_lines_are_joined():
    assert [line.value for line in card("NOTE:one", "  two", "\tthree")] == ["one two" + "three"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"fn": "x"}, ["fn: a vCard's properties are written in capitals, as in FN, TEL, ADR"]),
        (
            {"ADR": {"city": "Riyadh"}},
            ["ADR.city: ADR has only box, extended, street, locality, region, code, country"],
        ),
        ({"N": "Sara"}, ["N: is a group of family, given, additional, prefix, suffix"]),
        ({"FN": "x", "N": {"given": "x"}, "X-VAT-NUMBER": "3"}, []),
    ],
)
def test_wrong_names_of_fields_are_named(record, said):
    assert list(unknown(record)) == said

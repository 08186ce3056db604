"""A name in two fields: a person's is split, a company's and a number stay whole."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.mapping.fold import fold
from connector.mapping.transforms import NOWHERE, TRANSFORMS
from connector.mapping.transforms.names import _BINDS, _CHILD, _PARSER, _is_known, split
from tests.mapping.conftest import unhurried

FIELDS = """\
    first: {first_of: [user.name, user.username, user.phone], use: first_name, when: not is_company}
    last: {first_of: [user.name, user.username, user.phone], use: last_name}
"""


@pytest.mark.parametrize(
    ("customer", "record"),
    [
        ({"user": {"name": "Sara  Ahmed"}}, {"first": "Sara", "last": "Ahmed"}),
        ({"user": {"name": "Sara"}}, {"last": "Sara"}),
        ({"user": {"name": "شركة  النخيل"}}, {"last": "شركة النخيل"}),
        ({"crn": "1010010000", "user": {"name": "Sara Ahmed"}}, {"last": "Sara Ahmed"}),
        ({"type": "company", "user": {"username": "palm house"}}, {"last": "palm house"}),
        ({"user": {"phone": "055 123 4567"}}, {"last": "055 123 4567"}),
        ({"user": {"phone": "+966 55 123 4567"}}, {"last": "+966 55 123 4567"}),
        ({"user": {"phone": "٠٥٥ ١٢٣ ٤٥٦٧"}}, {"last": "٠٥٥ ١٢٣ ٤٥٦٧"}),
        ({"user": {"name": "User 1"}}, {"first": "User", "last": "1"}),
    ],
)
def test_first_and_last_hold_every_word_once(mapped, customer, record):
    assert mapped(FIELDS, customer).record == record


NAMES = [
    ("Sara Ahmed", "Sara", "Ahmed"),
    ("sara ahmed", "sara", "ahmed"),
    ("Sara  Ali\nAhmed", "Sara Ali", "Ahmed"),
    ("Mohammed bin Salman Al Saud", "Mohammed bin Salman", "Al Saud"),
    ("Abdul Rahman Khan", "Abdul Rahman", "Khan"),
    ("Abdul Rahman", "", "Abdul Rahman"),
    ("Fatimah Al Zahra", "Fatimah", "Al Zahra"),
    ("Al-Rajhi", "", "Al-Rajhi"),
    ("José de la Cruz", "José", "de la Cruz"),
    ("Smith, John", "John", "Smith"),
    ("Dr. Ali Hassan Jr.", "Dr. Ali", "Hassan Jr."),
    ("Ali (Abu Omar) Hassan", "Ali (Abu Omar)", "Hassan"),
    ("محمد", "", "محمد"),
    ("محمد العتيبي", "محمد", "العتيبي"),
    ("سارة أحمد", "سارة", "أحمد"),
    ("عبد الله العتيبي", "عبد الله", "العتيبي"),
    ("عبد العزيز", "", "عبد العزيز"),
    ("عبدالله", "", "عبدالله"),
    ("محمد عبد العزيز", "محمد", "عبد العزيز"),
    ("محمد بن عبدالله آل سعود", "محمد بن عبدالله", "آل سعود"),
    ("نورة بنت عبدالله العتيبي", "نورة بنت عبدالله", "العتيبي"),
    ("مها ال سعود", "مها", "ال سعود"),
    ("أبو بكر الصديق", "أبو بكر", "الصديق"),
    ("د. علي حسن", "د. علي", "حسن"),
    ("السيد محمد علي", "السيد محمد", "علي"),
    ("أم كلثوم", "", "أم كلثوم"),
    ("User 1", "User", "1"),
    ("", "", ""),
    ("Mr. Dr.", "Mr.", "Dr."),
    ("x " * 150, ("x " * 149).strip(), "x"),
]


@pytest.mark.parametrize(("whole", "first", "last"), NAMES)
def test_a_name_is_split_where_the_family_begins(whole, first, last):
    assert split(whole) == (first, last)
    assert TRANSFORMS["first_name"].run(whole, {}, NOWHERE).value == (first or None)


WORDS = [
    "عبد",
    "الله",
    "بن",
    "بنت",
    "آل",
    "أبو",
    "محمد",
    "العتيبي",
    "Al",
    "bin",
    "Sara",
    "Dr.",
    "Jr.",
    "de",
    "و",
    "1",
    "(x)",
]


PARTED = re.compile(r"[\s,،;؛]+")  # a comma parts two words as a space does: Smith,John


@unhurried
@given(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join) | st.text(max_size=40))
def test_no_word_is_ever_lost(whole):
    there = sorted(filter(None, PARTED.split(" ".join(split(whole)))))
    assert there == sorted(filter(None, PARTED.split(whole)))


LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=7) | st.text(
    "ابتثجحخدرسعفقكلمنهوي", min_size=2, max_size=6
)
PLAIN = (
    st.sampled_from(["Sara", "AHMED", "Otaibi", "نورة", "العتيبي", "MBA", "Jr", "III", "Sheikh", "الشيخ", "van"])
    | st.integers(0, 3000).map(str)
    | LETTERS
)


@unhurried
@given(st.lists(PLAIN, min_size=2, max_size=5))
def test_plain_names_are_split_as_the_library_splits_them(words):
    assume(all(_is_known(word) and fold(word) not in _BINDS | _CHILD for word in words))
    assume(any(map(str.isalpha, words)))  # a number in a name's place is no name
    parsed = _PARSER.parse(" ".join(words))
    assert split(" ".join(words)) == (f"{parsed.given} {parsed.middle}".strip(), parsed.family)


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ("محمد بن سعد بن فهد العتيبي", "محمد بن سعد بن فهد", "العتيبي"),
        ("محمد بن سعد بن فهد", "محمد بن سعد", "بن فهد"),
        ("محمد بن عبد الله بن عبد العزيز آل الشيخ", "محمد بن عبد الله بن عبد العزيز", "آل الشيخ"),
        ("علي بن أبي طالب", "علي", "بن أبي طالب"),
        ("د. فهد بن عبد الله القحطاني", "د. فهد بن عبد الله", "القحطاني"),
        ("Eng. Fahad bin Saad Al Ghamdi", "Eng. Fahad bin Saad", "Al Ghamdi"),
        ("Al Saud", "", "Al Saud"),
        ("Fahad Abdul Rahman", "Fahad", "Abdul Rahman"),
        ("سارة أم خالد", "سارة", "أم خالد"),
        ("محمد أبا الخيل", "محمد", "أبا الخيل"),
        ("David Ben Gurion", "David", "Ben Gurion"),
        ("Nora Alharbi,", "Nora", "Alharbi"),
        ("العتيبي، نورة", "نورة", "العتيبي"),
        ("خالد (VIP)", "", "خالد (VIP)"),
        ("李 小龙", "小龙", "李"),
        ("Sara Jr.", "", "Sara Jr."),
        ("Mr. (Ali)", "", "Mr. (Ali)"),
        ("محمد بن", "محمد", "بن"),
        ("بن", "", "بن"),
    ],
)
def test_what_binds_stays_together(whole, first, last):
    assert split(whole) == (first, last)


def test_a_name_of_a_megabyte_takes_no_longer_than_its_words():
    whole = "عبد " * 250_000
    assert split(whole)[1] == "عبد"

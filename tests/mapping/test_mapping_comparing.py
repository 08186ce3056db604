"""Two mappings side by side: what changes, for whom."""

import pytest

from connector.mapping.comparing import Change, Comparison, changes, settings
from connector.mapping.rules import apply
from tests.mapping.conftest import event_of, mapping_of


def compared(old, new, *customers, most=5):
    found = Comparison(most)
    for number, data in enumerate(customers, 1):
        found.add(number, data["id"], *(apply(mapping, event_of(data)) for mapping in (old, new)))
    return found


def people(count, **more):
    return [{"id": f"c{n}", "city": "Riyadh", "street": f"S{n}"} | more for n in range(1, count + 1)]


def test_changes_are_told_place_by_place():
    old = {"a": {"b": "x", "c": "y"}, "list": [{"v": "1"}, {"v": "2"}]}
    new = {"a": {"b": "z", "d": "w"}, "list": [{"v": "1"}]}
    assert changes(old, new) == [
        Change("a.b", "x", "z"),
        Change("a.c", "y", None),
        Change("a.d", None, "w"),
        Change("list[1].v", "2", None),
    ]


def test_null_is_nothing_and_true_is_not_one():
    assert changes({"a": None}, {}) == []
    assert changes({"a": 1}, {"a": True}) == [Change("a", 1, True)]


def test_a_field_that_appears_vanishes_and_differs():
    old, new = mapping_of("a: city\nb: street\nsame: id"), mapping_of("b: city\nc: street\nsame: id")
    found = compared(old, new, *people(3))
    counts = {name: (t.appears, t.vanishes, t.differs) for name, t in found.fields.items()}
    assert counts == {"a": (0, 3, 0), "b": (0, 0, 3), "c": (3, 0, 0)}
    assert [tally.customers for tally in found.fields.values()] == [3, 3, 3]
    assert (found.changed, found.customers) == (3, 3)
    first = found.fields["b"].examples[0]
    assert (first.event, first.customer, first.old, first.new) == (1, "c1", "S1", "Riyadh")


def test_only_who_is_touched_counts():
    found = compared(mapping_of("a: city"), mapping_of("a: {from: city, when: crn}"), *people(2), *people(3, crn="1"))
    assert (found.changed, found.customers, found.fields["a"].vanishes) == (2, 5, 2)


def test_examples_are_bounded_or_all():
    old, new = mapping_of("a: city"), mapping_of("a: street")
    assert len(compared(old, new, *people(9)).fields["a"].examples) == 5
    assert len(compared(old, new, *people(9), most=None).fields["a"].examples) == 9


def test_holds_appear_vanish_and_give_other_reasons():
    free, held = mapping_of("a: crn"), mapping_of("a: {from: crn, required: true}")
    other = mapping_of("b: {from: type, required: true}")
    found = compared(free, held, *people(2))
    assert (found.holds.appears, found.changed, found.fields) == (2, 2, {})
    assert compared(held, free, *people(2)).holds.vanishes == 2
    assert compared(held, other, *people(2)).holds.differs == 2


def test_what_is_held_in_both_does_not_change():
    old = mapping_of("a: {from: crn, required: true}\nb: city")
    new = mapping_of("a: {from: crn, required: true}\nb: street")
    assert compared(old, new, *people(2)).changed == 0


def test_skips_appear_and_vanish():
    every, some = mapping_of("a: city"), mapping_of("a: city", "when: crn\n")
    assert compared(every, some, *people(2)).skips.appears == 2
    found = compared(some, every, *people(2), *people(1, crn="1"))
    assert (found.skips.vanishes, found.changed, found.fields) == (2, 2, {})


def test_who_is_looked_up_otherwise_is_counted_apart():
    old = mapping_of("p: {from: user.phone, use: phone}", "match: [p]\n")
    new = mapping_of("p: user.phone", "match: [p]\n")
    found = compared(old, new, {"id": "c1", "user": {"phone": "+966551234567"}})
    assert (found.changed, found.asked_otherwise) == (0, 1)
    assert compared(old, old, {"id": "c1", "user": {"phone": "+966551234567"}}).asked_otherwise == 0


@pytest.mark.parametrize(
    ("more", "change"),
    [
        ("match: [b, a]\n", Change("match", None, "b, a")),
        ("on_update: {fill_if_empty: [a]}\n", Change("fill_if_empty", None, "a")),
        ("on_update: {keep: [a, b]}\n", Change("keep", None, "a, b")),
        ("on_name_taken: hold\n", Change("on_name_taken", "suffix", "hold")),
        ("when: crn\n", Change("when", None, "crn")),
    ],
)
def test_settings_that_change_no_record_are_told(more, change):
    assert settings(mapping_of("a: id\nb: crn"), mapping_of("a: id\nb: crn", more)) == [change]


def test_equal_settings_are_not_told():
    mapping = mapping_of("a: id", "match: [a]\nwhen: crn\n")
    assert settings(mapping, mapping_of("a: tax_number", "match: [a]\nwhen: crn\n")) == []

"""Items of lists: one that holds nothing of the customer's is left out whole, and lists are protected as a whole."""

import textwrap

import pytest

from connector.errors import MappingError
from tests.mapping.conftest import mapping_of

PHONES = textwrap.dedent("""\
    phones[0].value: {from: user.phone, use: {phone: {prefix: '966', on_invalid: drop}}}
    phones[0].label: {value: mobile}
    phones[0].kind: {if: is_company, then: work, else: home}
    phones[0].rank: {from: type, map: {vip: first}, default: last}
""")
WHOLE = {"value": "+966551234567", "label": "mobile", "kind": "home", "rank": "last"}


def test_an_item_with_a_value_of_the_customers_is_whole(mapped):
    assert mapped(PHONES, {"user": {"phone": "0551234567"}}).record == {"phones": [WHOLE]}


@pytest.mark.parametrize("phone", [None, "", "123", "none"])
def test_an_item_without_one_is_left_out_with_its_labels(mapped, phone):
    result = mapped(PHONES + "name: {value: x}", {"type": "vip", "user": {"phone": phone}})
    assert result.record == {"name": "x"}
    assert result.trace["phones[0].label"].done == ("left out: the rest of its item is empty",)
    assert result.trace["phones[0].value"].done[-1] == "left out: empty"


def test_one_value_of_the_customers_is_enough(mapped):
    fields = "a[0].street: street\na[0].city: city\na[0].kind: {value: home}"
    assert mapped(fields, {"city": "R"}).record == {"a": [{"city": "R", "kind": "home"}]}


def test_a_default_counts_as_a_value(mapped):
    fields = "a[0].city: {from: city, default: Riyadh}\na[0].kind: {value: home}"
    assert mapped(fields, {}).record == {"a": [{"city": "Riyadh", "kind": "home"}]}


def test_what_stands_behind_moves_up(mapped):
    fields = "a[0].value: user.phone\na[0].label: {value: x}\na[1].value: user.email\na[1].label: {value: y}"
    assert mapped(fields, {"user": {"email": "e"}}).record == {"a": [{"value": "e", "label": "y"}]}


@pytest.mark.parametrize(
    ("fields", "record"),
    [
        ("tags[0]: {value: Flavours}\ntags[1]: city", {"tags": ["Flavours"]}),
        ("groups[0].id: {value: '7'}\ngroups[0].kind: {if: crn, then: a, else: b}", {"groups": [{"id": "7", "kind": "b"}]}),
        ("group.city: city\ngroup.country: {value: SA}", {"group": {"country": "SA"}}),
        ("x[0].y[0].a: {value: fixed}\nx[0].y[1].a: city\nx[0].y[1].b: {value: z}\nx[0].n: id", {"x": [{"y": [{"a": "fixed"}], "n": "c"}]}),
    ],
)  # fmt: skip
def test_what_is_fixed_on_purpose_stays(mapped, fields, record):
    assert mapped(fields, {"id": "c"}).record == record


def test_an_outer_item_goes_with_all_that_is_in_it(mapped):
    fields = "x[0].city: city\nx[0].y[0].a: {value: fixed}"
    assert mapped(fields, {}).record == {}
    assert mapped(fields, {"city": "R"}).record == {"x": [{"city": "R", "y": [{"a": "fixed"}]}]}


def test_a_part_left_out_with_its_item_finds_nobody(mapped):
    fields = "phones[0].value: {from: user.phone, use: phone}\nphones[0].label: {value: mobile}"
    result = mapped(fields, {"user": {"phone": "0000"}}, "match: ['phones[0].value']\n")
    assert (result.record, result.match, result.phones) == ({}, (), frozenset())


def test_on_update_protects_a_whole_list():
    mapping = mapping_of(PHONES + "name: user.name", "on_update: {fill_if_empty: [phones], keep: [name]}\n")
    assert (mapping.fill_if_empty, mapping.keep) == (("phones",), ("name",))


@pytest.mark.parametrize("mode", ["overwrite", "fill_if_empty", "keep"])
def test_on_update_cannot_protect_an_item(mode):
    with pytest.raises(MappingError) as error:
        mapping_of(PHONES, f"on_update:\n  {mode}: ['phones[0].value']\n")
    (problem,) = error.value.problems
    assert str(problem) == f"m.yaml:4:{len(mode) + 6}: a list is written as a whole; name `phones`"

import uuid

import pytest

from connector.models import Upsert
from connector.targets.records import agrees, changed, identity, joined, look, request_key, same, text, texts, without

RECORD = {"name": "Sara", "phone": "+966551234567", "address": {"city": "Riyadh", "zip": "12211"}}


def request(**more):
    return Upsert("c1", RECORD, (("phone", "+966551234567"),), "k", phones=frozenset({"phone"}), **more)


@pytest.mark.parametrize(
    ("ours", "theirs", "phone", "equal"),
    [
        ("a", "a ", False, True),
        ("5", 5, False, True),
        ("true", True, False, True),
        ("A", "a", False, False),
        ("Sara@Example.com", "sara@example.com", False, True),
        ("+966551234567", "0551234567", True, True),
        ("+966551234567", "0551234567", False, False),
        ("+966551234567", "0551234568", True, False),
        ("+966551234567", None, True, False),
        ("", None, False, True),
        (["a"], ["a"], False, True),
        (["a"], "a", False, False),
        ("a", {"b": 1}, False, False),
    ],
)
def test_values_that_mean_the_same(ours, theirs, phone, equal):
    assert same(ours, theirs, phone=phone) is equal


@pytest.mark.parametrize(
    ("name", "value"),
    [("a.b", 1), ("list.1.id", 7), ("list.9.id", None), ("list.x", None), ("a.b.c", None), ("z", None)],
)
def test_a_dotted_name_leads_into_groups_and_lists(name, value):
    assert look({"a": {"b": 1}, "list": [{"id": 6}, {"id": 7}]}, name) == value


def test_a_group_has_no_text():
    assert text({"a": 1}) == ""


def test_a_row_agrees_by_one_value():
    assert agrees(request(), {"phone": "0551234567"})
    assert not agrees(request(), {"phone": "0551234568", "name": "Sara"})


def test_only_what_differs_is_changed_and_a_group_goes_whole():
    row = {"name": "Sara", "phone": "0551234567", "address": {"city": "Jeddah", "zip": "12211"}}
    assert changed(request(), RECORD, row) == {"address": {"city": "Riyadh", "zip": "12211"}}


def test_what_is_protected_stays_as_it_is():
    row = {"name": "Sara A.", "phone": "", "address": {"city": "Jeddah"}}
    made = joined(request(fill_if_empty=("name", "phone"), keep=("address.city", "address.zip", "strange")), row)
    assert made == {"name": "Sara A.", "phone": "+966551234567", "address": {"city": "Jeddah"}}


def test_what_is_protected_is_left_out_where_nobody_can_look():
    made = joined(request(fill_if_empty=("name",), keep=("address.city", "address.zip", "phone.x")), None)
    assert made == {"phone": "+966551234567"}


def test_the_record_itself_is_never_changed():
    joined(request(keep=("address.city", "name")), {"name": "x", "address": {"city": "y"}})
    assert RECORD["address"]["city"] == "Riyadh"
    assert RECORD["name"] == "Sara"


def test_all_texts_of_a_record_are_known():
    assert list(texts({"a": "x", "b": {"c": ["y", {"d": "z"}]}, "e": None})) == ["x", "y", "z"]


def test_of_a_list_nothing_is_left():
    record = {"name": "Sara", "phones": [{"type": "MOBILE", "number": "1"}]}
    assert without(record, ["phones[0].number"]) == {"name": "Sara"}


def test_a_key_is_of_exactly_one_request():
    keys = [request_key("k", RECORD), request_key("k", dict(reversed(RECORD.items())))]
    assert keys[0] == keys[1] == str(uuid.UUID(keys[0], version=4))
    assert len({keys[0], request_key("j", RECORD), request_key("k", RECORD | {"name": "Sara (c1)"})}) == 3


@pytest.mark.parametrize(
    ("given", "remote_id"),
    [
        (7, "7"),
        (10**30, str(10**30)),
        (" 7 ", "7"),
        ("سارة أحمد", "سارة أحمد"),
        *[
            (odd, "")
            for odd in (None, True, False, 7.0, float("nan"), [], {}, [7], "", " ", "a\0", "a\nb", "\ud800", "x" * 501)
        ],
    ],
)
def test_an_id_is_a_text_or_a_whole_number(given, remote_id):
    assert identity(given) == remote_id

"""The field-loss meter: what becomes of each field of Flavours."""

import pytest

from connector.mapping.company import READS
from connector.mapping.coverage import LOOKS, MOST_NEW, Meter, filled, judge, lost
from connector.mapping.customers import CUSTOMERS
from connector.mapping.paths import CUSTOMER, DERIVED
from connector.mapping.transforms import TRANSFORMS, Context
from tests.mapping.conftest import mapping_of

ALL = "first_of: [tax_number, zip_code, city, district, street, crn, user.name, user.username, user.email, user.lang]"


def fates(fields, names, more=""):
    return {field.name: (field.fate, *field.by) for field in judge(mapping_of(fields, more), names)}


def test_gender_is_lost_when_nothing_maps_it():
    mapping = mapping_of(f"a: {{{ALL}}}\np: {{from: user.phone, use: phone}}", "ignore: [type]\n")
    assert lost(mapping) == ("gender",)
    assert lost(mapping_of("a: gender\n", "ignore: [type]\n"))[0] == "tax_number"
    assert "gender" not in lost(mapping_of("a: gender"))


@pytest.mark.parametrize(
    "rule",
    [
        "gender",
        "{from: gender}",
        "{first_of: [city, gender]}",
        "{join: [city, gender]}",
        '{template: "{{ gender }}"}',
        '{from: city, default: {template: "x {{ gender }}"}}',
        "{from: gender, map: {MALE: m}}",
        "data.gender",
    ],
)
def test_what_goes_into_the_record_is_mapped(rule):
    assert fates(f"f: {rule}", ["gender"]) == {"gender": ("mapped", "f")}


@pytest.mark.parametrize(
    ("rule", "more", "by"),
    [
        ("{from: city, when: gender}", "", "f"),
        ("{if: gender == 'MALE', then: m}", "", "f"),
        ("city", "when: not gender\n", "when"),
    ],
)
def test_what_only_decides_is_asked(rule, more, by):
    assert fates(f"f: {rule}", ["gender"], more) == {"gender": ("asked", by)}


def test_who_asks_for_a_company_asks_four_fields():
    for rule in ("{from: city, when: is_company}", "is_company", '{template: "{{ is_company }}"}'):
        found = fates(f"f: {rule}", ["tax_number", "crn", "type", "user.name", "gender"])
        assert [fate for fate, *_ in found.values()] == ["asked"] * 4 + ["lost"]


def test_it_is_known_what_every_derived_path_reads():
    assert set(READS) == set(DERIVED)
    for derived, names in READS.items():
        found = fates(f"f: {{from: city, when: {derived}}}", CUSTOMER)
        assert {name for name, (fate, *_) in found.items() if fate == "asked"} == set(names)


@pytest.mark.parametrize(
    ("rule", "fate"),
    [
        ("{from: user.phone, use: phone}", "mapped"),
        ("{first_of: [user.phone, city], use: [strip, phone]}", "mapped"),
        ("{from: city, use: {phone: user.phone_prefix}}", "mapped"),
        ("{from: user.phone, use: {phone: '966'}}", "lost"),
        ("{from: user.phone, use: digits}", "lost"),
    ],
)
def test_a_prefix_goes_with_its_phone(rule, fate):
    assert fates(f"f: {rule}", ["user.phone_prefix"])["user.phone_prefix"][0] == fate


def test_mapped_comes_before_asked_before_ignored_before_technical():
    names = ["crn", "city", "type", "user.created_at", "user.updated_at"]
    found = fates("a: {from: crn, when: crn and city}\nb: user.created_at", names, "ignore: [crn, city, type]\n")
    assert [fate for fate, *_ in found.values()] == ["mapped", "asked", "ignored", "mapped", "technical"]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_it_is_known_what_every_word_asks_beside_its_value(name):
    asked = []
    options = {"shape": "*"} if name == "only_if" else {}
    TRANSFORMS[name].run("Sara Ahmed Ali", options, Context("user.phone", lambda path: asked.append(path) or ""))
    TRANSFORMS[name].run("0551234567", options, Context("user.phone", lambda path: asked.append(path) or ""))
    assert set(asked) == {*LOOKS.get(name, ()), *(["user.phone_prefix"] if name == "phone" else [])}


def test_who_splits_a_name_asks_for_a_company():
    assert fates("f: {from: user.name, use: last_name}", ["type"]) == {"type": ("asked", "f")}


def test_two_fields_may_take_the_same():
    assert fates("a: city\nb: {join: [city, street]}\nc: city", ["city"]) == {"city": ("mapped", "a", "b", "c")}


def test_technical_fields_are_known_also_new_ones():
    technical = ["id", "created_by", "qoyod_id", "user.id", "user.userable_id", "user.role", "user.fcm_token"]
    technical += ["user.is_active", "user.email_verified_at", "user.deleted_at", "data.vip.id", "data.uuid"]
    technical += ["data.user.seen_at", "data.push_token"]
    kept = ["data.vip.level", "data.card_id", "data.is_vip", "data.role", "data.format"]
    found = fates("a: city", technical + kept)
    assert [fate for fate, *_ in found.values()] == ["technical"] * len(technical) + ["lost"] * len(kept)


def test_who_ignores_a_group_ignores_what_is_in_it():
    names = ["data.vip.level", "data.vip.rows[0].x", "data.vipx", "data.list[0]"]
    found = fates("a: city", names, "ignore: [data.vip, data.list]\n")
    assert [fate for fate, *_ in found.values()] == ["ignored", "ignored", "lost", "ignored"]


def test_the_items_of_a_list_count_as_one():
    assert filled({"markets": [{"id": 1}, {"name": "x"}, {"id": 2}]}) == {"data.markets[0].id", "data.markets[0].name"}
    found = fates("a: data.markets[1].name", ["data.markets[0].name", "data.markets[0].id"])
    assert [fate for fate, *_ in found.values()] == ["mapped", "technical"]


def test_what_holds_something():
    data = {"city": " ", "street": None, "crn": 0, "x": [], "y": {}, "user": {"is_active": False, "name": "S", "n": ""}}
    assert filled(data) == {"crn", "user.is_active", "user.name"}


def test_the_envelope_is_no_field_of_the_customer():
    assert fates("a: event.xid", ["data.event.xid"]) == {"data.event.xid": ("lost",)}


def test_a_meter_counts_customers_and_finds_new_fields():
    meter = Meter()
    meter.add(CUSTOMERS["person"])
    meter.add({"id": "c1", "gender": "MALE", "loyalty": {"tier": "gold"}})
    assert (meter.customers, meter.filled("gender"), meter.filled("crn")) == (2, 2, 0)
    assert meter.names == (*CUSTOMER, "data.loyalty.tier")
    assert meter.filled("data.loyalty.tier") == 1
    assert not meter.left_off


def test_names_without_end_are_left_off_and_told():
    meter = Meter()
    for number in range(3):
        meter.add({f"k{number}-{n}-{'x' * 500}": 1 for n in range(MOST_NEW)} | {"gender": "MALE"})
    assert len(meter.names) == len(CUSTOMER) + MOST_NEW
    assert meter.left_off
    assert meter.filled("gender") == 3
    assert max(map(len, meter.names)) <= 120


@pytest.mark.parametrize("key", ["a[b", "a[1", "]", "", "a..b", "user.name\x1b[2J", "[0]"])
def test_odd_names_are_only_names(key):
    (name,) = filled({key: 1})
    assert fates("a: city", [name])[name][0] == "lost"

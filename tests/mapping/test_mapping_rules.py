"""Every rule form, and what becomes of data that is empty, odd or hostile."""

import copy

import pytest

from connector.errors import MappingError
from connector.mapping.rules import apply
from tests.mapping.conftest import event_of, mapping_of


@pytest.mark.parametrize(
    ("rule", "data", "expected"),
    [
        ("city", {"city": "Riyadh"}, "Riyadh"),
        ("{from: city}", {"city": "Riyadh"}, "Riyadh"),
        ("user.name", {"user": {"name": "Sara"}}, "Sara"),
        ("event.action", {}, "customers.CREATE"),
        ("event.timestamp", {}, "1697681187551"),
        ("data.vip.level", {"vip": {"level": "gold"}}, "gold"),
        ("data.markets[1].id", {"markets": [{"id": 1}, {"id": 2}]}, "2"),
        ("user.is_active", {"user": {"is_active": False}}, False),
        ("{first_of: [user.name, user.username]}", {"user": {"name": " ", "username": "sa"}}, "sa"),
        ("{first_of: [user.name, user.username], default: Unknown}", {}, "Unknown"),
        ('{join: [street, district, city], with: ", "}', {"street": "A", "district": None, "city": "C"}, "A, C"),
        ("{join: [street, city]}", {"street": "A", "city": "C"}, "A C"),
        ('{value: "SA"}', {}, "SA"),
        ("{value: true}", {}, True),
        ("{if: tax_number or crn, then: company, else: person}", {"crn": "1"}, "company"),
        ("{if: tax_number or crn, then: company, else: person}", {}, "person"),
        ("{from: user.lang, map: {ar: ar_SA, en: en_US}, default: en_US}", {"user": {"lang": "ar"}}, "ar_SA"),
        ("{from: user.lang, map: {ar: ar_SA, en: en_US}, default: en_US}", {"user": {"lang": "ur"}}, "en_US"),
        ('{from: user.is_active, map: {"true": Active, "false": Inactive}}', {"user": {"is_active": True}}, "Active"),
        ('{template: "Flavours customer {{ user.name }}"}', {"user": {"name": "Sara"}}, "Flavours customer Sara"),
        ("{from: user.name, use: [strip, lower]}", {"user": {"name": " SARA "}}, "sara"),
        ('{from: user.created_at, use: {date: "%d.%m.%Y"}}', {"user": {"created_at": 1705548163869}}, "18.01.2024"),
        ('{from: city, default: {template: "no city, {{ id }}"}}', {"id": "c1"}, "no city, c1"),
        ("{from: city, when: not crn}", {"city": "Riyadh"}, "Riyadh"),
    ],
)
def test_a_rule_gives_its_value(mapped, rule, data, expected):
    assert mapped(f"f: {rule}", data).record == {"f": expected}


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("city", {}),
        ("city", {"city": None}),
        ("city", {"city": ""}),
        ("city", {"city": " \n\u3000"}),
        ("user.name", {"user": None}),
        ("user.name", {"user": "Sara"}),
        ("user.name", {"user": []}),
        ("data.markets[5].id", {"markets": [1]}),
        ("data.markets[0].id", {"markets": {"0": 1}}),
        ("{join: [street, city]}", {"street": " "}),
        ("{from: user.name, use: rest_words}", {"user": {"name": "Sara"}}),
        ("{if: crn, then: company}", {}),
        ('{template: "{{ city }} {{ street }}"}', {}),
        ("{from: city, when: crn}", {"city": "Riyadh"}),
        ('{from: city, default: {template: " {{ street }}"}}', {}),
    ],
)
def test_what_is_empty_is_left_out_in_silence(mapped, rule, data):
    result = mapped(f"f: {rule}", data)
    assert (result.record, result.warnings) == ({}, ())
    assert result.trace["f"].done[-1].startswith("left out")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12345, "12345"),
        (-7, "-7"),
        (551234567.0, "551234567"),
        (1.5, "1.5"),
        (True, True),
        ("line\nline\ttab", "line\nline\ttab"),
        ("نورة", "نورة"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_usable_values_pass_without_a_warning(mapped, value, expected):
    result = mapped("f: city", {"city": value})
    assert (result.record, result.warnings) == ({"f": expected}, ())


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\x85", "\ud800", "\u202e", "\u2066", "\u200f", "\ufeff"])
def test_invisible_control_characters_are_removed_with_a_warning(mapped, bad):
    result = mapped("f: city", {"city": f"Ri{bad}yadh"})
    assert result.record == {"f": "Riyadh"}
    assert result.warnings == ("f: city held invisible control characters, which were removed",)


@pytest.mark.parametrize("bad", [{"a": 1}, [1], float("nan"), float("inf"), 10**400, -(10**5000)], ids=list("abcdef"))
def test_what_is_no_text_is_left_out_with_a_warning(mapped, bad):
    result = mapped("f: city", {"city": bad})
    assert result.record == {}
    assert "left out" in result.warnings[0]


def test_first_of_goes_on_behind_what_is_no_text(mapped):
    result = mapped("f: {first_of: [user.name, user.username]}", {"user": {"name": ["x"], "username": "sa"}})
    assert result.record == {"f": "sa"}
    assert result.warnings == ("f: user.name is a group or a list, not text; left out",)


def test_join_warns_for_each_part(mapped):
    result = mapped("f: {join: [street, city]}", {"street": {}, "city": "a\0b"})
    assert result.record == {"f": "ab"}
    assert len(result.warnings) == 2


def test_a_long_template_is_cut_with_a_warning(mapped):
    result = mapped('f: {template: "{{ city }}{{ city }}"}', {"city": "x" * 9_000})
    assert len(result.record["f"]) == 10_000
    assert "cut to 10000" in result.warnings[0]


def test_dotted_and_numbered_fields_build_a_nested_record(mapped):
    fields = """\
        address.city: city
        phones[0].value: user.phone
        phones[1].value: user.username
        grid[0][0]: street
    """
    data = {"city": "R", "street": "S", "user": {"username": "u"}}
    assert mapped(fields, data).record == {"address": {"city": "R"}, "phones": [{"value": "u"}], "grid": [["S"]]}


def test_a_bad_phone_goes_raw_and_a_bad_email_is_left_out(mapped):
    fields = "phone: {from: user.phone, use: phone}\nemail: {from: user.email, use: email}"
    result = mapped(fields, {"user": {"phone_prefix": "966", "phone": 55223322, "email": "[email protected]"}})
    assert result.record == {"phone": "+96655223322"}
    assert result.warnings == (
        "phone: user.phone is not a possible phone number; sent as typed",
        "email: user.email is a masked e-mail address; left out",
    )
    assert (result.match, result.phones) == ((), frozenset())


@pytest.mark.parametrize(("on_invalid", "record"), [("raw", {"p": "+966123"}), ("drop", {}), ("hold", {})])
def test_on_invalid_decides(mapped, on_invalid, record):
    result = mapped(
        f"p: {{from: user.phone, use: {{phone: {{prefix: '966', on_invalid: {on_invalid}}}}}}}",
        {"user": {"phone": "123"}},
    )
    assert result.record == record
    assert bool(result.hold) is (on_invalid == "hold")
    assert "123" not in (result.hold or "") + result.warnings[0]


def test_raw_with_nothing_to_send_is_left_out(mapped):
    result = mapped("p: {from: user.phone, use: phone}", {"user": {"phone": "none"}} | {"user": {"phone": "0000"}})
    assert result.record == {}
    assert result.warnings == ("p: user.phone is not a phone number; left out",)


def test_a_bad_value_is_named_without_a_path_when_there_are_several(mapped):
    result = mapped("p: {join: [street, city], use: email}", {"street": "a", "city": "b"})
    assert result.warnings == ("p: the value is not an e-mail address; left out",)


def test_after_a_drop_the_other_steps_are_not_tried(mapped):
    result = mapped("e: {from: user.email, use: [email, lower]}", {"user": {"email": "x"}})
    assert result.trace["e"].done == ("email", "left out: empty")


def test_an_unlisted_value_warns(mapped):
    result = mapped("l: {from: user.lang, map: {ar: ar_SA}}", {"user": {"lang": "ur"}})
    assert result.record == {}
    assert result.warnings == ("l: the value is not listed in `map`; left out",)


def test_a_required_field_holds_when_it_is_empty(mapped):
    result = mapped("n: {first_of: [user.name, user.phone], required: true}\nv: {value: x}", {})
    assert result.hold.startswith("n is required and user.name or user.phone gives nothing")
    assert mapped("n: {from: city, required: true}", {"city": "R"}).hold is None


def test_a_required_fixed_choice_can_be_empty_too(mapped):
    assert "crn gives nothing" in mapped("n: {if: crn, then: company, required: true}", {}).hold


def test_match_holds_only_what_is_there_and_valid(mapped):
    fields = """\
        vat: {from: tax_number, use: saudi_vat}
        phone: {from: user.phone, use: phone}
        email: {from: user.email, use: email, default: none@example.com}
        ref: id
    """
    data = {"id": 7, "tax_number": "310122393500003", "user": {"phone_prefix": 966, "phone": 551234567}}
    result = mapped(fields, data, "match: [email, phone, vat, ref]\n")
    assert result.match == (("phone", "+966551234567"), ("vat", "310122393500003"), ("ref", "7"))
    assert result.phones == {"phone"}
    assert result.record["email"] == "none@example.com"


def test_phones_are_named_beyond_match(mapped):
    fields = "a: {from: user.phone, use: {phone: {prefix: '966'}}}\nb: {from: user.username, use: {phone: '965'}}"
    assert mapped(fields, {"user": {"phone": "0551234567", "username": "55223322"}}).phones == {"a", "b"}


def test_the_mappings_when_skips(mapped):
    result = mapped("f: city", {"city": "R"}, "when: tax_number or crn\n")
    assert (result.record, result.hold) == ({}, None)
    assert result.skip == "the mapping is only for customers with: tax_number or crn"
    assert mapped("f: city", {"city": "R", "crn": 1}, "when: tax_number or crn\n").skip is None


def test_the_trace_names_paths_and_steps_but_no_value(mapped):
    result = mapped(
        "n: {first_of: [user.name, user.username], use: [strip, upper]}\nc: {value: SA}", {"user": {"username": "sara"}}
    )
    assert result.trace["n"].sources == ("user.username",)
    assert result.trace["n"].done == ("strip", "upper")
    assert result.trace["c"].sources == ()


def test_apply_leaves_its_input_alone_and_repeats_itself():
    mapping = mapping_of("a.b: city\nphone: {from: user.phone, use: phone}")
    event = event_of({"city": "R", "user": {"phone": "0551234567", "phone_prefix": "966"}})
    before = copy.deepcopy(event)
    assert apply(mapping, event) == apply(mapping, event)
    assert event == before


@pytest.mark.parametrize(
    ("rule", "data", "rung"),
    [
        ('{template: "FL-{{ qoyod_id }}"}', {"qoyod_id": "7"}, True),
        ('{template: "FL-{{ qoyod_id }}"}', {}, False),  # FL- would be everybody's
        ('{template: "FL-{{ qoyod_id or id }}"}', {"id": "c1"}, True),
        ("{template: \"{{ 'FL-' ~ qoyod_id }}\"}", {}, False),
        ("{template: \"{{ ('FL-' ~ qoyod_id) | upper }}\"}", {"qoyod_id": "7a"}, True),
        ('{template: "{{ user.email }} {{ user.phone }}"}', {"user": {"email": "a@b.co"}}, False),
    ],
)
def test_nobody_is_found_by_a_template_with_an_empty_hole(mapped, rule, data, rung):
    result = mapped(f"f: {rule}", data, "match: [f]\n")
    assert [field for field, _ in result.match] == (["f"] if rung else [])
    assert result.record


def test_parts_and_templates_lose_the_white_space_at_their_ends(mapped):
    fields = 'a: {join: [street, city], with: ", "}\nt: {template: "Customer {{ user.name }}"}'
    assert mapped(fields, {"street": "A ", "city": "\tC"}).record == {"a": "A, C", "t": "Customer"}


@pytest.mark.parametrize("field", ["type", "city", "user.lang", "is_company", "data.city", "event.action"])
def test_nobody_is_found_by_what_many_share(mapped, field):
    with pytest.raises(MappingError, match="is the same for many customers"):
        mapped(f"f: {field}", {}, "match: [f]\n")


def test_two_guests_who_typed_the_same_to_get_past_the_form_are_not_one_contact(mapped):
    fields = """\
        vat: {from: tax_number, use: {saudi_vat: {on_junk: raw}}}
        cr: {from: crn, use: crn}
        phone: {from: user.phone, use: phone}
        email: {from: user.email, use: {email: {on_junk: raw}}}
        name: {from: user.name, use: name}
    """
    typed = {"phone_prefix": "966", "phone": "0500000000", "email": "test@test.com", "name": "ضيف"}
    data = {"tax_number": "300000000000003", "crn": "1234567890", "user": typed}
    result = mapped(fields, data, "match: [vat, cr, phone, email, name]\n")
    assert len(result.record) == 5
    assert (result.match, result.phones) == ((), frozenset())
    assert len(result.warnings) == 5


def test_a_phone_in_the_place_of_a_register_is_no_company(mapped):
    result = mapped("kind: {if: is_company, then: company, else: person}", {"crn": "0551234567"})
    assert result.record == {"kind": "person"}

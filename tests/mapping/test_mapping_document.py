"""The document: what is read, and every mistake with its place and its cure."""

import hashlib

import pytest

from connector.errors import MappingError
from connector.mapping.document import read
from connector.mapping.samples import check_samples

HEAD = "version: 1\nkind: rest\nfields:\n"
DESIGN = """\
# Left: the field in Qoyod. Right: where it comes from in Flavours. Fixed text: {value: "SA"}
version: 1
kind: qoyod
match: [tax_number, phone_number, email]
fields:
  name:
    first_of: [user.name, user.username, user.phone]
  email:
    from: user.email
    use: email
  phone_number:
    from: user.phone
    use: phone
  tax_number:
    from: tax_number
    use: saudi_vat
  billing_address.billing_address: street
  billing_address.billing_state: district
  billing_address.billing_city: city
  billing_address.billing_zip: zip_code
  billing_address.billing_country: {value: "SA"}
on_update:
  fill_if_empty: [name, email, phone_number, tax_number]
  keep: [billing_address.billing_country]
ignore: [crn, type, gender, user.lang]
when: user.name or user.phone
samples:
  - given:
      id: c1
      tax_number: "310122393500003"
      city: الرياض
      user: {name: شركة النخيل, phone_prefix: "966", phone: "0551234567"}
    expect:
      name: شركة النخيل
      phone_number: "+966551234567"
      tax_number: "310122393500003"
      billing_address: {billing_city: الرياض, billing_country: "SA"}
"""


def problems(text):
    with pytest.raises(MappingError) as error:
        read(text, "m.yaml")
    return [str(problem) for problem in error.value.problems]


def test_the_designs_example_loads_and_keeps_its_sample():
    mapping = read(DESIGN, "qoyod.yaml")
    assert check_samples(mapping) == []
    assert (mapping.kind, mapping.version) == ("qoyod", 1)
    assert mapping.match == ("tax_number", "phone_number", "email")
    assert mapping.fill_if_empty == ("name", "email", "phone_number", "tax_number")
    assert mapping.keep == ("billing_address.billing_country",)
    assert mapping.ignore == ("crn", "type", "gender", "user.lang")
    assert [rule.target for rule in mapping.fields][:2] == ["name", "email"]
    assert mapping.when.text == "user.name or user.phone"


def test_the_hash_is_of_the_text():
    assert read(DESIGN, "a").hash == hashlib.sha256(DESIGN.encode()).hexdigest()
    assert read(DESIGN + "# a remark\n", "a").hash != read(DESIGN, "a").hash


def test_every_problem_is_told_at_once_in_order():
    text = HEAD + "  a: user.fone\n  b: {use: fone}\n  c: {value: 12}\nmatsh: [a]\n"
    assert problems(text) == [
        "m.yaml:4:6: Flavours sends no `user.fone`; did you mean `user.phone`?",
        "m.yaml:5:3: a rule has one of: from, first_of, join, template, value, if; here: none",
        "m.yaml:5:12: unknown transform `fone`; did you mean `phone`?",
        "m.yaml:6:14: `value` must be text; put it in quotes",
        "m.yaml:7:1: unknown key `matsh`; did you mean `match`?",
    ]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            "SA",
            '4:6: Flavours sends no `SA`; a field that Flavours added since is written `data.SA`; fixed text is written {value: "SA"}',
        ),
        ('"Hello {{ user.name }}"', "4:6: a template is written {template:"),
        ("phone", "did you mean `user.phone`?"),
        ("user", "4:6: `user` is a group of fields; name one of them"),
        ("{from: user.fone}", "4:13: Flavours sends no"),
        ("{from: event.foo}", "Flavours sends no `event.foo`"),
        ("{from: data.__class__}", "Flavours sends no"),
        ("{from: ''}", "4:13: a path is empty"),
        ("{from: 5}", "4:13: a path must be text; put it in quotes"),
        ("{from: [city]}", "4:13: a path must be text; write it in quotes"),
        ("", "4:3: `f` has no rule; write a field of Flavours behind the `:`"),
        ("{}", "a rule has one of"),
        ("[city]", "a rule is a path, or a group of"),
        ("{from: city, value: x}", "here: from, value"),
        ("{from: city, then: x}", "4:19: `then` does not go with `from`"),
        ("{from: city, defalt: x}", "4:19: unknown key `defalt`; did you mean `default`?"),
        ("{city: city}", "a group is written with a dot, as in f.city"),
        ("{first_of: []}", "4:17: `first_of` must be a list"),
        ("{first_of: {a: b}}", "`first_of` must be a list"),
        ("{join: [city, strete]}", "4:20: Flavours sends no `strete`; did you mean `street`?"),
        ("{join: [city], with: 5}", "`with` must be text; put it in quotes"),
        ("{value: }", "`value` must be text; write it in quotes"),
        ("{value: ' '}", "`value` is empty"),
        ("{value: 012345}", "put it in quotes"),
        ('{value: "a\\u202eb"}', "`value` holds invisible control characters; delete them"),
        ('{value: "a\\0b"}', "`value` holds invisible control characters"),
        ('{value: "a\\ud800b"}', "half a character"),
        ("{template: '{{ user.fone }}'}", "4:17: `{{ user.fone }}`: Flavours sends no `user.fone`"),
        ("{template: ''}", "`template` is empty"),
        ("{if: crn}", "4:7: `if` needs a `then`"),
        ("{if: crnn, then: a}", "did you mean `crn`?"),
        ("{if: crn, then: 5}", "`then` must be text; put it in quotes"),
        ("{from: city, when: 'x('}", "`x(`: cannot be read"),
        ("{from: city, use: fone}", "4:24: unknown transform `fone`; did you mean `phone`?"),
        ("{from: city, use: reverse_it}", "the words are: phone, email"),
        ("{from: city, use: [5]}", "each word of `use` must be text; put it in quotes"),
        ("{from: city, use: [{phone: {}, email: {}}]}", "each word of `use` must be text"),
        ("{from: city, use: {phone: {prefx: '966'}}}", "did you mean `prefix`?"),
        ("{from: city, use: {phone: {prefix: 966}}}", "`prefix` must be text; put it in quotes"),
        ("{from: city, use: {phone: SA}}", '`prefix` is neither a prefix like "966" nor a field'),
        ("{from: city, use: {phone: {on_invalid: keep}}}", "`on_invalid` is one of: raw, drop, hold"),
        ("{from: city, use: {lower: x}}", "the options of `lower` are a group of: on_invalid"),
        ("{from: city, use: {date: '%999999999d'}}", "is not a date format"),
        ("{from: city, use: {date: {timezone: Mars}}}", "is not a time zone"),
        ("{from: city, map: []}", "`map` is a group"),
        ("{from: city, map: {a: 1}}", "`a` must be text; put it in quotes"),
        ("{from: city, map: {1: a}}", "a key must be text; put it in quotes"),
        ("{from: city, default: 5}", "`default` must be text; put it in quotes"),
        ("{from: city, default: {templat: x}}", "did you mean `template`?"),
        ("{from: city, required: yes}", "`required` is true or false"),
    ],
)
def test_a_bad_rule_is_refused_where_it_stands(rule, says):
    found = problems(f"{HEAD}  f: {rule}\n")
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("m.yaml:4:") for problem in found)


@pytest.mark.parametrize(
    "fields",
    [
        "{a: city, a.b: street}",
        "{a.b: city, a: street}",
        "{'a[0]': city, a.b: street}",
        "{'a[0]': city, 'a[00]': street}",
    ],
)
def test_a_field_that_is_a_group_too_is_refused(fields):
    assert "cannot both be" in problems(f"version: 1\nkind: rest\nfields: {fields}\n")[0]


@pytest.mark.parametrize("name", ["''", "a..b", ".a", "a.", "'a[x]'", "'[0]'", "'a[999999999]'", "a" * 300])
def test_a_field_needs_a_sound_name(name):
    assert any("is no field" in problem for problem in problems(f"{HEAD}  {name}: city\n"))


@pytest.mark.parametrize("name", ["رقم الجوال", "VAT-Number", "'Field #1'", "a[0][1].b"])
def test_a_field_may_be_called_what_the_target_calls_it(name):
    assert len(read(f"{HEAD}  {name}: city\n", "m.yaml").fields) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1:1: is empty"),
        ("# only a remark\n", "is empty"),
        ("[]", "1:1: a mapping is a group of: version"),
        ("text", "a mapping is a group of"),
        ("kind: rest\nfields: {a: city}", "1:1: `version` is missing"),
        ("version: 2\nkind: rest\nfields: {a: city}", "1:10: this program reads version 1"),
        ("version: true\nkind: rest\nfields: {a: city}", "this program reads version 1"),
        ("version: 1\nkind: 5\nfields: {a: city}", "2:7: `kind` must be text"),
        ("version: 1\nkind: rest\nfields: {}", "`fields` is a group"),
        ("version: 1\nkind: rest\nfields: [a]", "`fields` is a group"),
        (HEAD + "  a: city\nmatch: [b]\n", "5:9: `b` is not one of the fields above"),
        (HEAD + "  a: {value: x}\nmatch: [a]\n", "5:9: `a` is the same for many customers"),
        (HEAD + "  a: {if: crn, then: x}\nmatch: [a]\n", "same for many customers"),
        (HEAD + "  a: {from: type, map: {a: b}}\nmatch: [a]\n", "same for many customers"),
        (HEAD + "  a: {template: x}\nmatch: a\n", "`a` is the same for many customers"),
        (HEAD + "  a: city\nmatch: {a: b}\n", "`match` must be a list"),
        (HEAD + "  a: city\non_update: {keep: [b]}\n", "`b` is not one of the fields above"),
        (HEAD + "  a: city\non_update: {keep: [a], fill_if_empty: [a]}\n", "5:20: `a` is in `fill_if_empty` already"),
        (HEAD + "  a: city\non_update: [a]\n", "`on_update` is a group of: overwrite, fill_if_empty, keep"),
        (HEAD + "  a: city\nignore: [crm]\n", "5:10: Flavours sends no `crm`; did you mean `crn`?"),
        (HEAD + "  a: city\nwhen: crnn\n", "5:7: `crnn`: Flavours sends no `crnn`; did you mean `crn`?"),
        (HEAD + "  a: city\nsamples: {}\n", "`samples` is a list"),
        (HEAD + "  a: city\nsamples: [{given: {}}]\n", "5:11: a sample has `given`"),
        (HEAD + "  a: city\nsamples: [{given: {}, expect: 5}]\n", "a sample has `given`"),
        (HEAD + "  a: city\nsamples: [x]\n", "a sample is a group of"),
        (HEAD + "  a: city\non: [push]\n", "5:1: unknown key `on`"),
        (HEAD + "  a: city\nkind: csv\n", "5:1: `kind` stands here twice"),
        (HEAD + "  a: {{ user.name }}\n", "4:7: a template stands in quotes: {template:"),
        (HEAD + "  a: !!python/object/apply:os.system [ls]\n", "4:6: tags (`!`) are not used"),
        (HEAD + "  a: ! x\n", "tags (`!`) are not used"),
        (HEAD + "  a: &x city\n  b: *x\n", "4:6: `&` and `*` are not used"),
        (HEAD + "  a: *x\n", "`&` and `*` are not used"),
        (HEAD + "  a: city\n---\nb: 1\n", "5:1: holds a second document"),
        ("%YAML 1.1\n---\nversion: 1\n", "is written in YAML 1.2"),
        (HEAD + "  a: [city\n", "4:6: the `[` that opens here is not closed"),
        (HEAD + "  a: b: c\n", "4:7: a second `: ` in one line"),
        (HEAD + "  a: city\n\tb: city\n", "5:1: a tab; write spaces instead"),
        (HEAD + "  a: ci\0ty\n", "4:8: holds an invisible control character"),
        (HEAD + "  a: city\n  b: \ud800\n", "5:6: holds an invisible control character"),
        (HEAD + "  a: {value: 0o17}\n", "is not a number that can be read; put it in quotes"),
        (HEAD + "  a: {value: 1.0e+999}\n", "is not a number that can be read"),
        (HEAD + "  a: {value: .inf}\n", "is not a number that can be read"),
        (HEAD + "  a: {value: " + "9" * 5_000 + "}\n", "is not a number that can be read"),
    ],
)
def test_a_bad_document_is_refused_where_it_is_bad(text, says):
    found = problems(text)
    assert any(says in problem for problem in found), found


def test_yaml_one_two_leaves_words_alone():
    mapping = read(HEAD + "  a: {from: city, map: {on: no, yes: off}}\n  b: {value: 2024-01-18}\n", "m.yaml")
    assert mapping.fields[0].lookup == {"on": "no", "yes": "off"}
    assert mapping.fields[1].take.value == "2024-01-18"


def test_a_folded_text_is_one_line():
    mapping = read(HEAD + "  a:\n    value: >-\n      Kingdom of\n      Saudi Arabia\n", "m.yaml")
    assert mapping.fields[0].take.value == "Kingdom of Saudi Arabia"


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    text = "\ufeff" + DESIGN.replace("\n", "\r\n")
    assert check_samples(read(text, "m.yaml")) == []


def test_samples_may_hold_any_value():
    more = "samples:\n- given: {a: 1, b: 1.5, c: null, d: [true, x], e: -3}\n  expect: {}\n"
    sample = read(HEAD + "  f: city\n" + more, "m.yaml").samples[0]
    assert sample.given == {"a": 1, "b": 1.5, "c": None, "d": [True, "x"], "e": -3}
    assert sample.line == 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "{b: " * 1_000, "nested too deeply"),
        ("[" + "a," * 60_000 + "]", "too many entries"),
        ("- " * 50_000, "nested too deeply"),
        ("x" * 300_000, "larger than 256 kB"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "`&` and `*` are not used"),
    ],
)
def test_a_hostile_document_is_refused(text, says):
    "What that costs is measured in tests/mapping/test_mapping_hostile.py."
    assert says in problems(text)[0]

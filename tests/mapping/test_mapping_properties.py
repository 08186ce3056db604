"""Whatever Flavours sends and whatever an admin writes, apply answers: nothing raised, changed, or told that should not be."""

import copy
import json
import time
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from connector.bundled import bundled
from connector.errors import MappingError
from connector.mapping import yamltext
from connector.mapping.document import read
from connector.mapping.rules import apply
from connector.mapping.samples import check_samples
from tests.mapping.conftest import event_of, unhurried
from tests.mapping.strategies import CUSTOMERS, YAML_DATA, documents, dumped

EVERY_FORM = """\
version: 1
kind: rest
match: [phone, email, vat, "list[0].a"]
fields:
  name: {first_of: [user.name, user.username], use: [strip, first_word]}
  rest: {from: user.name, use: rest_words}
  phone: {from: user.phone, use: phone}
  email: {from: user.email, use: email}
  vat: {from: tax_number, use: {saudi_vat: {on_invalid: hold}}}
  cr: {from: crn, use: [digits, crn]}
  address: {join: [street, district, city], with: ", "}
  "list[0].a": {from: user.username, default: en}
  "list[1].a": {if: tax_number or not crn, then: company, else: person}
  since: {from: user.created_at, use: date}
  text: {template: "{{ user.name | upper }} {{ id | left(8) }} {{ type or gender | default('x') }}"}
  extra: {from: "data.new.list[0]", required: true}
when: not (type == "none" and gender in ["x"])
samples: []
"""
MAPPINGS = [read(EVERY_FORM, "every.yaml")] + [
    read(path.read_text(encoding="utf-8"), path.name) for path in sorted(bundled("mappings").glob("*.yaml"))
]


def leaves(value):
    if isinstance(value, dict | list):
        assert value, "no empty group reaches a target"
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in leaves(item)]
    return [value]


def accepted(text):
    "The mapping that check accepts; what it refuses is no example."
    try:
        return read(text, "m.yaml")
    except MappingError:
        assume(False)


def check_answer(mapping, data):
    event = event_of(data)
    before = repr(copy.deepcopy(data))
    result = apply(mapping, event)
    assert result == apply(mapping, event)
    assert repr(data) == before
    json.dumps(result.record, allow_nan=False, ensure_ascii=False).encode()
    for value in leaves(result.record) if result.record else []:
        assert isinstance(value, bool) or value.strip()
    return result


@unhurried
@given(CUSTOMERS, st.sampled_from(MAPPINGS))
def test_any_customer_is_mapped_without_a_word_of_complaint(data, mapping):
    check_answer(mapping, data)


@unhurried
@given(documents(), CUSTOMERS)
def test_any_mapping_that_is_accepted_maps_any_customer(document, data):
    mapping = accepted(dumped(document))
    result = check_answer(mapping, data)
    targets = {rule.target for rule in mapping.fields}
    assert all(warning.split(": ")[0] in targets for warning in result.warnings)
    assert [field for field, _ in result.match] == [f for f in mapping.match if f in dict(result.match)]
    assert result.phones <= targets
    assert set(result.trace) == (set() if result.skip else targets)
    limits = {rule.target: rule.max_length for rule in mapping.fields if rule.max_length and "[" not in rule.target}
    for target, longest in limits.items():
        value = result.record.get(target)
        assert not isinstance(value, str) or len(value) <= longest


@unhurried
@given(documents(), CUSTOMERS, st.text("123456789", min_size=9, max_size=9), st.text("qwxyz", min_size=9, max_size=9))
def test_no_mapping_tells_a_phone_or_an_email(document, data, phone, email):
    mapping = accepted(dumped(document))
    user = {
        "phone_prefix": "966",
        "phone": f"0{phone}",
        "email": f"{email}@example.com",
        "name": email,
        "username": phone,
    }
    data = data | {"user": user, "crn": phone, "tax_number": email, "type": email}
    result = apply(mapping, event_of(data))
    told = f"{result.warnings} {result.trace} {result.hold} {result.skip}"
    assert phone not in told
    assert email not in told


@unhurried
@given(documents())
def test_a_mapping_survives_being_written_by_another_program(document):
    text = dumped(document)
    plain = yamltext.read(text, "m.yaml").plain()
    assert plain == document
    mapping, again = accepted(text), accepted(dumped(plain))
    samples = tuple(replace(sample, line=1) for sample in mapping.samples)
    assert replace(mapping, samples=samples) == replace(again, samples=tuple(replace(s, line=1) for s in again.samples))


@unhurried
@given(YAML_DATA)
def test_plain_data_survives_yaml(data):
    assert yamltext.read(dumped({"data": data}), "m.yaml").plain() == {"data": data}


@unhurried
@given(documents())
def test_samples_are_checked_without_a_crash(document):
    assert all(line.startswith("sample ") for line in check_samples(accepted(dumped(document))))


@unhurried
@given(CUSTOMERS, st.sampled_from(MAPPINGS))
def test_a_rung_is_in_the_record_and_a_phone_is_a_number(data, mapping):
    result = apply(mapping, event_of(data))
    assert [field for field, _ in result.match] == [f for f in mapping.match if f in dict(result.match)]
    assert all(value.strip() for _, value in result.match)
    for field in result.phones:
        assert result.record[field].startswith("+")
        assert result.record[field][1:].isdecimal()


@unhurried
@given(st.sampled_from(["name", "email", "phone", "username"]), st.text("abcdefgh", min_size=12, max_size=20))
def test_warnings_trace_and_hold_never_tell_the_value(field, secret):
    event = event_of(
        {"tax_number": secret, "crn": secret, "user": {field: secret, "created_at": secret, "lang": secret}}
    )
    for mapping in MAPPINGS:
        result = apply(mapping, event)
        assert secret not in f"{result.warnings} {result.trace} {result.hold} {result.skip}"


def refusals(document):
    try:
        read(document, "m.yaml")
    except MappingError as error:
        return error.problems
    return []


@unhurried
@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_a_clear_refusal(text):
    for document in (text, f"version: 1\nkind: rest\nfields:\n  a: {text}\n"):
        for problem in refusals(document):
            assert 1 <= problem.line <= document.count("\n") + 2
            assert problem.column >= 1
            assert "\n" not in problem.message


def test_apply_is_fast():
    mapping = next(mapping for mapping in MAPPINGS if mapping.kind == "csv")
    event = event_of(mapping.samples[1].given)
    best = min(_timed(mapping, event) for _ in range(20))
    assert best < 0.002, f"{best * 1000:.2f} ms for one customer (goal 0.2 ms)"


def _timed(mapping, event):
    before = time.process_time()
    for _ in range(10):
        apply(mapping, event)
    return (time.process_time() - before) / 10

"""Whatever Flavours sends, apply answers: nothing raised, nothing changed, nothing that a target cannot take."""

import copy
import json
import time

from hypothesis import given
from hypothesis import strategies as st

from connector.bundled import bundled
from connector.errors import MappingError
from connector.mapping.document import read
from connector.mapping.paths import CUSTOMER
from connector.mapping.rules import apply
from tests.mapping.conftest import event_of, unhurried

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
TEXT = st.text(st.characters(codec=None), max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from([10**400, "٠٥٥١٢٣٤٥٦٧", "+966", "a@b.co"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OUTER = {path: JSON for path in CUSTOMER if "." not in path} | {"new": JSON}
INNER = {path.removeprefix("user."): JSON for path in CUSTOMER if "." in path}
CUSTOMERS = st.fixed_dictionaries({}, optional=OUTER | {"user": JSON | st.fixed_dictionaries({}, optional=INNER)})


def leaves(value):
    if isinstance(value, dict | list):
        assert value, "no empty group reaches a target"
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in leaves(item)]
    return [value]


@unhurried
@given(CUSTOMERS, st.sampled_from(MAPPINGS))
def test_any_customer_is_mapped_without_a_word_of_complaint(data, mapping):
    event = event_of(data)
    before = repr(copy.deepcopy(data))
    result = apply(mapping, event)
    assert result == apply(mapping, event)
    assert repr(data) == before
    json.dumps(result.record, allow_nan=False, ensure_ascii=False).encode()
    for value in leaves(result.record) if result.record else []:
        assert isinstance(value, bool) or value.strip()


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
        assert all(problem.line >= 1 and problem.column >= 1 for problem in refusals(document))


def test_apply_is_fast():
    mapping = next(mapping for mapping in MAPPINGS if mapping.kind == "csv")
    event = event_of(mapping.samples[1].given)
    best = min(_timed(mapping, event) for _ in range(20))
    assert best < 0.002, f"{best * 1000:.2f} ms for one customer (goal 0.2 ms)"


def _timed(mapping, event):
    before = time.perf_counter()
    for _ in range(10):
        apply(mapping, event)
    return (time.perf_counter() - before) / 10

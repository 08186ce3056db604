"""The shipped mappings: each keeps what its samples promise, and whatever is broken in it shows in a sample."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from connector.bundled import bundled
from connector.errors import MappingError
from connector.mapping.document import read
from connector.mapping.paths import CUSTOMER
from connector.mapping.rules import apply
from connector.mapping.samples import check_samples
from tests.mapping.breaking import broken
from tests.mapping.conftest import event_of, mapping_of

PACKS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(bundled("mappings").glob("*.yaml"))}
SEED = json.loads((Path(__file__).parents[1] / "samples" / "customers.CREATE.json").read_text())["data"]
NAMED = {"person", "company", "documented", "empty", "arabic"}
ARABIC = re.compile("[\u0621-\u064a]")
# What no target wants of a customer: ids, rights, moments, and the prefix that goes with its phone.
TECHNICAL = {
    *("id", "created_by", "qoyod_id", "user.id", "user.userable_id", "user.role", "user.phone_prefix"),
    *("user.fcm_token", "user.is_active", *(path for path in CUSTOMER if path.endswith("_at"))),
}


def compiled(name):
    "The mapping, or None where it cannot be read: then its own test says why."
    try:
        return read(PACKS[name], f"{name}.yaml")
    except MappingError:
        return None


MAPPINGS = {name: mapping for name in PACKS if (mapping := compiled(name))}
# Still to be brought to what these tests ask; delete a name here when its pack is.
WAITING = set()


def case(name, *values, of=""):
    "A case of a pack; what fails in one that waits is known."
    marks = [pytest.mark.xfail(reason="still to be brought up", strict=False)] if name in WAITING else []
    return pytest.param(name, *values, id=name + of, marks=marks)


every = pytest.mark.parametrize("name", [case(name) for name in PACKS])


@every
def test_a_shipped_mapping_keeps_its_samples(name):
    mapping = read(PACKS[name], f"{name}.yaml")
    assert check_samples(mapping) == []
    assert mapping.kind == name
    assert {sample.name for sample in mapping.samples} >= NAMED


# One thing at a time is broken in a mapping, and a sample must say so.


def mutants():
    for name, mapping in MAPPINGS.items():
        for index, rule in enumerate(mapping.fields):
            before, after = mapping.fields[:index], mapping.fields[index + 1 :]
            yield case(name, (*before, *after), of=f": {rule.target}: left out")
            for what, changed in broken(rule):
                yield case(name, (*before, changed, *after), of=f": {rule.target}: {what}")


@pytest.mark.parametrize(("name", "fields"), list(mutants()))
def test_a_broken_rule_shows_in_a_sample(name, fields):
    assert check_samples(replace(MAPPINGS[name], fields=fields))


def test_rules_are_broken_in_every_way():
    fields = """\
        a: {first_of: [user.name, city], use: [strip, {phone: {prefix: "966", on_invalid: drop, on_junk: hold}}], default: x}
        b: {join: [street, city], with: ", ", when: crn}
        c: {if: crn, then: company}
        d: {from: type, map: {a: b}, default: {template: "{{ id }}"}}
        e: {value: true}
    """
    assert [what for rule in mapping_of(fields).fields for what, _ in broken(rule)] == [
        *("without user.name", "without city", "turned round", "without strip", "without phone"),
        *("phone with another prefix", "phone without its on_invalid", "phone without its on_junk"),
        *("without its default", "default: another value"),
        *("without street", "without city", "turned round", "another text between", "without its when"),
        *("then and else exchanged", "another then", "another else"),
        *("without its default", "default: another text"),
        *("without its map", "without a in its map", "another text for a in its map"),
        "another value",
    ]


# Lengths: no sample would be readable with 5,000 characters in it.


def customer_of(text, **user):
    "A customer whose every text is this one."
    flat = {path: text for path in CUSTOMER if "." not in path}
    return flat | {"user": {path.removeprefix("user."): text for path in CUSTOMER if "." in path} | user}


TALKATIVE = {
    "one word": customer_of("x" * 5_000),
    "words": customer_of("سارة بنت أحمد " * 358),
    "marks": customer_of("مُ" * 2_500),
    "contact": customer_of(
        "y" * 5_000, phone=f"{'ask at the desk ' * 4}"[:64].strip(), email=f"{'a' * 64}@{'b' * 60}.com"
    ),
}
TALKATIVE["company"] = TALKATIVE["words"] | {"crn": "1010010000"}


def only(mapping, rule):
    return replace(mapping, fields=(rule,), samples=())


def length(made):
    "How long the one value of a record is; 0 without one."
    value = made.record
    while isinstance(value, dict | list) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return len(value) if isinstance(value, str) else 0


def limited():
    rules = [(name, rule) for name, mapping in MAPPINGS.items() for rule in mapping.fields if rule.max_length]
    return [case(name, rule, of=f": {rule.target}") for name, rule in rules]


@pytest.mark.parametrize(("name", "rule"), limited())
def test_no_field_is_longer_than_its_target_takes_and_what_was_cut_is_said(name, rule):
    mapping, cut = MAPPINGS[name], 0
    for customer in TALKATIVE.values():
        made = apply(only(mapping, rule), event_of(customer))
        free = apply(only(mapping, replace(rule, max_length=None)), event_of(customer))
        assert length(made) <= rule.max_length
        if length(free) > rule.max_length:
            cut += 1
            assert re.search(rf"ha[sd] {length(free)} characters[,;] ", made.warnings[-1])
    assert cut or rule.exact, "its max_length changes nothing"


# What becomes of every field of a customer, and how the page reads.


def mapped_paths(mapping):
    takes = [take for rule in mapping.fields for take in (rule.take, rule.default) if take is not None]
    return {path for take in takes for path in take.paths}


@every
def test_no_field_of_a_customer_is_lost(name):
    mapping = MAPPINGS[name]
    carried = mapped_paths(mapping)
    assert sorted(set(CUSTOMER) - carried - set(mapping.ignore) - TECHNICAL) == []
    assert sorted(carried & set(mapping.ignore)) == []


@every
def test_the_documented_customer_warns_for_phone_and_email_and_is_not_looked_for_by_them(name):
    result = apply(MAPPINGS[name], event_of(SEED))
    told = {warning.split(": ")[1].split()[0] for warning in result.warnings}
    assert {"user.email", "user.phone"} <= told <= {"user.email", "user.phone", "user.name"}  # User 1 is nobody's name
    assert {value for _, value in result.match} <= {SEED["id"]}


def texts(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [text for item in inner for text in texts(item)]


@every
def test_a_customer_always_has_a_name(name):
    nobody = apply(MAPPINGS[name], event_of({"id": "c4a868ea-735e", "user": {}}))
    phone = apply(MAPPINGS[name], event_of({"id": "c", "user": {"phone": 551234567}}))
    assert "Flavours customer c4a868ea" in texts(nobody.record)
    assert "551234567" in texts(phone.record)


def nodes(node, above=()):
    "Every node of the page with the keys that lead to it."
    yield above, node
    inner = [(key.value, value) for key, value in node.value] if isinstance(node, MappingNode) else []
    inner += [(str(index), value) for index, value in enumerate(node.value)] if isinstance(node, SequenceNode) else []
    for key, value in inner:
        yield from nodes(value, (*above, key))


@every
def test_it_is_written_in_block_style(name):
    root = YAML().compose(PACKS[name])
    for where, node in nodes(root):
        if not isinstance(node, MappingNode | SequenceNode) or not node.flow_style:
            continue
        one_line = node.start_mark.line == node.end_mark.line
        width = node.end_mark.column - node.start_mark.column
        if where[0] == "fields" and len(where) == 2:
            assert [key.value for key, _ in node.value] == ["value"], where
        assert one_line, where
        assert width <= (60 if where[0] == "fields" else 120), where


@every
def test_every_field_says_in_arabic_what_it_is(name):
    root = YAML().compose(PACKS[name])
    fields = next(value for key, value in root.value if key.value == "fields")
    lines = PACKS[name].splitlines()
    said: dict[str, bool] = {}  # an item of a list is said once for all its parts
    for key, _ in fields.value:
        whole = key.value.rpartition("]")[0] or key.value
        said[whole] = said.get(whole, False) or bool(ARABIC.search(lines[key.start_mark.line].partition(" #")[2]))
    assert [field for field, labelled in said.items() if not labelled] == []


@every
def test_it_begins_with_what_an_admin_must_know(name):
    first, second, *_ = PACKS[name].splitlines()
    assert first == "# yaml-language-server: $schema=mapping.schema.json"
    assert second.startswith("# ")
    assert f"`connector mapping preview {name}`" in PACKS[name]


# The samples themselves.


def test_samples_show_what_differs():
    more = "samples:\n- {given: {city: R, street: S}, expect: {city: X, tags: [a], none: {}}}\n"
    assert check_samples(mapping_of("city: city\nstreet: street", more)) == [
        "sample 1 (line 4): city: expected 'X', got 'R'",
        "sample 1 (line 4): none: expected {}, got nothing",
        "sample 1 (line 4): street: expected nothing, got 'S'",
        "sample 1 (line 4): tags[0]: expected 'a', got nothing",
    ]


@pytest.mark.parametrize(
    ("fields", "more"), [("city: {from: city, required: true}", ""), ("city: city", "when: crn\n")]
)
def test_samples_show_that_there_is_no_record(fields, more):
    more += "samples:\n- {given: {id: 5}, expect: {city: R}}\n"
    lines = check_samples(mapping_of(fields, more))
    assert "no record: " in lines[0]
    assert len(lines) == 2

"""The shipped mappings: each keeps what its samples promise, and a broken rule shows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from connector.bundled import bundled
from connector.mapping.document import read
from connector.mapping.rules import apply
from connector.mapping.samples import check_samples
from tests.mapping.conftest import event_of, mapping_of

NAMES = ("csv", "rest", "qoyod")
SEED = json.loads((Path(__file__).parents[1] / "samples" / "customers.CREATE.json").read_text())["data"]


def shipped(name):
    return (bundled("mappings") / f"{name}.yaml").read_text(encoding="utf-8")


def test_every_file_in_the_folder_is_tried_here():
    assert {path.stem for path in bundled("mappings").glob("*.yaml")} >= set(NAMES)


@pytest.mark.parametrize("path", sorted(bundled("mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_mapping_keeps_its_samples(path):
    mapping = read(path.read_text(encoding="utf-8"), path.name)
    assert check_samples(mapping) == []
    assert len(mapping.samples) >= 5
    assert mapping.kind == path.stem


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_is_needed_by_a_sample(name):
    mapping = read(shipped(name), name)
    for rule in mapping.fields:
        without = replace(mapping, fields=tuple(other for other in mapping.fields if other is not rule))
        assert check_samples(without), rule.target
        for step in rule.steps:
            plain = replace(rule, steps=tuple(other for other in rule.steps if other is not step))
            changed = tuple(plain if other is rule else other for other in mapping.fields)
            assert check_samples(replace(mapping, fields=changed)), (rule.target, step.name)


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_payload_warns_for_phone_and_email(name):
    result = apply(read(shipped(name), name), event_of(SEED))
    assert sorted(warning.split(":")[1].split()[0] for warning in result.warnings) == ["user.email", "user.phone"]
    assert not {"phone", "phone_number", "email"} & {field for field, _ in result.match}
    assert result.record["name"] == "User 1"


@pytest.mark.parametrize("name", NAMES)
def test_a_customer_always_has_a_name(name):
    mapping = read(shipped(name), name)
    assert apply(mapping, event_of({"id": "c4a868ea-735e", "user": {}})).record["name"] == "Flavours customer c4a868ea"
    assert apply(mapping, event_of({"id": "c", "user": {"phone": 551234567}})).record["name"] == "551234567"


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

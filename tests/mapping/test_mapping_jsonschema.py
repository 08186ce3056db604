"""The schema for editors says what document.read says, as far as a schema can know."""

import ast
import json
import re
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

import jsonschema
import pytest

from connector.bundled import bundled
from connector.errors import MappingError
from connector.mapping import yamltext
from connector.mapping.customers import CUSTOMERS
from connector.mapping.document import read
from connector.mapping.jsonschema import schema
from connector.mapping.transforms import TRANSFORMS

HERE = Path(__file__).parent
HEAD = "version: 1\nkind: rest\nfields:\n"
SCHEMA = schema()
FIELDS = SCHEMA["definitions"]["path"]["anyOf"][0]["enum"]
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
EVERYTHING = """\
version: 1
kind: xero
match: vat
fields:
  Name: {first_of: user.name, use: [name, strip], max_length: 40}
  phones[0].number: {from: user.phone, use: {phone: {prefix: user.phone_prefix, on_invalid: hold, on_junk: drop}}}
  رقم: {join: [street, "data.address.lines[1]"], with: ""}
  vat: {from: tax_number, use: [digits, {only_if: "3*3"}, {saudi_vat: {}}]}
  mobile: {from: user.phone, use: {only_if: {shape: "05########", on_invalid: drop}}}
  zip: {from: zip_code, use: {postal_code: sa}}
  since: {from: user.created_at, use: {date: {format: "%Y", timezone: UTC}}}
  company: {from: is_company, map: {"true": B, "false": P}, default: {template: "{{ id }}"}}
  kind: {if: is_company, then: company, else: person, when: user.lang == "ar", required: true}
  active: {value: false}
on_update: {overwrite: [Name], fill_if_empty: zip, keep: [vat]}
on_name_taken: hold
ignore: gender
when: not (type == "guest")
samples:
  - given: company
    expect: {Name: x}
  - {given: {id: 5, user: null, list: [1.5, true]}, expect: {}}
"""
# What only the whole document, or a reader of expressions and options, can tell.
BEYOND = re.compile(
    r"^`.*`: "  # a template or a condition
    r"|invisible control characters"
    r"|is neither a prefix|is not a date format|is not a time zone|is written with #|^`country` is one of"
    r"|is not one of the fields above|is the same for many|is both a field and a group|keep it in one of the two"
    r"|do not count"
)


def plain(text):
    return yamltext.read(text, "m.yaml").plain()


def mistakes(text):
    return [error.message for error in VALIDATOR.iter_errors(plain(text))]


@cache
def corpus():
    "Every text in the tests of documents and rules, as far as it looks like a document, a rule or fields: (text, problems)."
    texts = [
        node.value
        for name in ("document", "rules", "properties", "shipped")
        for node in ast.walk(ast.parse((HERE / f"test_mapping_{name}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 10_000
    ]
    whole = [text for text in texts if text.startswith("version")]
    rules = [f"{HEAD}  f: {text}\n" for text in texts if text.startswith(("{", "user.", "data.")) or text in FIELDS]
    fields = [HEAD + indent(dedent(text), "  ") for text in texts if re.match(r"\s*[\w.]+: ", text)]
    behind = [f"{HEAD}  a: city\n{text}" for text in texts if re.match(r"\w+: .*\n$", text)]
    return [(text, problems_of(text)) for text in dict.fromkeys((*whole, *rules, *fields, *behind))]


def problems_of(text):
    try:
        read(text, "m.yaml")
    except MappingError as error:
        return [problem.message for problem in error.problems]
    return []


def test_it_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    json.dumps(SCHEMA)


@pytest.mark.parametrize("path", sorted(bundled("mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_right_by_it(path):
    assert mistakes(path.read_text(encoding="utf-8")) == []


def test_all_that_can_be_written_is_right_by_it():
    assert problems_of(EVERYTHING) == []
    assert mistakes(EVERYTHING) == []


def test_what_document_takes_the_schema_takes():
    taken = [text for text, problems in corpus() if not problems]
    assert len(taken) > 50
    assert [text for text in taken if mistakes(text)] == []


def test_what_the_schema_takes_document_refuses_only_for_what_a_schema_cannot_know():
    refused = 0
    for text, problems in corpus():
        if problems and readable(text):
            refused += 1
            assert mistakes(text) or any(map(BEYOND.search, problems)), (text, problems)
    assert refused > 50


def readable(text):
    try:
        plain(text)
    except MappingError:
        return False
    return True


@pytest.mark.parametrize(
    "rule",
    [
        "user.fone",
        "phone",
        "user",
        "data.__class__",
        "5",
        "[city]",
        "",
        "{}",
        "{use: phone}",
        "{from: city, defalt: x}",
        "{from: city, value: x}",
        "{from: city, with: x}",
        "{if: crn}",
        "{then: a, from: city}",
        "{from: user.fone}",
        "{first_of: []}",
        "{first_of: [city, strete]}",
        "{value: 5}",
        "{value: ' '}",
        "{template: 5}",
        "{from: city, use: fone}",
        "{from: city, use: []}",
        "{from: city, use: [lower, fone]}",
        "{from: city, use: only_if}",
        "{from: city, use: {only_if: {on_invalid: drop}}}",
        "{from: city, use: {phone: {prefx: '966'}}}",
        "{from: city, use: {phone: {prefix: 966}}}",
        "{from: city, use: {phone: {on_invalid: keep}}}",
        "{from: city, use: {lower: {on_junk: drop}}}",
        "{from: city, use: {phone: {}, email: {}}}",
        "{from: city, map: {a: 1}}",
        "{from: city, map: {}}",
        "{from: city, default: 5}",
        "{from: city, default: {templat: x}}",
        "{from: city, required: 'yes'}",
        "{from: city, max_length: 0}",
        "{from: city, max_length: '5'}",
        "{from: city, when: true}",
    ],
)
def test_a_mistake_in_a_rule_is_found(rule):
    text = f"{HEAD}  f: {rule}\n"
    assert mistakes(text)
    assert problems_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "kind: rest\nfields: {a: city}",
        "version: 2\nkind: rest\nfields: {a: city}",
        "version: true\nkind: rest\nfields: {a: city}",
        "version: 1\nkind: 5\nfields: {a: city}",
        "version: 1\nkind: rest\nfields: {}",
        "version: 1\nkind: rest\nfields: {a..b: city}",
        HEAD + "  a: city\nmatsh: [a]\n",
        HEAD + "  a: city\nmatch: []\n",
        HEAD + "  a: city\nignore: [crm]\n",
        HEAD + "  a: city\non_update: {fill: [a]}\n",
        HEAD + "  a: city\non_name_taken: rename\n",
        HEAD + "  a: city\nwhen: 5\n",
        HEAD + "  a: city\nsamples: [{given: persn, expect: {}}]\n",
        HEAD + "  a: city\nsamples: [{given: person}]\n",
    ],
)
def test_a_mistake_in_a_document_is_found(text):
    assert mistakes(text)
    assert problems_of(text)


def test_an_editor_is_offered_every_word_and_path():
    definitions = SCHEMA["definitions"]
    bare, with_options = definitions["word"]["anyOf"]
    assert set(with_options["properties"]) == set(TRANSFORMS)
    assert {*bare["enum"], "only_if"} == set(TRANSFORMS)
    assert {"user.phone", "event.xid", "is_company"} <= set(definitions["path"]["anyOf"][0]["enum"])
    given = SCHEMA["properties"]["samples"]["items"]["properties"]["given"]
    assert given["anyOf"][0]["enum"] == list(CUSTOMERS)


def undescribed(properties, where):
    return [f"{where}.{key}" for key, part in properties.items() if len(part.get("description", "")) < 10]


def test_every_key_is_described():
    rule = SCHEMA["definitions"]["rule"]["anyOf"][1]["properties"]
    words = SCHEMA["definitions"]["word"]["anyOf"][1]["properties"]
    assert undescribed(SCHEMA["properties"], "") + undescribed(rule, "rule") + undescribed(words, "use") == []
    for name, word in words.items():
        options = (word["anyOf"][1] if "anyOf" in word else word)["properties"]
        assert undescribed(options, name) == []

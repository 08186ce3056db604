"""Describe the mapping language as JSON Schema (draft-07), so that an editor helps while a mapping is written.

It is made from the very tables by which a document is read. What only the whole document can tell (a field that stands
in `match` and nowhere else, a broken condition) stays with `connector check`.
"""

from collections.abc import Mapping
from typing import Any

from connector.mapping.compiling import EVERYWHERE, EXAMPLES, FORMS, ON_INVALID
from connector.mapping.customers import CUSTOMERS
from connector.mapping.document import KEYS, ON_NAME_TAKEN, ON_UPDATE, VERSION
from connector.mapping.expressions import LONGEST_RESULT
from connector.mapping.paths import CUSTOMER, DERIVED, ENVELOPE, LONGEST, NEW_FIELD, PLACE
from connector.mapping.template import LONGEST_TEXT
from connector.mapping.transforms import TRANSFORMS, Transform

Json = dict[str, Any]

_TEXT: Json = {"type": "string", "pattern": r"\S"}
_PATH: Json = {"$ref": "#/definitions/path"}


def schema() -> Json:
    """Return the schema of a mapping document."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A mapping of the Flavours connector",
        "description": "How a Flavours customer becomes the record of a target.",
        "type": "object",
        "required": ["version", "kind", "fields"],
        "additionalProperties": False,
        "properties": {key: _KEYS[key] for key in KEYS},
        "definitions": {
            "path": _path(),
            "rule": _rule(),
            "use": _one_or_more({"$ref": "#/definitions/word"}),
            "word": _word(),
        },
    }


def _said(text: str, more: Json) -> Json:
    return {"description": text, **more}


def _one_or_more(item: Json) -> Json:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _names(text: str) -> Json:
    return _said(text, _one_or_more(_TEXT))


def _group(properties: Mapping[str, Json], **more: Any) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **more}


_CONDITION: Json = {**_TEXT, "maxLength": LONGEST_TEXT}
_UPDATES: Mapping[str, Json] = {
    "overwrite": _names("Fields that are written over. All that are not listed here are, too."),
    "fill_if_empty": _names("Fields that are written only where the contact has nothing yet."),
    "keep": _names("Fields that are written when the contact is created, and never again."),
}
_SAMPLE = _group(
    {
        "given": _said(
            "The customer as Flavours sends it, or the name of a sample customer.",
            {"anyOf": [{"enum": list(CUSTOMERS)}, {"type": "object"}]},
        ),
        "expect": _said("The whole record that the mapping must make of it.", {"type": "object"}),
    },
    required=["given", "expect"],
)
_KEYS: Mapping[str, Json] = {
    "version": _said("The version of the mapping language.", {"const": VERSION}),
    "kind": _said("The kind of target: csv, rest, qoyod, …; `connector targets kinds` lists them.", _TEXT),
    "match": _names(
        "Is the contact there already? The fields it is looked up by, in this order; only valid values count."
    ),
    "fields": _said(
        "Left: the field at the target (a dot makes a group: address.city). Right: where it comes from in Flavours.",
        {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": rf"^{PLACE}(?:\.{PLACE})*$", "maxLength": LONGEST},
            "additionalProperties": {"$ref": "#/definitions/rule"},
        },
    ),
    "on_update": _said(
        "What happens to a contact that is there already.", _group({mode: _UPDATES[mode] for mode in ON_UPDATE})
    ),
    "on_name_taken": _said(
        "The target takes each name once, and another contact has it: add a suffix, or hold it for a person.",
        {"enum": list(ON_NAME_TAKEN), "default": "suffix"},
    ),
    "ignore": _said(
        "Fields of Flavours that are left out on purpose; `connector mapping coverage` names those that are just lost.",
        _one_or_more(_PATH),
    ),
    "when": _said(
        "Only customers for whom this holds: fields, text in quotes, and, or, not, ==, !=, in [...]. "
        "The others are skipped.",
        _CONDITION,
    ),
    "samples": _said(
        "What the mapping promises; `connector mapping test` checks it.", {"type": "array", "items": _SAMPLE}
    ),
}


def _path() -> Json:
    known = {"enum": sorted((*CUSTOMER, *ENVELOPE, *DERIVED))}
    return _said(
        "A field of Flavours. One that Flavours added since is written data.NAME.",
        {"anyOf": [known, {"type": "string", "pattern": f"^{NEW_FIELD}$", "maxLength": LONGEST}]},
    )


_FORM: Mapping[str, Json] = {
    "from": _said("The field of Flavours that it comes from.", _PATH),
    "first_of": _said("The first of these fields that holds something.", _one_or_more(_PATH)),
    "join": _said("These fields together, those that hold something.", _one_or_more(_PATH)),
    "template": _said(
        "Text with holes: Flavours customer {{ user.name }}. "
        "In a hole: fields, text in quotes, and, or, not, if/else, ~, and filters behind |.",
        _CONDITION,
    ),
    "value": _said("Fixed text, or true or false.", {"anyOf": [_TEXT, {"type": "boolean"}]}),
    "if": _said("A condition: `then` where it holds, else `else`.", _CONDITION),
}
_PART: Mapping[str, Json] = {
    "with": _said("With `join`: the text between; a space unless told.", {"type": "string"}),
    "then": _said("With `if`: the text where it holds.", _TEXT),
    "else": _said("With `if`: the text where it does not hold; without it the field is left out.", _TEXT),
}
_MORE: Mapping[str, Json] = {
    "use": _said("What is done to the value, one word after the other.", {"$ref": "#/definitions/use"}),
    "map": _said(
        "A table: what Flavours says, and what the target calls it. Case, spaces and diacritics do not count.",
        {"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
    ),
    "default": _said(
        "The text where nothing came of it; also {template: …}.",
        {"anyOf": [_TEXT, _group({"template": _CONDITION}, required=["template"])]},
    ),
    "max_length": _said(
        "The most characters the target takes: text is shortened with a warning; half a number is left out.",
        {"type": "integer", "minimum": 1, "maximum": LONGEST_RESULT},
    ),
    "required": _said("true: a customer without it is held for a person.", {"type": "boolean"}),
    "when": _said("Only where this holds; else the field is left out.", _CONDITION),
}


def _rule() -> Json:
    parts = {part: [form] for form, parts in FORMS.items() for part in parts}
    properties = {key: _FORM[key] for key in FORMS} | {key: _PART[key] for key in parts}
    whole = _group(
        properties | {key: _MORE[key] for key in EVERYWHERE},
        oneOf=[{"required": [form]} for form in FORMS],
        dependencies=parts | {"if": ["then"]},
    )
    return _said(
        'A field of Flavours, or one of from, first_of, join, template, value, if. Fixed text: {value: "SA"}.',
        {"anyOf": [_PATH, whole]},
    )


def _word() -> Json:
    bare = [name for name, word in TRANSFORMS.items() if not word.needs]
    with_options = _group({name: _options(name, word) for name, word in TRANSFORMS.items()})
    return _said(
        "; ".join(f"{name}: {_purpose(word)}" for name, word in TRANSFORMS.items()),
        {"anyOf": [{"enum": bare}, {**with_options, "minProperties": 1, "maxProperties": 1}]},
    )


def _options(name: str, word: Transform) -> Json:
    properties = {option: _option(name, word, option) for option in word.options}
    properties["on_invalid"] = _otherwise("it is not valid", word.on_invalid)
    if word.on_junk is not None:
        properties["on_junk"] = _otherwise("it is well formed and looks like nobody's", word.on_junk)
    whole = _group(properties, required=[word.main] if word.main and word.needs else [])
    return _said(_purpose(word), {"anyOf": [_TEXT, whole]} if word.main else whole)


def _option(name: str, word: Transform, option: str) -> Json:
    example = EXAMPLES.get(name) if option == word.main else None
    return _said(f"For example {example}." if example else f"The {option}.", _TEXT)


def _otherwise(what: str, default: str) -> Json:
    return _said(
        f"When {what}: send it raw, drop the field, or hold the customer for a person.",
        {"enum": list(ON_INVALID), "default": default},
    )


def _purpose(word: Transform) -> str:
    return (word.run.__doc__ or "").partition("\n")[0]

"""The words that a mapping is written in, for who writes one: keys, forms, what may be done to a value, fields of Flavours."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from connector.mapping import jsonschema, paths
from connector.mapping.customers import CUSTOMERS
from connector.mapping.document import ON_NAME_TAKEN
from connector.mapping.transforms import TRANSFORMS
from connector.web.admin import language

Word = dict[str, str]
Meanings = Mapping[str, str]


def vocabulary(spoken: str) -> dict[str, list[Word]]:
    """Return the words by where they may stand, each with what it means, in the reader's language."""
    schema = jsonschema.schema()
    rule = next(one for one in schema["definitions"]["rule"]["anyOf"] if "properties" in one)
    return {
        "keys": _words(spoken, "keys", _described(schema["properties"])),
        "rule": _words(spoken, "rule", _described(rule["properties"])),
        "on_update": _words(spoken, "on_update", _described(schema["properties"]["on_update"]["properties"])),
        "uses": _words(spoken, "uses", {name: _purpose(name) for name in TRANSFORMS}),
        "paths": [_path(path, spoken) for path in (*paths.CUSTOMER, *paths.DERIVED, *paths.ENVELOPE)],
        "samples": _words(spoken, "samples", _bare(CUSTOMERS)),
        "on_invalid": _words(spoken, "on_invalid", _bare(("raw", "drop", "hold"))),
        "on_name_taken": _words(spoken, "on_name_taken", _bare(ON_NAME_TAKEN)),
    }


def phrases(spoken: str) -> Meanings:
    """Return what the editor itself says, by its own English; none for English."""
    return _told(spoken).get("phrases", {})


@cache
def _told(spoken: str) -> Mapping[str, Meanings]:
    """Return what the words mean in a language: the core explains most of them itself, in English alone."""
    text = (Path(__file__).parent / "words" / f"editor.{spoken}.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Meanings] = YAML(typ="safe", pure=True).load(text)
    return found


def _words(spoken: str, place: str, english: Meanings) -> list[Word]:
    told = _told(spoken).get(place, {})
    return [_word(name, told.get(name) or (meaning if spoken == "en" else "")) for name, meaning in english.items()]


def _word(name: str, meaning: str) -> Word:
    return {"label": name, "info": meaning} if meaning else {"label": name}


def _described(properties: Mapping[str, Any]) -> Meanings:
    return {name: said.get("description", "") for name, said in properties.items()}


def _path(path: str, spoken: str) -> Word:
    return {"label": path, "detail": language.of_flavours(spoken, path) or ""}


def _bare(names: Iterable[str]) -> Meanings:
    return dict.fromkeys(names, "")


def _purpose(name: str) -> str:
    return (TRANSFORMS[name].run.__doc__ or "").partition("\n")[0]

"""The words that a mapping is written in, for who writes one: keys, forms, what may be done to a value, fields of Flavours."""

from collections.abc import Iterable, Mapping
from typing import Any

from connector.mapping import jsonschema, paths
from connector.mapping.customers import CUSTOMERS
from connector.mapping.document import ON_NAME_TAKEN
from connector.mapping.transforms import TRANSFORMS
from connector.web.admin import language

Word = dict[str, str]


def vocabulary(spoken: str) -> dict[str, list[Word]]:
    """Return the words by where they may stand; each with what it means, where that is said in the reader's language."""
    schema = jsonschema.schema()
    rule = next(one for one in schema["definitions"]["rule"]["anyOf"] if "properties" in one)
    return {
        "keys": _words(schema["properties"], spoken),
        "rule": _words(rule["properties"], spoken),
        "on_update": _words(schema["properties"]["on_update"]["properties"], spoken),
        "uses": [_word(name, _purpose(name), spoken) for name in TRANSFORMS],
        "paths": [_path(path, spoken) for path in (*paths.CUSTOMER, *paths.DERIVED, *paths.ENVELOPE)],
        "samples": _bare(CUSTOMERS),
        "on_invalid": _bare(("raw", "drop", "hold")),
        "on_name_taken": _bare(ON_NAME_TAKEN),
    }


def _words(properties: Mapping[str, Any], spoken: str) -> list[Word]:
    return [_word(name, said.get("description", ""), spoken) for name, said in properties.items()]


def _word(name: str, meaning: str, spoken: str) -> Word:
    # The core explains itself in English alone; a reader of Arabic gets the bare word, and nothing half translated.
    return {"label": name, "info": meaning} if spoken == "en" and meaning else {"label": name}


def _path(path: str, spoken: str) -> Word:
    return {"label": path, "detail": language.of_flavours(spoken, path) or ""}


def _bare(names: Iterable[str]) -> list[Word]:
    return [{"label": name} for name in names]


def _purpose(name: str) -> str:
    return (TRANSFORMS[name].run.__doc__ or "").partition("\n")[0]

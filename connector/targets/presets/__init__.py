"""The vendors that need no code: each a description in YAML, in the words of the `rest` kind.

label      the vendor's name
settings   what its user gives besides the settings of all targets: each a secret, or the name of an account in an address
base_url   where its API is, if that is not for the user to say; pace: below the vendor's limit
form       the rest form; ${api_key} and ${subdomain} stand for what the user gives
told       the words for README's table: match, upsert, limits, auth, twice, proved
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, fields
from ruamel.yaml import YAML

from connector.config_fields import Text
from connector.masking import Secret
from connector.targets.base import Kind
from connector.targets.rest import Rest
from connector.targets.rest_settings import RestSettings
from connector.targets.settings import HttpSettings, Rate, address, secret

_BLANK = re.compile(r"\$\{(\w+)\}")
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def preset(file: Path) -> Kind:
    """Return the kind that a description makes, named as its file. Raises KeyError and the like when it is not one."""
    described = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return Kind(
        label=described["label"],
        schema=HttpSettings.from_dict(_settings(described))(),
        open=lambda config, settings, around: Rest(filled(described, settings), around, config.name, file.stem),
        batch_size=1,
        **described["told"],
    )


def filled(described: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a `rest` target: the form with the user's own put in, as the schema of `rest` loads them."""
    base_url = settings["base_url"] or _fill(described["base_url"], settings)
    form: dict[str, Any] = RestSettings().load({**_fill(described["form"], settings), "base_url": str(base_url)})
    return form | {name: settings[name] for name in HttpSettings().fields} | {"base_url": str(base_url)}


def _settings(described: Mapping[str, Any]) -> dict[str, fields.Field[Any]]:
    made: dict[str, fields.Field[Any]] = {
        name: secret(how["secret"], required=True) if "secret" in how else _part(how["account"])
        for name, how in described["settings"].items()
    }
    if base_url := described.get("base_url"):
        default = None if _BLANK.search(base_url) else base_url
        told = _BLANK.sub("ACCOUNT", base_url)
        made["base_url"] = Text(load_default=default, validate=address, metadata={"help": told})
    made["pace"] = Rate(
        load_default=Rate().deserialize(described["pace"]),
        metadata={"help": f"at most so many requests in so long ({described['pace']})"},
    )
    return made


def _part(help_text: str) -> fields.Field[Any]:
    return Text(required=True, validate=_account, metadata={"help": help_text})


def _account(value: str) -> None:
    if not _PART.fullmatch(value):
        raise ValidationError("must be the account's name alone, as `acme` is in https://acme.example.com")


def _fill(data: Any, settings: Mapping[str, Any]) -> Any:
    """Put the user's settings into the texts; a text with a secret in it is one."""
    if isinstance(data, dict):
        return {name: _fill(item, settings) for name, item in data.items()}
    if isinstance(data, list):
        return [_fill(item, settings) for item in data]
    names = _BLANK.findall(data) if isinstance(data, str) else []
    if not names:
        return data
    text = _BLANK.sub(lambda blank: str(settings[blank[1]]), data)
    return Secret(text) if any(isinstance(settings[name], Secret) for name in names) else text

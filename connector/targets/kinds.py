"""The kinds of target there are: check a target's settings, open it, and tell what each kind is."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import quote

from marshmallow import ValidationError

from connector.config import TargetConfig
from connector.errors import ConfigError, Problem
from connector.masking import Secret
from connector.targets.base import Around, Kind, Target
from connector.targets.grants import OAuth2

GROUP = "connector.targets"  # the entry points by which other packages bring kinds of their own
_HERE = Path(__file__).parent
_OURS: Mapping[str, str] = {"csv": "connector.targets.csv", "rest": "connector.targets.rest"}


@cache
def names() -> tuple[str, ...]:
    """Return the kinds that this program knows: its own, by the files there are, then those of other packages."""
    vendors = {file.stem for file in (_HERE / "vendors").glob("[a-z]*.py")}
    presets = {file.stem for file in (_HERE / "presets").glob("[a-z]*.yaml")}
    others = {point.name for point in entry_points(group=GROUP)}
    return (*_OURS, *sorted(vendors | presets), *sorted(others - vendors - presets - _OURS.keys()))


def problems(config: TargetConfig) -> list[Problem]:
    """Return every mistake in a target's settings, each with its place; none when it can be opened."""
    if config.kind not in names():
        near = get_close_matches(config.kind, names(), n=1)
        meant = f", did you mean `{near[0]}`?" if near else f" (known: {', '.join(names())})"
        return [_problem(config, ("kind",), f"unknown kind `{config.kind}`{meant}")]
    try:
        kind(config.kind).schema.load(dict(config.settings))
    except ValidationError as wrong:
        return sorted(_problem(config, keys, said) for keys, said in _flat(wrong.messages, ()))
    return []


def open_target(config: TargetConfig, around: Around | None = None) -> Target:
    """Return the target, ready to push. Raises ConfigError."""
    found = problems(config)
    if found:
        raise ConfigError(found)
    of = kind(config.kind)
    return of.open(config, of.schema.load(dict(config.settings)), around or Around())


@cache
def kind(name: str) -> Kind:
    """Return a kind by its name. Raises KeyError."""
    # A kind's module is imported only when it is used: `connector --help` and a book for Excel need no HTTP.
    if name in _OURS or (_HERE / "vendors" / f"{name}.py").is_file():
        found: Kind = import_module(_OURS.get(name) or f"connector.targets.vendors.{name}").KIND
        return found
    if (_HERE / "presets" / f"{name}.yaml").is_file():
        described: Kind = import_module("connector.targets.presets").preset(_HERE / "presets" / f"{name}.yaml")
        return described
    return _brought(name)


def _brought(name: str) -> Kind:
    """Return a kind of another package: its entry point is a Kind, as connector/targets/base.py describes it."""
    for point in entry_points(group=GROUP, name=name):
        found = point.load()
        if isinstance(found, Kind):
            return found
        raise KeyError(f"{name}: the entry point {point.value} is not a Kind")
    raise KeyError(name)


def oauth2(config: TargetConfig) -> OAuth2 | None:
    """Return what a target needs to know of OAuth2, None when it uses none; its settings are right."""
    of = kind(config.kind)
    return of.oauth2(of.schema.load(dict(config.settings))) if of.oauth2 else None


def secrets(config: TargetConfig) -> tuple[str, ...]:
    """Return the names (dotted) of the settings by which a target lets us in, never what they hold."""
    if problems(config):
        return ()
    return tuple(_secret(kind(config.kind).schema.load(dict(config.settings)), ""))


def _secret(settings: Mapping[str, Any], above: str) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _secret(value, f"{above}{name}.")
        elif any(isinstance(one, Secret) for one in (value if isinstance(value, list | tuple) else [value])):
            yield above + name


def record_url(config: TargetConfig, remote_id: str) -> str | None:
    """Return where a person sees a record in the vendor's own pages, None where nobody knows."""
    if problems(config):
        return None
    of = kind(config.kind)
    settings = of.schema.load(dict(config.settings))
    return of.record_url(settings, quote(remote_id, safe="")) if of.record_url else None


def describe() -> list[dict[str, Any]]:
    """Return what each kind is, with its settings, as plain data for `targets kinds`."""
    return [_described(name, kind(name)) for name in names()]


def _described(name: str, of: Kind) -> dict[str, Any]:
    settings = [
        {
            "name": key,
            "required": setting.required,
            "secret": bool(setting.metadata.get("secret")),
            "help": setting.metadata.get("help", ""),
        }
        for key, setting in of.schema.fields.items()
    ]
    return {
        "kind": name,
        "label": of.label,
        "settings": settings,
        "batch_size": of.batch_size,
        "match": of.match,
        "can_appear_twice": of.twice,
        "upsert": of.upsert,
        "limits": of.limits,
        "auth": of.auth,
        "proved": of.proved,
    }


def _flat(messages: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            # What is wrong with a whole group stands under _schema: that is the group's own place.
            yield from _flat(inner, keys if key == "_schema" else (*keys, key))
    else:
        for said in messages:
            yield keys, str(said)


def _problem(config: TargetConfig, keys: tuple[str | int, ...], said: str) -> Problem:
    about = "" if said.startswith("unknown ") or not keys else ".".join(map(str, keys)) + ": "
    return Problem(config.file, *_place(config, keys), f"target {config.name}: {about}{said}")


def _place(config: TargetConfig, keys: tuple[str | int, ...]) -> tuple[int, int]:
    while keys:
        place = config.where.get(".".join(map(str, keys)))
        if place is not None:
            return place
        keys = keys[:-1]
    return config.where.get("", (1, 1))

"""The part of a first configuration that is a target of any kind: what must be asked for, and what is written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connector.targets.base import Kind

OAUTH2 = ("client_id", "client_secret")


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold a setting that a target cannot do without; a `secret` goes into a file of its own."""

    name: str
    help: str
    secret: bool
    value: str = ""


def asks(kind: str) -> tuple[Asked, ...]:
    """Return what must be asked for; of OAuth2 the app's id and secret. Raises click.UsageError: no such kind."""
    from connector.targets import kinds

    if kind not in kinds.names():
        raise click.UsageError(f"there is no kind {kind} (there are: {', '.join(kinds.names())})")
    return tuple(_asks(kinds.kind(kind)))


def _asks(of: "Kind") -> Iterator[Asked]:
    for name, field in of.schema.fields.items():
        if name == "oauth2" and field.required:
            inner: Mapping[str, Any] = field.schema.fields  # type: ignore[attr-defined] # a nested group
            yield from (Asked(f"oauth2.{each}", inner[each].metadata["help"], each != "client_id") for each in OAUTH2)
        elif field.required or name in of.asks:
            yield Asked(name, str(field.metadata.get("help", "")), bool(field.metadata.get("secret")))


def pairs(given: Sequence[str]) -> dict[str, str]:
    """Return the settings that were given as NAME=VALUE. Raises click.UsageError."""
    found = dict(text.partition("=")[::2] for text in given)
    if not all(name and value for name, value in found.items()):
        raise click.UsageError("--set takes NAME=VALUE, as in --set organization_id=123")
    return found


def filled(asked: Sequence[Asked], given: Mapping[str, str]) -> tuple[Asked, ...]:
    """Return the settings with their values; what was not given is asked for at the terminal."""
    unknown = sorted(given.keys() - {each.name for each in asked})
    if unknown:
        known = ", ".join(each.name for each in asked) or "none"
        raise click.UsageError(
            f"--set {unknown[0]}: not asked for here (asked for: {known}); write it into config.yaml"
        )
    return tuple(replace(each, value=given.get(each.name) or _prompted(each)) for each in asked)


def _prompted(asked: Asked) -> str:
    hidden = " (it is not shown)" if asked.secret else ""
    value = str(click.prompt(f"{asked.name}: {asked.help}{hidden}", hide_input=asked.secret, err=True)).strip()
    if not value or not value.isprintable():
        raise click.UsageError(f"{asked.name} is empty, or holds characters that it cannot have")
    return value


def file(kind: str, asked: Asked) -> str:
    """Return the file that holds a secret, "" for what is none."""
    return f"secrets/{kind}_{asked.name.rpartition('.')[2]}" if asked.secret else ""


def files(kind: str, asked: Sequence[Asked]) -> list[str]:
    """Return the files of all secrets."""
    return [name for each in asked if (name := file(kind, each))]


def block(kind: str, asked: Sequence[Asked]) -> str:
    """Return the target as config.yaml has it."""
    lines = [f"  {kind}:", f"    kind: {kind}"]
    group = ""
    for each in asked:
        name, inside = each.name.rpartition(".")[2], each.name.rpartition(".")[0]
        if inside and inside != group:
            lines.append(f"    {inside}:")
        group = inside
        lines.append(f"    {'  ' if inside else ''}{name}: {_written(kind, each)}")
    return "\n".join(lines) + "\n"


def _written(kind: str, asked: Asked) -> str:
    if asked.secret:
        return f'"${{file:{file(kind, asked)}}}"'
    return json.dumps(asked.value.replace("${", "$${"), ensure_ascii=False)


def connects(kind: str, asked: Sequence[Asked]) -> str:
    """Return the step that connects a target whose user must say yes in a browser, as the beginning of a sentence."""
    from connector.targets import kinds

    grants = getattr(getattr(kinds.kind(kind).schema.fields.get("oauth2"), "schema", None), "grants", ())
    wants = any(each.name.startswith("oauth2.") for each in asked) and grants[:1] == ("refresh_token",)
    return f"connector targets connect {kind}, " if wants else ""

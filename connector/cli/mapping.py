"""The commands about mappings: see what becomes of a customer."""

import json
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from connector.cli.frame import FAILED, config_option, json_option, payload, plain, show_json, table
from connector.errors import BadWebhook, ConnectorError, NotFound

if TYPE_CHECKING:
    from connector.mapping.rules import Mapped
    from connector.models import Event


@click.group()
def mapping() -> None:
    """See what a mapping makes of a customer."""


@mapping.command()
@click.argument("mapping")
@click.argument("payload_file", metavar="[PAYLOAD]", type=click.File("rb"), required=False)
@config_option
@json_option
@click.pass_context
def preview(ctx: click.Context, mapping: str, payload_file: IO[bytes] | None, path: Path, as_json: bool) -> None:
    """Show the record that MAPPING makes of PAYLOAD, field by field.

    MAPPING is a name in the mappings folder or a path. PAYLOAD is a file with a webhook, or with its `data` alone,
    or - for standard input; without it, the webhook that Flavours documents.
    """
    from connector.mapping import document
    from connector.mapping.rules import apply

    file = _file(mapping, path)
    read = document.read(_text(file), str(file))
    try:
        event = _event(payload_file.read() if payload_file else payload("documented"))
    except BadWebhook as bad:
        click.echo(f"{payload_file.name if payload_file else 'the payload'}: {bad.detail}", err=True)
        ctx.exit(FAILED)
    made = apply(read, event)
    show_json(_facts(made)) if as_json else _show(made)


def _file(mapping: str, path: Path) -> Path:
    named = Path(mapping)
    if named.suffix in {".yaml", ".yml"} or len(named.parts) > 1:
        return named
    folder = _folder(path)
    file = folder / f"{mapping}.yaml"
    if not file.is_file():
        there = ", ".join(sorted(other.stem for other in folder.glob("*.yaml"))) or "none"
        raise NotFound(f"there is no mapping {mapping} in {folder} (there are: {there})")
    return file


def _folder(path: Path) -> Path:
    """Return the configured folder, or the shipped one where there is no configuration yet."""
    from connector import config
    from connector.bundled import bundled
    from connector.errors import ConfigError

    if not path.exists():
        return bundled("mappings")
    reading = config.examine(path, os.environ)
    if reading.config is None:
        raise ConfigError(list(reading.problems))
    return reading.config.mappings


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as problem:
        raise ConnectorError(f"{file} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise ConnectorError(f"{file} is not UTF-8 text; save it as UTF-8") from problem


def _event(body: bytes) -> "Event":
    """Read a whole webhook, or the data alone, as people copy it."""
    from connector import flavours
    from connector.models import Event

    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "data" in data or "action" in data:
        return flavours.read(body)
    return Event(None, "customers.CREATE", None, data, str(data.get("id")), None, deleted=False, fingerprint="")


def _facts(made: "Mapped") -> dict[str, Any]:
    trace = {field: {"from": list(made.sources), "done": list(made.done)} for field, made in made.trace.items()}
    return {
        "record": made.record,
        "warnings": list(made.warnings),
        "trace": trace,
        "match": dict(made.match),
        "hold": made.hold,
        "skip": made.skip,
    }


def _show(made: "Mapped") -> None:
    values = dict(_flat(made.record, ""))
    rows = [
        {"field": field, "value": values.get(field), "from": ", ".join(t.sources), "done": ", ".join(t.done)}
        for field, t in made.trace.items()
    ]
    if rows:
        table(rows, ("field", "value", "from", "done"))
    for warning in made.warnings:
        click.echo(f"warning: {plain(warning)}")
    for word, reason in (("held", made.hold), ("skipped", made.skip)):
        if reason:
            click.echo(f"{word}: {plain(reason)}")


def _flat(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, f"{name}[{index}]")
    else:
        yield name, value

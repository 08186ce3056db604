"""The command that shows what a mapping makes of one customer, field by field."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.bundled import payload
from connector.cli import mapping_files
from connector.cli.frame import FAILED, config_option, json_option, opened, plain, show_json, table
from connector.errors import BadWebhook, ConnectorError

if TYPE_CHECKING:
    from connector.mapping.shape import FieldTrace, Mapped, Rule
    from connector.mapping.shape import Mapping as MappingDocument
    from connector.models import Event

_STORED = re.compile(r"e[0-9]{1,18}")


@click.command()
@click.argument("mapping")
@click.argument("customer", metavar="[PAYLOAD]", required=False)
@config_option
@json_option
@click.pass_context
def preview(ctx: click.Context, mapping: str, customer: str | None, path: Path, as_json: bool) -> None:
    """Show the record that MAPPING makes of PAYLOAD, field by field.

    MAPPING is a name in the mappings folder or a path. PAYLOAD is a file with a webhook, or with its `data` alone,
    or - for standard input; the name of a sample customer (person, company, documented, empty, arabic, unified,
    guest, inactive); or a stored event such as e12. Without it, the webhook that Flavours documents.
    """
    from connector.mapping.rules import apply

    read = mapping_files.read(mapping_files.file(mapping, path)).mapping
    try:
        event = _event(customer, path)
    except BadWebhook as bad:
        click.echo(plain(f"{customer}: {bad.detail}"), err=True)
        ctx.exit(FAILED)
    made = apply(read, event)
    why = _left_out(read, made)
    show_json(_facts(made) | {"left_out": why}) if as_json else _show(made, why)


def _event(word: str | None, path: Path) -> "Event":
    from connector.mapping.customers import CUSTOMERS
    from connector.mapping.paths import did_you_mean
    from connector.mapping.samples import customer_event

    if word is None:
        return _read(payload("documented"))
    if word in CUSTOMERS:
        return customer_event(CUSTOMERS[word])
    if _STORED.fullmatch(word):
        return _stored(int(word[1:]), path)
    if word == "-":
        return _read(sys.stdin.buffer.read())
    if not Path(word).exists():
        known = did_you_mean(word, CUSTOMERS) or f" (there are: {', '.join(CUSTOMERS)})"
        raise click.UsageError(f"there is no file {plain(word)}, and no such sample customer{known}")
    return _read(Path(word).read_bytes())


def _stored(number: int, path: Path) -> "Event":
    from connector import flavours
    from connector.store.erasing import gone

    with opened(path) as (_, store):
        row = store.desk.event(number)
    if row["body"] is None:
        raise ConnectorError(f"e{number}: {gone(row['reason'])}")
    event = flavours.read(row["body"])
    if event.customer is None:
        raise ConnectorError(f"e{number} carries no customer: its action is {event.action}")
    return event


def _read(body: bytes) -> "Event":
    """Read a whole webhook, or the data alone, as people copy it."""
    from connector import flavours
    from connector.mapping.samples import customer_event

    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "data" in data or "action" in data:
        return flavours.read(body)
    return customer_event(data)


def _left_out(mapping: "MappingDocument", made: "Mapped") -> dict[str, str]:
    """Say of each field that is not in the record, why."""
    rules = {rule.target: rule for rule in mapping.fields}
    return {
        target: _why(rules[target], trace, [w for w in made.warnings if w.startswith(f"{target}: ")])
        for target, trace in made.trace.items()
        if trace.done and trace.done[-1].startswith("left out")
    }


def _why(rule: "Rule", trace: "FieldTrace", warnings: list[str]) -> str:
    from connector.mapping.forms import Choice

    said = trace.done[-1].removeprefix("left out: ")
    if rule.when is not None and "`when`" in said:
        return f"{said}: {rule.when.text}"
    if said != "empty":
        return said
    if warnings:
        facts = (warning.removeprefix(f"{rule.target}: ") for warning in warnings)
        return "; ".join(fact.removesuffix("; left out").removesuffix("; held") for fact in facts)
    if len(trace.done) > 1:
        return f"`{trace.done[-2]}` gives nothing"
    if isinstance(rule.take, Choice):
        return f"its `if` does not hold: {rule.take.test.text}"
    return f"there is nothing in {' or '.join(trace.sources)}"


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


def _show(made: "Mapped", why: Mapping[str, str]) -> None:
    from connector.mapping.paths import leaves

    values = _values(made, dict(leaves(made.record)), why)
    if values:
        table(values, ("field", "value", "from", "done"))
    for warning in made.warnings:
        click.echo(f"warning: {plain(warning)}")
    for word, reason in (("held", made.hold), ("skipped", made.skip)):
        if reason:
            click.echo(f"{word}: {plain(reason)}")


def _values(made: "Mapped", values: Mapping[str, Any], why: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "field": field,
            "value": values.get(field),
            "from": ", ".join(trace.sources) or "fixed text",
            "done": ", ".join((*trace.done[:-1], f"left out: {why[field]}") if field in why else trace.done),
        }
        for field, trace in made.trace.items()
    ]

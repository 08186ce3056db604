"""The command that measures what a mapping loses, over the customers that really came."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import mapping_files
from connector.cli.frame import config_option, json_option, opened, plain, show_json, table
from connector.cli.mapping_customers import customers, last_option
from connector.errors import MappingError, StoreOutdated

if TYPE_CHECKING:
    from connector.cli.mapping_files import Named
    from connector.mapping.coverage import Field, Meter

NAMED = 12  # lost fields in the last sentence; all of them are in the table


@click.command()
@click.argument("mappings", metavar="[MAPPING]...", nargs=-1)
@last_option
@config_option
@json_option
def coverage(mappings: Sequence[str], last: int, path: Path, as_json: bool) -> None:
    """Say what becomes of each field of Flavours: mapped, ignored on purpose, or lost.

    Looks at the last stored customers, and at every field that Flavours documents. Without a name, every MAPPING of
    the folder. Fields that only decide (`if`, `when`) are asked; ids, timestamps, tokens and flags are technical.
    """
    read, problems = mapping_files.read_all(mapping_files.files(mappings, path))
    if problems:
        raise MappingError(problems)
    meter = _measured(path, last)
    judged = [(named, _judged(named, meter)) for named in read]
    if as_json:
        show_json({"customers": meter.customers, "mappings": [_facts(*one, meter) for one in judged]})
        return
    for named, fields in judged:
        _show(named, fields, meter)
    if meter.left_off:
        click.echo("Flavours sends more new fields than are counted here")


def _measured(path: Path, last: int) -> "Meter":
    """Count the fields of stored customers; where there is no store yet, none."""
    from connector.mapping.coverage import Meter

    meter = Meter()
    if path.exists():
        try:
            with opened(path) as (_, store):
                for _number, event in customers(store, last, "measuring"):
                    meter.add(event.data)
        except StoreOutdated as problem:
            click.echo(plain(problem), err=True)
    return meter


def _judged(named: "Named", meter: "Meter") -> list["Field"]:
    from connector.mapping.coverage import FATES, judge

    fields = judge(named.mapping, meter.names)
    return sorted(fields, key=lambda field: (FATES.index(field.fate), -meter.filled(field.name)))


def _show(named: "Named", fields: Sequence["Field"], meter: "Meter") -> None:
    click.echo(plain(named.label))
    rows = [{"field": f.name, "filled": _filled(f, meter), "becomes": _becomes(f)} for f in fields]
    table(rows, ("field", "filled", "becomes") if meter.customers else ("field", "becomes"))
    click.echo()
    if not meter.customers:
        click.echo("No customer is stored yet: judged by the fields that Flavours documents.")
    click.echo(plain(_verdict(named.name, fields, meter)) + "\n")


def _verdict(name: str, fields: Sequence["Field"], meter: "Meter") -> str:
    lost = [f"{f.name} ({_filled(f, meter)})" if meter.customers else f.name for f in fields if f.fate == "lost"]
    if not lost:
        return f"{name} loses nothing"
    them = "it" if len(lost) == 1 else "them"
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return f"{name} loses {', '.join(lost[:NAMED])}{more}; map {them}, or list {them} under `ignore`"


def _filled(field: "Field", meter: "Meter") -> str:
    return f"{meter.filled(field.name)} of {meter.customers}" if meter.customers else ""


def _becomes(field: "Field") -> str:
    by = ", ".join(field.by)
    words = {
        "lost": "LOST",
        "mapped": f"mapped: {by}",
        "asked": f"only asked, for: {by}",
        "ignored": "ignored on purpose",
        "technical": "technical",
    }
    return words[field.fate]


def _facts(named: "Named", fields: Sequence["Field"], meter: "Meter") -> dict[str, Any]:
    return {
        "mapping": named.name,
        "file": named.label,
        "lost": [field.name for field in fields if field.fate == "lost"],
        "fields": [
            {"field": f.name, "filled": meter.filled(f.name), "becomes": f.fate, "by": list(f.by)} for f in fields
        ],
    }

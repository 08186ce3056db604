"""The command that shows what a changed mapping would change, for whom, before it goes live."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import difference, mapping_files
from connector.cli.frame import FAILED, config_option, json_option, opened, plain, show_json
from connector.cli.mapping_customers import customers, last_option

if TYPE_CHECKING:
    from connector.cli.mapping_files import Named
    from connector.mapping.comparing import Comparison, Example, Tally
    from connector.store import Store


@click.command()
@click.argument("old")
@click.argument("new")
@last_option
@click.option("--all", "show_all", is_flag=True, help="Show every customer, not the first five of each field.")
@click.option("--no-values", is_flag=True, help="Say for whom, and not what: no value of a customer is shown.")
@click.option("--exit-code", is_flag=True, help="End with 1 when something would change.")
@config_option
@json_option
@click.pass_context
def diff(
    ctx: click.Context,
    old: str,
    new: str,
    *,
    last: int,
    show_all: bool,
    no_values: bool,
    exit_code: bool,
    path: Path,
    as_json: bool,
) -> None:
    """Show what would change for the last customers if mapping NEW took the place of OLD.

    OLD and NEW are each a name in the mappings folder, a path, NAME@active (what was published last under that name)
    or a hash. Each customer is mapped by both, as the newest of its stored events tells of it.
    """
    from connector.mapping.comparing import EXAMPLES, settings

    with opened(path) as (config, store):
        pair = (mapping_files.find(old, config, store), mapping_files.find(new, config, store))
        found = _compared(store, pair, last, None if show_all else EXAMPLES)
    changed = settings(pair[0].mapping, pair[1].mapping)
    if as_json:
        named = {which: _named(one) for which, one in zip(("old", "new"), pair, strict=True)}
        lists = {"settings": {c.place: {"old": c.old, "new": c.new} for c in changed}}
        show_json(named | lists | _facts(found, not no_values))
    else:
        click.echo(f"{_label(pair[0])} -> {_label(pair[1])}")
        for change in changed:
            click.echo(f"\n{change.place}")
            for line in difference.lines(change.old, change.new):
                click.echo(f"  {line}")
        _show(found, not no_values)
    ctx.exit(FAILED if exit_code and (found.changed or changed) else 0)


def _compared(store: "Store", pair: tuple["Named", "Named"], last: int, most: int | None) -> "Comparison":
    from connector.mapping.comparing import Comparison
    from connector.mapping.rules import apply

    old, new = (named.mapping for named in pair)
    found = Comparison(most)
    for number, event in customers(store, last, "comparing"):
        found.add(number, event.customer or "", apply(old, event), apply(new, event))
    return found


def _label(named: "Named") -> str:
    return f"{plain(named.label)} ({named.mapping.hash[:12]})"


def _show(found: "Comparison", values: bool) -> None:
    for name, tally in _largest(found):
        _show_tally(name, tally, ("change", "get it", "lose it"), difference.written if values else None)
    words = ("for another reason", "newly", "no more")
    for name, tally in (("held", found.holds), ("skipped", found.skips)):
        _show_tally(name, tally, words, plain)  # a reason names fields, never what is in them
    if found.asked_otherwise:
        click.echo(f"\nlooked up by other values: {_people(found.asked_otherwise)}")
    if not found.customers:
        click.echo("\nno customer is stored yet: `connector serve`, then `connector send`, or wait for the first")
    click.echo(f"\n{found.changed} of {_people(found.customers)} would change")


def _largest(found: "Comparison") -> list[tuple[str, "Tally"]]:
    return sorted(found.fields.items(), key=lambda item: (-item[1].customers, item[0]))


def _show_tally(name: str, tally: "Tally", words: tuple[str, str, str], write: Any) -> None:
    if not tally.customers:
        return
    counts = zip((tally.differs, tally.appears, tally.vanishes), words, strict=True)
    parts = ", ".join(f"{count} {word}" for count, word in counts if count)
    click.echo(f"\n{plain(name)}: {_people(tally.customers)} ({parts})")
    for example in tally.examples:
        click.echo(f"  e{example.event}  {plain(example.customer)}")
        for line in _both(example, write) if write else ():
            click.echo(f"    {line}")
    if (more := tally.customers - len(tally.examples)) > 0:
        click.echo(f"  and {more} more; --all shows them")


def _both(example: "Example", write: Any) -> Iterator[str]:
    return difference.lines(*(None if value is None else write(value) for value in (example.old, example.new)))


def _people(count: int) -> str:
    return f"{count} customer{'' if count == 1 else 's'}"


def _named(named: "Named") -> dict[str, str]:
    return {"mapping": named.label, "hash": named.mapping.hash}


def _facts(found: "Comparison", values: bool) -> dict[str, Any]:
    return {
        "customers": found.customers,
        "changed": found.changed,
        "fields": {name: _tally(tally, values) for name, tally in _largest(found)},
        "held": _tally(found.holds, True),
        "skipped": _tally(found.skips, True),
        "looked_up_otherwise": found.asked_otherwise,
    }


def _tally(tally: "Tally", values: bool) -> dict[str, Any]:
    examples = [
        {"event": f"e{one.event}", "customer": one.customer} | ({"old": one.old, "new": one.new} if values else {})
        for one in tally.examples
    ]
    counts = {"differs": tally.differs, "appears": tally.appears, "vanishes": tally.vanishes}
    return {"customers": tally.customers, **counts, "examples": examples}

"""The command that tries mappings on the samples that they promise to keep."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import difference, mapping_files
from connector.cli.frame import FAILED, WRONG, config_option, json_option, plain, show_json

if TYPE_CHECKING:
    from connector.cli.mapping_files import Named
    from connector.mapping.samples import Tried


@click.command()
@click.argument("mappings", metavar="[MAPPING]...", nargs=-1)
@config_option
@json_option
@click.pass_context
def test(ctx: click.Context, mappings: Sequence[str], path: Path, as_json: bool) -> None:
    """Try each MAPPING on its own samples; without a name, every mapping of the folder.

    A sample that the mapping does not keep is shown as a difference: - what is expected, + what is made.
    """
    from connector.mapping.samples import tried

    read, problems = mapping_files.read_all(mapping_files.files(mappings, path))
    results = [(each, tried(each.mapping)) for each in read]
    wrong = sum(not one.right for _, all_of_it in results for one in all_of_it)
    if as_json:
        listed = [{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in problems]
        show_json({"ok": not (wrong or problems), "mappings": [_facts(*one) for one in results], "problems": listed})
    else:
        _show(results, wrong)
    for problem in problems:
        click.echo(plain(problem), err=True)
    ctx.exit(WRONG if problems else FAILED if wrong else 0)


def _show(results: Sequence[tuple["Named", Sequence["Tried"]]], wrong: int) -> None:
    for named, tried in results:
        if not tried:
            click.echo(f"{plain(named.label)}: has no samples, so that nothing was tried")
        for one in tried:
            for line in () if one.right else _lines(named, one):
                click.echo(line)
    count = sum(len(tried) for _, tried in results)
    verdict = f"{wrong} not as promised (- expected, + made)" if wrong else "all as promised" if count else "none"
    click.echo(f"{_many(len(results), 'mapping')}, {_many(count, 'sample')}: {verdict}")


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _lines(named: "Named", one: "Tried") -> Iterator[str]:
    name = f" ({one.sample.name})" if one.sample.name else ""
    yield f"{plain(named.label)}:{one.sample.line}: sample {one.number}{name}"
    if one.no_record:
        yield f"  there is no record: {plain(one.no_record)}"
    width = max((len(change.place) for change in one.changes), default=0)
    for change in one.changes:
        both = (
            None if value is None else f"{plain(change.place):{width}}  {difference.written(value)}"
            for value in (change.old, change.new)
        )
        yield from (f"  {line}" for line in difference.lines(*both))


def _facts(named: "Named", tried: Sequence["Tried"]) -> dict[str, Any]:
    wrong = [
        {
            "sample": one.number,
            "name": one.sample.name,
            "line": one.sample.line,
            "no_record": one.no_record,
            "differences": [{"field": c.place, "expected": c.old, "got": c.new} for c in one.changes],
        }
        for one in tried
        if not one.right
    ]
    return {"mapping": named.name, "file": named.label, "samples": len(tried), "wrong": wrong}

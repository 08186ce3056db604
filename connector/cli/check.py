"""The command that says all that is wrong, before anything runs."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli.frame import FAILED, WRONG, config_option, json_option, plain, show_json
from connector.cli.status import mapping_facts
from connector.errors import StoreError

if TYPE_CHECKING:
    from connector.config import Config
    from connector.store.standing import Standing


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what came of asking one thing over the network; `ok` is None when there was nothing to ask."""

    what: str
    ok: bool | None
    lines: tuple[str, ...]


@click.command()
@click.option("--online", is_flag=True, help="Also ask each target, and your public address.")
@config_option
@json_option
@click.pass_context
def check(ctx: click.Context, online: bool, path: Path, as_json: bool) -> None:
    """Check the configuration, its mappings and, with --online, the targets; changes none of them."""
    from connector import config
    from connector.cli.checking import lost, problems_of, standings

    reading = config.examine(path, os.environ)
    problems = problems_of(reading, str(path))
    mappings = standings(reading.config) if reading.config else []
    findings = list(_asked(reading.config)) if online and reading.config and not problems else []
    losses = lost(reading.config) if reading.config else {}
    ok = not problems and all(finding.ok is not False for finding in findings)
    for problem in problems:
        click.echo(plain(problem), err=True)
    for found in mappings if problems else ():
        if found.note and found.active:  # what is wrong with it is said above
            click.echo(plain(found.note), err=True)
    if as_json:
        listed = [{"file": p.file, "line": p.line, "column": p.column, "message": p.message} for p in problems]
        asked = [{"what": f.what, "ok": f.ok, "lines": list(f.lines)} for f in findings]
        facts = [mapping_facts(m) for m in mappings]
        show_json({"ok": ok, "problems": listed, "mappings": facts, "online": asked, "lost": losses})
    elif not problems and reading.config:
        _show(reading.config, path, (*_standing(mappings), *_lost(losses)), findings)
    ctx.exit(WRONG if problems else 0 if ok else FAILED)


def _standing(mappings: Sequence["Standing"]) -> Iterator[str]:
    yield from (f"{mapping.note}; {mapping.cure}" for mapping in mappings if mapping.note)


def _lost(losses: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, fields in losses.items():
        yield f"mapping {name}: loses {', '.join(fields)}; see `connector mapping coverage {name}`"


def _show(read: "Config", path: Path, notes: Sequence[str], findings: list[Finding]) -> None:
    click.echo(f"{path} is right: {_count(read)}")
    for note in notes:
        click.echo(plain(note))
    for finding in findings:
        click.echo(f"{finding.what}: {_WORDS[finding.ok]}")
        for line in finding.lines:
            click.echo(f"  {plain(line)}")


_WORDS = {True: "good", False: "NOT good", None: "not asked"}


def _count(read: "Config") -> str:
    parts = ((len(read.sources), "source"), (len(read.targets), "target"), (len(read.syncs), "sync"))
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts)


def _asked(read: "Config") -> Iterator[Finding]:
    for name in read.targets:
        yield _target(read, name)
    yield _public(read)


def _target(read: "Config", name: str) -> Finding:
    from connector.cli.checking import fields_for
    from connector.cli.reaching import reached

    try:
        with reached(read, name) as target:
            found = target.check(fields_for(read, name))
    except StoreError as problem:
        return Finding(f"target {name}", ok=False, lines=(str(problem),))
    return Finding(f"target {name}", found.ok, found.lines)


def _public(read: "Config") -> Finding:
    """Ask the public address as a browser would: the door answers a GET with a greeting."""
    import requests

    from connector.cli.send import door_path
    from connector.web.receive import HELLO

    url = read.server.public_url
    if url is None:
        return Finding("public address", None, ("server.public_url is not set: nothing was asked",))
    wrong = []
    for source in read.sources.values():
        try:
            answer = requests.get(url + door_path(source), timeout=10, allow_redirects=False)
        except requests.RequestException as problem:
            wrong.append(f"{url} does not answer ({type(problem).__name__})")  # not its text: it holds the token
        else:
            if (answer.status_code, answer.text) != (200, HELLO):
                wrong.append(f"{url} answers {answer.status_code} for source {source.name}, and is not this door")
    return Finding("public address", not wrong, tuple(wrong) or (f"{url} leads to this door",))

"""The commands about a mapping's versions: put one in use, see which there were, go back to one."""

import getpass
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import FAILED, clock, config_option, json_option, moment, opened, plain, show_json, table
from connector.errors import NotFound

if TYPE_CHECKING:
    from connector.config import Config
    from connector.store import Store
    from connector.store.mappings import Version


def login() -> str:
    """Return who works here, as the system knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return "unknown"


by_option: Callable[..., Any] = click.option(
    "--by", metavar="WHO", help="Who publishes it; the name of your login unless told."
)


@click.command()
@click.argument("mapping", metavar="NAME|FILE")
@click.option("--name", help="The name under which a FILE is published; its own unless told.")
@click.option("--anyway", is_flag=True, help="Also when its samples fail.")
@by_option
@config_option
@json_option
@click.pass_context
def publish(
    ctx: click.Context, mapping: str, *, name: str | None, anyway: bool, by: str | None, path: Path, as_json: bool
) -> None:
    """Put a mapping in use: of the folder by its NAME, or any FILE. Every worker takes it with its next claim.

    It is checked first, and its samples are tried. `serve` publishes by itself what you change in the folder.
    """
    from connector.mapping.samples import check_samples
    from connector.store import standing

    with opened(path) as (config, store):
        file, called = _source(config, mapping, name)
        read = standing.edition(config, called, file)
        differences = check_samples(read.mapping)
        before = store.mappings.history(called)
        refused = bool(differences) and not anyway
        if not refused:
            store.mappings.publish(called, read.mapping.kind, read.mapping.hash, read.text, by or login())
        now = store.mappings.history(called)
        notes = _notes(config, called, now)
    for line in differences:
        click.echo(plain(line), err=True)
    if as_json:
        facts = {"published": _ids(now) != _ids(before), "differences": differences, "notes": notes}
        show_json(_facts(called, read.mapping.hash, before) | facts)
    elif refused:
        click.echo(f"mapping {called}: its samples fail, so nothing was published; --anyway publishes it", err=True)
    else:
        _say(called, now, before, notes)
    ctx.exit(FAILED if refused else 0)


def _source(config: "Config", mapping: str, name: str | None) -> tuple[Path, str]:
    """Return the file that is meant, and the name to publish it under. Raises NotFound."""
    from connector import folder

    named = Path(mapping)
    if named.suffix in {".yaml", ".yml"} or len(named.parts) > 1:
        return named, name or named.stem
    there = folder.names(config.mappings)
    if mapping not in there:
        raise NotFound(f"there is no mapping {mapping} in {config.mappings} (there are: {', '.join(there) or 'none'})")
    return folder.path(config.mappings, mapping), name or mapping


def _notes(config: "Config", name: str, history: "Sequence[Version]") -> list[str]:
    """Return what a person must know beside it: no sync uses the name, the folder says something else."""
    from connector import folder
    from connector.store import standing

    used = standing.used(config)
    if name not in used:
        return [f"no sync uses a mapping with the name {name} (they use: {', '.join(used) or 'none'})"]
    found = standing.standing(config, name, history)
    there = folder.path(config.mappings, name).is_file()
    return [f"{found.note}; {found.cure}"] if there and found.note else []


def _ids(versions: "Sequence[Version]") -> list[int]:
    return [version.id for version in versions]


def _facts(name: str, digest: str, before: "Sequence[Version]") -> dict[str, Any]:
    return {"mapping": name, "hash": digest, "before": before[0].hash if before else None}


def _say(name: str, now: "Sequence[Version]", before: "Sequence[Version]", notes: Sequence[str]) -> None:
    from connector.store.standing import said

    if _ids(now) == _ids(before):
        click.echo(f"mapping {name}: version {said(now[0])} is in use already")
    else:
        was = f"before it, version {said(before[0])} was" if before else "it is the first one"
        click.echo(f"mapping {name}: version {said(now[0])} is in use now; {was}")
    for note in notes:
        click.echo(plain(note))


@click.command()
@click.argument("name")
@config_option
@json_option
def history(name: str, path: Path, as_json: bool) -> None:
    """List what was ever published under a mapping's NAME, newest first: the first one is in use."""
    with opened(path) as (config, store):
        versions = _versions(config, store, name)
    if as_json:
        show_json([_version(version, active=place == 0) for place, version in enumerate(versions)])
        return
    rows = [
        {
            "version": v.hash[:12],
            "published": clock(v.published_at),
            "by": v.published_by,
            "": "" if place else "in use",
        }
        for place, v in enumerate(versions)
    ]
    table(rows, ("version", "published", "by", ""))


def _versions(config: "Config", store: "Store", name: str) -> "list[Version]":
    from connector.store.standing import used

    versions = store.mappings.history(name)
    if not versions:
        known = ", ".join(used(config)) or "none"
        raise NotFound(f"nothing was ever published under the name {name} (the syncs use: {known})")
    return versions


def _version(version: "Version", *, active: bool) -> dict[str, Any]:
    return {
        "hash": version.hash,
        "kind": version.kind,
        "published_at": moment(version.published_at),
        "published_by": version.published_by,
        "active": active,
    }


@click.command()
@click.argument("name")
@click.option("--to", metavar="HASH", help="This version (6 characters do); the one before unless told.")
@by_option
@config_option
@json_option
@click.pass_context
def rollback(ctx: click.Context, name: str, to: str | None, by: str | None, path: Path, as_json: bool) -> None:
    """Go back to an older version of the mapping NAME, for every worker with its next claim.

    It becomes the newest version, so that a second rollback undoes the first. The file in the mappings folder, if there
    is one, is written too: what it held is in the history, or is kept beside it as NAME.yaml.replaced.
    """
    from connector.store import standing

    with opened(path) as (config, store):
        before = _versions(config, store, name)
        older = _older(store, name, before, to)
        text = store.mappings.text(older)
        standing.fitting(config, name, text, f"version {older[:12]}")
        store.mappings.rollback(name, older, by or login())
        now = store.mappings.history(name)
        written, notes = _put_back(config, store, name, text)
    if as_json:
        facts = {"published": _ids(now) != _ids(before), "file_written": bool(written), "notes": notes}
        show_json(_facts(name, older, before) | facts)
    else:
        _say(name, now, before, notes)
    ctx.exit(0 if written is not False else FAILED)


def _older(store: "Store", name: str, versions: "Sequence[Version]", to: str | None) -> str:
    if to is not None:
        return store.mappings.find(to, name)
    if len(versions) < 2:
        raise NotFound(f"the mapping {name} has no version before the one in use")
    return versions[1].hash


def _put_back(config: "Config", store: "Store", name: str, text: str) -> tuple[bool | None, list[str]]:
    """Write the text into the folder's file; return whether (None: there was nothing to write) and what to tell."""
    from connector.store import standing

    called = standing.shown(config, name)
    try:
        written, kept = standing.put_back(config, store.mappings, name, text)
    except OSError as problem:
        return False, [f"{called} could not be written ({problem.strerror}) and says something else: mend it by hand"]
    beside = f"; what it held was never published, and is in {kept.name} beside it" if kept else ""
    return (True, [f"{called} was written too{beside}"]) if written else (None, [])

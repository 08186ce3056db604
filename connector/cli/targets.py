"""The commands about targets: what there is, whether it works, and a person's word to stop or go on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli.frame import FAILED, config_option, json_option, opened, plain, show_json, table
from connector.cli.status import SHOWN, target_facts
from connector.errors import NotFound

if TYPE_CHECKING:
    from connector.config import Config, TargetConfig
    from connector.models import TargetState
    from connector.store import Store


def length(value: str) -> float:
    """Take a duration such as 10m, as seconds."""
    from connector.config import duration

    try:
        return duration(value)
    except ValueError as problem:
        raise click.BadParameter(f"{value!r} {problem}") from None


@click.group()
def targets() -> None:
    """See the targets, check them, stop them, let them go on."""


@targets.command("kinds")
@json_option
def list_kinds(as_json: bool) -> None:
    """List the kinds of target that this program knows."""
    from connector.targets import kinds

    rows = kinds.describe()
    show_json(rows) if as_json else table(rows, ("kind", "label", "can_appear_twice"))


@targets.command("list")
@config_option
@json_option
def list_targets(path: Path, as_json: bool) -> None:
    """List the configured targets with their state."""
    with opened(path) as (config, store):
        states, counts = store.states.all(), store.desk.counts()
        rows = [target_facts(config, name, states.get(name), counts) for name in config.targets]
    show_json(rows) if as_json else table(rows, ("target", "kind", "state", *SHOWN, "note"))


@targets.command("check")
@click.argument("name")
@click.option("--fix", is_flag=True, help="Make what is missing there and can be made, such as a custom field.")
@config_option
@json_option
@click.pass_context
def check_target(ctx: click.Context, name: str, fix: bool, path: Path, as_json: bool) -> None:
    """Ask a target whether credentials and fields are good; one that was held for them goes on."""
    from connector.cli.checking import checked, fields_for
    from connector.cli.reaching import reached

    read = checked(path, os.environ)
    known(read, name)
    with reached(read, name) as target:
        found = target.check(fields_for(read, name), fix=fix)
    resumed = found.ok and resume_held(read, name)
    if as_json:
        show_json({"target": name, "ok": found.ok, "lines": list(found.lines), "resumed": resumed})
    else:
        click.echo(f"target {name}: {'good' if found.ok else 'NOT good'}")
        for line in (*found.lines, *([_RESUMED] if resumed else [])):
            click.echo(f"  {plain(line)}")
    ctx.exit(0 if found.ok else FAILED)


@targets.command()
@click.argument("name")
@click.option("--for", "seconds", type=length, metavar="DURATION", help="Such as 10m; without it, until `resume`.")
@config_option
@json_option
def pause(name: str, seconds: float | None, path: Path, as_json: bool) -> None:
    """Send nothing to a target for a while; what arrives waits."""
    with opened(path) as (config, store):
        known(config, name)
        store.states.register([name])
        until = None if seconds is None else store.now() + int(seconds * 1000)
        _say(config, store, store.states.pause(name, until, "paused by a person"), as_json)


@targets.command()
@click.argument("name")
@config_option
@json_option
def resume(name: str, path: Path, as_json: bool) -> None:
    """Let a paused or held target go on at once."""
    with opened(path) as (config, store):
        known(config, name)
        store.states.register([name])
        _say(config, store, store.states.resume(name), as_json)


_RESUMED = (
    "it was held and goes on now; restart `connector serve` if you changed a key or config.yaml since it was started: "
    "it reads them at the start"
)


def _say(config: "Config", store: "Store", state: "TargetState", as_json: bool) -> None:
    facts = target_facts(config, state.name, state, store.desk.counts())
    if as_json:
        show_json(facts)
    else:
        click.echo(f"target {state.name} is {state.state}; {facts['waiting']} waiting")


def known(config: "Config", name: str) -> "TargetConfig":
    """Return a target's configuration. Raises NotFound."""
    if name not in config.targets:
        raise NotFound(f"there is no target {name} (there are: {', '.join(config.targets) or 'none'})")
    return config.targets[name]


def resume_held(config: "Config", name: str) -> bool:
    """Open a target that was held for its credentials; a store that was never made holds nothing."""
    from connector.errors import StoreOutdated
    from connector.store import open_store

    try:
        store = open_store(config.database)
    except StoreOutdated:
        return False
    try:
        state = store.states.all().get(name)
        held = state is not None and state.state == "held"
        if held:
            store.states.resume(name)
        return held
    finally:
        store.close()

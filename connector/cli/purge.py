"""The command that purges now what is older than told, as the worker does by itself."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import clock, config_option, json_option, moment, opened, show_json
from connector.cli.mapping_versions import login
from connector.cli.targets import length

if TYPE_CHECKING:
    from connector.store import Store
    from connector.store.keeping import Cuts, Step

BREATH = 0.05  # seconds between two steps, for whoever else wants to write


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be purged, and purge nothing.")
@click.option("--older-than", type=length, metavar="AGE", help="Such as 30d, in place of `keep: {bodies: …}`.")
@config_option
@json_option
def purge(dry_run: bool, older_than: float | None, path: Path, as_json: bool) -> None:
    """Purge now what is older than `keep` in the configuration says.

    The worker does this by itself. Bodies of finished events are emptied, with the targets' answers and what they are
    searched by; what recognises a repeat stays for as long as `keep: {ledger: …}` says. What is not finished stays.
    """
    with opened(path) as (config, store):
        cuts = store.keeping.cuts(config.keep_bodies, config.keep_ledger, older_than)
        steps = store.keeping.would(cuts) if dry_run else _steps(store, cuts)
        done = _watched(steps, store.keeping.ahead(cuts))
        if not dry_run:
            store.audit.note(f"connector purge, {login()}", "purge", f"{done.emptied} bodies, {done.deleted} events")
    if as_json:
        show_json(_facts(done, cuts, dry_run=dry_run))
    else:
        _say(done, cuts, "would be" if dry_run else "were")


def _steps(store: "Store", cuts: "Cuts") -> "Iterator[Step]":
    began, pause = store.now(), 0.0
    while True:
        time.sleep(pause)
        step = store.keeping.step(cuts, began)
        yield step
        if not step.more:
            return
        pause = BREATH


def _watched(steps: "Iterator[Step]", ahead: int) -> "Step":
    from connector.store.keeping import Step

    done = Step()
    with click.progressbar(length=ahead, label="purging", file=sys.stderr) as bar:
        for step in steps:
            done += step
            bar.update(step.passed)
    return done


def _facts(done: "Step", cuts: "Cuts", *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "bodies": done.emptied,
        "bodies_before": moment(cuts.bodies),
        "events": done.deleted,
        "events_before": moment(cuts.ledger),
        "notes": done.notes,
        "left": done.aside,
    }


def _say(done: "Step", cuts: "Cuts", were: str) -> None:
    echo: Callable[[str], None] = click.echo
    echo(f"{done.emptied} bodies from before {clock(cuts.bodies)} {were} emptied")
    echo(
        f"{done.deleted} events from before {clock(cuts.ledger)} {were} deleted, and {done.notes} lines of the audit log"
    )
    if done.aside:
        echo(f"{done.aside} events stay for now: they are not finished, or ended not so long ago")

"""The command that shows on one screen whether all is well."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import clock, config_option, json_option, moment, opened, plain, show_json, table

if TYPE_CHECKING:
    from connector.config import Config
    from connector.models import TargetState
    from connector.store import Store
    from connector.store.leases import Sign
    from connector.store.standing import Standing

WAITING = ("pending", "blocked", "running")
SHOWN = ("waiting", "held", "failed", "delivered", "skipped")


@click.command()
@config_option
@json_option
def status(path: Path, as_json: bool) -> None:
    """Show what waits, what needs a person, each target, and the last event."""
    with opened(path) as (config, store):
        mappings = _standings(config, store)
        signs = store.leases.signs()
        facts = _facts(config, store, signs) | {"mappings": [mapping_facts(found) for found in mappings]}
        last = store.overview.last_of(list(config.sources))
    facts["last_events"] = {source: moment(at) for source, at in last.items() if at is not None}
    if as_json:
        show_json(facts)
        return
    for line in _workers(signs):
        click.echo(f"worker    {line}")
    events = ", ".join(f"{count} {state}" for state, count in sorted(facts["events"].items())) or "none yet"
    click.echo(f"events    {events}")
    for source in config.sources:
        click.echo(f"last      {source}: {clock(last[source]) or _never(sum(facts['events'].values()))}")
    for found in mappings:
        click.echo(f"mapping   {plain(_line(found))}")
    click.echo()
    table(facts["targets"], ("target", "kind", "state", *SHOWN, "note"))


def _never(stored: int) -> str:
    from connector.store.overview import WINDOW

    return "nothing yet" if stored <= WINDOW else f"nothing among the newest {WINDOW:,} events"


def _workers(signs: Sequence["Sign"]) -> list[str]:
    alive = [f"{sign.worker}: alive" for sign in signs if sign.alive] or ["NOT RUNNING: start `connector serve`"]
    return alive + [f"{sign.worker}: silent since {clock(sign.seen_at)}" for sign in signs if not sign.alive]


def _facts(config: "Config", store: "Store", signs: Sequence["Sign"]) -> dict[str, Any]:
    counts, states = store.desk.counts(), store.states.all()
    names = [*config.targets, *sorted({target for target, _ in counts} - config.targets.keys())]
    return {
        "worker_alive": any(sign.alive for sign in signs),
        "workers": [{"worker": s.worker, "seen_at": moment(s.seen_at), "alive": s.alive} for s in signs],
        "events": store.desk.event_counts(),
        "targets": [target_facts(config, name, states.get(name), counts) for name in names],
    }


def _standings(config: "Config", store: "Store") -> list["Standing"]:
    from connector.store import standing

    return [standing.standing(config, name, store.mappings.history(name)) for name in standing.used(config)]


def _line(found: "Standing") -> str:
    from connector.store.standing import said

    if found.note:
        return f"{found.note}; {found.cure}".removeprefix("mapping ")
    return f"{found.name}: " + (f"version {said(found.active)} is in use" if found.active else "not published yet")


def mapping_facts(found: "Standing") -> dict[str, Any]:
    """Return which version of a mapping is in use, and what is to be said about its file."""
    active = found.active
    return {
        "mapping": found.name,
        "hash": active.hash if active else None,
        "published_at": moment(active.published_at) if active else None,
        "published_by": active.published_by if active else None,
        "file": found.file,
        "problems": len(found.problems),
        "note": f"{found.note}; {found.cure}" if found.note else "",
    }


def target_facts(
    config: "Config", name: str, state: "TargetState | None", counts: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    """Return one target's kind, state and counts."""
    kind = config.targets[name].kind if name in config.targets else None
    waiting = sum(counts.get((name, waits), 0) for waits in WAITING)
    return {
        "target": name,
        "kind": kind,
        "state": state.state if state else "open",
        "until": moment(state.until) if state else None,
        "reason": (state.reason or None) if state else None,
        "waiting": waiting,
        **{which: counts.get((name, which), 0) for which in SHOWN[1:]},
        "note": _note(state) if kind else "not in the configuration any more",
    }


def _note(state: "TargetState | None") -> str:
    if state is None or state.state == "open":
        return ""
    until = f"until {clock(state.until)}: " if state.until else ""
    cure = f"; mend it, restart `connector serve`, then `connector targets check {state.name}`"
    return f"{until}{state.reason}{cure if state.state == 'held' else ''}"

"""The command that tries again: finished deliveries are reopened, events are read and routed by today's configuration."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import FAILED, config_option, json_option, opened, plain, show_json

if TYPE_CHECKING:
    from connector.config import Config
    from connector.store import Store

CHUNK = 100  # deliveries in one transaction: well under 50 ms, so that the door is never kept waiting
PAGE = 1000
EVENTS_IN = ("rejected", "ignored")


@dataclass(slots=True)
class Replayed:
    """Gather what was tried again, and what could not be, with the reason."""

    ids: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


@click.command()
@click.argument("ids", nargs=-1)
@click.option(
    "--state",
    type=click.Choice(("failed", "held", "skipped", "rejected", "ignored")),
    help="All that are in this state; skipped: once `observe` is off.",
)
@click.option(
    "--mapping",
    type=click.Choice(("then", "now")),
    default="now",
    show_default=True,
    help="then: each delivery with the version of its mapping that made it last.",
)
@config_option
@json_option
@click.pass_context
def replay(ctx: click.Context, ids: Sequence[str], state: str | None, mapping: str, path: Path, as_json: bool) -> None:
    """Try again: deliveries (d34) are reopened, events (e12) are read and routed by today's configuration."""
    if bool(ids) == bool(state):
        raise click.UsageError("name ids such as d34 or e12, or a --state")
    wanted = [_parsed(text) for text in ids]
    if mapping == "then" and (state in EVENTS_IN or any(letter == "e" for letter, _ in wanted)):
        raise click.UsageError(
            "--mapping then is for deliveries (d34): an event is read and routed anew, with the mapping of now"
        )
    with opened(path) as (config, store):
        wanted = wanted or _in_state(store, state or "")
        done = _replay(config, store, wanted, then=mapping == "then")
    if as_json:
        show_json({"replayed": done.ids, "left": done.left})
    else:
        for name, reason in done.left.items():
            click.echo(f"{name}: {plain(reason)}", err=True)
        click.echo(f"{len(done.ids)} tried again" + (f", {len(done.left)} left as they are" if done.left else ""))
    ctx.exit(FAILED if done.left else 0)


def _parsed(text: str) -> tuple[str, int]:
    letter, number = text[:1], text[1:]
    if letter not in {"d", "e"} or not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise click.UsageError(f"{text!r} is not an id such as d34 or e12")
    return letter, int(number)


def _in_state(store: "Store", state: str) -> list[tuple[str, int]]:
    if state in EVENTS_IN:
        return [("e", number) for number in _all(lambda before: store.desk.events(state, PAGE, before))]
    return [
        ("d", number) for number in _all(lambda before: store.desk.deliveries(state=state, limit=PAGE, before=before))
    ]


def _all(page: Callable[[int | None], Sequence[Any]]) -> list[int]:
    """Return the ids of all pages, oldest first: lanes keep the order of arrival."""
    found: list[int] = []
    while rows := page(found[-1] if found else None):
        found += [row["id"] for row in rows]
    return found[::-1]


def _replay(config: "Config", store: "Store", wanted: Sequence[tuple[str, int]], *, then: bool) -> Replayed:
    done = Replayed()
    ids = [number for letter, number in wanted if letter == "d"]
    batches = [("d", ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    batches += [("e", [number]) for letter, number in wanted if letter == "e"]
    with click.progressbar(batches, label="trying again", file=sys.stderr) as bar:
        for letter, numbers in bar:
            if letter == "d":
                _reopen(store, numbers, done, then=then)
            else:
                _route(config, store, numbers[0], done)
    return done


def _reopen(store: "Store", numbers: Sequence[int], done: Replayed, *, then: bool) -> None:
    from connector.store import again

    left = again.reopen(store.desk, numbers, then=then)
    done.left |= {f"d{number}": why for number, why in left.items()}
    done.ids += [f"d{number}" for number in numbers if number not in left]


def _route(config: "Config", store: "Store", number: int, done: Replayed) -> None:
    from connector.store import again

    why_not = again.route(config, store, number)
    if why_not:
        done.left[f"e{number}"] = why_not
    else:
        done.ids.append(f"e{number}")

"""The command that erases a person's data from the store, and says what it cannot erase."""

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import FAILED, config_option, json_option, opened, plain, show_json
from connector.cli.mapping_versions import login
from connector.errors import NotFound

if TYPE_CHECKING:
    from connector.store import Store
    from connector.store.forgetting import Contact, Known

PATIENCE = 90.0  # seconds to wait for a push that is under way, or for a lost answer: longer than a lease
LOOK = 0.5
BREATH = 0.05  # seconds between two steps, for whoever else wants to write


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Say what was erased, which contacts stay at their targets, and what could not be erased yet."""

    events: int
    ended: int
    contacts: "frozenset[Contact]"
    running: frozenset[int]
    uncertain: frozenset[str]


@click.command()
@click.argument("customer")
@click.option("--source", help="Only this source's: two Flavours accounts may have customers of the same id.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@json_option
@click.pass_context
def forget(ctx: click.Context, customer: str, source: str | None, yes: bool, path: Path, as_json: bool) -> None:
    """Erase from the store what tells of a person.

    CUSTOMER is the customer's id in Flavours, as `connector deliveries list` shows it. What waits for the customer ends
    as skipped. The contacts at the targets stay: their ids are listed, so that you can delete them there. When Flavours
    sends the customer again, it is a customer like any other.
    """
    with opened(path) as (_, store):
        known = _found(store, customer, source)
        if not as_json:
            _announce(known)
        if not yes:
            click.confirm("Erase this? It cannot be undone", abort=True, err=True)
        _note(store, customer, known.contacts)
        done = _erased(store, known)
        if done.contacts - known.contacts:
            _note(store, customer, done.contacts)
    if as_json:
        show_json(_facts(customer, done))
    else:
        click.echo(f"events erased: {done.events}; waiting deliveries ended: {done.ended}")
    for target in sorted(done.uncertain):
        click.echo(
            f"an answer of {plain(target)} was lost: look there whether it has a contact of this customer", err=True
        )
    if done.running:
        names = ", ".join(f"d{number}" for number in sorted(done.running))
        click.echo(
            f"a worker is sending {names}: see that `connector serve` runs, then forget the customer again", err=True
        )
        ctx.exit(FAILED)


def _found(store: "Store", customer: str, source: str | None) -> "Known":
    with click.progressbar(length=store.forgetting.newest(), label="looking", file=sys.stderr) as bar:
        known = store.forgetting.find(customer, source, bar.update)
    if not known:
        raise NotFound(plain(f"the store holds nothing of a customer {customer}" + (f" of {source}" if source else "")))
    if len(known.events) > 1:
        raise click.UsageError(
            plain(f"{customer} is a customer of {', '.join(sorted(known.events))}: say which, with --source")
        )
    return known


def _announce(known: "Known") -> None:
    count = sum(len(ids) for ids in known.events.values())
    click.echo(f"{plain(known.customer)}: events stored: {count}")
    if known.contacts:
        click.echo("these contacts stay at their targets; delete them there:")
    for target, remote_id in sorted(known.contacts):
        click.echo(f"  {plain(target)}  {plain(remote_id)}")


def _note(store: "Store", customer: str, contacts: "Iterable[Contact]") -> None:
    # Written first: whatever stops us then, the list of what is to be deleted at the targets is kept.
    told = ", ".join(f"{target} {remote_id}" for target, remote_id in sorted(contacts))
    store.audit.note(f"connector forget, {login()}", "forget", customer + (f": {told}" if told else ""))


def _erased(store: "Store", known: "Known") -> Forgotten:
    ids = sorted(number for some in known.events.values() for number in some)
    left: Sequence[int] = ids
    ended, contacts, running, uncertain = 0, known.contacts, frozenset[int](), frozenset[str]()
    until = time.monotonic() + PATIENCE
    with click.progressbar(length=len(ids), label="erasing", file=sys.stderr) as bar:
        while left:
            late = time.monotonic() > until
            erased = store.forgetting.erase(left, firm=late)
            left = [number for number in left if number not in erased.events]
            ended, contacts, running = ended + erased.ended, contacts | erased.contacts, erased.running
            uncertain |= erased.uncertain
            bar.update(len(erased.events))
            if late and not erased.events:
                break
            time.sleep(BREATH if erased.events else LOOK)
    contacts |= store.forgetting.unlink(known.customer, ids)
    return Forgotten(len(ids) - len(left), ended, contacts, running if left else frozenset(), uncertain)


def _facts(customer: str, done: Forgotten) -> dict[str, Any]:
    return {
        "customer": customer,
        "events": done.events,
        "ended": done.ended,
        "contacts": [{"target": target, "remote_id": remote_id} for target, remote_id in sorted(done.contacts)],
        "running": [f"d{number}" for number in sorted(done.running)],
        "uncertain": sorted(done.uncertain),
    }

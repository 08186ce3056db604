"""Read the customers that the store keeps, a few at a time, with a progress bar for who waits."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from connector.errors import BadWebhook

if TYPE_CHECKING:
    from connector.models import Event
    from connector.store import Store

PAGE = 50  # bodies in memory at a time, of up to 1 MiB each

last_option = click.option(
    "--last",
    type=click.IntRange(1, 10_000_000),
    default=200,
    show_default=True,
    help="How many stored events to look at, the newest first; what was purged is left out.",
)


def customers(store: "Store", last: int, label: str) -> Iterator[tuple[int, "Event"]]:
    """Yield each customer of the last stored events once, by the newest of its events, with that event's id.

    Customers that were deleted in Flavours are left out, for nothing is sent of them; so are bodies that are no
    customer's any more, and that is said.
    """
    seen: set[str] = set()
    unreadable = 0
    for row in _rows(store, last, label):
        if row["customer"] not in seen:
            seen.add(row["customer"])
            event = _read(row["body"])
            unreadable += event is None
            if event is not None and not event.deleted:
                yield row["id"], event
    if unreadable:
        click.echo(f"{unreadable} stored events cannot be read as customers any more: left out", err=True)


def _rows(store: "Store", last: int, label: str) -> Iterator[Mapping[str, Any]]:
    left, before = store.desk.count_customers(last), None
    with click.progressbar(length=left, label=label, file=sys.stderr) as bar:
        while left > 0 and (rows := store.desk.customers(min(PAGE, left), before)):
            yield from rows
            left, before = left - len(rows), rows[-1]["id"]
            bar.update(len(rows))


def _read(body: bytes) -> "Event | None":
    from connector import flavours

    try:
        return flavours.read(body)
    except BadWebhook:
        return None

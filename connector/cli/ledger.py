"""The commands that look into the ledger: what came in, what became of it, and a person's decisions."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import clock, config_option, ident, json_option, moment, opened, plain, show_json, table
from connector.models import DELIVERY_STATES, EVENT_STATES

if TYPE_CHECKING:
    from connector.config import Config
    from connector.store import Store
    from connector.store.desk import Decision
    from connector.store.mappings import Version

Row = Mapping[str, Any]

limit_option = click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)


@click.group()
def events() -> None:
    """See what Flavours sent."""


@events.command("list")
@click.option("--state", type=click.Choice(EVENT_STATES))
@limit_option
@config_option
@json_option
def list_events(state: str | None, limit: int, path: Path, as_json: bool) -> None:
    """List events, newest first."""
    with opened(path) as (_, store):
        rows = store.desk.events(state, limit)
    if as_json:
        show_json([_event(row) for row in rows])
        return
    seen = [_event(row) | {"received": clock(row["received_at"])} for row in rows]
    table(seen, ("id", "received", "source", "action", "state", "customer", "reason"))


@events.command("show")
@click.argument("event", type=ident("e"))
@config_option
@json_option
def show_event(event: int, path: Path, as_json: bool) -> None:
    """Show one event as it came, and its deliveries."""
    from connector.store.erasing import gone

    with opened(path) as (_, store):
        row = store.desk.event(event)
        made = [_delivery(d) for d in store.desk.deliveries(event=event, limit=1000)]
    body = row["body"]
    if as_json:
        text = None if body is None else body.decode("utf-8", "replace")
        show_json(_event(row) | {"body": text, "deliveries": made})
        return
    _card(_event(row) | {"received_at": clock(row["received_at"])})
    click.echo(gone(row["reason"]) if body is None else _pretty(body))
    if made:
        table(made, ("id", "sync", "target", "state", "reason"))


@click.group()
def deliveries() -> None:
    """See what became of it, and decide where a person must."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(DELIVERY_STATES))
@click.option("--target", help="Only this target's.")
@click.option("--event", type=ident("e"), help="Only this event's.")
@limit_option
@config_option
@json_option
def list_deliveries(
    state: str | None, target: str | None, event: int | None, limit: int, path: Path, as_json: bool
) -> None:
    """List deliveries, newest first."""
    with opened(path) as (_, store):
        found = store.desk.deliveries(state=state, target=target, event=event, limit=limit)
        known = _known(store, found)
    rows = [_delivery(row) | _made_by(row, known) for row in found]
    if as_json:
        show_json(rows)
        return
    table(rows, ("id", "event", "target", "customer", "state", "attempts", "remote_id", "reason"))


@deliveries.command("show")
@click.argument("delivery", type=ident("d"))
@config_option
@json_option
def show_delivery(delivery: int, path: Path, as_json: bool) -> None:
    """Show one delivery with its attempts."""
    with opened(path) as (_, store):
        row = store.desk.delivery(delivery)
        tries = store.desk.attempts(delivery)
        known = _known(store, [row])
    facts = _delivery(row) | _made_by(row, known) | {"code": row["code"], "tries": [_attempt(one) for one in tries]}
    if as_json:
        show_json(facts)
        return
    _card(
        facts
        | {"next_attempt_at": clock(row["due_at"] if _waits(row) else None), "finished_at": clock(row["finished_at"])}
        | {"mapping_published_at": clock(known[row["mapping_hash"]].published_at if known else None)}
    )
    if tries:
        seen = [_attempt(one) | {"started": clock(one["started_at"])} for one in tries]
        table(seen, ("number", "started", "took_ms", "outcome", "reason", "answer"))


@deliveries.command()
@click.argument("delivery", type=ident("d"))
@click.option("--link", metavar="REMOTE_ID", help="It is this record at the target: link and update it.")
@click.option("--create", is_flag=True, help="It is a new contact: create it.")
@click.option("--skip", is_flag=True, help="Leave it.")
@config_option
@json_option
def resolve(delivery: int, link: str | None, create: bool, skip: bool, path: Path, as_json: bool) -> None:
    """Decide about a held or failed delivery."""
    if (link is not None) + create + skip != 1 or link == "":
        raise click.UsageError("choose one of --link REMOTE_ID, --create, --skip")
    with opened(path) as (config, store):
        target = store.desk.delivery(delivery)["target"]
        try:
            store.desk.resolve(_decision(delivery, link, create, _account(config, store, target) if link else ""))
        except ValueError as problem:
            raise click.UsageError(str(problem)) from problem
        row = _delivery(store.desk.delivery(delivery))
    if as_json:
        show_json(row)
        return
    click.echo(f"{row['id']} is {row['state']}")


def _decision(delivery: int, link: str | None, create: bool, account: str) -> "Decision":
    from connector.store.desk import Decision

    if link:
        return Decision(delivery, "link", link, account)
    return Decision(delivery, "create" if create else "skip")


def _account(config: "Config", store: "Store", target: str) -> str:
    from connector.delivery.around import around
    from connector.errors import NotFound
    from connector.targets import kinds

    if target not in config.targets:
        raise NotFound(f"the target {target} is not in the configuration any more")
    account: str = kinds.open_target(config.targets[target], around(config, store, target)).account
    return account


def _event(row: Row) -> dict[str, Any]:
    return {
        "id": f"e{row['id']}",
        "source": row["source"],
        "state": row["state"],
        "xid": row["xid"],
        "action": row["action"],
        "customer": row["customer"],
        "conflict": bool(row["conflict"]),
        "received_at": moment(row["received_at"]),
        "reason": row["reason"],
    }


def _waits(row: Row) -> bool:
    """Tell whether a delivery has a time at which it is tried."""
    return bool(row["state"] == "pending")


def _delivery(row: Row) -> dict[str, Any]:
    return {
        "id": f"d{row['id']}",
        "event": f"e{row['event_id']}",
        "xid": row["xid"],
        "customer": row["customer"],
        "source": row["source"],
        "sync": row["sync"],
        "target": row["target"],
        "state": row["state"],
        "attempts": row["attempts"],
        "remote_id": row["remote_id"],
        "next_attempt_at": moment(row["due_at"]) if _waits(row) else None,
        "reason": row["reason"],
        "warnings": list(row["warnings"] or ()),
        "finished_at": moment(row["finished_at"]),
    }


def _known(store: "Store", rows: Iterable[Row]) -> "dict[str, Version]":
    """Return the versions of mappings that made these deliveries, by their hash."""
    return store.mappings.known(row["mapping_hash"] for row in rows if row["mapping_hash"])


def _made_by(row: Row, known: "Mapping[str, Version]") -> dict[str, Any]:
    """Return which version of a mapping made a delivery, and which one a replay asked for."""
    version = known.get(row["mapping_hash"])
    return {
        "mapping": row["mapping_hash"],
        "mapping_name": version.name if version else None,
        "mapping_published_at": moment(version.published_at) if version else None,
        "pinned_mapping": row["pinned_mapping"],
    }


def _attempt(row: Row) -> dict[str, Any]:
    return {
        "number": row["number"],
        "started_at": moment(row["started_at"]),
        "took_ms": row["took_ms"],
        "outcome": row["outcome"],
        "reason": row["reason"],
        "answer": row["answer"],
    }


def _card(facts: Row) -> None:
    for key, value in facts.items():
        if isinstance(value, list):
            lines = [item for item in value if isinstance(item, str)]
        else:
            lines = [] if value in (None, "", False) else [value]
        for line in lines:
            click.echo(f"{key.replace('_', ' '):16} {plain(line)}")


def _pretty(body: bytes) -> str:
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
    return "\n".join(plain(line) for line in text.splitlines())

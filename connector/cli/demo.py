"""The command that shows the whole path at work: the real server, real webhooks, and what became of them."""

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.bundled import payload
from connector.cli.frame import FAILED, plain
from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.cli.send import Answer
    from connector.config import Config

PATIENCE = 45.0  # seconds for the server to come up, and again for the contacts; a cold disk is slow
CONTACTS = 2


@dataclass(slots=True)
class Show:
    """Hold a demo that runs: its folder, its configuration, and what was not as it should be."""

    folder: Path
    config: "Config"
    server: "subprocess.Popen[bytes]"
    wrong: list[str] = field(default_factory=list)

    def expect(self, fact: bool, otherwise: str) -> None:
        """Note what is not as it should be."""
        if not fact:
            self.wrong.append(otherwise)


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End when it has been shown, instead of serving on.")
@click.pass_context
def demo(ctx: click.Context, leave: bool) -> None:
    """Show the whole path on this machine, in a temporary folder: two customers into a contact book.

    Starts the real server on a free port, sends the webhook that Flavours documents (twice) and a Saudi company,
    tells what became of them, and serves on until Ctrl-C.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: sys.exit(128 + got))  # so that the server ends with the demo
    folder = Path(tempfile.mkdtemp(prefix="flavours-connector-demo-"))
    click.echo(f"Everything of this demo is in {folder}\n")
    with _served(folder) as show:
        _send_all(show)
        _tell(show)
        _end(show)
        if not (leave or show.wrong):
            with suppress(KeyboardInterrupt):
                click.echo("\nIt serves on; Ctrl-C ends it.")
                show.server.wait()
    ctx.exit(FAILED if show.wrong else 0)


@contextmanager
def _served(folder: Path) -> Iterator[Show]:
    from connector import config
    from connector.cli.init import prepare, write
    from connector.drill.papers import free_port

    path = folder / "config.yaml"
    write(path, prepare("csv", "", "", None, server=f"host: 127.0.0.1, port: {free_port()}"))
    with (folder / "serve.log").open("wb") as log:
        # A session of its own: Ctrl-C is ours to hand on.
        server = subprocess.Popen(
            [sys.executable, "-m", "connector", "serve", "--config", str(path)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Show(folder, config.load(path, os.environ), server)
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(KeyboardInterrupt):
            server.wait()


def _send_all(show: Show) -> None:
    from connector.cli.send import local

    base = local(show.config)
    if not _wait(lambda: _up(show, base)):
        raise ConnectorError(f"the server did not come up; see {show.folder / 'serve.log'}")
    click.echo(f"The server listens on {base}\n")
    for name, what, status in (
        ("documented", "the webhook that Flavours documents", 202),
        ("documented", "the same once more", 200),
        ("company", "a Saudi company, with its VAT number and commercial registration", 202),
    ):
        answer = _sent(show, base, name)
        said = answer.body if isinstance(answer.body, dict) else {}
        click.echo(f"sent {what}\n  -> {answer.status} {said.get('status')} {said.get('event', '')}")
        show.expect(answer.status == status, f"{what}: {status} was expected, {answer.status} came")


def _sent(show: Show, base: str, name: str) -> "Answer":
    from connector.cli.send import post

    return post(base, show.config.sources["flavours"], payload(name))


def _up(show: Show, base: str) -> bool:
    import requests

    from connector.cli.send import direct

    if show.server.poll() is not None:
        raise ConnectorError(f"the server ended with code {show.server.returncode}; see {show.folder / 'serve.log'}")
    with suppress(requests.RequestException):
        return direct().get(f"{base}/healthz", timeout=2).ok
    return False


def _tell(show: Show) -> None:
    from connector.store import open_store

    store = open_store(show.config.database)
    try:
        _wait(lambda: sum(row["state"] == "delivered" for row in store.desk.deliveries()) >= CONTACTS)
        made = store.desk.deliveries()[::-1]
    finally:
        store.close()
    rows = _book(show.folder / "contacts.csv")
    show.expect(len(made) == CONTACTS, f"{CONTACTS} deliveries were expected, there are {len(made)}")
    show.expect(len(rows) == CONTACTS, f"{CONTACTS} contacts were expected, there are {len(rows)}")
    click.echo(f"\nThe contact book, {show.folder / 'contacts.csv'}:")
    for row in rows:
        click.echo("  " + plain(" | ".join(value for value in row.values() if value)))
    click.echo("\nWhat became of them:")
    for delivery in made:
        _tell_one(show, delivery)


def _tell_one(show: Show, delivery: Any) -> None:
    name = f"d{delivery['id']}"
    click.echo(f"  {name} of e{delivery['event_id']}: {delivery['state']}")
    for warning in delivery["warnings"] or ():
        click.echo(f"    warning: {plain(warning)}")
    show.expect(delivery["state"] == "delivered", f"{name} is {delivery['state']}: {delivery['reason']}")


def _end(show: Show) -> None:
    for wrong in show.wrong:
        click.echo(f"NOT as it should be: {plain(wrong)}", err=True)
    path, connector = show.folder / "config.yaml", _program()
    click.echo(f"\nWhere to look next:\n  {connector} status --config {path}")
    click.echo(f"  {connector} deliveries show d1 --config {path}")
    click.echo(f"  {connector} mapping preview csv --config {path}")
    click.echo(f"  {connector} init           (a configuration of your own)")


def _program() -> str:
    """Return how this program is started from here: its name, or its path while it is not among the known commands."""
    beside = Path(sys.executable).with_name("connector")
    return "connector" if shutil.which("connector") or not beside.exists() else os.path.relpath(beside)


def _book(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def _wait(fact: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True

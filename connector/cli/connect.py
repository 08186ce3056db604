"""The command that connects a target by OAuth2: a person allows it in a browser, the tokens are kept encrypted."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from connector.cli.callback import listening
from connector.cli.frame import FAILED, config_option, json_option, plain, show_json
from connector.cli.targets import known, length, resume_held

if TYPE_CHECKING:
    from connector.config import Config, TargetConfig
    from connector.store import Store
    from connector.targets.base import Around, Check
    from connector.targets.grants import OAuth2
    from connector.targets.oauth2_connect import Answer, Invitation


@dataclass(frozen=True, slots=True)
class Wait:
    """Say how the answer comes back: by a browser on this machine, or pasted by a person."""

    port: int
    redirect_uri: str | None
    paste: bool
    seconds: float
    quiet: bool  # nothing but JSON on standard output


@click.command()
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=8484, show_default=True, help="Where to listen.")
@click.option(
    "--redirect-uri", metavar="URL", help="As registered with the vendor, if not http://localhost:PORT/callback."
)
@click.option("--paste", is_flag=True, help="There is no browser here: paste the address that it ends at elsewhere.")
@click.option("--timeout", "seconds", type=length, default="5m", show_default=True, help="How long to wait.")
@config_option
@json_option
@click.pass_context
def connect(ctx: click.Context, /, name: str, path: Path, as_json: bool, **how: Any) -> None:
    """Let a person allow the access to a target (OAuth2), in a browser.

    Prints the address to open and waits on this machine for the answer. The tokens are stored encrypted with
    secret_key, where all workers find them.
    """
    from connector.cli.checking import checked
    from connector.delivery.around import around

    read = checked(path, os.environ)
    config = known(read, name)
    oauth2 = _connectable(config)
    wait = Wait(quiet=as_json, **how)
    with _store(read) as store:
        invitation, answer = _pasted(oauth2, wait) if wait.paste else _called_back(oauth2, wait)
        found = _kept(config, invitation, answer, around(read, store, name))
    resumed = found.ok and resume_held(read, name)
    _tell(name, answer.extra, found, resumed=resumed, as_json=as_json)
    ctx.exit(0 if found.ok else FAILED)


@contextmanager
def _store(read: "Config") -> "Iterator[Store]":
    """Open the store, making it where there is none: a person connects before anything was ever served."""
    from connector.store import open_store
    from connector.store.migrate import make

    make(read.database)
    store = open_store(read.database)
    try:
        yield store
    finally:
        store.close()


def _connectable(config: "TargetConfig") -> "OAuth2":
    from connector.targets import kinds

    oauth2 = kinds.oauth2(config)
    if oauth2 is None:
        raise click.UsageError(f"target {config.name} is {config.kind} without oauth2: there is nothing to connect")
    if not oauth2.keeps:
        cure = f"it asks for tokens by itself; try `connector targets check {config.name}`"
        raise click.UsageError(f"target {config.name} uses the grant {oauth2.grant}: {cure}")
    if not oauth2.connects:
        raise click.UsageError(f"target {config.name}: oauth2.authorize_url is missing: nobody knows what to open")
    return oauth2


def _called_back(oauth2: "OAuth2", wait: Wait) -> "tuple[Invitation, Answer]":
    from connector.targets.oauth2_connect import Invitation

    with listening(wait.port, urlsplit(wait.redirect_uri or "/callback").path or "/") as server:
        invitation = Invitation(oauth2, wait.redirect_uri or f"http://localhost:{server.server_port}/callback")
        server.reads = invitation.reads
        _invite(invitation, wait)
        click.echo("Waiting for the answer; Ctrl-C ends it.", err=wait.quiet)
        return invitation, server.wait(wait.seconds)


def _pasted(oauth2: "OAuth2", wait: Wait) -> "tuple[Invitation, Answer]":
    from connector.targets.oauth2_connect import Invitation

    invitation = Invitation(oauth2, wait.redirect_uri or f"http://localhost:{wait.port}/callback")
    _invite(invitation, wait)
    click.echo("The browser ends at an address that it cannot open, and that is right.", err=wait.quiet)
    while True:
        answer = invitation.reads(click.prompt("Paste that address", err=True).strip())
        if answer is not None:
            return invitation, answer
        click.echo("That is not the answer to this attempt; copy the whole address.", err=True)


def _invite(invitation: "Invitation", wait: Wait) -> None:
    click.echo("The redirect URI, which must be registered with the vendor for this client:", err=wait.quiet)
    click.echo(f"  {invitation.redirect_uri}", err=wait.quiet)
    click.echo("Open this address in a browser, and allow the access:", err=wait.quiet)
    click.echo(f"  {invitation.address}", err=wait.quiet)


def _kept(config: "TargetConfig", invitation: "Invitation", answer: "Answer", here: "Around") -> "Check":
    from connector.targets.kinds import kind, open_target
    from connector.targets.oauth2_connect import connect as exchange

    settings: Mapping[str, Any] = kind(config.kind).schema.load(dict(config.settings))
    exchange(invitation, answer, config.name, settings, here)
    return open_target(config, here).check()


def _tell(name: str, extra: Mapping[str, str], found: "Check", *, resumed: bool, as_json: bool) -> None:
    if as_json:
        facts = {"target": name, "connected": True, "extra": dict(extra)}
        show_json(facts | {"ok": found.ok, "lines": list(found.lines), "resumed": resumed})
        return
    click.echo(f"target {name} is connected; its tokens are stored, encrypted")
    for key, value in extra.items():
        click.echo(f"  {plain(key)}: {plain(value)}")
    click.echo(f"target {name}: {'good' if found.ok else 'NOT good'}")
    for line in (*found.lines, *(["it was held and goes on now"] if resumed else [])):
        click.echo(f"  {plain(line)}")

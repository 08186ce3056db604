"""The commands that run the connector: serve, and its two halves."""

import os
from pathlib import Path

import click

from connector.cli.frame import config_option
from connector.errors import ConnectorError


@click.command()
@config_option
@click.option("--no-worker", is_flag=True, help="Only the door; run `connector worker` beside it.")
@click.pass_context
def serve(ctx: click.Context, path: Path, no_worker: bool) -> None:
    """Receive webhooks and deliver them, until Ctrl-C or SIGTERM.

    Its worker watches the mappings folder: a valid change is published, and used at once by every worker.
    """
    from connector import lifeline
    from connector.serve import supervise

    lifeline.hold()  # only who was given one ends with its parent
    ctx.exit(supervise(path, worker=not no_worker))


@click.command()
@config_option
@click.option("--watch-mappings", "watch", is_flag=True, help="Publish what changes in the mappings folder.")
def worker(path: Path, watch: bool) -> None:
    """Deliver what is stored, until Ctrl-C or SIGTERM; `serve` does this by itself.

    Uses the mappings that are published in the store. It reads its own folder only for a mapping of which nothing was
    ever published; --watch-mappings publishes each valid change there, as `serve` does: give it to one worker, on the
    machine whose folder you edit, or publish by hand with `connector mapping publish`.
    """
    from connector import lifeline, logs
    from connector.cli.checking import checked
    from connector.delivery.start import work

    lifeline.hold()
    logs.set_up()
    work(checked(path, os.environ), watch_mappings=watch)


@click.command("_prepare", hidden=True)
@config_option
def prepare(path: Path) -> None:
    """Check everything and prepare the store, before `serve` starts its children."""
    from connector.cli.checking import checked
    from connector.store.migrate import prepare

    prepare(checked(path, os.environ).database)


@click.command("_door", hidden=True)
@config_option
def door(path: Path) -> None:
    """Run the door, as a child of `serve`."""
    from connector import config, lifeline, logs
    from connector.store import open_store
    from connector.web.app import create_app
    from connector.web.serving import serve as run

    lifeline.hold()
    logs.set_up()
    read = config.load(path, os.environ)
    store = open_store(read.database)
    server = read.server

    def ready(port: int) -> None:
        click.echo(f"listening on http://{server.host}:{port}", err=True)

    try:
        run(create_app(read, store), server.host, server.port, trusted_proxy=server.trusted_proxy, ready=ready)
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno else type(problem).__name__
        raise ConnectorError(f"cannot listen on {server.host}:{server.port}: {why}; {_PORT}") from None
    finally:
        store.close()


_PORT = "is another `connector serve` running? Else change server.host or server.port"

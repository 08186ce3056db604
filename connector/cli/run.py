"""The commands that run the connector: serve, and its two halves."""

import gc
import os
from pathlib import Path

import click

from connector.cli.frame import config_option
from connector.errors import ConnectorError, StoreBusy


@click.command()
@config_option
@click.option("--no-worker", is_flag=True, help="Only the door; run `connector worker` beside it.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="How many processes deliver (1). Each has push threads of its own; on SQLite more than one is of little use.",
)
@click.pass_context
def serve(ctx: click.Context, path: Path, no_worker: bool, workers: int | None) -> None:
    """Receive webhooks and deliver them, until Ctrl-C or SIGTERM.

    Its (first) worker watches the mappings folder: a valid change is published, and used at once by every worker.
    """
    from connector import lifeline
    from connector.serve import supervise

    if no_worker and workers is not None:
        raise click.UsageError("choose one of --no-worker, --workers N")
    lifeline.hold()  # only who was given one ends with its parent
    ctx.exit(supervise(path, workers=0 if no_worker else workers or 1))


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
@click.option("--workers", type=int, default=1)
def prepare_store(path: Path, workers: int) -> None:
    """Check everything and prepare the store, before `serve` starts its children."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

    from connector.cli.checking import checked
    from connector.store.engines import open_engine
    from connector.store.migrate import prepare

    database = checked(path, os.environ).database
    if workers > 1 and database.startswith("sqlite"):
        click.echo(_ONE_FILE.format(workers=workers), err=True)
    waiting = Retrying(
        retry=retry_if_exception_type(StoreBusy), stop=stop_after_delay(PATIENCE), wait=wait_fixed(0.5), reraise=True
    )
    try:
        waiting(prepare, database)  # another process may just be ending, or recovering what a killed one left
    except StoreBusy as busy:
        raise ConnectorError(f"{open_engine(database).name}: {busy}; {_STORE}") from None


@click.command("_door", hidden=True)
@config_option
def door(path: Path) -> None:
    """Run the door, as a child of `serve`."""
    from connector import config, lifeline, logs
    from connector.serve import TAKEN
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
        app = create_app(read, store)
        gc.freeze()  # what is here now stays: no webhook waits while it is searched for rubbish
        run(app, server.host, server.port, trusted_proxy=server.trusted_proxy, ready=ready)
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno else type(problem).__name__
        click.echo(f"cannot listen on {server.host}:{server.port}: {why}; {_PORT}", err=True)
        raise SystemExit(TAKEN) from None
    finally:
        store.close()


PATIENCE = 10.0  # seconds that `serve` waits for its store at the start
_STORE = "is the database there, may it be written, is there room on its disk, does another program hold it?"
_ONE_FILE = (
    "{workers} workers share one SQLite file, which one at a time may write: they take the place of one that is killed, "
    "and push little faster; more worker.push_threads help with a slow target, PostgreSQL with many customers"
)
_PORT = "is another `connector serve` running? Else change server.host or server.port"

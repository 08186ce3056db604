"""What every command shares: --config, --json, the exit codes of our errors, and the store it opens."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.errors import BadInput, ConnectorError, NotFound

if TYPE_CHECKING:
    from connector.config import Config
    from connector.store import Store

FAILED, WRONG = 1, 2

config_option: Callable[..., Any] = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default="config.yaml",
    envvar="CONNECTOR_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The configuration.",
)
json_option: Callable[..., Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class Commands(click.Group):
    """Turn our own errors into sentences and an exit code; list the commands in the order of a first day."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order in which they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what went wrong goes to standard error, each problem on its own line."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly
        except (ConnectorError, OSError) as error:
            lines, code = _told(error)
        for line in lines:
            click.echo(plain(line), err=True)
        return ctx.exit(code)


def _told(error: ConnectorError | OSError) -> tuple[list[str], int]:
    if isinstance(error, BadInput):
        return [str(problem) for problem in error.problems], WRONG
    if isinstance(error, ConnectorError):
        return [str(error)], WRONG if isinstance(error, NotFound) else FAILED
    # Never str(error): those of requests are OSErrors too, and their text holds the whole URL.
    return [" ".join(filter(None, (error.strerror or type(error).__name__, _name(error))))], FAILED


def _name(error: OSError) -> str:
    return f"({error.filename})" if isinstance(error.filename, str) else ""


def ident(letter: str) -> Callable[[str], int]:
    """Return a click type that takes e12 or d34 as a number; the letter may be left out."""

    def number(value: str) -> int:
        text = value.removeprefix(letter)
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise click.BadParameter(f"{value!r} is not an id such as {letter}12")
        return int(text)

    return number


@contextmanager
def opened(path: Path) -> Iterator[tuple["Config", "Store"]]:
    """Open the configured store for one command. Raises ConfigError, StoreOutdated, StoreBusy."""
    from connector import config, logs
    from connector.store import open_store

    logs.set_up("WARNING")
    read = config.load(path, os.environ)
    store = open_store(read.database)
    try:
        yield read, store
    finally:
        store.close()


def show_json(facts: Any) -> None:
    """Print facts as JSON."""
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2))


def table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Print rows under the columns' names; the last column is as wide as it needs."""
    names = list(columns)
    cells = [[name.upper().replace("_", " ") for name in names]]
    cells += [[plain("" if row[name] is None else row[name]) for name in names] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def plain(value: Any) -> str:
    """Return a text that cannot move the cursor: what came from outside may hold escape codes."""
    return "".join(char if char.isprintable() else " " for char in str(value))


def moment(millis: int | None) -> str | None:
    """Return a time in epoch milliseconds as ISO 8601 in UTC."""
    if millis is None:
        return None
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(millis: int | None) -> str:
    """Return a time in epoch milliseconds as this machine's people read it."""
    return "" if millis is None else f"{datetime.fromtimestamp(millis / 1000).astimezone():%Y-%m-%d %H:%M:%S}"

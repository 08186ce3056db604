"""Look after the store: bring it up to date, and move it to PostgreSQL."""

import os
import sys
from pathlib import Path

import click

from connector.cli.frame import config_option, json_option, show_json, table


@click.group()
def db() -> None:
    """Look after the store."""


@db.command("upgrade")
@config_option
@json_option
def upgrade_store(path: Path, as_json: bool) -> None:
    """Make the store, or bring it up to this program.

    `serve` does this by itself for SQLite. A PostgreSQL is shared by many machines: upgrade it first, then restart
    them one by one; who is one version behind goes on meanwhile.
    """
    from connector import config
    from connector.store import address
    from connector.store.migrate import upgrade

    database = config.load(path, os.environ).database
    before, after = upgrade(database)
    url = address(database)
    if as_json:
        show_json({"database": url, "before": before, "after": after})
    elif before == after:
        click.echo(f"{url} is up to date (schema {after})")
    else:
        click.echo(f"{url} was {'made' if before is None else f'upgraded from schema {before}'}, now schema {after}")


@db.command("copy")
@click.argument("sqlite", type=click.Path(path_type=Path))
@click.argument("postgres", required=False)
@config_option
@json_option
def copy_store(sqlite: Path, postgres: str | None, path: Path, as_json: bool) -> None:
    """Move a stopped installation from its SQLite file to PostgreSQL.

    SQLITE is the file. POSTGRES is the address, postgresql+psycopg://user:password@host/database; without it, that of
    the configuration, so that its password is in no list of processes. The target must be empty: make it with
    `connector db upgrade`. All is copied and compared in one transaction, or nothing is; the file is left as it is.
    """
    from connector.store import address, copying

    url = _target(postgres, path)
    with click.progressbar(length=2 * copying.size(sqlite), label="copying", file=sys.stderr) as bar:
        contents = copying.copy(sqlite, url, bar.update)
    rows = [{"table": name, "rows": content.rows, "hash": content.hash} for name, content in contents.items()]
    if as_json:
        show_json({"database": address(url), "tables": rows})
        return
    table(rows, ("table", "rows", "hash"))
    click.echo(f"copied to {address(url)}, and read back the same; set `database` to it, then start `connector serve`")


def _target(given: str | None, path: Path) -> str:
    from connector import config
    from connector.config_schema import database_problem

    if given is None:
        given = config.load(path, os.environ).database
    if not given.startswith("postgres"):
        raise click.UsageError("the target is no PostgreSQL; give postgresql+psycopg://user:password@host/database")
    if problem := database_problem(given):
        raise click.UsageError(f"the target {problem}")
    return "postgresql+psycopg:" + given.partition(":")[2]

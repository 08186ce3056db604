"""The commands about who may sign in to the admin pages."""

import sys
from pathlib import Path

import click

from connector.cli.frame import clock, config_option, json_option, moment, opened, show_json, table
from connector.models import PASSWORD, ROLES

SHORTEST, LONGEST = PASSWORD

stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def people() -> None:
    """Say who may sign in to the admin pages."""


@people.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What they may do.")
@stdin_option
@config_option
@json_option
def add(name: str, role: str, password_stdin: bool, path: Path, as_json: bool) -> None:
    """Let a person in: a viewer looks, an operator also decides and tries again, an editor may do everything."""
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise click.UsageError("a name has 1 to 100 characters that can be seen")
    with opened(path) as (config, store):
        password = _password(password_stdin)
        try:
            store.people.add(name.strip(), role, password)
        except ValueError as problem:
            raise click.UsageError(str(problem)) from problem
        store.audit.note("connector people", "add_person", f"{name.strip()} ({role})")
    _say({"name": name.strip(), "role": role}, f"{name.strip()} may sign in as {role}", as_json)
    if not config.admin:
        click.echo("the admin pages are off: set `admin: {enabled: true}` in config.yaml", err=True)


@people.command("list")
@config_option
@json_option
def list_people(path: Path, as_json: bool) -> None:
    """List who may sign in."""
    with opened(path) as (_, store):
        found = store.people.list()
    if as_json:
        show_json([{"name": one.name, "role": one.role, "added_at": moment(one.added_at)} for one in found])
        return
    table(
        [{"name": one.name, "role": one.role, "added": clock(one.added_at)} for one in found],
        ("name", "role", "added"),
    )


@people.command()
@click.argument("name")
@config_option
@json_option
def remove(name: str, path: Path, as_json: bool) -> None:
    """Let a person in no more; their sessions end at once."""
    with opened(path) as (_, store):
        store.people.remove(name)
        store.audit.note("connector people", "remove_person", name)
    _say({"removed": name}, f"{name} may sign in no more", as_json)


@people.command()
@click.argument("name")
@stdin_option
@config_option
@json_option
def password(name: str, password_stdin: bool, path: Path, as_json: bool) -> None:
    """Give a person another password; their sessions end at once."""
    with opened(path) as (_, store):
        store.people.change(name, password=_password(password_stdin))
        store.audit.note("connector people", "change_password", name)
    _say({"changed": name}, f"{name} has another password", as_json)


def _say(facts: dict[str, str], sentence: str, as_json: bool) -> None:
    if as_json:
        show_json(facts)
    else:
        click.echo(sentence)


def _password(from_stdin: bool) -> str:
    """Return the hash of the password that a person types, twice."""
    from werkzeug.security import generate_password_hash

    if from_stdin:
        typed = sys.stdin.readline().rstrip("\r\n")
    else:
        typed = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not SHORTEST <= len(typed) <= LONGEST:
        raise click.UsageError(f"a password has {SHORTEST} to {LONGEST} characters")
    return generate_password_hash(typed)

"""The command that writes a first configuration: the file, its secrets, its mapping, and what to tell Flavours."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from connector.cli import first_target
from connector.cli.frame import config_option, json_option, show_json
from connector.cli.mapping_schema import FILE as SCHEMA_FILE

TOKEN_FILE = "flavours_path_token"  # noqa: S105 - a file's name
KEY_FILE = "secrets/key"


@dataclass(frozen=True, slots=True)
class Start:
    """Hold what a first configuration is made of; `files` are texts by their path beside the configuration."""

    token: str
    files: Mapping[str, str]
    connects: str = ""


@click.command()
@click.argument("kind", default="csv")
@click.option(
    "--api-key-file", type=click.File("r"), help="Read the target's key from a file, or - for standard input."
)
@click.option("--base-url", help="For rest: where the API is, such as https://crm.example.com/api.")
@click.option(
    "--set", "given", multiple=True, metavar="NAME=VALUE", help="A setting of the target; else it is asked for."
)
@click.option("--public-url", help="Where Flavours reaches this machine, such as https://hooks.example.com.")
@config_option
@json_option
def init(
    kind: str,
    api_key_file: IO[str] | None,
    base_url: str | None,
    given: tuple[str, ...],
    public_url: str | None,
    path: Path,
    as_json: bool,
) -> None:
    """Write a configuration to begin with, for a KIND of target (csv, the default, is a contact book for Excel).

    `connector targets kinds` lists the kinds. Asks for the target's key (or takes it from --api-key-file, or from the
    variable CONNECTOR_API_KEY) and for the settings that it cannot do without, and prints the address that Flavours
    must be told.
    """
    asks = () if kind in _TARGETS else first_target.asks(kind)
    _refuse_overwriting(path, [*_names(kind), *first_target.files(kind, asks)])
    start = _start(kind, asks, first_target.pairs(given), api_key_file, base_url, public_url)
    written = write(path, start)
    _tell(start, written, path, public_url, as_json)


def _start(
    kind: str,
    asks: Sequence[first_target.Asked],
    given: Mapping[str, str],
    file: IO[str] | None,
    base_url: str | None,
    public_url: str | None,
) -> Start:
    if kind not in _TARGETS:
        secret = next((asked.name for asked in asks if asked.secret), None)
        known = {**given, **({secret: _key(kind, file)} if secret and file else {})}
        return prepare_any(kind, first_target.filled(asks, known), public_url)
    if kind == "rest" and not base_url:
        base_url = click.prompt("Base URL of the API, such as https://crm.example.com/api", err=True)
    return prepare(kind, "" if kind == "csv" else _key(kind, file), base_url or "", public_url)


def _key(kind: str, file: IO[str] | None) -> str:
    import os

    key = file.read() if file else os.environ.get("CONNECTOR_API_KEY", "")
    if not file and not key:
        key = click.prompt(f"Key for {kind} (it is not shown)", hide_input=True, err=True)
    key = key.strip()
    if not key or not key.isprintable():
        raise click.UsageError("the key is empty, or holds characters that no key has")
    return key


def prepare(kind: str, key: str, base_url: str, public_url: str | None, server: str = "") -> Start:
    """Make a first configuration; `server` replaces the server's settings (the demo's free port)."""
    token = secrets.token_urlsafe(24)
    target = _TARGETS[kind].format(base_url=_quoted(base_url))
    texts = _texts(kind, token, target, server or _server(public_url), "")
    return Start(token, texts | ({} if kind == "csv" else {f"secrets/{kind}_key": key + "\n"}))


def prepare_any(kind: str, asked: Sequence[first_target.Asked], public_url: str | None) -> Start:
    """Make a first configuration of a kind that is all settings; OAuth2 gets a key to encrypt its tokens with."""
    oauth2 = any(each.name.startswith("oauth2.") for each in asked)
    files = {file: each.value + "\n" for each in asked if (file := first_target.file(kind, each))}
    token = secrets.token_urlsafe(24)
    texts = _texts(kind, token, first_target.block(kind, asked), _server(public_url), _KEY_LINE if oauth2 else "")
    texts |= files | ({KEY_FILE: secrets.token_urlsafe(32) + "\n"} if oauth2 else {})
    return Start(token, texts, first_target.connects(kind, asked))


def _texts(kind: str, token: str, target: str, server: str, secret_key: str) -> dict[str, str]:
    from connector.bundled import bundled

    text = _CONFIG.format(
        kind=kind,
        server=server,
        target=target,
        name=_NAMES.get(kind, kind),
        observe=_OBSERVE.get(kind, _OBSERVE["rest"]),
        secret_key=secret_key,
    )
    shipped = bundled("mappings")
    mapping, schema = ((shipped / name).read_text(encoding="utf-8") for name in (f"{kind}.yaml", SCHEMA_FILE))
    names = _names(kind)
    return dict(zip(names, (text, token + "\n", mapping, schema), strict=False))


def _server(public_url: str | None) -> str:
    url = f", public_url: {_quoted(public_url.rstrip('/'))}, trusted_proxy: 127.0.0.1" if public_url else ""
    return f"host: 127.0.0.1, port: 8080{url}"


def _names(kind: str) -> list[str]:
    """Return the files of a first configuration, by their path beside it; "" is the configuration itself."""
    names = ["", f"secrets/{TOKEN_FILE}", f"mappings/{kind}.yaml", f"mappings/{SCHEMA_FILE}"]
    return names + ([f"secrets/{kind}_key"] if kind in {"rest", "qoyod"} else [])


def _refuse_overwriting(path: Path, names: Iterable[str]) -> None:
    there = [str(file) for file in (_beside(path, name) for name in names) if file.exists()]
    if there:
        raise click.UsageError(f"nothing was written, for there is already: {', '.join(there)}")


def _beside(path: Path, name: str) -> Path:
    return path.parent / name if name else path


def write(path: Path, start: Start) -> list[Path]:
    """Write the files, secrets readable by their owner only; refuse to overwrite any. Return what was written."""
    _refuse_overwriting(path, start.files)
    paths = {_beside(path, name): text for name, text in start.files.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    for file, text in paths.items():
        secret = file.parent.name == "secrets"
        file.parent.mkdir(mode=0o700 if secret else 0o755, exist_ok=True)
        file.touch(mode=0o600 if secret else 0o644, exist_ok=False)  # the mode first, then the secret
        file.write_text(text, encoding="utf-8")
    return list(paths)


def _tell(start: Start, written: list[Path], path: Path, public_url: str | None, as_json: bool) -> None:
    door = f"/webhooks/flavours/{start.token}"
    url = (public_url or "https://YOUR-ADDRESS").rstrip("/") + door
    message = _MESSAGE.format(url=url)
    if as_json:
        show_json({"config": str(path), "files": [str(file) for file in written], "url": url, "message": message})
        return
    for file in written:
        click.echo(f"wrote {file}")
    click.echo(f"\nThe address for Flavours (treat it as a secret):\n  {url}")
    if not public_url:
        click.echo(f"  (on this machine: http://127.0.0.1:8080{door}; Flavours needs an HTTPS address before it)")
    click.echo(
        f"\nA message for Flavours:\n\n{message}\n\nNext: {start.connects}connector check --online, then connector serve"
    )


def _quoted(text: str) -> str:
    """Return the text in YAML's double quotes, which JSON's are; no ${…} in it is looked up."""
    import json

    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)


_MESSAGE = """\
Please send the webhook customers.CREATE of our account as POST with a JSON body to
{url}
Please treat the address as a secret, and tell us whether you send a signature or an authorization header, so that
we can require it."""

_NAMES = {"csv": "contacts", "rest": "crm", "qoyod": "books"}

_KEY_LINE = """\
secret_key: "${file:secrets/key}"   # encrypts the tokens of OAuth2 in the store; without it they are lost: back it up
"""

_OBSERVE = {
    "csv": "observe: false                # true: say what would happen, write nothing",
    "rest": "observe: true                 # says what would happen, writes nothing; false when it looks right",
    "qoyod": "observe: true                 # says what would happen, writes nothing; false when it looks right",
}

_TARGETS = {
    "csv": """\
  contacts:                       # a file for Excel, one row for each customer
    kind: csv
    path: contacts.csv
""",
    "rest": """\
  crm:                            # rename the paths and fields below to what your system calls them
    kind: rest
    base_url: {base_url}
    auth: {{bearer: "${{file:secrets/rest_key}}"}}
    timeout: 10s
    find:                         # is the customer there already? asked in this order, before anything is created
      - path: /contacts
        query: {{external_id: "{{{{ customer }}}}"}}
        records: items            # where the answer holds its list
        match: {{external_id: "{{{{ customer }}}}"}}
        id: id
      - path: /contacts
        query: {{phone: "{{{{ record.phone }}}}"}}
        records: items
        match: {{phone: "{{{{ record.phone }}}}"}}
        id: id
    create: {{method: POST, path: /contacts, id: id}}
    update: {{method: PUT, path: "/contacts/{{{{ remote_id }}}}"}}
""",
    "qoyod": """\
  books:
    kind: qoyod
    api_key: "${{file:secrets/qoyod_key}}"
""",
}

_CONFIG = """\
# The Flavours connector. Check it with `connector check`; every setting is explained in config.example.yaml.
# ${{file:…}} reads a file beside this one, ${{NAME}} a variable of the environment.
database: sqlite:///connector.db
mappings: mappings
server: {{{server}}}
{secret_key}
sources:
  flavours:                       # POST /webhooks/flavours/<token>
    auth:
      path_token: "${{file:secrets/flavours_path_token}}"

targets:
{target}
syncs:
  customers_to_{name}:
    source: flavours
    actions: [customers.CREATE]
    mapping: {kind}
    target: {name}
    {observe}
"""

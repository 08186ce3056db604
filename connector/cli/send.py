"""The command that posts a webhook as Flavours would."""

import base64
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from connector.bundled import payload
from connector.cli.frame import FAILED, config_option, json_option, plain, show_json
from connector.errors import ConnectorError, NotFound

if TYPE_CHECKING:
    import requests

    from connector.config import Config, HmacAuth, SourceConfig

TIMEOUT = 10.0  # Flavours waits that long for its 2xx


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what the door answered."""

    status: int
    body: Any

    @property
    def thanked(self) -> bool:
        """Tell whether Flavours would be content."""
        return 200 <= self.status < 300


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--source", help="The source to send as; the first one of the configuration unless told.")
@click.option("--to", metavar="URL", help="Another address of the door, such as https://hooks.example.com.")
@config_option
@json_option
@click.pass_context
def send(
    ctx: click.Context, file: IO[bytes] | None, source: str | None, to: str | None, path: Path, as_json: bool
) -> None:
    """Post FILE to your door as Flavours would; without it, the webhook that Flavours documents.

    Prints the answer, and ends with 1 unless it is a 2xx.
    """
    from connector import config

    read = config.load(path, os.environ)
    sender = _sender(read, source)
    answer = post(to or local(read), sender, file.read() if file else payload("documented"))
    if as_json:
        show_json({"status": answer.status, "answer": answer.body})
    else:
        click.echo(f"{answer.status} {plain(_readable(answer.body))}")
    ctx.exit(0 if answer.thanked else FAILED)


def post(base: str, source: "SourceConfig", body: bytes) -> Answer:
    """Post a webhook with all the proofs that the source asks for. Raises ConnectorError when nobody answers."""
    import requests

    try:
        answer = direct().post(
            base.rstrip("/") + door_path(source),
            data=body,
            headers={"Content-Type": "application/json"} | proofs(source, body),
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as problem:
        # Not the exception's text: it holds the path, and with it the token.
        raise ConnectorError(
            f"{base} does not answer ({type(problem).__name__}); is `connector serve` running?"
        ) from None
    return Answer(answer.status_code, _body(answer))


def direct() -> "requests.Session":
    """Return a session that goes straight to the door, whatever proxy the environment names."""
    import requests

    session = requests.Session()
    session.trust_env = False
    return session


def door_path(source: "SourceConfig") -> str:
    """Return the path of a source's door; it holds the token."""
    return f"/webhooks/{source.name}" + (f"/{source.path_tokens[0]}" if source.path_tokens else "")


def local(read: "Config") -> str:
    """Return the address at which this machine reaches the door."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(read.server.host, read.server.host)  # noqa: S104 - it is read, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{read.server.port}"


def _sender(read: "Config", name: str | None) -> "SourceConfig":
    if name is not None and name not in read.sources:
        raise NotFound(f"there is no source {name} (there are: {', '.join(read.sources)})")
    if not read.sources:
        raise NotFound("the configuration has no source")
    return read.sources[name or next(iter(read.sources))]


def proofs(source: "SourceConfig", body: bytes) -> dict[str, str]:
    """Return the headers that prove who sends, as far as the source asks for them."""
    made: dict[str, str] = {}
    if source.header:
        # Latin-1 is what HTTP carries; other letters go as their UTF-8 bytes.
        made[source.header.name] = source.header.values[0].encode().decode("latin-1")
    if source.hmac:
        made[source.hmac.header] = source.hmac.prefix + _signature(source.hmac, body)
    return made


def _signature(auth: "HmacAuth", body: bytes) -> str:
    digest = hmac.digest(auth.secrets[0].encode(), body, auth.algorithm)
    return base64.b64encode(digest).decode() if auth.encoding == "base64" else digest.hex()


def _readable(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _body(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:1000]

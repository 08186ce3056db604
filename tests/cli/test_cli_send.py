"""send: a webhook as Flavours would post it, to the real door."""

import hashlib
import hmac

import pytest

from connector.cli import send
from connector.config import HeaderAuth, HmacAuth, SourceConfig
from connector.masking import Secret
from tests.cli.conftest import TOKEN


def test_the_documented_webhook_and_its_duplicate(door):
    first, second = door.json("send"), door.json("send")
    assert (first["status"], first["answer"]["status"]) == (202, "accepted")
    assert (second["status"], second["answer"]["status"]) == (200, "duplicate")


def test_a_file(door):
    (door.folder / "wrong.json").write_text("[]")
    result = door("send", "wrong.json")
    assert result.exit_code == 1
    assert result.stdout.startswith("400 ")


def test_another_address_and_source(door):
    base = send.local(_config())
    assert door("send", "--to", base + "/", "--source", "flavours").exit_code == 0
    assert door("send", "--source", "nobody").stderr == "there is no source nobody (there are: flavours)\n"


def test_what_is_not_json_is_shown_too(home, elsewhere):
    assert home.json("send", "--to", elsewhere, code=1)["status"] == 501
    assert "Unsupported method" in home("send", "--to", elsewhere).stdout


def test_nobody_answers_and_the_token_stays_hidden(home):
    result = home("send")
    assert result.exit_code == 1
    assert "is `connector serve` running?" in result.stderr
    assert TOKEN not in result.output


def _config():
    from pathlib import Path

    from connector import config

    return config.load(Path("config.yaml"), {})


def test_no_source_at_all(home):
    (home.folder / "config.yaml").write_text("sources: {}\n")
    assert home("send").stderr == "the configuration has no source\n"


def test_a_header_and_a_signature_are_sent():
    source = SourceConfig(
        "f",
        header=HeaderAuth("Authorization", (Secret("Bearer é"),)),
        hmac=HmacAuth("X-S", (Secret("k"),), prefix="sha256="),
    )
    sent = send.proofs(source, b"{}")
    assert sent["Authorization"].encode("latin-1") == "Bearer é".encode()
    assert sent["X-S"] == "sha256=" + hmac.new(b"k", b"{}", hashlib.sha256).hexdigest()


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_the_door_takes_what_send_signs(encoding):
    from connector import flavours

    source = SourceConfig("f", hmac=HmacAuth("X-S", (Secret("k"),), "sha512", encoding, "v1="))
    flavours.verify(send.proofs(source, b"body"), None, b"body", source)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1"), ("h", "http://h:1")]
)
def test_the_local_address(home, host, url):
    path = home.folder / "config.yaml"
    path.write_text(f'server: {{host: "{host}", port: 1}}\n' + "\n".join(path.read_text().splitlines()[1:]))
    assert send.local(_config()) == url

"""init writes what works, keeps secrets to their owner, and overwrites nothing."""

import re
import stat
from pathlib import Path

import pytest

from connector import config
from connector.cli import first_target
from connector.mapping import document
from connector.targets import kinds


def mode(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_the_default_is_a_contact_book(cli):
    result = cli("init")
    assert result.exit_code == 0
    made = config.load(Path("config.yaml"), {})
    assert {name: target.kind for name, target in made.targets.items()} == {"contacts": "csv"}
    assert made.syncs["customers_to_contacts"].observe is False
    assert not Path("secrets/csv_key").exists()


def test_the_address_and_the_message_are_told(cli):
    result = cli("init", "--public-url", "https://hooks.example.com/")
    made = config.load(Path("config.yaml"), {})
    token = made.sources["flavours"].path_tokens[0]
    assert f"https://hooks.example.com/webhooks/flavours/{token}" in result.output
    assert "Please send the webhook customers.CREATE" in result.output
    assert made.server.public_url == "https://hooks.example.com"


def test_secrets_are_for_their_owner_only(cli):
    cli("init", "qoyod", stdin="the-key\n")
    assert [mode(path) for path in ("secrets", "secrets/qoyod_key", "secrets/flavours_path_token")] == [
        0o700,
        0o600,
        0o600,
    ]
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}\n", Path("secrets/flavours_path_token").read_text())


def test_the_key_is_asked_for_and_not_shown(cli):
    result = cli("init", "qoyod", stdin="the-s3cret-key\n")
    assert result.exit_code == 0
    assert "the-s3cret-key" not in result.output
    made = config.load(Path("config.yaml"), {})
    assert made.targets["books"].settings["api_key"] == "the-s3cret-key"
    assert made.syncs["customers_to_books"].observe is True


def test_the_key_may_come_from_a_file_or_a_variable(cli):
    (cli.folder / "key.txt").write_text("from-a-file\n")
    assert cli("init", "qoyod", "--api-key-file", "key.txt", "--config", "a/config.yaml").exit_code == 0
    assert cli("init", "qoyod", "--config", "b/config.yaml", env={"CONNECTOR_API_KEY": "from-env"}).exit_code == 0
    assert Path("a/secrets/qoyod_key").read_text() == "from-a-file\n"
    assert Path("b/secrets/qoyod_key").read_text() == "from-env\n"


@pytest.mark.parametrize("key", [" \n", "a\x07b"])
def test_what_is_no_key_is_refused(cli, key):
    result = cli("init", "qoyod", "--api-key-file", "-", stdin=key)
    assert result.exit_code == 2
    assert "the key is empty, or holds characters that no key has" in result.stderr
    assert not list(cli.folder.iterdir())


def test_rest_asks_for_its_address(cli):
    result = cli("init", "rest", stdin="https://crm.example.com/api\nk3y\n")
    assert result.exit_code == 0
    target = config.load(Path("config.yaml"), {}).targets["crm"]
    assert target.settings["base_url"] == "https://crm.example.com/api"
    assert target.settings["auth"] == {"bearer": "k3y"}
    assert target.settings["find"][0]["query"] == {"external_id": "{{ customer }}"}


def test_an_odd_address_stays_text(cli):
    cli("init", "rest", "--base-url", 'https://x/${HOME}"', stdin="k\n")
    assert config.load(Path("config.yaml"), {}).targets["crm"].settings["base_url"] == 'https://x/${HOME}"'


@pytest.mark.parametrize("kind", ["csv", "rest", "qoyod"])
def test_what_was_written_is_right(cli, kind):
    cli("init", kind, "--base-url", "https://crm.example.com", env={"CONNECTOR_API_KEY": "k"})
    assert cli("check").output == "config.yaml is right: 1 source, 1 target, 1 sync\n"
    text = Path(f"mappings/{kind}.yaml").read_text()
    assert document.read(text, "m").kind == kind


@pytest.mark.parametrize("there", ["config.yaml", "secrets/flavours_path_token", "mappings/csv.yaml"])
def test_nothing_is_overwritten(cli, there):
    path = cli.folder / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    result = cli("init")
    assert result.exit_code == 2
    assert f"nothing was written, for there is already: {there}" in result.stderr
    assert path.read_text() == "mine"
    assert len([file for file in cli.folder.rglob("*") if file.is_file()]) == 1


def test_init_in_json(cli):
    told = cli.json("init")
    token = Path("secrets/flavours_path_token").read_text().strip()
    assert told["url"] == f"https://YOUR-ADDRESS/webhooks/flavours/{token}"
    mapping = ["mappings/csv.yaml", "mappings/mapping.schema.json"]
    assert told["files"] == ["config.yaml", "secrets/flavours_path_token", *mapping]


@pytest.mark.parametrize("kind", ["csv", "rest", "qoyod"])
def test_an_editor_finds_the_schema_beside_the_mapping(cli, kind):
    cli("init", kind, "--base-url", "https://crm.example.com", env={"CONNECTOR_API_KEY": "k"})
    lines = Path(f"mappings/{kind}.yaml").read_text().splitlines()
    (line,) = [line for line in lines if "yaml-language-server" in line]
    named = line.removeprefix("# yaml-language-server: $schema=")
    assert Path("mappings", named).read_text() == cli("mapping", "schema").stdout


def given(kind):
    "What a person must say of a kind: plain settings by --set, secrets at the prompt."
    values = {
        "my_domain": "acme",
        "base_url": "https://crm.example.com",
        "organization_id": "123",
        "realm_id": "123",
        "region": "sa",
    }
    asked = first_target.asks(kind)
    plain = [
        f"--set={a.name}={values.get(a.name, 'https://crm.example.com' if 'url' in a.name else 'name-1')}"
        for a in asked
        if not a.secret
    ]
    shaped = {"url": "https://hooks.example.com/s3cret", "secret": "whsec_" + "s3cretKey0123456" * 2}
    return plain, "".join(f"{shaped.get(a.name, 's3cret-key-0123456789')}\n" for a in asked if a.secret)


@pytest.mark.parametrize("kind", [kind for kind in kinds.names() if kind not in ("csv", "rest", "qoyod")])
def test_every_kind_can_begin(cli, kind):
    plain, secrets = given(kind)
    result = cli("init", kind, *plain, stdin=secrets)
    assert result.exit_code == 0, result.output
    assert "s3cret" not in result.output + Path("config.yaml").read_text()
    assert all(mode(path) == 0o600 for path in Path("secrets").iterdir())
    made = config.load(Path("config.yaml"), {})
    assert made.targets[kind].kind == made.syncs[f"customers_to_{kind}"].mapping == kind
    checked = cli("check")
    assert checked.exit_code == 0, checked.stderr


def test_an_unknown_kind_lists_those_there_are(cli):
    result = cli("init", "hubspto")
    assert result.exit_code == 2
    assert "there is no kind hubspto (there are: csv, rest, " in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "colour=red"), "--set colour: not asked for here (asked for: token)"),
        (("--set", "token"), "--set takes NAME=VALUE"),
    ],
)
def test_a_setting_that_is_not_asked_for(cli, words, says):
    result = cli("init", "hubspot", *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not list(cli.folder.iterdir())


@pytest.mark.parametrize("typed", [" \n", "a\x07b\n"])
def test_what_is_typed_must_be_something(cli, typed):
    result = cli("init", "hubspot", "--set", "token=x", stdin="")
    assert result.exit_code == 0
    assert "is empty, or holds" in cli("init", "hubspot", "--config", "b/config.yaml", stdin=typed).output


def test_the_key_of_any_kind_may_come_from_a_file(cli):
    (cli.folder / "key.txt").write_text("from-a-file\n")
    assert cli("init", "hubspot", "--api-key-file", "key.txt").exit_code == 0
    assert Path("secrets/hubspot_token").read_text() == "from-a-file\n"

"""targets connect: a person allows the access in a browser, and nobody else can."""

import json
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest
import requests

from connector.bundled import bundled
from tests.cli.conftest import command, environment
from tests.installation import free_port
from tests.targets.stub_issuer import CLIENT, SECRET, Issuer
from tests.targets.stub_vendor import served

CONFIG = """\
secret_key: a-secret-key-of-the-tests
sources:
  flavours: {auth: {path_token: a-path-token-of-the-tests}}
targets:
  contacts: {kind: csv, path: contacts.csv}
  crm:
    kind: rest
    base_url: BASE
    allow_private: true
    auth:
      oauth2:
        token_url: TOKEN_URL
        client_id: CLIENT
        client_secret: SECRET
        scope: "contacts offline_access"
        authorize_url: https://vendor.example.com/oauth/authorize
    find: [{path: /contacts, query: {phone: "{{ record.phone }}"}, records: items, match: {phone: "{{ record.phone }}"}}]
    create: {path: /contacts, envelope: contact, id: contact.id}
    update: {path: "/contacts/{{ remote_id }}", envelope: contact}
syncs:
  crm_sync: {source: flavours, actions: [customers.CREATE], mapping: rest, target: crm}
"""


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def home(cli, issuer):
    "A folder with a target that nobody connected yet, and without a store."
    (cli.folder / "mappings").mkdir()
    (cli.folder / "mappings" / "rest.yaml").write_text((bundled("mappings") / "rest.yaml").read_text())
    with served(issuer) as base:
        facts = {"TOKEN_URL": base.replace("/api", "/oauth/token"), "BASE": base, "CLIENT": CLIENT, "SECRET": SECRET}
        text = CONFIG
        for name, value in facts.items():
            text = text.replace(name, value)
        (cli.folder / "config.yaml").write_text(text)
        yield cli


def edit(home, old, new):
    path = home.folder / "config.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


class Connecting:
    "`connector targets connect crm` in a process of its own, as far as the address that it shows."

    def __init__(self, *options):
        self.port = free_port()
        self.process = subprocess.Popen(
            command("targets", "connect", "crm", "--port", self.port, *options),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        self.seen = []
        said = self.process.stderr if "--json" in options else self.process.stdout
        while not any("vendor.example.com/oauth" in line for line in self.seen):
            line = said.readline()
            assert line, (self.seen, self.process.stderr.read())
            self.seen.append(line)
        (self.address,) = re.findall(r"https://vendor\S+", self.seen[-1])

    def end(self, stdin=None):
        out, err = self.process.communicate(stdin, timeout=60)
        return self.process.returncode, out, err


def test_a_person_connects_a_target(home, issuer, tmp_path):
    connecting = Connecting()
    assert f"  http://localhost:{connecting.port}/callback\n" in connecting.seen
    back = issuer.allow(connecting.address, realmId="9130")
    page = requests.get(back, timeout=20)
    assert (page.status_code, page.text[:9]) == (200, "Thank you")
    code, out, err = connecting.end()
    assert (code, err) == (0, "")
    assert "target crm is connected; its tokens are stored, encrypted\n  realmId: 9130\ntarget crm: good\n" in out
    (form,) = issuer.asked
    assert form["grant_type"] == "authorization_code"
    assert form["redirect_uri"] == f"http://localhost:{connecting.port}/callback"
    assert home.json("targets", "check", "crm")["ok"]
    assert len(issuer.asked) == 1
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("connector.db*"))
    shown = "".join(connecting.seen) + out
    secrets = ("access-token-", "refresh-token-", SECRET, "code-1", form["code_verifier"])
    assert [text for text in secrets if text.encode() in raw or text in shown] == []


def test_the_address_asks_for_what_the_settings_say(home):
    connecting = Connecting("--timeout", "30s")
    asked = dict(re.findall(r"[?&]([^=]+)=([^&]*)", connecting.address))
    assert asked.pop("scope") == "contacts+offline_access"
    assert len(asked.pop("state")) >= 32
    assert len(asked.pop("code_challenge")) == 43
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"http%3A%2F%2Flocalhost%3A{connecting.port}%2Fcallback",
        "code_challenge_method": "S256",
    }
    connecting.process.kill()
    connecting.end()


def test_what_is_no_answer_ends_nothing(home, issuer):
    connecting = Connecting()
    back = issuer.allow(connecting.address)
    for other in (
        back.replace("state=", "state=x"),
        re.sub("&state=.*", "", back),
        re.sub("code=[^&]*&", "", back),
        back.replace("/callback?", "/else?"),
        back.replace("/callback?", "/callback/?"),
    ):
        assert requests.get(other, timeout=20).status_code == 400
    assert requests.post(back, timeout=20).status_code == 501
    assert issuer.asked == []
    requests.get(back, timeout=20)
    assert connecting.end()[0] == 0


@pytest.mark.slow
def test_a_browser_that_opens_a_connection_ahead_keeps_nobody_waiting(home, issuer):
    import socket

    connecting = Connecting()
    with socket.create_connection(("127.0.0.1", connecting.port)):
        assert requests.get(issuer.allow(connecting.address), timeout=20).status_code == 200
        assert connecting.end()[0] == 0


def test_a_no_of_the_person_is_told(home, issuer):
    connecting = Connecting()
    back = re.sub(
        "code=[^&]*&", "error=access_denied&error_description=the+person+said+no&", issuer.allow(connecting.address)
    )
    assert "was not allowed" in requests.get(back, timeout=20).text
    code, _, err = connecting.end()
    assert (code, err) == (1, "the access was not allowed (access_denied: the person said no)\n")


def test_a_machine_without_a_browser_takes_the_address_by_hand(home, issuer):
    connecting = Connecting("--paste")
    back = issuer.allow(connecting.address)
    code, out, err = connecting.end(f"https://example.com/\n{back}\n")
    assert code == 0
    assert "That is not the answer to this attempt" in err
    assert "target crm is connected" in out
    assert len(issuer.asked) == 1


@pytest.mark.slow
def test_what_was_connected_as_json(home, issuer):
    connecting = Connecting("--json", "--redirect-uri", "https://hooks.example.com/back", "--paste")
    assert "redirect_uri=https%3A%2F%2Fhooks.example.com%2Fback" in connecting.address
    code, out, _ = connecting.end(issuer.allow(connecting.address, location="sa") + "\n")
    assert code == 0
    told = json.loads(out)
    lines = told.pop("lines")
    assert "takes the credentials" in lines[0]
    assert told == {"target": "crm", "connected": True, "extra": {"location": "sa"}, "ok": True, "resumed": False}


@pytest.mark.slow
def test_another_redirect_uri_is_listened_for_by_its_path(home, issuer):
    connecting = Connecting()
    connecting.process.kill()
    connecting.end()
    uri = f"http://127.0.0.1:{connecting.port}/oauth/back"
    again = subprocess.Popen(
        command("targets", "connect", "crm", "--port", connecting.port, "--redirect-uri", uri),
        stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    address = next(line.strip() for line in again.stdout if "vendor.example.com" in line)
    assert requests.get(issuer.allow(address), timeout=20).status_code == 200
    assert again.wait(60) == 0
    again.stdout.close()


@pytest.mark.slow
def test_nobody_came(home):
    connecting = Connecting("--timeout", "200ms")
    assert connecting.end()[2] == "nobody came back within 0.2 s; start it once more\n"


@pytest.mark.slow
def test_ctrl_c_ends_it(home):
    connecting = Connecting()
    connecting.process.send_signal(signal.SIGINT)
    code, _, err = connecting.end()
    assert (code, err) == (1, "\nAborted!\n")


def test_a_port_that_is_taken_names_the_cure(home):
    first = Connecting()
    result = home("targets", "connect", "crm", "--port", first.port)
    assert result.exit_code == 1
    assert re.match(r"cannot listen on 127\.0\.0\.1:\d+: Address already in use; choose another --port", result.stderr)
    first.process.kill()
    first.end()


def test_a_vendor_that_gives_no_refresh_token(home, issuer):
    issuer.scripted = [(200, {"access_token": "access-token-x", "expires_in": 3600})]
    connecting = Connecting("--paste")
    code, _, err = connecting.end(issuer.allow(connecting.address) + "\n")
    assert code == 1
    assert "gave no refresh_token" in err
    assert "offline_access" in err


@pytest.mark.slow
def test_a_code_that_the_vendor_does_not_take(home, issuer):
    connecting = Connecting("--paste")
    back = issuer.allow(connecting.address)
    issuer.codes.clear()
    code, _, err = connecting.end(back + "\n")
    assert code == 1
    assert err.endswith("connect again: connector targets connect crm\n")


@pytest.mark.slow
def test_a_held_target_goes_on_when_it_is_connected(home, issuer):
    from connector import config
    from connector.store import open_store
    from tests.store.conftest import SYNC, event, settled, turn

    home("db", "upgrade")
    store = open_store(config.load(Path("config.yaml"), {}).database)
    store.states.register(["crm"])
    store.inbox.accept(event(), b"{}", "flavours", [SYNC])
    (claim,) = turn(store).claims
    import dataclasses

    turn(store, [settled(claim)], advance=lambda state, *_: dataclasses.replace(state, state="held", reason="401"))
    connecting = Connecting("--paste")
    _, out, _ = connecting.end(issuer.allow(connecting.address) + "\n")
    assert "it was held and goes on now" in out
    assert store.states.all()["crm"].state == "open"
    store.close()


@pytest.mark.slow
def test_connecting_again_replaces_what_no_key_opens(home, issuer):
    first = Connecting("--paste")
    first.end(issuer.allow(first.address) + "\n")
    edit(home, "a-secret-key-of-the-tests", "another-secret-key-of-the-tests")
    told = home.json("targets", "check", "crm", code=1)
    assert told["lines"][0].startswith("secret_key is not the one that the tokens of crm were stored with")
    again = Connecting("--paste")
    assert again.end(issuer.allow(again.address) + "\n")[0] == 0
    assert home.json("targets", "check", "crm")["ok"]


def test_a_target_that_is_not_connected_says_so(home):
    result = home("targets", "check", "crm")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"the store \S+ was never made: start `connector serve`, or run `connector db upgrade`\n", result.stderr
    )
    home("db", "upgrade")
    told = home.json("targets", "check", "crm", code=1)
    assert told["lines"] == ["crm is not connected yet: run `connector targets connect crm`"]
    assert [finding["ok"] for finding in home.json("check", "--online", code=1)["online"]] == [True, False, None]


def test_a_check_online_does_not_lose_a_refresh_token(home):
    "Without a store the new one would be lost with the process."
    found = {finding["what"]: finding for finding in home.json("check", "--online", code=1)["online"]}
    assert "was never made" in found["target crm"]["lines"][0]
    assert found["target contacts"]["ok"]


WRONG = [
    ("contacts", (), "target contacts is csv without oauth2: there is nothing to connect"),
    ("crm", ("authorize_url: https", "grant: client_credentials #"), "uses the grant client_credentials: it asks for"),
    ("crm", ("authorize_url: https", "refresh_token: x #"), "oauth2.authorize_url is missing: nobody knows what to"),
    ("crm", ("secret_key: a", "# a"), "there is no secret_key to do it with; put a long random text into secrets/key"),
    ("nobody", (), "there is no target nobody (there are: contacts, crm)"),
]


@pytest.mark.parametrize(("name", "change", "words"), WRONG)
def test_what_cannot_be_connected(home, name, change, words):
    if change:
        edit(home, *change)
    result = home("targets", "connect", name)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_missing_secret_key_is_told_at_its_place_by_every_command(home):
    edit(home, "secret_key: a", "# a")
    line = home("check").stderr
    assert line.startswith("config.yaml:11:7: target crm: oauth2: its tokens are stored encrypted, and there is no")
    assert home("targets", "check", "crm").stderr == line
    edit(home, "authorize_url: https", "grant: client_credentials #")
    assert home("check").exit_code == 0


def test_a_client_that_needs_nobody_is_checked_without_a_store(home, issuer):
    edit(home, "authorize_url: https", "grant: client_credentials #")
    assert home.json("targets", "check", "crm")["ok"]
    assert not (home.folder / "connector.db").exists()


def test_a_decision_about_a_delivery_needs_no_token(home, issuer):
    from connector import config
    from connector.models import Hold
    from connector.store import open_store
    from tests.store.conftest import SYNC, event, settled, turn

    home("db", "upgrade")
    store = open_store(config.load(Path("config.yaml"), {}).database)
    store.states.register(["crm"])
    store.inbox.accept(event(), b"{}", "flavours", [SYNC])
    (claim,) = turn(store).claims
    turn(store, [settled(claim, Hold("two contacts match", "two_matches"))])
    store.close()
    assert home("deliveries", "resolve", "d1", "--link", "7").exit_code == 0
    assert issuer.asked == []


def test_init_makes_the_key_that_the_tokens_of_oauth2_need(cli):
    told = cli(
        "init",
        "zoho_books",
        *(f"--set={x}" for x in ("region=sa", "organization_id=1", "oauth2.client_id=id")),
        stdin="s3cret\n",
    )
    assert told.exit_code == 0
    assert "Next: connector targets connect zoho_books, connector check" in told.output
    from connector import config

    made = config.load(Path("config.yaml"), {})
    (key,) = made.secret_keys
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key)
    assert stat.S_IMODE(Path("secrets/key").stat().st_mode) == 0o600
    assert Path("secrets/key").read_text() == key + "\n"
    assert cli("check").exit_code == 0


def test_init_makes_no_key_where_nothing_needs_it(cli):
    cli("init")
    assert not Path("secrets/key").exists()
    assert "secret_key" not in Path("config.yaml").read_text()

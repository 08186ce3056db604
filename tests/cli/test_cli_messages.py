"""What a person reads: no message sends anybody the wrong way."""

import json
import re
from pathlib import Path

from connector.cli import demo
from connector.web.receive import HELLO
from tests.store.conftest import arrive, settled, turn


def test_init_asks_for_no_key_when_it_would_overwrite(cli):
    assert cli("init").exit_code == 0
    result = cli("init", "qoyod", stdin="the-key\n")
    assert result.exit_code == 2
    assert "Key for qoyod" not in result.output
    there = r"config\.yaml, secrets/flavours_path_token, mappings/mapping\.schema\.json"
    assert re.search(rf"there is already: {there}\n", result.stderr)


def test_a_public_address_that_is_not_set_is_neither_good_nor_bad(home):
    assert "public address: not asked\n" in home("check", "--online").output
    assert home.json("check", "--online")["online"][-1]["ok"] is None


def test_a_greeting_of_somebody_else_is_not_our_door(home, monkeypatch):
    "A proxy that forwards only some paths answers 200 with an empty body for the others."
    import requests

    answer = requests.Response()
    answer.status_code, answer._content = 200, b""
    monkeypatch.setattr(requests, "get", lambda *_, **__: answer)
    path = home.folder / "config.yaml"
    path.write_text(path.read_text().replace("server: {", "server: {public_url: 'https://h.example.com', "))
    assert "answers 200 for source flavours, and is not this door" in home("check", "--online").output
    answer._content = HELLO.encode()
    assert "leads to this door" in home("check", "--online").output


def test_an_answer_can_be_read_by_other_programs(door):
    status, body = door("send").stdout.split(" ", 1)
    assert (status, json.loads(body)["status"]) == ("202", "accepted")


def test_a_port_that_is_taken_names_the_cure(door):
    run = door.process("_door")
    assert re.match(r"cannot listen on 127\.0\.0\.1:\d+: Address already in use; is another", run.stderr)
    assert run.returncode == 3


def test_one_delivery_tells_its_times_by_the_clock_on_the_wall(home, ledger):
    assert re.search(
        r"finished at +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", home("deliveries", "show", "d1").output, re.MULTILINE
    )
    assert home.json("deliveries", "show", "d1")["finished_at"].endswith("Z")


def test_what_was_only_observed_can_be_sent_once_observe_is_off(home, ledger):
    assert home.json("replay", "--state", "skipped") == {"replayed": ["d4"], "left": {}}


def test_a_held_target_says_how_it_goes_on(home, store):
    from dataclasses import replace

    arrive(store)
    (claim,) = turn(store).claims
    turn(store, [settled(claim)], advance=lambda state, *_: replace(state, state="held", reason="401"))
    cure = "401; mend it, restart `connector serve`, then `connector targets check crm`"
    assert cure in home("status").output
    assert "restart `connector serve` if you changed a key" in home("targets", "check", "crm").output


def test_the_demo_names_the_program_as_it_can_be_started(cli, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert Path(demo._program()).name == "connector"
    monkeypatch.setattr("sys.executable", str(cli.folder / "bin" / "python"))
    assert demo._program() == "connector"
    (cli.folder / "bin").mkdir()
    (cli.folder / "bin" / "connector").touch()
    assert demo._program() == "bin/connector"


def test_a_mapping_that_cannot_be_read_is_told_plainly(cli):
    told = "no/such.yaml:1:1: cannot be read: No such file or directory\n"
    assert cli("mapping", "preview", "no/such.yaml").stderr == told
    (cli.folder / "a.yaml").write_bytes(b"\xff")
    assert cli("mapping", "preview", "a.yaml").stderr == "a.yaml:1:1: is not UTF-8 text; save it as UTF-8\n"

"""demo: the whole path, by the real server."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli import demo
from connector.errors import ConnectorError
from tests.cli.conftest import command, environment
from tests.installation import wait_for


def folder_of(text):
    return Path(text.split("Everything of this demo is in ")[1].splitlines()[0])


def test_the_demo_shows_both_contacts_and_ends(cli):
    run = cli.process("demo", "--exit")
    assert run.returncode == 0, run.stderr
    for shown in ("202 accepted e1", "200 duplicate e1", "202 accepted e", "User 1", "شركة النخيل", "warning: email"):
        assert shown in run.stdout
    assert "d1 of e1: delivered" in run.stdout
    shutil.rmtree(folder_of(run.stdout))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_the_demo_serves_on_until_it_is_stopped(cli, number, code):
    with subprocess.Popen(command("demo"), stdout=subprocess.PIPE, text=True, env=environment()) as process:
        text = ""
        while "It serves on" not in text:
            text += process.stdout.readline()
        folder = folder_of(text)
        process.send_signal(number)
        assert process.wait(40) == code
    wait_for(lambda: not _servers(folder))
    shutil.rmtree(folder)


def _servers(folder):
    lines = subprocess.run(["ps", "axwwo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in lines.splitlines() if str(folder) in line]


@pytest.fixture
def show(cli):
    "A demo whose server has ended."
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as server:
        server.wait()
        yield demo.Show(cli.folder, None, server)


def test_a_server_that_ends_is_told(show):
    with pytest.raises(ConnectorError, match=r"the server ended with code 3; see .*serve\.log"):
        demo._up(show, "http://127.0.0.1:9")


def test_a_server_that_does_not_come_up_is_told(cli, monkeypatch):
    monkeypatch.setattr(demo, "PATIENCE", 0.05)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        with pytest.raises(ConnectorError, match="the server did not come up"):
            demo._send_all(demo.Show(cli.folder, _anywhere(), server))
        server.communicate(b"\n")


def _anywhere():
    from connector.config import ServerConfig

    return type("Config", (), {"server": ServerConfig(port=9)})


def test_what_is_not_as_it_should_be_is_told(show, capsys):
    row = {"id": 1, "event_id": 1, "state": "held", "reason": "two match", "warnings": None}
    demo._tell_one(show, row)
    demo._end(show)
    assert capsys.readouterr().err == "NOT as it should be: d1 is held: two match\n"


def test_a_book_that_is_not_there_has_no_rows(cli):
    assert demo._book(cli.folder / "contacts.csv") == []


def test_waiting_ends(monkeypatch):
    monkeypatch.setattr(demo, "PATIENCE", 0.05)
    assert demo._wait(lambda: False) is False

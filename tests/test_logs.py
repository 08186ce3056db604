"""The log: one JSON line per fact, and nobody's secrets or data in it."""

import json
import subprocess
import sys

import pytest
import structlog

from connector import logs
from tests.installation import TESTS


@pytest.fixture
def told(capsys):
    "Log a fact as the programs do; return the line that standard error got."

    def told(level="INFO", **facts):
        logs.set_up(level)
        structlog.get_logger().info("something happened", **facts)
        return capsys.readouterr().err

    yield told
    structlog.reset_defaults()


def test_a_line_is_json_with_level_and_time(told):
    line = json.loads(told(target="crm", delivery="d1234567"))
    assert (line["event"], line["level"], line["target"], line["delivery"]) == (
        "something happened",
        "info",
        "crm",
        "d1234567",
    )
    assert line["timestamp"].startswith("20")


def test_a_lower_level_is_not_told(told):
    assert told("WARNING", target="crm") == ""


@pytest.mark.parametrize("field", ["problem", "reason", "message"])
def test_what_may_come_from_outside_is_masked(told, field):
    line = told(**{field: "سارة <sara@example.com> +966 55 123 4567, VAT 310122393500003"})
    for personal in ("sara@", "55 123", "4567", "310122393500003"):
        assert personal not in line
    assert "***@***" in line


def test_a_long_text_is_cut(told):
    assert len(told(problem="x" * 100_000)) < 2500


def test_a_text_with_line_ends_stays_one_line(told):
    assert told(problem="one\ntwo\r\n{}").count("\n") == 1


def test_people_who_watch_get_plain_lines():
    "A terminal on standard error."
    script = (
        "import os, pty, sys\n"
        "pid, terminal = pty.fork()\n"
        "if not pid:\n"
        "    from connector import logs; import structlog\n"
        "    logs.set_up(); structlog.get_logger().info('something happened', problem='sara@example.com')\n"
        "    os._exit(0)\n"
        "print(os.read(terminal, 4096).decode())\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], cwd=TESTS.parent, capture_output=True, text=True, check=True)
    assert "something happened" in shown.stdout
    assert not shown.stdout.startswith("{")
    assert "sara" not in shown.stdout


def test_places_tell_where_and_not_what():
    def inner():
        raise ValueError("sara@example.com")

    try:
        inner()
    except ValueError as error:
        said = logs.places(error)
    assert [place.split(":")[0] for place in said.split(" > ")] == ["test_places_tell_where_and_not_what", "inner"]
    assert "sara" not in said

"""The command line as a whole: help, exit codes, no stack traces."""

import subprocess
import sys

import pytest

from connector.cli import main
from connector.store.tables import REVISION
from tests.cli.conftest import environment

GROUPS = ["mapping", "events", "deliveries", "targets", "db"]


@pytest.mark.parametrize("name", [name for name, command in main.commands.items() if not command.hidden])
def test_every_command_explains_itself(cli, name):
    result = cli(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_lists_the_commands_in_the_order_of_a_first_day(cli):
    output = cli("--help").output
    assert output.index("demo") < output.index("check") < output.index("replay")
    assert "_door" not in output


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['connector', '--help']\n"
        "try:\n import runpy; runpy.run_module('connector', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = ('flask', 'sqlalchemy', 'alembic', 'requests', 'marshmallow', 'ruamel.yaml')\n"
        "print([m for m in sys.modules if m in heavy or m.startswith(('connector.targets', 'connector.web'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment())
    assert run.stdout.splitlines()[-1] == "[]"


def test_who_imports_the_package_or_the_store_gets_no_more_than_that():
    "No target, no Alembic, no admin pages: they cost time at every start, and memory in every process."
    code = (
        "import sys, connector; print(sorted(m for m in sys.modules if m.startswith('connector.')))\n"
        "import connector.store.migrate, connector.web.app\n"
        "parts = ('alembic', 'requests', 'connector.targets', 'connector.delivery', 'connector.web.admin')\n"
        "print([m for m in sys.modules if m.startswith(parts)])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment())
    assert run.stdout.splitlines() == ["[]", "[]"]


def test_the_version(cli):
    from connector import __version__

    assert cli("--version").output == f"connector, version {__version__}\n"


@pytest.mark.parametrize("command", [["status"], ["serve"], ["worker"], ["check"], ["send"], ["db", "upgrade"]])
def test_a_missing_configuration_is_told_in_one_line(cli, command):
    run = cli.process(*command)
    assert run.returncode == 2
    assert run.stderr.startswith("config.yaml:1:1: there is no such file")
    assert len(run.stderr.splitlines()) == 1
    assert run.stdout == ""


def test_every_problem_has_a_line_of_its_own(home):
    path = home.folder / "config.yaml"
    path.write_text(path.read_text() + "foo: 1\nworker: {lease: 1s}\n")
    result = home("status")
    assert result.exit_code == 2
    assert [line.split(" ")[0] for line in result.stderr.splitlines()] == ["config.yaml:8:1:", "config.yaml:9:10:"]


def test_the_configuration_may_be_named_by_a_variable(home, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert home("status").exit_code == 2
    assert home("status", env={"CONNECTOR_CONFIG": str(home.folder / "config.yaml")}).exit_code == 0
    assert home("status", "--config", home.folder / "config.yaml").exit_code == 0


def test_a_store_that_was_never_made_names_the_cure(home):
    (home.folder / "connector.db").unlink()
    result = home("status")
    assert result.exit_code == 1
    assert "run `connector db upgrade`" in result.stderr


def test_db_upgrade_makes_the_store_once(home):
    (home.folder / "connector.db").unlink()
    made = home.json("db", "upgrade")
    assert (made["before"], made["after"]) == (None, REVISION)
    assert "is up to date" in home("db", "upgrade").output


def test_db_upgrade_says_what_it_made(home):
    (home.folder / "connector.db").unlink()
    assert f"was made, now schema {REVISION}" in home("db", "upgrade").output


def test_what_the_system_refuses_is_a_sentence(home):
    (home.folder / "connector.db").unlink()
    path = home.folder / "config.yaml"
    path.write_text("database: sqlite:////dev/null/x/connector.db\n" + path.read_text())
    result = home("db", "upgrade")
    assert (result.exit_code, result.stderr) == (1, "Not a directory (/dev/null/x)\n")


def test_a_port_that_is_taken_is_a_sentence(door):
    run = door.process("_door")
    assert run.returncode == 3
    assert "ddress already in use" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_reader_that_leaves_is_no_error(home, ledger):
    from tests.cli.conftest import command

    run = subprocess.run(
        f"{subprocess.list2cmdline(command('events', 'list'))} | true",
        shell=True, check=False, capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert "Traceback" not in run.stderr

"""connector drill: nothing differs, it says what it did, it refuses what it cannot use, and leaves nothing behind."""

import contextlib
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.store import open_store
from connector.store.migrate import upgrade
from tests.cli.conftest import command, environment
from tests.installation import wait_for
from tests.postgres import database


def drill(*options, timeout=400):
    return subprocess.run(
        command("drill", *options), capture_output=True, text=True, env=environment(), check=False, timeout=timeout
    )


def folder_of(text):
    return Path(text.split(", in ")[1].splitlines()[0])


def processes(folder):
    "The commands of those who were started with something in this folder."
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return [line for line in found if str(folder) in line]


@contextlib.contextmanager
def sqlite():
    yield []


@contextlib.contextmanager
def postgres():
    with database("template0") as url:
        yield ["--database", url]
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            assert sa.inspect(connection).get_table_names() == []


@pytest.mark.slow
@pytest.mark.timeout(450)
@pytest.mark.parametrize(("seed", "store"), [(11, sqlite), (12, postgres)])
def test_nothing_differs_among_a_thousand_customers(seed, store):
    with store() as given:
        run = drill("--customers", "1000", "--seed", str(seed), "--json", "--doors", "2", "--workers", "3", *given)
    assert run.returncode == 0, run.stdout + run.stderr
    facts = json.loads(run.stdout)
    assert facts["customers_accepted"] == facts["customers_at_crm"] == 1000
    assert set(facts["differences"].values()) == {0}
    assert set(facts["deliveries"]) <= {"delivered", "skipped"}
    assert facts["kills"]["worker"] >= 1
    assert facts["kills"]["door"] >= 1
    assert sum(facts["faults"].values()) > 100
    assert not folder_of(run.stderr).exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_leaves_no_process_behind(number):
    with subprocess.Popen(command("drill"), stderr=subprocess.PIPE, text=True, env=environment()) as process:
        folder = folder_of(process.stderr.readline())
        wait_for(lambda: any("_door" in line for line in processes(folder)), 60)
        time.sleep(2)
        process.send_signal(number)
        assert process.wait(40) != 0
    wait_for(lambda: not processes(folder), 40)
    assert folder.exists() is (number == signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_filled_store_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'filled.db'}"
    upgrade(url)
    run = drill("--database", url)
    assert run.returncode == 2
    assert "a drill needs an empty one" in run.stderr
    open_store(url).close()


@pytest.mark.parametrize("wrong", [("--customers", "0"), ("--doors", "0"), ("--database", "mysql://x/y")])
def test_wrong_usage_is_told(wrong):
    run = drill(*wrong)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Traceback" not in run.stderr

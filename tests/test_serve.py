"""The supervisor: real processes that end, hang and come back, and a door that stays up."""

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connector import serve
from connector.serve import Child
from tests.installation import Installation, call, customer, free_port, wait_for
from tests.postgres import database


def program(text):
    return [sys.executable, "-c", text]


@pytest.fixture
def lifeline():
    ends = os.pipe()
    yield ends[0]
    for end in ends:
        os.close(end)


@pytest.fixture
def children():
    "Children that are ended after the test, whatever became of them."
    made = []

    def child(name, text):
        made.append(Child(name, program(text)))
        return made[-1]

    yield child
    for each in made:
        if each.process and each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def watch(children, lifeline, seconds):
    until = time.monotonic() + seconds
    return serve._watch(children, lifeline, lambda: time.monotonic() > until)


def test_a_door_that_ends_with_code_2_ends_all(children, lifeline):
    "A wrong configuration: starting again would not help."
    worker = children("worker", "import time; time.sleep(60)")
    assert watch([children("door", "raise SystemExit(2)"), worker], lifeline, 30) == 2
    assert worker.process.poll() is None


def test_a_worker_that_ends_with_code_2_is_only_started_again(children, lifeline, capfd):
    worker = children("worker", "raise SystemExit(2)")
    assert watch([worker], lifeline, 1) == 0
    assert "the worker ended with code 2; it starts again in 1 s" in capfd.readouterr().err


def test_waits_double_up_to_half_a_minute_and_begin_anew_after_a_steady_minute(lifeline, capfd):
    child, waits = Child("worker", program("")), []
    for ago in [0] * 7 + [61]:
        child.process, child.started = subprocess.Popen(child.command), time.monotonic() - ago
        child.process.wait()
        serve._again(child, 0, lifeline)
        assert child.process is None
        waits.append(child.wait)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 0.5]
    assert capfd.readouterr().err.count("\n") == 8


def test_a_child_that_does_not_listen_is_killed(children, lifeline, monkeypatch):
    monkeypatch.setattr(serve, "PATIENCE", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = children("worker", "")
    child.process = subprocess.Popen(program(deaf), stdout=subprocess.PIPE)
    child.process.stdout.readline()
    serve._end([child, Child("door", [])])
    child.process.stdout.close()
    assert child.process.returncode == -signal.SIGKILL


def test_one_of_many_workers_watches_the_mappings(tmp_path):
    many = serve._workers(tmp_path / "config.yaml", 3)
    assert [(child.name, child.command[-1] == "--watch-mappings") for child in many] == [
        ("worker 1", True),
        ("worker 2", False),
        ("worker 3", False),
    ]
    assert [child.name for child in serve._workers(tmp_path / "config.yaml", 1)] == ["worker"]
    assert serve._workers(tmp_path / "config.yaml", 0) == []


def test_no_worker_and_many_workers_are_not_one_wish(installed):
    code, _, error = installed.cli("serve", "--no-worker", "--workers", "2")
    assert code == 2
    assert "choose one of --no-worker, --workers N" in error


def test_a_configuration_that_is_wrong_is_the_end_before_anything_starts(tmp_path):
    (tmp_path / "config.yaml").write_text("surces: {}\n")
    assert serve.supervise(tmp_path / "config.yaml") == 2
    assert not (tmp_path / "connector.db").exists()


def test_the_program_is_a_module_that_runs_nothing_when_it_is_imported():
    from connector.cli import main

    assert importlib.import_module("connector.__main__").main is main


@pytest.fixture
def installed(tmp_path):
    installed = Installation(tmp_path, free_port(), csv=True)
    yield installed
    installed.stop()


def edit(installed, old, new):
    path = installed.folder / "config.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.slow
def test_a_door_whose_configuration_was_broken_meanwhile_ends_serve_with_2(installed):
    supervisor = installed.serve()
    edit(installed, "sources:", "surces:")
    installed.kill("door")
    assert supervisor.wait(40) == 2
    assert installed.children() == {}
    assert "did you mean `sources`" in installed.log()


@pytest.mark.slow
def test_a_worker_that_crashes_at_once_never_takes_the_door_down(installed):
    installed.serve()
    wait_for(lambda: "worker" in installed.children())
    doors = installed.children()["door"]
    edit(installed, "kind: csv", "kind: cvs")
    installed.kill("worker")
    wait_for(lambda: "the worker ended with code 2; it starts again in 2 s" in installed.log(), 40)
    assert installed.post(customer(1))[0] == 202
    edit(installed, "kind: cvs", "kind: csv")
    wait_for((installed.folder / "contacts.csv").exists, 40)
    assert installed.children()["door"] == doors
    assert call(installed.port, "GET", "/readyz")[0] == 200


def test_an_address_that_another_program_has_ends_serve_with_2_and_names_it(installed):
    with socket.create_server(("127.0.0.1", installed.port)):
        code, _, error = installed.cli("serve")
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{installed.port}: Address already in use" in error
    assert "change server.host or server.port" in error
    assert installed.children() == {}


def test_a_door_that_loses_its_address_for_a_moment_gets_it_back(children, lifeline, capfd, tmp_path):
    "As when another program took it while a killed door was being started again."
    mark = f"import pathlib; p = pathlib.Path({str(tmp_path / 'been')!r}); been = p.exists(); p.touch()"
    door, until = children("door", f"{mark}; raise SystemExit(3 if been else 1)"), time.monotonic() + 30
    assert serve._watch([door], lifeline, lambda: door.wait >= 2 or time.monotonic() > until) == 0
    assert "the door ended with code 3; it starts again in 2 s" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_many_workers_of_which_each_is_killed_in_its_turn(tmp_path, engine, lifeline):
    "Every customer arrives, each killed worker is replaced, and the others never stop."
    with database() if engine == "postgresql" else contextlib.nullcontext("sqlite:///connector.db") as url:
        installed = Installation(tmp_path, free_port(), csv=True, database=url, lease="3s")
        try:
            installed.spawn("serve", "--workers", "3")
            assert ("3 workers share one SQLite file" in installed.log()) is (engine == "sqlite")
            wait_for(lambda: len(workers(installed)) == 3)
            assert sum("--watch-mappings" in words for words in workers(installed).values()) == 1
            for n, pid in enumerate(list(workers(installed))):
                os.kill(pid, signal.SIGKILL)
                assert installed.post(customer(n))[0] == 202
                wait_for(lambda pid=pid: len(workers(installed).keys() - {pid}) == 3)
            ready = wait_for(
                lambda: (r := call(installed.port, "GET", "/readyz")[1])["workers"]["alive"] == 3 and r, 40
            )
            assert ready["status"] == "ready"
            book = installed.folder / "contacts.csv"
            wait_for(lambda: book.exists() and all(f"customer-{n}" in book.read_text() for n in range(3)), 40)
            assert book.read_text().count("customer-") == 3
        finally:
            installed.stop()
        assert workers(installed) == {}


def workers(installed):
    "The command line of each worker by its pid."
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            if str(installed.folder / "config.yaml") in words and words[3] == "worker":
                found[int(entry.name)] = words
    return found

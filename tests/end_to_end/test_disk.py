"""A disk that is full, or cannot be written: never a false thanks, nothing corrupt, and it goes on by itself."""

import contextlib
import itertools
import os
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

from tests.installation import Installation, customer, post, wait_for

pytestmark = pytest.mark.slow

SIZE = 16 << 20


@contextlib.contextmanager
def small_disk(folder, size=SIZE):
    "A small file system of its own, as a folder."
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "connector-test", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted as root (and not in every container)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as folder:
        yield folder


@pytest.fixture
def installed(tmp_path, crm, disk):
    url = f"sqlite:///{disk}/connector.db"
    installed = Installation(
        tmp_path, crm.port, database=url, lease="4s", timeout="2s", uncertain_wait="500ms", threads=4
    )
    assert installed.cli("db", "upgrade")[0] == 0
    yield installed
    installed.stop()


def fill(disk, leave=0):
    "Take all the room that is left but so many bytes."
    with (disk / "ballast").open("ab", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(max(0, file.tell() - leave))


def intact(disk):
    with contextlib.closing(sqlite3.connect(disk / "connector.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def kept(disk):
    with contextlib.closing(sqlite3.connect(disk / "connector.db")) as store:
        return {xid for (xid,) in store.execute("SELECT xid FROM events")}


def test_a_full_disk_is_told_and_costs_nothing(installed, crm, disk):
    installed.spawn("_door")
    worker = installed.spawn("worker", wait=False)
    wait_for(lambda: "mapping published" in installed.log())
    fill(disk, leave=200_000)
    said = {n: post(installed, n) for n in range(120)}
    acked = {n for n, (status, *_) in said.items() if status == 202}
    refused = {n for n, (status, *_) in said.items() if status == 503}
    assert acked | refused == set(said)
    assert len(acked) > 3
    assert len(refused) > 10
    assert {said[n][1] for n in refused} == {"5"}
    assert max(took for *_, took in said.values()) < 9
    assert kept(disk) == {f"xid-{n}" for n in acked}  # what got a 503 was not stored
    wait_for(lambda: "the store is busy" in installed.log())  # the worker cannot settle either
    intact(disk)
    assert worker.poll() is None
    (disk / "ballast").unlink()
    wait_for(lambda: all(post(installed, n)[0] in (200, 202) for n in range(120)), every=0.5)
    wait_for(lambda: len(crm.all()["contacts"]) == 120, 60, every=0.3)
    wait_for(lambda: installed.cli("deliveries", "list", "--limit", "200", "--json")[1].count('"delivered"') == 120, 60)
    assert set(crm.all()["creates"].values()) == {1}
    assert worker.poll() is None
    intact(disk)


def test_a_disk_that_fills_while_pushes_are_under_way_makes_nothing_twice(installed, crm, disk):
    installed.spawn("_door")
    crm.mode(latency=0.3)
    for n in range(40):
        assert installed.post(customer(n))[0] == 202
    installed.spawn("worker", wait=False)
    wait_for(lambda: crm.all()["requests"].get("POST", 0) > 5)
    fill(disk)
    numbers, acked = itertools.count(40), set(range(40))
    wait_for(lambda: fresh(installed, next(numbers), acked), 60, every=0)  # what room the log has left is soon used
    wait_for(lambda: "the store is busy" in installed.log(), 60)
    time.sleep(5)  # longer than a lease
    (disk / "ballast").unlink()
    wait_for(lambda: len(crm.all()["contacts"]) == len(acked), 90, every=0.3)
    listed = ("deliveries", "list", "--limit", "5000", "--json")
    wait_for(lambda: installed.cli(*listed)[1].count('"delivered"') == len(acked), 60, every=0.5)
    assert set(crm.all()["creates"].values()) == {1}
    intact(disk)


def test_a_store_on_a_read_only_disk_is_told_at_the_start_and_used_when_it_is_writable(installed, crm, disk):
    remount(disk, "ro")
    try:
        code, _, error = installed.cli("serve", "--no-worker")
    finally:
        remount(disk, "rw")
    assert code == 1
    assert re.search("read-?only", error, re.IGNORECASE)
    assert str(disk) in error
    installed.spawn("serve")
    assert installed.post(customer(1))[0] == 202
    wait_for(lambda: crm.all()["creates"] == {"customer-1": 1})


def fresh(installed, number, acked):
    "Post a customer who was not there; return the number when it is refused: who is there already costs no write."
    status = post(installed, number)[0]
    if status == 202:
        acked.add(number)
    return number if status == 503 else None


def remount(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt install strace)")
@pytest.mark.parametrize("fault", ["fsync,fdatasync:error=EIO", "pwrite64:error=EROFS", "fsync,fdatasync:error=ENOSPC"])
def test_a_disk_that_refuses_while_the_door_runs_is_told_and_goes_on(tmp_path, crm, fault):
    "As a disk that breaks, or that the kernel makes read-only: strace answers for the kernel, and lets go again."
    installed = Installation(tmp_path, crm.port)
    assert installed.cli("db", "upgrade")[0] == 0
    door = installed.spawn("_door")
    try:
        assert post(installed, 1)[0] == 202
        calls = fault.partition(":")[0]
        command = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", f"trace={calls}"]
        breaking = subprocess.Popen([*command, "-e", f"inject={fault}", "-p", str(door.pid)])
        numbers, acked = itertools.count(2), {1}
        refused = wait_for(lambda: fresh(installed, next(numbers), acked))
        assert post(installed, refused)[:2] == (503, "5")
        breaking.terminate()
        breaking.wait(10)
        assert "INJECTED" in (tmp_path / "trace").read_text()
        wait_for(lambda: post(installed, refused)[0] in (200, 202))
        assert post(installed, refused)[0] == 200
        assert post(installed, 1)[0] == 200
        intact(tmp_path)
        assert kept(tmp_path) == {f"xid-{n}" for n in acked | {refused}}
        assert "Traceback" not in installed.log()
    finally:
        installed.stop()

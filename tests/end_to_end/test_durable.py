"""strace sees the write-ahead log synced between the reading of a request and the writing of its 2xx."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from tests.installation import TESTS, Installation, customer, free_port, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt install strace)"),
]


def test_the_log_is_synced_before_the_thanks(tmp_path):
    installed = Installation(tmp_path, free_port())
    assert installed.cli("db", "upgrade")[0] == 0
    trace = tmp_path / "trace"
    command = [
        "strace",
        "-f",
        "-y",
        "-s",
        "64",
        "-e",
        "trace=recvfrom,sendto,read,write,fsync,fdatasync",
        "-o",
        str(trace),
    ]
    door = subprocess.Popen(
        [*command, sys.executable, "-m", "connector", "_door", "--config", str(tmp_path / "config.yaml")],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(TESTS.parent)}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(installed.up, 60)
        for n in range(10):
            assert installed.post(customer(n))[0] == 202
    finally:
        os.killpg(door.pid, signal.SIGTERM)
        door.wait(30)
    lines = trace.read_text().splitlines()
    asked = [i for i, line in enumerate(lines) if "POST /webhooks" in line]
    thanked = [i for i, line in enumerate(lines) if re.search(r"(sendto|write)\(.*HTTP/1.1 202", line)]
    synced = [i for i, line in enumerate(lines) if re.search(r"(fsync|fdatasync)\(\d+<[^>]*-wal>", line)]
    assert len(asked) == len(thanked) == 10
    for question, thanks in zip(asked, thanked, strict=True):
        assert any(question < sync < thanks for sync in synced)

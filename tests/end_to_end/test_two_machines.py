"""Two machines, as two network namespaces: the line between a worker and its database goes dead during its pushes.

How long is a parameter; done once by hand with a minute:

    DEAD=60 pytest -m slow -s tests/end_to_end/test_two_machines.py
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest

from connector.store import open_store
from tests import postgres
from tests.installation import TESTS, Installation, customer, wait_for
from tests.relay import Relay

DEAD = float(os.environ.get("DEAD", "15"))
CUSTOMERS = 80

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 3 * DEAD)]


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


class Machine:
    "A network namespace with two lines to here: one for the database, one for everything else."

    def __init__(self):
        self.name, self.lines = f"fl{os.getpid()}", {}
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        for n, what in enumerate(("database", "others")):
            here, there, net = f"fl{os.getpid()}h{n}", f"fl{os.getpid()}t{n}", f"10.213.{os.getpid() % 250}.{4 * n}"
            ours, theirs = (net.rpartition(".")[0] + f".{4 * n + 1 + side}" for side in (0, 1))
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
            ip("address", "add", f"{ours}/30", "dev", here)
            ip("link", "set", here, "up")
            ip("-n", self.name, "address", "add", f"{theirs}/30", "dev", there)
            ip("-n", self.name, "link", "set", there, "up")
            self.lines[what] = (here, ours)

    def line(self, what, state):
        "Nothing is refused or reset on a line that is down: what is sent is just gone."
        ip("link", "set", self.lines[what][0], state)

    def spawn(self, installed, *command):
        words = [sys.executable, "-m", "connector", *command, "--config", str(installed.folder / "config.yaml")]
        with (installed.folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *words], stdout=log, stderr=log, start_new_session=True,
                cwd=installed.folder, env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
            )  # fmt: skip
        installed.processes.append(process)
        return process

    def remove(self):
        for here, _ in self.lines.values():
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("link", "delete", here)
        ip("netns", "delete", self.name)


@pytest.fixture
def machine():
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("a second machine's network can only be made as root, with iproute2 (apt install iproute2)")
    try:
        machine = Machine()
    except subprocess.CalledProcessError as problem:
        pytest.skip(f"network namespaces cannot be made here: {problem.stderr.strip()}")
    yield machine
    machine.remove()


def test_a_worker_whose_line_to_the_database_dies_does_nothing_twice_and_recovers(tmp_path, crm, machine):
    here = postgres.cluster()
    name = here.database()
    relays = {
        "database": Relay(("127.0.0.1", here.port), machine.lines["database"][1]),
        "others": Relay(("127.0.0.1", crm.port), machine.lines["others"][1]),
    }
    near = Installation(tmp_path, crm.port, database=here.url(name, tcp=True), lease="5s", timeout="1s", threads=4)
    away = tmp_path / "away"
    away.mkdir()
    far = Installation(away, crm.port, lease="5s", timeout="1s", threads=4)
    text = (tmp_path / "config.yaml").read_text()
    text = text.replace(
        f"127.0.0.1:{here.port}/", f"{relays['database'].listener.getsockname()[0]}:{relays['database'].port}/"
    )
    text = text.replace(
        f"127.0.0.1:{crm.port}", f"{relays['others'].listener.getsockname()[0]}:{relays['others'].port}"
    )
    (away / "config.yaml").write_text(text)
    store = open_store(here.url(name))

    def delivered():
        return store.desk.counts().get(("crm", "delivered"), 0)

    try:
        near.spawn("_door")
        crm.mode(latency=0.15)
        for n in range(CUSTOMERS):
            assert near.post(customer(n))[0] == 202
        cut_off = machine.spawn(far, "worker")
        wait_for(lambda: delivered() > 5, 60)
        machine.line("database", "down")  # in the middle of its pushes
        dead = time.monotonic()
        near.spawn("worker", wait=False)
        assert near.post(customer(CUSTOMERS))[0] == 202
        wait_for(lambda: delivered() == CUSTOMERS + 1, 120, every=0.3)
        time.sleep(max(0.0, dead + DEAD - time.monotonic()))
        assert "the store is busy" in far.log()
        assert near.log().count("took over from a worker that fell silent") == 1
        near.processes[-1].terminate()
        near.processes[-1].wait(40)
        machine.line("database", "up")
        assert near.post(customer(CUSTOMERS + 1))[0] == 202  # only the one that was cut off is there to deliver it
        wait_for(lambda: delivered() == CUSTOMERS + 2, 60, every=0.3)
        assert cut_off.poll() is None
        assert Counter(crm.all()["creates"].values()) == {1: CUSTOMERS + 2}
        assert sum(store.desk.counts().values()) == CUSTOMERS + 2
        assert "Traceback" not in far.log() + near.log()
    finally:
        far.stop()
        near.stop()
        store.close()
        for relay in relays.values():
            relay.close()
        here.drop(name)

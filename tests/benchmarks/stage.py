"""Who is on stage in a benchmark: the stub CRM, the floors, the sender, and a real installation on a store."""

import contextlib
import functools
import itertools
import json
import shutil
import subprocess
import sys

import psutil
import pytest

from connector.bundled import bundled
from connector.store import open_store
from connector.store.migrate import upgrade
from tests.benchmarks import filling
from tests.installation import TESTS, TOKEN, Installation, call, free_port, wait_for

WEBHOOK = f"/webhooks/flavours/{TOKEN}"
# One request for each customer, as in the bare loop: the target's own path is the upsert.
ONE_BY_ONE = """
    kind: rest
    base_url: http://127.0.0.1:{crm}
    allow_private: true
    create: {{method: PUT, path: "/contacts/{{{{ customer }}}}", envelope: contact, id: contact.id}}
"""
# The vendor with batches of a hundred: asked by our id, then by e-mail, then written: three requests for a hundred.
BATCHES = """
    kind: hubspot
    base_url: http://127.0.0.1:{crm}
    allow_private: true
    token: a-token-of-the-benchmarks
    pace: 100000/1s
"""
KINDS = {"rest": ONE_BY_ONE, "hubspot": BATCHES}
CONFIG = """\
database: "{database}"
mappings: mappings
server: {{host: 127.0.0.1, port: {port}}}
worker: {{push_threads: {threads}}}
sources:
  flavours:
    auth: {{path_token: {token}}}
targets:
  crm:{target}
syncs:
  customers_to_crm: {{source: flavours, actions: [customers.CREATE], mapping: {kind}, target: crm}}
"""


def python(*words):
    return [sys.executable, "-m", *words]


def start(*words, **more):
    return subprocess.Popen(python(*words), cwd=TESTS.parent, text=True, **more)


def figures(*words, timeout=900):
    "Run a program of the benchmarks to its end; return what it printed."
    run = subprocess.run(python(*words), cwd=TESTS.parent, capture_output=True, text=True, timeout=timeout, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def sending(port, path, options):
    "The words of the sender's command."
    words = itertools.chain(*((f"--{key}", str(value)) for key, value in options.items() if value is not True))
    flags = [f"--{key}" for key, value in options.items() if value is True]
    return ["tests.benchmarks.sender", "--port", str(port), "--path", path, *words, *flags]


def send(port, path=WEBHOOK, **options):
    "Send customers, and return what the sender saw; every one of them must have been thanked for."
    seen = figures(*sending(port, path, options))
    assert set(seen["answers"]) <= {"202", "200"}, seen["answers"]
    return seen


def cpu(processes):
    "Return the CPU seconds that these processes have used, all of their threads."
    return sum(time.user + time.system for time in (process.cpu_times() for process in processes))


class Crm:
    "The stub CRM's process."

    def __init__(self):
        self.process = start("tests.benchmarks.stub", stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def slow(self, seconds):
        call(self.port, "POST", "/_latency", str(seconds).encode())

    def forget(self):
        call(self.port, "POST", "/_forget", b"")

    def seen(self):
        return call(self.port, "GET", "/_seen")[1]

    def times(self):
        return call(self.port, "GET", "/_times", timeout=60)[1]

    def wait(self, customers, seconds=600):
        "Wait until so many customers arrived; return what was seen, with their rate from the first to the last."
        wait_for(lambda: self.seen()["customers"] >= customers, seconds, every=0.1)
        seen = self.seen()
        return seen | {"rate": (seen["customers"] - 1) / (seen["last"] - seen["first"])}

    def stop(self):
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def crm(latency=0.0):
    made = Crm()
    made.slow(latency)
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def route(what="route", crm_port=0):
    "A bare Flask route on the door's waitress: its port."
    port = free_port()
    process = start("tests.benchmarks.bare", what, "--port", str(port), "--crm", str(crm_port))

    def up():
        with contextlib.suppress(OSError):
            return call(port, "GET", "/x")[0] == 405

    try:
        wait_for(up)
        yield port
    finally:
        process.kill()
        process.wait()


def loop(stub, count, threads=16):
    "Push by the bare loop: its rate and the CPU seconds of a thousand."
    stub.forget()
    seen = figures("tests.benchmarks.bare", "loop", "--crm", str(stub.port), "--count", str(count), "--threads", str(threads))  # fmt: skip
    return stub.wait(count)["rate"], seen["cpu"] * 1000 / count


class House(Installation):
    "A real installation with one target, the stub; its store may be filled before anybody runs."

    def __init__(self, folder, stub, kind="rest", database=None, threads=16):
        super().__init__(folder, stub.port)
        self.url = database or f"sqlite:///{self.folder}/connector.db"
        facts = {"database": self.url, "port": self.port, "threads": threads, "token": TOKEN, "kind": kind}
        text = CONFIG.format(target=KINDS[kind].format(crm=stub.port).rstrip(), **facts)
        (self.folder / "config.yaml").write_text(text)
        mapping = self.folder / "mappings" / f"{kind}.yaml"
        mapping.write_text((bundled("mappings") / mapping.name).read_text())
        if database is None:
            upgrade(self.url)

    def fill(self, count, **more):
        "Let so many deliveries wait."
        filling.waiting(self.url, count, **more)

    @contextlib.contextmanager
    def store(self):
        made = open_store(self.url)
        try:
            yield made
        finally:
            made.close()

    def pause(self):
        "Pause the target until it is opened again."
        with self.store() as store:
            store.states.register(["crm"])
            store.states.pause("crm", None, "a benchmark")

    def resume(self):
        with self.store() as store:
            store.states.resume("crm")

    def states(self):
        "Count the deliveries by their state."
        return filling.rows(self.url, "SELECT state, count(*) FROM deliveries GROUP BY state")

    def delivered(self, count, seconds=60):
        "Wait until the store says so of that many deliveries, and of all there are."
        wait_for(lambda: dict(self.states()) == {"delivered": count}, seconds, every=0.2)

    def running(self):
        "The processes of this installation: supervisor, door and worker, as far as they are there."
        pids = {process.pid for process in self.processes if process.poll() is None}
        return [psutil.Process(pid) for pid in pids | set(self.children().values())]

    def whole(self):
        "Start `connector serve`, and wait until the door and the worker are there."
        self.begin("serve")
        wait_for(lambda: len(self.children()) == 3)
        with self.store() as store:
            wait_for(store.worker_alive, 120)
        return self.running()

    def begin(self, *command):
        "Start a command that has a door, and wait for the door: long, for other work may be on this machine."
        self.spawn(*command, wait=False)
        try:
            wait_for(self.up, 120)
        except AssertionError:
            raise AssertionError(self.log()[-2000:]) from None


@contextlib.contextmanager
def house(bench, stub, **more):
    "A house in a folder of its own, which is removed afterwards, with all that is stored."
    folder = bench.room()
    made = House(folder, stub, **more)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@functools.cache
def _cluster():
    from tests.postgres import Cluster

    return Cluster(fsync=True, autovacuum="on", shared_buffers="128MB")


@contextlib.contextmanager
def postgres():
    "A fresh PostgreSQL database that syncs each commit: (its address, its cluster). Skips where there is none."
    try:
        cluster = _cluster()
    except OSError as problem:
        pytest.skip(f"PostgreSQL does not start: {problem}")
    name = cluster.database()
    try:
        yield cluster.url(name), cluster
    finally:
        cluster.drop(name)


def listeners(port):
    "The pids of who listens there."
    found = psutil.net_connections("tcp")
    return {one.pid for one in found if one.status == psutil.CONN_LISTEN and one.laddr.port == port}

"""A real installation for end-to-end tests: its own folder, the real `connector serve`, and the stub CRM beside it."""

import contextlib
import copy
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
SAMPLE = json.loads((TESTS / "samples" / "customers.CREATE.json").read_text())
TOKEN = "a-path-token-of-the-tests"

CONFIG = """\
database: "{database}"
mappings: mappings
server: {{host: 127.0.0.1, port: {port}}}
worker: {{push_threads: {threads}, lease: {lease}}}
sources:
  flavours:
    auth: {{path_token: {token}}}
targets:
  crm:
    kind: rest
    base_url: http://127.0.0.1:{crm}
    allow_private: true
    timeout: {timeout}
    uncertain_wait: {uncertain_wait}
    find:
      - {{path: /contacts, query: {{external_id: "{{{{ customer }}}}"}}, records: items, match: {{external_id: "{{{{ customer }}}}"}}, id: id}}
      - {{path: /contacts, query: {{phone: "{{{{ record.phone }}}}"}}, records: items, match: {{phone: "{{{{ record.phone }}}}"}}, id: id}}
    create: {{method: POST, path: /contacts, envelope: contact, id: contact.id}}
    update: {{method: PUT, path: "/contacts/{{{{ remote_id }}}}", envelope: contact}}
  contacts: {{kind: csv, path: contacts.csv}}
syncs:
  customers_to_crm: {{source: flavours, actions: [customers.CREATE], mapping: rest, target: crm}}
{csv}
"""
CSV = "  customers_to_contacts: {source: flavours, actions: [customers.CREATE], mapping: csv, target: contacts}"


def customer(n, **user):
    "The documented payload as another customer: its own xid, id and Saudi phone."
    event = copy.deepcopy(SAMPLE)
    event["xid"], event["data"]["id"] = f"xid-{n}", f"customer-{n}"
    event["data"]["user"] |= {
        "userable_id": f"customer-{n}",
        "phone": f"05{50000000 + n}",
        "name": f"Customer {n}",
    } | user
    return event


def wait_for(check, seconds=30.0, every=0.05):
    "Ask again until the answer is true; return it, or fail with the last one."
    until, answer = time.monotonic() + seconds, None
    while time.monotonic() < until:
        answer = check()
        if answer:
            return answer
        time.sleep(every)
    raise AssertionError(f"still {answer!r} after {seconds} s")


def call(port, method, path, body=None, timeout=15.0, headers=None):
    "One request on a socket of its own: (status, JSON or text)."
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, {"Content-Type": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        text = answer.read()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text.decode()


def post(installed, n):
    "Send a customer: (status, Retry-After, seconds)."
    connection = http.client.HTTPConnection("127.0.0.1", installed.port, timeout=20)
    with contextlib.closing(connection):
        asked = time.monotonic()
        connection.request("POST", f"/webhooks/flavours/{TOKEN}", json.dumps(customer(n)))
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Retry-After"], time.monotonic() - asked


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Crm:
    "The stub CRM's process; its contacts survive a kill."

    def __init__(self, folder, *options):
        self.port, self.file, self.options = free_port(), folder / "crm.jsonl", options
        self.start()

    def start(self):
        command = [sys.executable, "-m", "tests.stub_crm", "--port", str(self.port), "--file", str(self.file)]
        self.process = subprocess.Popen([*command, *self.options], stdout=subprocess.PIPE, cwd=TESTS.parent)
        assert int(self.process.stdout.readline()) == self.port

    def mode(self, **mode):
        assert call(self.port, "POST", "/_mode", mode)[0] == 200

    def all(self):
        return call(self.port, "GET", "/_all")[1]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Installation:
    "A folder with a configuration, and the processes that run on it."

    def __init__(self, folder, crm_port, csv=False, **settings):
        self.folder, self.port = Path(folder), free_port()
        facts = {
            "database": "sqlite:///connector.db",
            "threads": 16,
            "lease": "10s",
            "timeout": "2s",
            "uncertain_wait": "1s",
        } | settings
        text = CONFIG.format(port=self.port, crm=crm_port, token=TOKEN, csv=CSV if csv else "", **facts)
        (self.folder / "config.yaml").write_text(text)
        (self.folder / "mappings").mkdir(exist_ok=True)
        from connector.bundled import bundled

        for name in ("rest", "csv"):
            (self.folder / "mappings" / f"{name}.yaml").write_text((bundled("mappings") / f"{name}.yaml").read_text())
        self.processes = []

    def spawn(self, *command, wait=True, faults=None):
        "Start a command; with `faults` (variables of tests/faulty.py) it is the connector with a fault in it."
        log = (self.folder / "serve.log").open("ab")
        program = "connector" if faults is None else "tests.faulty"
        process = subprocess.Popen(
            [sys.executable, "-m", program, *command, "--config", str(self.folder / "config.yaml")],
            stdout=log, stderr=log, start_new_session=True, cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(TESTS.parent), "PYTHONFAULTHANDLER": "1"} | (faults or {}),
        )  # fmt: skip
        log.close()
        self.processes.append(process)
        if wait:
            wait_for(self.up, 30)
        return process

    def serve(self):
        return self.spawn("serve")

    def up(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return call(self.port, "GET", "/healthz", timeout=2)[0] == 200

    def log(self):
        return (self.folder / "serve.log").read_text()

    def post(self, body, path=f"/webhooks/flavours/{TOKEN}", timeout=15.0):
        return call(self.port, "POST", path, body, timeout)

    def cli(self, *arguments):
        run = subprocess.run(
            [sys.executable, "-m", "connector", *arguments, "--config", str(self.folder / "config.yaml")],
            capture_output=True, text=True, cwd=self.folder, env=os.environ | {"PYTHONPATH": str(TESTS.parent)}, timeout=60, check=False,
        )  # fmt: skip
        return run.returncode, run.stdout, run.stderr

    def children(self):
        "The pids of the door and the worker, by name."
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if str(self.folder / "config.yaml").encode() in words:
                    name = {b"_door": "door", b"worker": "worker", b"serve": "supervisor"}.get(words[3])
                    if name:
                        found[name] = int(entry.name)
        return found

    def kill(self, name):
        with contextlib.suppress(ProcessLookupError, KeyError):
            os.kill(self.children()[name], signal.SIGKILL)

    def _ended(self, process):
        "Wait for a process that was told to end; one that does not says where each of its threads stands."
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait(10)
            raise AssertionError(f"{process.args} did not end:\n{self.log()[-20_000:]}") from None

    def stop(self, number=signal.SIGTERM):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)
        for process in self.processes:
            self._ended(process)
        for name in list(self.children()):
            self.kill(name)

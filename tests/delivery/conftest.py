import fcntl
import json
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from connector import flavours
from connector.bundled import bundled
from connector.config import Config, RetryConfig, ServerConfig, SyncConfig, TargetConfig, WorkerConfig
from connector.delivery.alerts import Alerts
from connector.delivery.worker import Hooks, Worker
from connector.models import Delivered
from connector.store import open_store
from connector.store.migrate import upgrade
from connector.targets.base import Check
from tests.installation import SAMPLE, wait_for

SYNC = SyncConfig("to_crm", "flavours", ("customers.CREATE",), "rest", "crm")


class Book:
    "A target in memory whose answers a test can script; what it was sent is in `sent`."

    kind, batch_size, account, timeout, uncertain_wait = "rest", 1, "acct", 0.1, 0.0

    def __init__(self):
        self.sent, self.script, self.checks, self.gate = [], [], [True], threading.Event()
        self.gate.set()
        self.owners, self.asked, self.begun = {}, 0, 0

    def check(self):
        self.asked += 1
        answer = self.checks.pop(0) if len(self.checks) > 1 else self.checks[0]
        if isinstance(answer, Exception):
            raise answer
        return Check(answer, ())

    def upsert(self, requests, run):
        self.begun += 1
        self.gate.wait(10)
        self.sent.append(list(requests))
        for request in requests:
            self.owners[request.customer] = (run.still_ours(), run.linked_to(f"r-{request.customer}"))
        answer = self.script.pop(0) if self.script else None
        if isinstance(answer, Exception):
            raise answer
        return [answer or Delivered("created", f"r-{r.customer}") for r in requests]


def config(tmp_path, syncs=(SYNC,), **worker):
    return Config(
        path=tmp_path / "config.yaml",
        database=f"sqlite:///{tmp_path}/connector.db",
        mappings=tmp_path,
        server=ServerConfig(),
        alert_url=None,
        retry=RetryConfig(first_wait=0.05, longest_wait=0.1),
        worker=WorkerConfig(**({"push_threads": 4, "lease": 60.0} | worker)),
        keep_bodies=1e9,
        keep_ledger=1e9,
        sources={},
        targets={"crm": TargetConfig("crm", "rest", {})},
        syncs={sync.name: sync for sync in syncs},
    )


@pytest.fixture
def store(tmp_path, request):
    "A real store; its patience (seconds) may be given by an indirect parameter."
    upgrade(f"sqlite:///{tmp_path}/connector.db")
    store = open_store(f"sqlite:///{tmp_path}/connector.db", patience=getattr(request, "param", 5.0))
    yield store
    store.close()


@pytest.fixture
def locked(tmp_path):
    "Hold the store's write lock, as another process does that writes for too long."
    with (tmp_path / "connector.db.lock").open("ab") as file:

        @contextmanager
        def locked():
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

        yield locked


@pytest.fixture
def logged():
    "The lines that are logged meanwhile; what another test set up (a level, say) is forgotten."
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def mapping_file(tmp_path):
    path = Path(tmp_path) / "rest.yaml"
    path.write_text((bundled("mappings") / "rest.yaml").read_text())
    return path


@pytest.fixture
def start(tmp_path, store, book, mapping_file):
    "Start real workers on the store; they are stopped at the end."
    running = []

    def start(owner="w1", targets=None, said=None, **settings):
        syncs, watch = settings.pop("syncs", (SYNC,)), settings.pop("watch", True)
        stop = threading.Event()
        alerts = Alerts(said.append if said is not None else None, every=0)
        worker = Worker(config(tmp_path, syncs, **settings), store, targets or {"crm": book}, owner, alerts, Hooks())
        thread = threading.Thread(target=worker.run, args=(stop,), kwargs={"watch_mappings": watch})
        thread.start()
        running.append((stop, thread, alerts))
        return stop, thread

    yield start
    book.gate.set()
    for stop, thread, alerts in running:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
        alerts.close()


@pytest.fixture
def arrive(store):
    def arrive(n=1, xid=None, **changes):
        event = json.loads(json.dumps(SAMPLE))
        event["xid"], event["data"]["id"] = xid or f"x{n}", f"c{n}"
        event["data"]["user"] |= {"userable_id": f"c{n}", "phone": f"05{50000000 + n}"} | changes.pop("user", {})
        event["data"] |= changes
        body = json.dumps(event).encode()
        return store.inbox.accept(flavours.read(body), body, "flavours", [SYNC]).event

    return arrive


@pytest.fixture
def until(store):
    "Wait until the delivery is in a state; return its row."

    def until(delivery, state, seconds=10):
        def look():
            row = store.desk.delivery(delivery)
            return row if row["state"] == state else None

        return wait_for(look, seconds, every=0.02)

    return until

"""A small world in which time stands still until it is moved: real store, door, workers and targets; vendors in memory."""

import contextlib
import itertools
import json
import re
import shutil
import tempfile
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

import requests
import responses
import sqlalchemy as sa
import structlog

from connector.config import Config, RetryConfig, ServerConfig, SourceConfig, SyncConfig, TargetConfig, WorkerConfig
from connector.delivery.alerts import Alerts
from connector.delivery.worker import Hooks, Worker
from connector.mapping import document
from connector.masking import Secret
from connector.models import Delivered, Skip
from connector.store import open_store
from connector.store.migrate import upgrade
from connector.store.tables import deliveries, events
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.rest import KIND, Rest
from connector.web.app import create_app
from tests import postgres
from tests.targets.stub_vendor import Request
from tests.targets.vendors.rest.lab import RestVendor, settings

TOKEN = "path-token-0123456789"
TARGETS = ("crm", "erp")
LEASE = 60.0
FINISHED = ("delivered", "skipped", "held", "failed")
NEWER = "newer data already delivered"

MAPPING = """\
version: 1
kind: rest
match: [phone]
fields:
  external_id: id
  name: user.name
  phone: {from: user.phone, use: phone}
  city: CITY
  edition: {value: "EDITION"}
"""


@dataclass(frozen=True)
class Known:
    "An event as the model knows it."

    id: int
    customer: str
    name: str
    updated: int | None
    city: bool
    xid: str
    body: bytes


class Crm(RestVendor):
    "A vendor that works as the laboratory's, with faults that are told beforehand: (what, find or write)."

    def __init__(self, world):
        super().__init__()
        self.world, self.troubles, self.late, self.refused = world, deque(), [], set()

    def reply(self, http):
        path, _, query = http.path_url.removeprefix("/api").partition("?")
        payload = json.loads(http.body) if http.body else None
        asked = dict(part.split("=", 1) for part in query.split("&") if part)
        asked = {key: requests.utils.unquote(value.replace("+", " ")) for key, value in asked.items()}
        request = Request(http.method, path, asked, http.headers, payload)
        purpose = "find" if http.method == "GET" else "write"
        what = self.struck(purpose)
        return getattr(self, f"_{what}")(request) if what else self._done(request)

    def struck(self, when):
        "Take the trouble that was told for now, if there is one."
        return self.troubles.popleft()[0] if self.troubles and self.troubles[0][1] == when else None

    def _done(self, request):
        status, data = self.work(request)
        return status, {"Content-Type": "application/json"}, json.dumps(data)

    def _timeout(self, _):
        return 200, {}, requests.ReadTimeout("no answer")

    def _connect(self, _):
        return 200, {}, requests.ConnectTimeout("no connection")

    def _lost(self, request):
        self.work(request)
        return 200, {}, requests.ConnectionError("reset")

    def _arrives_late(self, request):
        # A create that comes through after it was given up. (A late update would be the network's fault alone.)
        if request.method == "POST":
            self.late.append((self.world.now + 3000, request))
        return self._timeout(request)

    def _garbage(self, request):
        self.work(request)
        return 200, {"Content-Type": "text/html"}, "<p>done"

    def _sick(self, _):
        return 500, {}, "{}"

    def _busy(self, _):
        return 429, {"Retry-After": "40"}, "{}"

    def _keyless(self, _):
        return 401, {}, "{}"

    def _invalid(self, request):
        if request.payload:
            self.refused.add(request.payload["contact"]["external_id"])
            return 422, {"Content-Type": "application/json"}, '{"error": "city is not valid"}'
        return self._done(request)

    def _slow(self, request):
        answer = self._done(request)
        self.world.sleep()
        return answer

    def _asleep(self, request):
        answer = self._done(request)
        self.world.sleep(beats=True)
        return answer

    def arrive_late(self, now):
        due = [request for at, request in self.late if at <= now]
        self.late = [(at, request) for at, request in self.late if at > now]
        for request in due:
            self.work(request)

    def of(self, customer):
        return [row for row in self.contacts.values() if row.get("external_id") == customer]


class Account(Rest):
    "The real target, whose worker may fall asleep right before it asks for its lease: all was looked up by then."

    vendor: Crm
    world: "World"

    def upsert(self, requests, run):
        return super().upsert(requests, Drowsy(run, self))


@dataclass(frozen=True)
class Drowsy:
    "What the worker tells a target, perhaps after a sleep."

    run: object
    account: Account

    def linked_to(self, remote_id):
        return self.run.linked_to(remote_id)

    def still_ours(self):
        what = self.account.vendor.struck("check")
        if what:
            self.account.world.sleep(beats=what == "asleep")
        return self.run.still_ours()


class Stepped(Worker):
    "The real worker, moved by hand: what its threads would do, one step at a time."

    def __init__(self, world, owner):
        hooks = Hooks(lambda: world.now, lambda: world.now / 1000, lambda: 0.5)
        super().__init__(world.config, world.store, world.targets, owner, Alerts(None), hooks)
        self.world, self.owner = world, owner
        self._store.states.register(list(TARGETS))
        self.live()

    def live(self):
        self._live()

    def turn(self):
        before = self.world.rows()
        self.before = before
        self._shelf.follow()
        assert self._turn(self._finished(0)) == []

    def _report(self, turned):
        self.world.turned(self, turned, self.before)
        super()._report(turned)

    def push(self):
        "Push one batch that was claimed; tell whether there was one."
        if self._work.empty():
            return False
        self.world.pushing.append(self)
        self._push(*self._work.get_nowait())
        self.world.pushing.pop()
        return True

    def whole(self):
        "Go round once: turn, push all, settle."
        self.live()
        self.turn()
        while self.push():
            pass
        self.turn()


@contextlib.contextmanager
def on_sqlite(folder):
    "The address of a fresh store: a file in a folder."
    file, url = Path(folder) / "connector.db", f"sqlite:///{folder}/connector.db"
    if not hasattr(on_sqlite, "empty"):
        upgrade(url)
        on_sqlite.empty = file.read_bytes()
    file.write_bytes(on_sqlite.empty)
    yield url


def on_postgres(_folder):
    "The address of a fresh store: a database that is dropped afterwards."
    return postgres.database()


class World:
    "Everything there is, and what is known of it."

    def __init__(self, place=on_sqlite):
        memory = Path("/dev/shm")  # what a power cut would do is not asked here
        self.folder = tempfile.mkdtemp(dir=memory if memory.exists() else None)
        self.now, self.numbers = 1_700_000_000_000, itertools.count(1)
        self.logs = structlog.testing.capture_logs()
        self.lines = self.logs.__enter__()
        self.place = place(self.folder)
        self.store = open_store(self.place.__enter__(), clock=lambda: self.now)
        self.config = self._config()
        self.client = create_app(self.config, self.store).test_client()
        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self.mock.start()
        self.vendors = {name: Crm(self) for name in TARGETS}
        self.targets = {name: self._target(name) for name in TARGETS}
        self.events, self.published, self.strict = {}, set(), False
        self.spent, self.tries, self.latest = Counter(), Counter(), {}
        self.created_by_hand, self.generations = Counter(), defaultdict(int)
        self.reopened, self.seen, self.strays = set(), {}, set()
        self.publish(strict=False)
        self.workers, self.pushing = [], []  # those that push now: the last one, while the others sleep in their push
        self.hire()
        self.hire()

    def close(self):
        self.mock.stop(allow_assert=False)
        self.mock.reset()
        self.store.close()
        self.place.__exit__(None, None, None)
        self.logs.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _config(self):
        syncs = [SyncConfig(f"to_{name}", "flavours", ("customers.CREATE",), "rest", name) for name in TARGETS]
        return Config(
            path=Path(self.folder) / "config.yaml",
            database="",
            mappings=Path(self.folder),
            server=ServerConfig(),
            alert_url=None,
            retry=RetryConfig(),
            worker=WorkerConfig(push_threads=4, lease=LEASE),
            keep_bodies=1e9,
            keep_ledger=1e9,
            sources={"flavours": SourceConfig("flavours", (Secret(TOKEN),))},
            targets={name: TargetConfig(name, "rest", {}) for name in TARGETS},
            syncs={sync.name: sync for sync in syncs},
        )

    def _target(self, name):
        base = f"https://{name}.example.com/api"
        for method in ("GET", "POST", "PUT"):
            self.mock.add_callback(method, re.compile(re.escape(base)), self.vendors[name].reply, content_type=None)
        clock = Clock(monotonic=lambda: self.now / 1000, sleep=self.advance, jitter=lambda: 0.5)
        account = Account(KIND.schema.load(settings(base, allow_private=True)), Around(clock), name)
        account.vendor, account.world = self.vendors[name], self
        return account

    # What happens

    def advance(self, seconds):
        self.now += int(seconds * 1000)
        for vendor in self.vendors.values():
            vendor.arrive_late(self.now)

    def hire(self):
        worker = Stepped(self, f"w{next(self.numbers)}")
        self.workers.append(worker)
        return worker

    def pass_a_lease(self, silent):
        "Let some be silent for a lease, and the others take over what these held, after the wait for a late write."
        others = [worker for worker in self.workers if worker not in silent]
        for seconds in (0, LEASE + 1):
            self.advance(seconds)
            for worker in others:
                worker.live()
        self.advance(22)
        for worker in others:
            worker.turn()

    def sleep(self, *, beats=False):
        "Let who pushes sleep for longer than its lease, while the others take over and deliver; its heart may wake first."
        sleeper = self.pushing[-1]
        self.pass_a_lease(self.pushing)
        for worker in self.workers * 2:  # twice: what the lane holds behind it goes out too
            if worker not in self.pushing:
                worker.whole()
        if beats:
            sleeper.live()

    def publish(self, *, strict):
        city = "{from: city, required: true}" if strict else "city"
        text = MAPPING.replace("CITY", city).replace("EDITION", str(next(self.numbers)))
        digest = document.read(text, "rest.yaml").hash
        self.store.mappings.publish("rest", "rest", digest, text)
        self.published.add(digest)
        self.strict |= strict

    def post(self, customer, name, updated, city, xid):
        user = {"name": name, "phone": f"05512345{int(customer[1:]):02}", "phone_prefix": "966"}
        data = {"id": customer, "city": "Riyadh" if city else None, "updated_at": updated, "user": user}
        body = json.dumps({"xid": xid, "action": "customers.CREATE", "timestamp": 1, "data": data}).encode()
        answer = self.client.post(f"/webhooks/flavours/{TOKEN}", data=body)
        made = Known(int(answer.json["event"][1:]), customer, name, updated, city, xid, body)
        return answer, made

    # What is there

    def rows(self):
        ask = sa.select(deliveries).order_by(deliveries.c.id)
        return {row.id: row for row in self.store.engine.read(lambda c: c.execute(ask).all())}

    def emptied(self):
        "The events whose body is gone."
        ask = sa.select(events.c.id).where(events.c.body.is_(None))
        return set(self.store.engine.read(lambda c: c.execute(ask).scalars().all()))

    # What must be true

    def older(self, event, lane):
        "Tell whether an event is older than what this lane delivered: by its time, else by its arrival."
        if lane not in self.latest:
            return False
        known, newest = self.latest[lane]
        if event.updated is not None and known is not None and event.updated != known:
            return event.updated < known
        return event.id < newest

    def turned(self, worker, turned, before):
        for s in turned.settled:
            row = before[s.claim.delivery]
            held = (row.state, row.owner, row.fence)
            assert held == ("running", worker.owner, s.claim.fence), f"settled without the claim: {held}"
            self.spent[row.id] += s.spent
            self.tries[row.id] += 1
            assert s.mapping_hash is None or s.mapping_hash in self.published
            if s.claim.pinned_mapping and s.state == "delivered":
                assert s.mapping_hash == s.claim.pinned_mapping
            self._judge(s)
        for s in turned.refused:
            row = before[s.claim.delivery]
            assert (row.owner, row.fence) != (worker.owner, s.claim.fence), "a rightful settle was refused"

    def _judge(self, s):
        event, lane = self.events[s.claim.event], (s.claim.target, s.claim.customer)
        if isinstance(s.outcome, Skip) and s.reason == NEWER:
            assert self.older(event, lane), "skipped, but it is not older"
        if s.state == "delivered" and isinstance(s.outcome, Delivered):
            assert not self.older(event, lane), "an older event was written over newer data"
            known = self.latest.get(lane, (None, 0))[0]
            self.latest[lane] = (event.updated if event.updated is not None else known, event.id)

    def check(self):
        rows = self.rows()
        assert self.seen.keys() <= rows.keys(), "a delivery vanished"
        lanes = defaultdict(list)
        for row in rows.values():
            assert (row.attempts, self._tried(row)) == (self.spent[row.id], self.tries[row.id]), "attempts not counted"
            before = self.seen.get(row.id)
            if before in FINISHED and row.id not in self.reopened:
                assert row.state == before, f"{before} became {row.state} by itself"
            if row.state not in FINISHED:
                lanes[row.target, row.customer].append(row)
        for lane in lanes.values():
            self._check_lane([row.state for row in lane])
        self.seen, self.reopened = {row.id: row.state for row in rows.values()}, set()
        self._check_routes(rows)
        for name, vendor in self.vendors.items():
            for customer, n in Counter(row.get("external_id") for row in vendor.contacts.values()).items():
                assert n <= 1 + self.created_by_hand[name, customer], f"{customer} is {n} times at {name}"
        wrong = [line for line in self.lines if "fault of the connector" in line["event"]]
        assert not wrong, wrong

    def _tried(self, row):
        return self.tries[row.id] if row.fence == 0 else len(self.store.desk.attempts(row.id))

    def _check_lane(self, states):
        "The head is at work or may be claimed, and the oldest of those that wait; all others are blocked."
        heads = [state for state in states if state != "blocked"]
        assert len(heads) == 1, f"a lane with {len(heads)} heads: {states}"
        assert heads == ["running"] or states[0] == "pending", f"not in arrival order: {states}"

    def _check_routes(self, rows):
        routed = Counter((row.event_id, row.sync, row.generation) for row in rows.values())
        wanted = {
            (event, f"to_{name}", generation)
            for event in self.events
            for name in TARGETS
            for generation in range(self.generations[event] + 1)
        }
        assert set(routed) == wanted, "an event was not routed, or one that nobody knows"
        assert set(routed.values()) <= {1}, "an event was routed twice"

    def check_end(self):
        "All is settled: each delivery is where the model says, and the vendors hold what is newest."
        by_lane = defaultdict(list)
        for row in self.rows().values():
            assert row.state in FINISHED, f"d{row.id} is still {row.state}"
            by_lane[row.target, row.customer].append(row)
            self._check_fate(row)
        for (target, customer), rows in by_lane.items():
            self._check_contact(target, customer, rows)

    def _check_fate(self, row):
        if row.state == "failed":
            assert row.customer in self.vendors[row.target].refused, f"failed without a cause: {row.reason}"
        if row.state == "held" and row.code == "cannot_map":
            assert self.strict, f"held without a cause: {row.reason}"
            assert not self.events[row.event_id].city, f"held without a cause: {row.reason}"
        elif row.state == "held":
            assert (row.target, row.customer) in self.created_by_hand, f"held without a cause: {row.code} {row.reason}"

    def _check_contact(self, target, customer, rows):
        there = self.vendors[target].of(customer)
        if not any(row.state == "delivered" for row in rows):
            return
        assert there, f"{customer} was delivered to {target} and is not there"
        doubtful = {self.events[r.event_id].name for r in rows if r.state in ("held", "failed")}
        if (target, customer) in self.created_by_hand or (target, customer) not in self.latest:
            return
        newest = self.events[self.latest[target, customer][1]].name
        assert there[0]["name"] in {newest} | doubtful, f"{customer} at {target} is not the newest"

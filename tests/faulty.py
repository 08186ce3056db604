"""Be the connector with one fault planted in it: a named place where the process kills or stops itself, once.

    FAULT="kill before-settle-commit 2" python -m tests.faulty worker --config config.yaml     the second time it is there
    CLOCK_FILE=hours.txt python -m tests.faulty worker --config config.yaml        its wall clock is off by what is in it

Places are found by the SQL of a transaction and by the HTTP call, on every engine alike; the product knows of none.
"""

import os
import re
import signal
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from urllib3.connection import HTTPConnection

COMMITS = {
    "accept": r"INSERT (OR IGNORE )?INTO events",
    "claim": r"UPDATE deliveries SET .*\bfence=",
    "settle": r"INSERT INTO attempts",
    "token": r"UPDATE tokens SET .*\bblob=",
    "publish": r"INSERT INTO mapping_versions",
}
CALLS = ("before-lease-check", "before-send", "after-send", "after-answer")
PLACES = (*(f"{when}-{name}-commit" for name in COMMITS for when in ("before", "after")), *CALLS)
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class Fault:
    "Strike at one place, the n-th time that the process comes to it; tell whether it was then."

    def __init__(self, action, place, nth="1"):
        assert place in PLACES, place
        self.signal, self.place, self.left, self.lock = SIGNALS[action], place, int(nth), threading.Lock()

    def at(self, place):
        if place != self.place:
            return False
        with self.lock:
            self.left -= 1
            if struck := self.left == 0:
                os.kill(os.getpid(), self.signal)
                time.sleep(0.3)  # the kernel may give the signal to another thread: this one must not run on
            return struck


def plant_commits(fault):
    running = threading.local()  # the transactions' names: each begins and commits in a thread of its own

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, _parameters, _context, _many):
        names = {name for name, sql in COMMITS.items() if re.match(sql, statement, re.DOTALL)}
        running.names = getattr(running, "names", set()) | names

    @sa.event.listens_for(sa.Engine, "rollback")
    def forget(_connection):
        running.names = set()

    commit = DefaultDialect.do_commit

    def do_commit(dialect, connection):
        names, running.names = getattr(running, "names", set()), set()
        for name in names:
            fault.at(f"before-{name}-commit")
        commit(dialect, connection)
        for name in names:
            fault.at(f"after-{name}-commit")

    DefaultDialect.do_commit = do_commit


def plant_calls(fault):
    from connector.delivery.run import TargetRun

    request, getresponse, ours = HTTPConnection.request, HTTPConnection.getresponse, TargetRun.still_ours

    def asking(self, method, url, *rest, **more):
        self.creates = method == "POST" and "/contacts" in url
        if self.creates:
            fault.at("before-send")
        return request(self, method, url, *rest, **more)

    def answered(self):
        if self.creates:
            fault.at("after-send")
        answer = getresponse(self)
        if self.creates:
            fault.at("after-answer")
        return answer

    def still_ours(self):
        if fault.at("before-lease-check"):
            time.sleep(self.lease.seconds / 3 + 1)  # the heart wakes first, and beats: the worst that can be
        return ours(self)

    HTTPConnection.request, HTTPConnection.getresponse, TargetRun.still_ours = asking, answered, still_ours


def plant_clock(file):
    "Let the wall clock be off by the seconds that the file holds now; the monotonic clock stays, as it does in life."
    real = time.time_ns

    def off():
        return float(file.read_text() or 0)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=off())

    time.time_ns = lambda: real() + int(off() * 1e9)
    time.time = lambda: time.time_ns() / 1e9
    import connector.targets.clock

    connector.targets.clock.datetime = Shifted


def main():
    if file := os.environ.get("CLOCK_FILE"):
        plant_clock(Path(file))
    if said := os.environ.get("FAULT"):
        fault = Fault(*said.split())
        plant_commits(fault)
        plant_calls(fault)
    from connector.cli import main as connector

    connector(sys.argv[1:], prog_name="connector")


if __name__ == "__main__":
    main()

"""Set up a throw-away installation in a folder, run its real processes, and start again each one that is killed."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from connector.drill import papers
from connector.drill.papers import free_port
from connector.lifeline import VARIABLE

Role = Literal["door", "worker", "supervisor"]

MOST_UNDER_ONE = 2  # its back-off doubles with each kill of a child; a new supervisor begins anew
# Seconds after which a process is worth killing, for it has begun to work by then.
SETTLED: dict[Role, float] = {"door": 2.0, "worker": 3.0, "supervisor": 3.0}
# How much of the processor's time that the first door needed to come up a process must have had, or it did not begin.
EFFORT: dict[Role, float] = {"door": 1.0, "worker": 1.3, "supervisor": 0.0}
USUAL = 2.5  # seconds that a start takes where nothing else runs
PROC = Path("/proc")  # where there is none, the supervisor's children are not known, and it is killed itself


@dataclass(slots=True)
class Post:
    """Hold one place that must be manned: its command, and who does it now."""

    role: Role
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    killed: int = 0


Victim = tuple[Role, int, Post]  # what it is, its pid, and under whom it runs


@dataclass(slots=True)
class House:
    """Run one supervisor with a door and a worker, and more doors and workers beside it, all on one store.

    `slowness` is how much longer than usual this machine takes to start a process, `effort` how much of the processor's
    time (seconds) that is: who is killed before ever beginning proves nothing.
    """

    folder: Path
    database: str = "sqlite:///connector.db"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    ports: list[int] = field(default_factory=list)
    crm: int = 0
    slowness: float = 1.0
    effort: float = 0.0
    kills: Counter[Role] = field(default_factory=Counter)
    _posts: list[Post] = field(default_factory=list)
    _seen: dict[int, float] = field(default_factory=dict)
    _stub: "subprocess.Popen[bytes] | None" = None
    _pipe: tuple[int, int] | None = None

    def open(self, seed: int, doors: int, workers: int, *, calm: bool = False) -> None:
        """Write everything and start the CRM; `calm`: one that does no wrong."""
        self._pipe = os.pipe()
        mood = ["calm"] if calm else []
        self._stub = subprocess.Popen(
            [sys.executable, "-m", "connector.drill.stub", str(seed), *mood],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.crm = int(self._stub.stdout.readline()) if self._stub.stdout else 0
        self.ports = [free_port() for _ in range(doors)]
        for number, port in enumerate(self.ports):
            papers.write(self.config(number), papers.Facts(self.database, port, self.token, self.crm))
        self._posts = [Post("supervisor", self._command("serve"))]
        self._posts += [Post("door", self._command("_door", number)) for number in range(1, doors)]
        self._posts += [Post("worker", self._command("worker")) for _ in range(1, workers)]

    def config(self, number: int = 0) -> Path:
        """Return the configuration of a door; the first is everybody else's."""
        return self.folder / f"config{number}.yaml"

    def _command(self, name: str, number: int = 0) -> list[str]:
        return [sys.executable, "-m", "connector", name, "--config", str(self.config(number))]

    def keep_up(self, only: Role | None = None) -> None:
        """Start who is not there, as a service manager would."""
        for post in self._posts:
            if only in (None, post.role) and (post.process is None or post.process.poll() is not None):
                self._start(post)

    def _start(self, post: Post) -> None:
        post.killed, end = 0, self._pipe[0] if self._pipe else 0
        with (self.folder / "serve.log").open("ab") as log:
            # Sessions of their own: Ctrl-C is ours to hand on. The pipe ends them, should we be killed.
            post.process = subprocess.Popen(
                post.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {VARIABLE: str(end)},
                pass_fds=(end,),
                start_new_session=True,
            )

    def ended(self) -> int | None:
        """Return the code of a supervisor that ended by itself, None while it runs."""
        process = self._posts[0].process
        return process.poll() if process else None

    def victims(self) -> list[Victim]:
        """Return who can be killed now: everybody who has had time to begin its work."""
        return [(role, pid, post) for role, pid, post in self._candidates() if self._begun(role, pid)]

    def measure(self, seconds: float) -> None:
        """Learn from the first door, which took so many seconds to come up, what a start takes here."""
        self.slowness = max(1.0, seconds / USUAL)
        doors = [_busy(pid) for role, pid, _ in self._candidates() if role == "door"]
        self.effort = max(doors, default=0.0)

    def _begun(self, role: Role, pid: int) -> bool:
        # By the processor's time, where it is known: by the clock alone, a busy machine would kill whoever still starts.
        age = self._age(pid)
        if self.effort and EFFORT[role]:
            return age > SETTLED[role] and _busy(pid) >= EFFORT[role] * self.effort
        return age > SETTLED[role] * self.slowness

    def _candidates(self) -> Iterator[Victim]:
        for post in self._posts:
            if post.process is None or post.process.poll() is not None:
                continue
            pid = post.process.pid
            if post.role != "supervisor":
                yield post.role, pid, post
                continue
            children = list(self._children(pid))
            if post.killed >= MOST_UNDER_ONE or not PROC.is_dir():
                yield post.role, pid, post
            else:
                yield from ((role, child, post) for role, child in children)

    def _age(self, pid: int) -> float:
        now = time.monotonic()
        return now - self._seen.setdefault(pid, now)

    def kill(self, victim: Victim) -> None:
        """Kill one with -9."""
        role, pid, post = victim
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills[role] += 1
            post.killed += 1
        if post.process is not None and post.process.pid == pid:
            post.process.wait()

    def _children(self, parent: int) -> Iterator[tuple[Role, int]]:
        names: dict[bytes, Role] = {b"_door": "door", b"worker": "worker"}
        for pid, words in _processes(self.folder):
            role = names.get(words[3]) if len(words) > 3 else None
            if role and _parent(pid) == parent:
                yield role, pid

    def close(self) -> None:
        """End everybody at once, also whom a killed supervisor left behind: this store is thrown away."""
        for post in self._posts:
            if post.process is not None and post.process.poll() is None:
                post.process.kill()
                post.process.wait()
        for pid, _ in list(_processes(self.folder)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for end in self._pipe or ():
            os.close(end)
        if self._stub is not None:
            self._stub.kill()
            self._stub.communicate()
        self._posts, self._pipe, self._stub = [], None, None


def _processes(folder: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the processes whose command names a configuration in this folder; none where there is no /proc."""
    mark = f"{folder}/config".encode()
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if any(word.startswith(mark) for word in words):
                yield int(entry.name), words


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _busy(pid: int) -> float:
    """Return the seconds of the processor that a process has had."""
    told = _stat(pid)
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK") if told else 0.0


def _stat(pid: int) -> list[str]:
    """Return what the system tells of a process, from its state on; nothing where it is gone, or there is no /proc."""
    with suppress(OSError):
        # After the name, which may hold anything.
        return (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return []

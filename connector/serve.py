"""Be the tiny supervisor of `connector serve`: spawn a door and its workers, keep all up, end with all.

A process more that loads neither Flask nor SQLAlchemy: pushing never slows the thanks, and a failing worker never
takes the door down, nor the other workers.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector.lifeline import VARIABLE

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
STEADY = 60.0  # a child that stayed up this long starts its back-off anew
PATIENCE = 35.0  # a worker may take 25 s to finish its pushes
WRONG = 2  # the exit code of a wrong configuration: restarting would not help
TAKEN = 3  # the exit code of a door that cannot have its address: a mistake at the first start, a passing one later
TICK = 0.1


@dataclass(slots=True)
class Child:
    """Hold one child: its command, its process, and when it may be started again (monotonic seconds)."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    wait: float = FIRST_WAIT
    starts: int = 0
    due: float = field(default=0.0)


def supervise(config: Path, *, workers: int = 1) -> int:
    """Check, upgrade the store, then run the door and so many workers until a signal; return the exit code."""
    prepared = subprocess.run([*_command("_prepare", config), "--workers", str(workers)], check=False)
    if prepared.returncode:
        return prepared.returncode
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: stopping.append(got))
    children = [Child("door", _command("_door", config)), *_workers(config, workers)]
    alive, lifeline = os.pipe()
    try:
        return _watch(children, alive, lambda: bool(stopping))
    finally:
        _end(children)
        os.close(lifeline)
        os.close(alive)


def _workers(config: Path, count: int) -> list[Child]:
    # One watches the mappings folder; what it publishes, all use.
    commands = [_command("worker", config) + ["--watch-mappings"] * (number == 1) for number in range(1, count + 1)]
    names = ["worker"] if count == 1 else [f"worker {number}" for number in range(1, count + 1)]
    return [Child(*pair) for pair in zip(names, commands, strict=True)]


def _command(name: str, config: Path) -> list[str]:
    return [sys.executable, "-m", "connector", name, "--config", str(config)]


def _watch(children: Sequence[Child], lifeline: int, stopping: Callable[[], bool]) -> int:
    while not stopping():
        for child in children:
            code = child.process.poll() if child.process else None
            if child.process is None or code is not None:
                if child.name == "door" and (code == WRONG or (code == TAKEN and child.starts == 1)):
                    return WRONG
                _again(child, code, lifeline)
        time.sleep(TICK)
    return 0


def _again(child: Child, code: int | None, lifeline: int) -> None:
    now = time.monotonic()
    if child.process is not None:
        child.wait = FIRST_WAIT if now - child.started > STEADY else min(child.wait * 2, LONGEST_WAIT)
        child.due, child.process = now + child.wait, None
        print(f"the {child.name} ended with code {code}; it starts again in {child.wait:g} s", file=sys.stderr)  # noqa: T201
    if now >= child.due:
        child.started, child.starts = now, child.starts + 1
        # A session of its own: Ctrl-C reaches the supervisor only, which ends both in order.
        child.process = subprocess.Popen(
            child.command,
            env=os.environ | {VARIABLE: str(lifeline)},
            pass_fds=(lifeline,),
            start_new_session=True,
        )


def _end(children: Sequence[Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    until = time.monotonic() + PATIENCE
    for process in running:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

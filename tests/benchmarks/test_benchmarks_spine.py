"""The spine's figures, each beside a floor measured in the same run; printed, not judged: these machines are noisy.

pytest -m benchmark -s tests/benchmarks
"""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time

import psutil
import pytest

from tests.installation import TESTS, TOKEN, Crm, Installation, call, free_port, wait_for

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1200)]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
WEBHOOK = f"/webhooks/flavours/{TOKEN}"
# One request a customer, as in the bare loop: the target's own path is the upsert.
UPSERT = 'create: {method: PUT, path: "/contacts/{{ customer }}", envelope: contact, id: contact.id}'


def python(*arguments):
    return [sys.executable, "-m", *arguments]


def figures(*arguments):
    run = subprocess.run(python(*arguments), cwd=TESTS.parent, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def send(port, path=WEBHOOK, **options):
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return figures("tests.benchmarks.sender", "--port", str(port), "--path", path, *words)


@contextlib.contextmanager
def bare_route():
    port = free_port()
    process = subprocess.Popen(python("tests.benchmarks.bare", "route", "--port", str(port)), cwd=TESTS.parent)

    def up():
        with contextlib.suppress(OSError):
            return call(port, "POST", "/x", b"")[0] == 202

    wait_for(up)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def installation(tmp_path_factory, **settings):
    folder = tmp_path_factory.mktemp("bench")
    crm = Crm(folder)
    installed = Installation(folder, crm.port, **settings)
    config = folder / "config.yaml"
    kept = [line for line in config.read_text().splitlines() if "path: /contacts, query" not in line]
    kept = [line for line in kept if line.strip() != "find:" and "update: " not in line]
    config.write_text(
        "\n".join("    " + UPSERT if line.strip().startswith("create:") else line for line in kept) + "\n"
    )
    try:
        yield installed, crm
    finally:
        installed.stop()
        crm.stop()


def report(name, ours, floor, goal):
    ratio = statistics.median(o / f for o, f in zip(ours, floor, strict=True))
    spread = lambda values: "/".join(f"{v:.4g}" for v in values)  # noqa: E731
    print(f"\n{name}: ratio {ratio:.2f} (goal {goal}); ours {spread(ours)}, floor {spread(floor)}")


def test_durable_acks_beside_the_bare_route(tmp_path_factory):
    ours, floor, waits, floor_waits = [], [], [], []
    with bare_route() as bare, installation(tmp_path_factory) as (installed, _):
        installed.spawn("serve", "--no-worker")
        send(bare, "/x", count=300)
        send(installed.port, count=300, first=10**6)
        for n in range(ROUNDS):
            seen = send(bare, "/x", count=3000)
            floor.append(seen["rate"])
            floor_waits.append(seen["p99_ms"])
            seen = send(installed.port, count=3000, first=3000 * n)
            assert seen["answers"] == {"202": 3000}
            ours.append(seen["rate"])
            waits.append(seen["p99_ms"])
    report("durable acks/s, 16 connections, no worker", ours, floor, "at least 0.6")
    report("their p99 in ms", waits, floor_waits, "none")


def test_ack_p99_while_the_worker_drains(tmp_path_factory):
    ours, floor, beside = [], [], []
    for n in range(ROUNDS):
        with bare_route() as bare, installation(tmp_path_factory) as (installed, crm):
            door = installed.spawn("serve", "--no-worker")
            send(installed.port, count=6000)
            floor.append(send(bare, "/x", count=800, rate=200)["p99_ms"])
            installed.spawn("worker", wait=False)
            wait_for(lambda crm=crm: crm.all()["contacts"])
            beside.append(send(bare, "/x", count=800, rate=200)["p99_ms"])
            ours.append(send(installed.port, count=800, rate=200, first=10**6)["p99_ms"])
            assert len(crm.all()["contacts"]) < 6800, "the store was drained before the measurement ended"
            assert door.poll() is None, n
    report("ack p99 ms at 200/s while the worker drains, beside the bare route alone", ours, floor, "at most 5")
    report("the same beside the bare route with the same drain", ours, beside, "at most 5")


def test_drain_beside_a_bare_loop(tmp_path_factory):
    count, ours, floor = 3000, [], []
    for _ in range(ROUNDS):
        with installation(tmp_path_factory) as (installed, crm):
            door = installed.spawn("serve", "--no-worker")
            send(installed.port, count=count)
            door.send_signal(signal.SIGTERM)
            door.wait()
            floor.append(
                figures("tests.benchmarks.bare", "loop", "--port", str(crm.port), "--count", str(count))["rate"]
            )
            installed.spawn("worker", wait=False)
            done = lambda crm=crm: sum(crm.all()["creates"].values()) - count  # noqa: E731
            first = wait_for(done, every=0.01)
            start = time.perf_counter()
            wait_for(lambda done=done: done() >= count, 120, every=0.02)
            ours.append((count - first) / (time.perf_counter() - start))
    report("drain/s of a filled store, 16 threads, 0 ms target", ours, floor, "at least 0.6")


def test_processor_and_memory(tmp_path_factory):
    count, cpu, pss = 2000, [], []
    for _ in range(ROUNDS):
        with installation(tmp_path_factory) as (installed, crm):
            installed.serve()
            wait_for(lambda installed=installed: len(installed.children()) == 3)
            ours = [psutil.Process(pid) for pid in installed.children().values()]
            spent = lambda ours=ours: sum(p.cpu_times().user + p.cpu_times().system for p in ours)  # noqa: E731
            send(installed.port, count=200, first=10**6)
            wait_for(lambda crm=crm: len(crm.all()["contacts"]) == 200)
            before = spent()
            send(installed.port, count=count)
            wait_for(lambda crm=crm: len(crm.all()["contacts"]) == 200 + count, 120)
            time.sleep(0.5)
            cpu.append((spent() - before) / count * 1000)
            pss.append(sum(p.memory_full_info().pss for p in ours) / 2**20)
    show = lambda values: "/".join(f"{v:.4g}" for v in values)  # noqa: E731
    print(f"\nCPU seconds per 1,000 events, all our processes: {show(cpu)} (goal under 2.4)")
    print(f"proportional memory of all our processes in MB: {show(pss)} (goal under 180)")

"""What a running installation takes: memory with a million waiting and over many events, and the time to start."""

import contextlib
import statistics
import subprocess
import sys
import time

import psutil

from tests.benchmarks import stage
from tests.benchmarks.customers import webhook
from tests.benchmarks.figures import Figure, Goal
from tests.installation import TESTS, call, free_port

MIB = 2**20
WARM = 15_000  # events until all connections, caches and statements have been used


def pss(processes):
    "Return the proportional memory of these processes together, in MiB."
    return sum(process.memory_full_info().pss for process in processes) / MIB


def million(bench):
    "Line 7 and 8: the start, and the memory while a million waits, is drained, and more arrives."
    count, starts, bare, memory, floor = bench.some(1_000_000, 100_000), [], [], [], []
    with stage.crm() as stub, stage.house(bench, stub) as house:
        house.fill(count)
        for number in range(bench.rounds):
            bare.append(_bare_start())
            starts.append(_start(house, number))
            house.stop()
        ours = house.whole()
        with stage.route() as port:
            for number in range(bench.rounds):
                stage.send(port, "/x", rate=200, count=400)
                stage.send(house.port, rate=200, count=bench.some(2000, 400), first=3_000_000 + 2000 * number)
                memory.append(pss(ours))
                floor.append(pss(map(psutil.Process, stage.listeners(port))))
    where, beside = f"{count:,} waiting", "bare Flask route on the same waitress"
    yield Figure(7, "memory", f"memory of all our processes (PSS), {where}", "MB", memory, floor, beside, Goal("ours", "under", 180))  # fmt: skip
    yield Figure(
        8, "start", f"start of `serve` to the first ack, {where}", "s", starts, bare, beside, Goal("ours", "under", 2)
    )


def _start(house, number):
    begun = time.monotonic()
    house.spawn("serve", wait=False)
    return _first_answer(house.port, stage.WEBHOOK, webhook(2_900_000 + number), begun)


def _bare_start():
    port, begun = free_port(), time.monotonic()
    process = stage.start("tests.benchmarks.bare", "route", "--port", str(port))
    try:
        return _first_answer(port, "/x", b"{}", begun)
    finally:
        process.kill()
        process.wait()


def _first_answer(port, path, body, begun):
    while time.monotonic() < begun + 60:
        with contextlib.suppress(OSError):
            assert call(port, "POST", path, body)[0] == 202
            return time.monotonic() - begun
        time.sleep(0.005)
    raise AssertionError("nobody answers")


def growth(bench):
    "Line 7: memory over many events, from the webhook to the contact in batches, once all caches are warm."
    count, seen = bench.some(200_000, 10_000), []
    with stage.crm() as stub, stage.house(bench, stub, kind="hubspot") as house:
        ours = house.whole()
        words = stage.sending(house.port, stage.WEBHOOK, {"count": WARM + count})
        sender = stage.start(*words, stdout=subprocess.DEVNULL)
        while not seen or seen[-1][0] < WARM + count:
            seen.append((stub.seen()["customers"], pss(ours)))
            assert sender.poll() in (None, 0), "the sender broke off"
            time.sleep(0.5)
        sender.wait()
        house.delivered(WARM + count, 120)
    warmed = statistics.median(size for done, size in seen if WARM <= done <= WARM + count * 0.2)
    end = statistics.median(size for done, size in seen if done >= WARM + count * 0.8)
    yield Figure(7, "memory_batches", "memory of all our processes (PSS) then, in batches", "MB", [end], [], "")
    yield Figure(7, "growth", f"growth of that memory over {count:,} events", "MB", [end - warmed], [], "", Goal("ours", "under", 5))  # fmt: skip


def commands(bench):
    "Line 8: what a command takes before it does anything."
    turns, each = bench.some(9, 5), {"": [], "help": [], "import": []}
    words = {
        "": ["-c", "pass"],
        "help": ["-m", "connector", "--help"],
        "import": ["-c", "import connector"],
    }
    for _ in range(turns):
        for name, command in words.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, cwd=TESTS.parent)
            each[name].append(time.perf_counter() - begun)
    nothing = "`python -c pass`"
    yield Figure(8, "help", "`connector --help`", "s", each["help"], each[""], nothing, Goal("ours", "under", 0.4))
    yield Figure(8, "import", "`import connector`", "s", each["import"], each[""], nothing)


def workers(bench):
    "Line 9: four workers beside one, on PostgreSQL; whoever wakes at the same time shares the work, and nobody repeats it."
    one, four, twice = [], [], []
    with stage.crm(latency=0.05) as stub:
        for _ in range(bench.rounds):
            for count, rates in ((1, one), (4, four)):
                seen = _together(bench, stub, count, bench.some(600, 300) * count)
                rates.append(seen["rate"])
                twice.append(float(seen["twice"]))
    yield Figure(9, "workers", "4 workers, PostgreSQL, 50 ms target, 4 push threads each", "contacts/s", four, one, "one such worker", Goal("ratio", "at least", 3.6))  # fmt: skip
    yield Figure(9, "twice", "customers pushed twice meanwhile", "", twice, [], "", Goal("ours", "at most", 0))


def _together(bench, stub, workers, count):
    stub.forget()
    with stage.postgres() as (url, _), stage.house(bench, stub, database=url, threads=4) as house:
        house.fill(count)
        house.pause()
        for _ in range(workers):
            house.spawn("worker", wait=False)
        stage.wait_for(lambda: stage.filling.rows(url, "SELECT count(*) FROM workers") == [(workers,)])
        time.sleep(0.5)  # all of them look
        house.resume()
        seen = stub.wait(count)
        house.delivered(count)
        return seen

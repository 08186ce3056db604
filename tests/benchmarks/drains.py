"""How fast a filled store is emptied: one by one, at a slow target, and in batches; and what CPU a contact takes."""

import psutil

from tests.benchmarks import stage
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.stage import cpu, loop, send

LOOP = "bare loop of prepared requests, 16 threads"


def drained(bench, stub, count, kind="rest"):
    "Empty a store that holds so many: contacts in a second, and CPU seconds of the worker for a thousand."
    stub.forget()
    with stage.house(bench, stub, kind=kind) as house:
        house.fill(count)
        house.pause()
        worker = psutil.Process(house.spawn("worker", wait=False).pid)
        with house.store() as store:
            stage.wait_for(store.worker_alive)
        before = cpu([worker])
        house.resume()
        seen = stub.wait(count)
        house.delivered(count)
        assert seen["writes"] == count, seen
        return seen["rate"], (cpu([worker]) - before) * 1000 / count


def drain(bench):
    "Line 3 and 5: one by one, beside the bare loop and beside batches of a hundred."
    single, bare, batched = [], [], []
    with stage.crm() as stub:
        for _ in range(bench.rounds):
            bare.append(loop(stub, bench.some(4000, 2000)))
            single.append(drained(bench, stub, bench.some(4000, 2000)))
            batched.append(drained(bench, stub, bench.some(20_000, 8_000), kind="hubspot"))
    rates = [[rate for rate, _ in each] for each in (single, bare, batched)]
    costs = [[cost for _, cost in each] for each in (single, bare, batched)]
    yield Figure(3, "drain", "drain one by one, 0 ms target", "contacts/s", rates[0], rates[1], LOOP, Goal("ratio", "at least", 0.7))  # fmt: skip
    yield Figure(3, "drain_cpu", "CPU of the worker in that drain", "s per 1,000", costs[0], costs[1], LOOP)
    yield Figure(5, "batches", "drain in batches of 100", "contacts/s", rates[2], rates[0], "our drain one by one", Goal("ratio", "at least", 5))  # fmt: skip
    yield Figure(5, "batches_cpu", "CPU of the worker in that drain", "s per 1,000", costs[2], costs[0], "our drain one by one", Goal("ours", "under", 0.8))  # fmt: skip


def drain_slow(bench):
    "Line 4: a target that takes 50 ms."
    ours, floor, count = [], [], bench.some(2400, 960)
    with stage.crm(latency=0.05) as stub:
        for _ in range(bench.rounds):
            floor.append(loop(stub, count)[0])
            ours.append(drained(bench, stub, count)[0])
    yield Figure(4, "drain_slow", "drain, 50 ms target, 16 push threads", "contacts/s", ours, floor, LOOP, Goal("ratio", "at least", 0.9))  # fmt: skip


def processor(bench):
    "Line 3 and 5: CPU from webhook to contact, of all our processes, beside what the two floors take together."
    single, batched, floor, count = [], [], [], bench.some(3000, 1500)
    with stage.crm() as stub, stage.route() as bare:
        door = [psutil.Process(pid) for pid in stage.listeners(bare)]
        for _ in range(bench.rounds):
            before = cpu(door)
            send(bare, "/x", count=count)
            floor.append((cpu(door) - before) * 1000 / count + loop(stub, count)[1])
            single.append(_through(bench, stub, count, "rest"))
            batched.append(_through(bench, stub, count, "hubspot"))
    both = "bare route and bare loop together"
    yield Figure(3, "cpu", "CPU from webhook to contact, all our processes", "s per 1,000", single, floor, both, Goal("ours", "under", 2))  # fmt: skip
    yield Figure(
        5, "cpu_batches", "the same where the target takes batches of 100", "s per 1,000", batched, floor, both
    )


def _through(bench, stub, count, kind):
    stub.forget()
    with stage.house(bench, stub, kind=kind) as house:
        ours = house.whole()
        send(house.port, count=200, first=1_000_000)
        stub.wait(200)
        house.delivered(200)
        before = cpu(ours)
        send(house.port, count=count)
        stub.wait(200 + count)
        house.delivered(200 + count)
        return (cpu(ours) - before) * 1000 / count

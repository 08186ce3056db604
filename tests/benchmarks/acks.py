"""How fast the door thanks: how many in a second, and how long the slowest wait while the worker drains."""

import contextlib

from tests.benchmarks import stage
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.stage import send

BARE = "bare Flask route on the same waitress"


def acks(bench):
    "Line 1, on SQLite: the door alone, and the whole of `serve` whose target is paused."
    ours, idle, floor = [], [], []
    with (
        stage.crm() as stub,
        stage.route() as bare,
        stage.house(bench, stub) as door,
        stage.house(bench, stub) as whole,
    ):
        door.begin("serve", "--no-worker")
        whole.pause()
        whole.whole()
        for number, count in _rounds(bench):
            floor.append(send(bare, "/x", count=count)["rate"])
            ours.append(send(door.port, count=count, first=count * number)["rate"])
            idle.append(send(whole.port, count=count, first=count * number)["rate"])
        floor, ours, idle = floor[1:], ours[1:], idle[1:]
    goal = Goal("ratio", "at least", 0.6)
    yield Figure(1, "acks", "durable acks, 16 connections, SQLite", "1/s", ours, floor, BARE, goal)
    yield Figure(
        1, "acks_beside_worker", "the same with a worker beside it whose target is paused", "1/s", idle, floor, BARE
    )


def acks_postgres(bench):
    "Line 1, on PostgreSQL."
    ours, floor = [], []
    with contextlib.ExitStack() as stack:
        stub, bare = stack.enter_context(stage.crm()), stack.enter_context(stage.route())
        url, _ = stack.enter_context(stage.postgres())
        door = stack.enter_context(stage.house(bench, stub, database=url))
        door.begin("serve", "--no-worker")
        for number, count in _rounds(bench):
            floor.append(send(bare, "/x", count=count)["rate"])
            ours.append(send(door.port, count=count, first=count * number)["rate"])
    yield Figure(1, "acks_postgres", "durable acks, 16 connections, PostgreSQL", "1/s", ours[1:], floor[1:], BARE, Goal("ratio", "at least", 0.4))  # fmt: skip


def _rounds(bench):
    # The first round warms everybody up, and is not counted.
    return enumerate([500, *[bench.some(3000, 1500)] * bench.rounds])


def ack_wait(bench):
    "Line 2: windows of 200 requests in a second to our door and to a bare route by turns, beside one and the same drain."
    ours, floor, seconds = [], [], bench.some(5, 3)
    with stage.crm() as stub, stage.route() as bare, stage.house(bench, stub) as house:
        house.fill(bench.some(20_000, 8_000))
        house.begin("serve", "--no-worker")
        send(bare, "/x", count=300)
        send(house.port, count=300, first=2_000_000)
        house.spawn("worker", wait=False)
        stub.wait(100)
        for number in range(bench.rounds + 1):
            first = 3_000_000 + 10_000 * number
            pair = (
                send(bare, "/x", count=200 * seconds, rate=200)["p99_ms"],
                send(house.port, count=200 * seconds, rate=200, first=first)["p99_ms"],
            )
            if not dict(house.states()).get("pending"):
                break  # nothing was drained at the end of this window
            floor.append(pair[0])
            ours.append(pair[1])
    assert ours, "the store was empty before the first window ended: fill it with more"
    yield Figure(
        2, "ack_wait", "ack p99 at 200/s offered while the worker drains", "ms", ours, floor, f"{BARE}, the same drain beside it",
        Goal("ratio", "at most", 5),
    )  # fmt: skip

"""How long it takes from a webhook to its push, when nothing else is to be done."""

from tests.benchmarks import stage
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.stage import send

RATE = 20


def latency(bench):
    "Line 10: from when a webhook was due to be sent until its push arrives at the target, in `serve`."
    slowest, floors, usual, floor = [], [], [], []
    with stage.crm() as stub, stage.route("naive", stub.port) as naive, stage.house(bench, stub) as house:
        house.whole()
        for number in range(bench.rounds + 1):
            count = bench.some(300, 150) if number else 50
            first = 1000 * number
            bare = _waits(stub, naive, "/x", first, count)
            ours = _waits(stub, house.port, stage.WEBHOOK, first, count)
            if number:  # the first round warms everybody up
                floor.append(bare[0])
                floors.append(bare[1])
                usual.append(ours[0])
                slowest.append(ours[1])
    script = "a Flask route that pushes before it answers"
    yield Figure(10, "push_p99", "webhook to push, idle, p99", "ms", slowest, floors, script, Goal("ours", "under", 60))
    yield Figure(10, "push_median", "webhook to push, idle, median", "ms", usual, floor, script)


def _waits(stub, port, path, first, count):
    stub.forget()
    dues = send(port, path, count=count, rate=RATE, first=first, dues=True)["dues"]
    stub.wait(count)
    times = stub.times()
    waits = sorted(1000 * (times[f"customer-{first + n}"] - due) for n, due in enumerate(dues))
    return waits[len(waits) // 2], waits[int(len(waits) * 0.99)]

"""The benchmarks' own rules: what counts as a wait, as a ratio and as reached, and the arithmetic of sizing."""

import argparse
import contextlib
import socket
import threading

import pytest

from tests.benchmarks import sender, sizing
from tests.benchmarks.figures import Figure, Goal

STALL = 0.3


@pytest.fixture
def stalled():
    "A server that answers nobody for a while after the first request, then everybody: its port."
    go, asked = threading.Event(), threading.Lock()
    stall = threading.Timer(STALL, go.set)

    def talk(connection):
        with contextlib.suppress(OSError), connection:
            while connection.recv(65536):
                if asked.acquire(blocking=False):  # the first of them
                    stall.start()
                go.wait()
                connection.sendall(b"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n")

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
    stall.join()


def test_a_wait_counts_from_when_it_was_due_though_it_was_sent_later(stalled):
    "All are due within 10 ms; the last 36 find no free connection, and can only be sent after the stall."
    count, rate = sender.MOST_CONNECTIONS + 36, 10_000.0
    dues, seen = sender.run(argparse.Namespace(port=stalled, path="/x", rate=rate, count=count, first=0))
    assert dues == pytest.approx([dues[0] + n / rate for n in range(count)])
    assert [status for _, status in seen] == [202] * count
    assert min(wait for wait, _ in seen) > STALL - 2 * count / rate


@pytest.mark.parametrize(
    ("goal", "value", "reached"),
    [
        (Goal("ratio", "at least", 0.6), 0.6, True),
        (Goal("ratio", "at least", 0.6), 0.59, False),
        (Goal("ours", "at most", 0), 0, True),
        (Goal("ours", "at most", 0), 1, False),
        (Goal("ours", "under", 5), 5, False),
    ],
)
def test_when_a_goal_is_reached(goal, value, reached):
    assert goal.reached(value) is reached


def test_a_ratio_is_the_median_of_those_of_the_rounds():
    figure = Figure(1, "x", "x", "1/s", [10, 90, 30], [10, 100, 10], "a floor", Goal("ratio", "at least", 1))
    assert figure.ratios == [1, 0.9, 3]
    assert (figure.ratio, figure.reached) == (1, True)


def test_how_many_workers_a_target_needs():
    figures = {"drain_slow": {"ours": 288.0}, "drain": {"ours": 600.0}}  # 0.9 of what 16 threads at 50 ms can do
    assert sizing.pushes(figures, 0.2) == pytest.approx(72)
    assert sizing.pushes(figures, 0.01) == 600  # the CPU's end, not the threads'
    assert [sizing.needed(rate, 72) for rate in (10, 43, 44)] == [1, 1, 2]

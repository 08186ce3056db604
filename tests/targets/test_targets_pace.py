import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.targets.clock import Clock
from connector.targets.pace import Pace


class Time:
    "A clock that goes on only by sleeping."

    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds

    def clock(self):
        return Clock(monotonic=lambda: self.now, sleep=self.sleep)


@given(count=st.integers(1, 300), period=st.sampled_from([1.0, 10.0, 60.0]), idle=st.floats(0, 200))
@settings(max_examples=50, deadline=None)
def test_no_period_sees_more_than_the_count(count, period, idle):
    time = Time()
    pace, begun = Pace((count, period), time.clock()), []
    for n in range(3 * count):
        time.now += idle if n == count else 0.0
        pace.take()
        begun.append(time.now)
    assert all(begun[n + count] - begun[n] >= period * 0.999 for n in range(2 * count))


def test_the_pace_is_used_up():
    time = Time()
    pace = Pace((100, 10.0), time.clock())
    for _ in range(300):
        pace.take()
    assert time.now <= 30.0 * 1.1


def test_threads_take_turns():
    slept = []
    pace = Pace((1, 1.0), Clock(monotonic=lambda: 0.0, sleep=slept.append))
    threads = [threading.Thread(target=pace.take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]

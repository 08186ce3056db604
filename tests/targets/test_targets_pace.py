import fcntl
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.store import open_store
from connector.store.migrate import upgrade
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.pace import Pace, opened


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


@pytest.fixture
def two(tmp_path):
    "Two workers' stores on one file, and the time that all clocks show."
    url, time = f"sqlite:///{tmp_path}/c.db", Time()
    upgrade(url)
    stores = [open_store(url, lambda: int((1_700_000_000 + time.now) * 1000)) for _ in range(2)]
    yield stores, time
    for store in stores:
        store.close()


class Together(Time):
    "A clock for several threads, which goes on when all of them sleep."

    def __init__(self, threads):
        super().__init__()
        self.awake, self.until, self.changed = threads, {}, threading.Condition()

    def sleep(self, seconds):
        me = threading.get_ident()
        with self.changed:
            self.until[me] = self.now + seconds
            self._rest()
            while self.now < self.until[me]:
                assert self.changed.wait(60)
            del self.until[me]
            self.awake += 1

    def leave(self):
        with self.changed:
            self._rest()

    def _rest(self):
        self.awake -= 1
        if not self.awake and self.until:
            self.now = min(self.until.values())
            self.changed.notify_all()


@pytest.mark.parametrize(("count", "period"), [(40, 10.0), (7, 2.0), (280, 60.0)])
def test_workers_share_their_pace(tmp_path, count, period):
    "Together they stay below the limit, and use it up."
    url, time, begun = f"sqlite:///{tmp_path}/c.db", Together(2), []
    upgrade(url)
    stores = [open_store(url, lambda: int((1_700_000_000 + time.now) * 1000)) for _ in range(2)]

    def work(store):
        pace = Pace((count, period), time.clock(), store.turns("crm"))
        for _ in range(2 * count):
            pace.take()
            begun.append(time.now)
        time.leave()

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begun.sort()
    assert len(begun) == 4 * count
    assert all(begun[n + count] - begun[n] >= period * 0.999 for n in range(3 * count))
    assert begun[-1] <= 4 * period * 1.1
    for store in stores:
        store.close()


def test_workers_that_take_now_and_then_stay_below_the_limit(two):
    stores, time = two
    count, period, begun, chance = 40, 10.0, [], random.Random(7)
    paces = [Pace((count, period), time.clock(), store.turns("crm")) for store in stores]
    for n in range(4 * count):
        time.now += 25.0 if n == count else chance.choice([0.0, 0.0, 0.5])
        chance.choice(paces).take()
        begun.append(time.now)
    assert all(begun[n + count] - begun[n] >= period * 0.999 for n in range(3 * count))


def test_one_idle_worker_takes_no_more_than_its_block_from_the_others(two):
    stores, time = two
    idle, busy = (Pace((100, 10.0), time.clock(), store.turns("crm")) for store in stores)
    idle.take()
    start = time.now
    for _ in range(200):
        busy.take()
    assert time.now - start <= 20.0 * 1.07 + 1.0


def test_a_turn_that_nobody_took_in_time_is_gone(two):
    "Kept for later, it would come on top of what the other worker sends."
    stores, time = two
    count, period, begun = 20, 10.0, []
    late, busy = (Pace((count, period), time.clock(), store.turns("crm")) for store in stores)
    late.take()  # the first of its block
    for _ in range(5 * count):
        busy.take()
        begun.append(time.now)
    late.take()
    begun.append(time.now)
    for _ in range(count):
        busy.take()
        begun.append(time.now)
    assert all(begun[n + count] - begun[n] >= period * 0.999 for n in range(len(begun) - count))


def test_few_commits_pay_for_many_turns(two):
    (store, _), time = two
    turns = Counted(store.turns("crm"))
    pace = Pace((280, 60.0), time.clock(), turns)
    for _ in range(280):
        pace.take()
    assert turns.asked <= 280 / 4 + 1


class Counted:
    "Count what is asked of a store."

    def __init__(self, turns):
        self.turns, self.asked = turns, 0

    def reserve(self, *order):
        self.asked += 1
        return self.turns.reserve(*order)


def test_a_busy_store_lets_the_process_go_on_alone_for_a_while(tmp_path):
    url, time = f"sqlite:///{tmp_path}/c.db", Time()
    upgrade(url)
    store = open_store(url, patience=0.1)
    turns = Counted(store.turns("crm"))
    pace = Pace((10, 10.0), time.clock(), turns)
    with (tmp_path / "c.db.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for _ in range(5):
            pace.take()
    assert (turns.asked, time.now) == (1, pytest.approx(4 * 10.2 / 10))  # paced by itself meanwhile
    time.now += 10.0
    pace.take()
    assert turns.asked == 2
    store.close()


def test_a_store_that_is_slow_gives_no_turns_and_stops_nobody():
    "Each answer comes when its turn is over; the process goes on by itself."
    time = Time()

    class Slow:
        def reserve(self, *_):
            time.now += 30.0
            return 0.0

    Pace((1, 1.0), time.clock(), Slow()).take()
    assert time.now == 90.0


def test_a_target_without_a_limit_has_no_pace():
    assert opened(None, Around()) is None

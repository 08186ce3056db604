"""A worker hears the signals that end it, however many come."""

import os
import signal

import pytest

from connector.delivery import start


@pytest.fixture
def handlers():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.timeout(20)
@pytest.mark.usefixtures("handlers")
def test_a_signal_that_arrives_while_another_is_heard_is_not_waited_for():
    stop = start._told_to_stop()
    notify, heard = stop._cond.notify_all, []

    def interrupted():
        heard.append(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        notify()

    stop._cond.notify_all = interrupted  # in the middle of `set`, which holds a lock that is not its own twice
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.is_set()
    assert heard == [signal.SIGTERM]

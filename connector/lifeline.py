"""End a child process with its parent, also when the parent was killed with -9: the pipe between them closes."""

import os
import signal
import threading

VARIABLE = "CONNECTOR_LIFELINE"


def hold() -> None:
    """Send ourselves SIGTERM when the parent that gave us a lifeline is gone; without one, do nothing."""
    number = os.environ.pop(VARIABLE, "")
    if number.isdecimal():
        threading.Thread(target=_watch, args=(int(number),), name="lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    os.read(descriptor, 1)  # nothing is ever written: it returns when the other end closes
    os.kill(os.getpid(), signal.SIGTERM)

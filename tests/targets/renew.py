"""Be a process that wants a token: `python -m tests.targets.renew BASE STORE die|live`; begins at a line of input."""

import os
import signal
import sys

from connector.store import now_ms
from tests.targets.oauth2_lab import START, Lab

if __name__ == "__main__":
    base, url, end = sys.argv[1:]
    lab = Lab(base, None, url, later=now_ms() / 1000 - START)
    tokens = lab.connected()
    print("ready", flush=True)
    sys.stdin.readline()
    print(tokens.headers()["Authorization"], flush=True)
    if end == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    lab.close()

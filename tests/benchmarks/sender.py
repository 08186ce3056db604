"""Send customers as Flavours would, in a process of its own, and print what the sender saw as JSON.

Without --rate: closed loop, each connection as fast as its answers come. With it: open loop. The arrival times are fixed
beforehand, whoever is due waits for a free connection, and latency counts from the time it was due: a slow answer
cannot hide those that had to wait behind it.
"""

import argparse
import json
import select
import socket
import time
from collections import Counter

from tests.benchmarks.customers import webhook

MOST_CONNECTIONS = 64  # of an open loop


class Wire:
    "One connection, and who is being sent on it."

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fileno, self.buffer, self.due = self.socket.fileno, b"", 0.0

    def send(self, raw, due):
        self.due = due
        self.socket.sendall(raw)

    def answered(self):
        "Read what is there; return the status once the answer is whole."
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed a connection while an answer was due")
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        if len(self.buffer) < end + 4 + int(head[at + 15 :].split(b"\r", 1)[0]):
            return None
        status, self.buffer = int(head[9:12]), b""
        return status


def request(path, n):
    raw = webhook(n)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def run(args):
    "Send them all; return when each was due, in order, and (seconds, status) of each answer, as they came."
    wires = [Wire(args.port) for _ in range(MOST_CONNECTIONS if args.rate else args.connections)]
    free, busy, seen, dues = list(wires), set(), [], []
    start, sent = time.monotonic() + 0.05, 0
    while len(seen) < args.count:
        now = time.monotonic()
        while free and sent < args.count and (not args.rate or start + sent / args.rate <= now):
            wire = free.pop()
            dues.append(start + sent / args.rate if args.rate else time.monotonic())
            wire.send(request(args.path, args.first + sent), dues[-1])
            busy.add(wire)
            sent += 1
        pause = (
            max(0.0, start + sent / args.rate - time.monotonic()) if args.rate and free and sent < args.count else 30
        )
        for wire in select.select(busy, (), (), pause)[0]:
            if status := wire.answered():
                seen.append((time.monotonic() - wire.due, status))
                busy.remove(wire)
                free.append(wire)
    for wire in wires:
        wire.socket.close()
    return dues, seen


def main(args):
    dues, seen = run(args)
    waits = sorted(wait for wait, _ in seen)
    print(json.dumps({
        "rate": len(seen) / (time.monotonic() - dues[0]),
        "p50_ms": 1000 * waits[len(waits) // 2],
        "p99_ms": 1000 * waits[int(len(waits) * 0.99)],
        "answers": {str(code): count for code, count in Counter(code for _, code in seen).items()},
        "first": dues[0],
        "cpu": time.process_time(),
        "dues": dues if args.dues else [],
    }))  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--dues", action="store_true", help="tell when each was due")
    main(parser.parse_args())

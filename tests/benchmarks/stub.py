"""A CRM in a process of its own that does as little as it can, so that whoever pushes is the bound.

    python -m tests.benchmarks.stub

PUT /contacts/<customer>, POST /contacts {"external_id": …}     201 {"contact": {"id": …}}
POST /crm/objects/2026-03/contacts/batch/read|upsert            a hundred contacts at once, as HubSpot has them
GET /_seen   what was written, and when the first and the last of it arrived       POST /_latency 0.05, POST /_forget
GET /_times  when each customer's first push arrived (by the clock that all processes of a machine share)
"""

import contextlib
import heapq
import itertools
import json
import re
import select
import socket
import time
from collections import Counter

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CUSTOMER = re.compile(rb'"external_id": *"([^"]+)"')
_HEAD = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class Crm:
    def __init__(self):
        self.latency = 0.0
        self.forget()

    def forget(self):
        self.writes, self.times, self.first, self.last = Counter(), {}, 0.0, 0.0

    def wrote(self, customers):
        self.last = now = time.monotonic()
        self.first = self.first or now
        for customer in customers:
            self.writes[customer] += 1
            self.times.setdefault(customer, now)

    def answer(self, method, path, body):
        "Return (status, JSON as bytes), and do what was asked."
        if path.startswith("/_"):
            return 200, json.dumps(self.told(path, body)).encode()
        if "/batch/" in path:
            return self.batch(path.rpartition("/")[2], json.loads(body)["inputs"])
        customer = path.rpartition("/")[2] if method == "PUT" else _CUSTOMER.search(body)[1].decode()
        self.wrote([customer])
        return 201, b'{"contact": {"id": "%b"}}' % customer.encode()

    def batch(self, verb, inputs):
        ids = [one["id"] for one in inputs]
        if verb == "read":  # nobody is there yet: each customer of a benchmark is new
            gone = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": ids}}
            return 207, json.dumps({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [gone]}).encode()
        self.wrote(ids)
        rows = [
            {
                "id": one["id"],
                "properties": one["properties"],
                "new": True,
                "objectWriteTraceId": one["objectWriteTraceId"],
            }
            for one in inputs
        ]
        return 200, json.dumps({"status": "COMPLETE", "results": rows}).encode()

    def told(self, path, body):
        if path == "/_latency":
            self.latency = float(body)
        if path == "/_forget":
            self.forget()
        if path == "/_times":
            return self.times
        twice = sum(count > 1 for count in self.writes.values())
        return {"writes": self.writes.total(), "customers": len(self.writes), "twice": twice, "first": self.first, "last": self.last}  # fmt: skip


class Wire:
    "One connection: requests one after the other, as every client here sends them."

    def __init__(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self.buffer = connection, b""

    def asked(self):
        "Read what is there; return (method, path, body) once a request is whole, None before; EOFError at its end."
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = _LENGTH.search(self.buffer, 0, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self.buffer) < whole:
            return None
        body, head = self.buffer[end + 4 : whole], self.buffer[: self.buffer.index(b"\r")]
        self.buffer = self.buffer[whole:]
        method, path, _ = head.decode().split(" ")
        return method, path, body


def serve(listener, crm):
    "Answer for ever, in one thread and without a framework: that is what costs least."
    poller, wires, later, order = select.epoll(), {}, [], itertools.count()
    poller.register(listener, select.EPOLLIN)
    while True:
        ready = poller.poll(max(0.0, later[0][0] - time.monotonic()) if later else None)
        while later and later[0][0] <= time.monotonic():
            say(*heapq.heappop(later)[2:])
        for number, _ in ready:
            if number == listener.fileno():
                wire = Wire(listener.accept()[0])
                wires[wire.socket.fileno()] = wire
                poller.register(wire.socket, select.EPOLLIN)
                continue
            try:
                asked = wires[number].asked()
            except (EOFError, ConnectionError):
                wires.pop(number).socket.close()  # which takes it from the poller too
                continue
            if asked:
                answer = crm.answer(*asked)
                if crm.latency and not asked[1].startswith("/_"):
                    due = time.monotonic() + crm.latency
                    heapq.heappush(later, (due, next(order), wires[number], answer))
                else:
                    say(wires[number], answer)


def say(wire, answer):
    status, text = answer
    with contextlib.suppress(OSError):  # it is gone
        wire.socket.sendall(_HEAD % (status, len(text), text))


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=512) as made:
        print(made.getsockname()[1], flush=True)
        serve(made, Crm())

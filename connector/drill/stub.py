"""Be a CRM on true sockets that misbehaves: it commits and drops the answer, or answers errors, rubbish, or nothing.

    python -m connector.drill.stub SEED [calm]

Two address books: /crm is asked before a create, /keyed heeds an Idempotency-Key. Each fault is drawn from the seed,
the request and how often it came, so that the order of requests does not matter. It never commits later than
LATE seconds after a request arrived, and never overwrites by a request that it did not answer in order.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

LATE = 0.3  # seconds after which a create is committed whose connection was cut
HANG = 30.0  # seconds; whoever asks gives up long before
BUSY_EVERY = 4.0  # a 429 pauses everybody: not more often than this
OUTAGE = 0.5  # seconds

# What may happen to a request, and in how many of a thousand; `then`: after it was committed.
_ERRORS = {"500": 10, "reset": 10, "429": 6}
_ANSWERS = {"garbage": 10, "truncated": 10, "cut short": 10, "nothing": 10, "hang": 5}
_READ = _ERRORS | _ANSWERS
_WRITE = _ERRORS | {f"commit, then {kind}": often for kind, often in (_ANSWERS | {"500": 12, "reset": 12}).items()}
_CREATE = {**_WRITE, "reset, then commit": 12}

Answer = tuple[int, Any]


class Crm:
    """Hold the contacts, and count what was done to whom."""

    def __init__(self, seed: str, *, calm: bool) -> None:
        self.seed, self.calm = seed, calm
        self.contacts: dict[int, dict[str, Any]] = {}
        self.books: dict[int, str] = {}
        self.by: dict[tuple[str, str, str], list[int]] = {}
        self.keys: dict[str, int] = {}
        self.faults: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.busy_at = self.out_until = 0.0

    def fault(self, method: str, target: str, about: str) -> str:
        """Draw what happens to this request; nothing for most."""
        name = f"{method} {target} {about}"
        self.seen[name] += 1
        now = time.monotonic()
        if now < self.out_until:
            return self._count("500")
        table = {"GET": _READ, "POST": _CREATE}.get(method, _WRITE)
        drawn = random.Random(f"{self.seed} {name} {self.seen[name]}").random() * 1000  # noqa: S311 - repeatable
        for kind, often in table.items():
            if (drawn := drawn - often) < 0:
                return self._allowed(kind, now)
        return ""

    def _allowed(self, kind: str, now: float) -> str:
        if self.calm or (kind == "429" and now - self.busy_at < BUSY_EVERY):
            return ""
        self.busy_at = now if kind == "429" else self.busy_at
        return self._count(kind)

    def _count(self, kind: str) -> str:
        self.faults[kind] += 1
        return kind

    def find(self, book: str, query: dict[str, list[str]]) -> Answer:
        """Answer a question with the contacts that have the value."""
        ((name, values),) = query.items()
        return 200, {"items": [self.contacts[i] for i in self.by.get((book, name, values[0]), ())]}

    def create(self, book: str, contact: dict[str, Any], key: str | None) -> Answer:
        """Make a contact, unless this key made one."""
        if book == "keyed" and key is not None and key in self.keys:
            return 201, {"contact": self.contacts[self.keys[key]]}
        number = len(self.contacts) + 1
        self.contacts[number], self.books[number] = {**contact, "id": number}, book
        for name in ("external_id", "phone"):
            self.by.setdefault((book, name, str(contact.get(name))), []).append(number)
        if key is not None:
            self.keys[key] = number
        return 201, {"contact": self.contacts[number]}

    def update(self, number: int, contact: dict[str, Any]) -> Answer:
        """Write fields of a contact."""
        if number not in self.contacts:
            return 404, {"error": "no such contact"}
        self.contacts[number] |= contact
        return 200, {"contact": self.contacts[number]}

    def do(self, method: str, target: str, body: bytes, key: str | None) -> Answer:
        """Do what was asked, at once."""
        url = urlsplit(target)
        book = url.path.split("/")[1]
        if method == "GET":
            return self.find(book, parse_qs(url.query))
        contact = json.loads(body)["contact"]
        if method == "POST":
            return self.create(book, contact, key)
        return self.update(int(url.path.rsplit("/", 1)[1]), contact)

    def private(self, target: str) -> Answer:
        """Answer the drill itself."""
        if target == "/_outage":
            self.out_until = time.monotonic() + OUTAGE
            self.faults["outage"] += 1
            return 200, {}
        return 200, {"contacts": list(self.contacts.values()), "faults": self.faults}


async def talk(crm: Crm, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until it ends."""
    try:
        while await _one(crm, reader, writer):
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _one(crm: Crm, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    body, key = await reader.readexactly(length) if length else b"", headers.get("idempotency-key")
    if target.startswith("/_"):
        return _say(writer, *crm.private(target))
    fault = crm.fault(method, target, _about(body))
    if fault == "reset, then commit":
        asyncio.get_running_loop().call_later(LATE, crm.do, method, target, body, key)
    answer = crm.do(method, target, body, key) if not fault or method == "GET" or fault[:6] == "commit" else (500, {})
    return await _misbehave(writer, fault.removeprefix("commit, then "), answer)


def _about(body: bytes) -> str:
    return str(json.loads(body)["contact"].get("external_id")) if body else ""


async def _misbehave(writer: asyncio.StreamWriter, fault: str, answer: Answer) -> bool:
    status, text = answer[0], json.dumps(answer[1]).encode()
    match fault:
        case "":
            return _write(writer, status, text, _JSON)
        case "500":
            return _say(writer, 500, {"error": "the drill's CRM fell over"})
        case "429":
            return _say(writer, 429, {"error": "slow down"}, "Retry-After: 1\r\n")
        case "garbage":
            return _write(writer, 200, b"<html>Service is being updated</html>", "Content-Type: text/html\r\n")
        case "truncated":
            return _write(writer, status, text[: len(text) // 2], _JSON)
        case _:
            return await _silent(writer, fault, status, text)


async def _silent(writer: asyncio.StreamWriter, fault: str, status: int, text: bytes) -> bool:
    if fault == "cut short":
        _write(writer, status, text, _JSON, missing=20)
        await writer.drain()
    elif fault == "hang":
        await asyncio.sleep(HANG)
    elif fault != "nothing":
        writer.transport.abort()
    return False


_JSON = "Content-Type: application/json\r\n"


def _say(writer: asyncio.StreamWriter, status: int, answer: Any, more: str = "") -> bool:
    return _write(writer, status, json.dumps(answer).encode(), _JSON + more)


def _write(writer: asyncio.StreamWriter, status: int, text: bytes, more: str = "", missing: int = 0) -> bool:
    writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(text) + missing}\r\n\r\n".encode() + text)
    return True


async def serve(seed: str, *, calm: bool) -> None:
    """Serve on a free port, which is printed, until whoever started it is gone (its end of our input closes)."""
    crm = Crm(seed, calm=calm)
    server = await asyncio.start_server(lambda r, w: talk(crm, r, w), "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], calm="calm" in sys.argv[2:]))

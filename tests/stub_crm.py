"""A CRM in a process of its own, on true sockets: it commits, and then sometimes drops the answer.

    python -m tests.stub_crm [--port 0] [--latency 0.05] [--drop 0.1] [--seed 1] [--file crm.jsonl]

GET /contacts?external_id=… | ?phone=…   {"items": [...]}        PUT /contacts/7 | /contacts/<external id>
POST /contacts {"contact": {...}}        201 {"contact": {"id": 7, ...}}
GET /_all  every contact and the count of creates and requests     POST /_mode {"drop": 0.5, "status": 503, ...}

Committed contacts are in the file, so that the process can be killed and started again. It answers one request at a
time per connection and does no more than it must: benchmarks measure the sender.
"""

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Crm:
    def __init__(self, args):
        self.latency, self.drop, self.status, self.body = args.latency, args.drop, 0, None
        self.random = random.Random(args.seed)
        self.contacts, self.by = {}, {"external_id": {}, "phone": {}}
        self.creates, self.requests = Counter(), Counter()
        self.file = None
        if args.file:
            for line in Path(args.file).read_text().splitlines() if Path(args.file).exists() else ():
                self.keep(json.loads(line))
            self.file = Path(args.file).open("a")

    def keep(self, contact):
        fresh = contact["id"] not in self.contacts
        self.contacts[contact["id"]] = contact
        for key, index in self.by.items():
            if contact.get(key):
                index.setdefault(str(contact[key]), set()).add(contact["id"])
        if fresh:
            self.creates[str(contact.get("external_id"))] += 1

    def commit(self, contact):
        self.keep(contact)
        if self.file:
            self.file.write(json.dumps(contact) + "\n")
            self.file.flush()

    def find(self, query):
        for key, index in self.by.items():
            if key in query:
                return [self.contacts[i] for i in sorted(index.get(query[key][0], ()))]
        return list(self.contacts.values())

    def answer(self, method, target, body):
        "Return (status, json) and do what was asked."
        url = urlsplit(target)
        if url.path == "/_all":
            return 200, {"contacts": list(self.contacts.values()), "creates": self.creates, "requests": self.requests}
        if url.path == "/_mode":
            self.__dict__.update(json.loads(body))
            return 200, {}
        self.requests[method] += 1
        if self.status:
            return self.status, self.body or {"error": "the stub was told to answer this"}
        if method == "GET":
            return 200, {"items": self.find(parse_qs(url.query))}
        contact = json.loads(body)["contact"]
        if method == "POST":
            contact["id"] = len(self.contacts) + 1
            self.commit(contact)
            return 201, {"contact": contact}
        last = url.path.rsplit("/", 1)[1]
        if not last.isdecimal():  # PUT /contacts/<external id>: an upsert by the customer's own id
            known = self.by["external_id"].get(last)
            contact |= {"id": min(known) if known else len(self.contacts) + 1, "external_id": last}
            self.commit(contact)
            return 200 if known else 201, {"contact": contact}
        number = int(last)
        if number not in self.contacts:
            return 404, {"error": "no such contact"}
        self.commit(self.contacts[number] | contact)
        return 200, {"contact": self.contacts[number]}


async def talk(crm, reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ", 2)
            length = next((int(n.split(":", 1)[1]) for n in lines if n.lower().startswith("content-length:")), 0)
            body = await reader.readexactly(length) if length else b""
            status, answer = crm.answer(method, target, body)
            private = target.startswith("/_")
            if crm.latency and not private:
                await asyncio.sleep(crm.latency)
            if not private and method != "GET" and crm.random.random() < crm.drop:
                break
            text = json.dumps(answer).encode()
            writer.write(
                b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (status, len(text), text)
            )
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(args):
    crm = Crm(args)
    server = await asyncio.start_server(lambda r, w: talk(crm, r, w), "127.0.0.1", args.port, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--drop", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file")
    sys.exit(asyncio.run(main(parser.parse_args())))

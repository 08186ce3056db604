"""Bytes on raw sockets that are no HTTP, or nearly: the door goes on, and what it stores is what it thanks for.

A few hundred conversations from a seed; FLAVOURS_SOCKETS (a number) and FLAVOURS_SEED ask for more and for others.
"""

import contextlib
import json
import os
import random
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from connector.store import open_store
from connector.store.tables import events
from tests.installation import TOKEN, Installation, customer, post

SEED = int(os.environ.get("FLAVOURS_SEED", "5"))
SOCKETS = int(os.environ.get("FLAVOURS_SOCKETS", "400"))
PATH = f"/webhooks/flavours/{TOKEN}"
QUIET = 0.3  # seconds without a byte after which a conversation is left
MAY_BE = {100, 200, 202, 400, 401, 404, 405, 408, 411, 413, 414, 415, 417, 422, 431, 501}

LINES = [b"POST", b"POST /x", b"post %s HTTP/1.1", b"POST %s HTTP/9.9", b"POST %s HTTP/1.1 x", b"\0%s\0", b"POST\t%s\tHTTP/1.1",
         b"POST http://door.example.com%s HTTP/1.1", b"GET %s", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"POST //%s HTTP/1.1",
         b"P\xffST %s HTTP/1.1", b"POST %s?" + b"q" * 70_000 + b" HTTP/1.1", b"PRI * HTTP/2.0", b"CONNECT %s HTTP/1.1", b" POST %s HTTP/1.1",
         b"POST %%00%s HTTP/1.1", b"POST %s#f HTTP/1.1", b"HEAD %s HTTP/1.1", b"TRACE %s HTTP/1.1", b"\r\n\r\nPOST %s HTTP/1.1",
         b"POST %s HTTP/1.0", b"POST [::%s HTTP/1.1", b"POST http://[%s HTTP/1.1"]  # fmt: skip
LENGTHS = [
    b"-1",
    b"+5",
    b"0x10",
    b"9" * 40,
    b"5, 5",
    "٣".encode(),
    b"",
    b" ",
    b"1e3",
    b"5\x0b",
    b"0",
    b"1_0",
    b"99999999",
]
HEADERS = [b"no colon here", b": nameless", b" folded: x", b"Space : x", b"X: " + b"h" * 300_000, b"N\xc3\xa4me: x", b"X: a\rb", b"X: \0",
           b"Expect: 100-continue", b"Expect: miracles", b"Transfer-Encoding: gzip", b"Transfer-Encoding: identity",
           b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: chunked", b"Transfer-Encoding: xchunked",
           b"Transfer-Encoding:\x0bchunked", b"Connection: close", b"Connection: upgrade\r\nUpgrade: h2c", b"Host: a\r\nHost: b",
           b"Content-Type: \xff", b"Content-Encoding: gzip", b"X-Forwarded-For: 1.1.1.1", b"Content-Length: 3", b"Range: bytes=0-1"]  # fmt: skip
SIZES = [
    b"%x",
    b"%X;a=b",
    b"0x%x",
    b"-%x",
    b"%x ",
    b" %x",
    b"+%x",
    b"f" * 40 + b"%x",
    b"z%x",
    b'%x;"',
    b"%x\t",
    b"0%x",
    b"%x_0",
]


@dataclass
class Talk:
    "One conversation: what is sent, in which pieces, how it is ended; and what came back."

    pieces: list
    end: str
    came: bytes = b""
    left: bool = False  # ended before all answers were surely read
    statuses: list = field(default_factory=list)


def chunked(body, dice):
    made, size = [], max(1, len(body) // dice.randint(1, 4))
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        form = dice.choice(SIZES) if dice.random() < 0.2 else b"%x"
        made += [form % len(piece), b"\r\n", piece, b"" if dice.random() < 0.05 else b"\r\n"]
    end = dice.choice(
        [
            b"0\r\n\r\n",
            b"0\r\n\r\n",
            b"0\r\n\r\n",
            b"0\r\nX: y\r\n\r\n",
            b"0\r\n",
            b"",
            b"00000\r\n\r\n",
            b"0;x\r\n\r\n",
        ]
    )
    return b"".join(made) + end


def asked(number, dice):
    "The bytes of a request that is right but for a thing or two."
    body = json.dumps(
        {"xid": f"raw-{number}-", **customer(number), "pad": "x" * dice.choice([0, 0, 0, 5000, 1_200_000])}
    ).encode()
    body = body.replace(b'"xid-%d"' % number, b'"raw-%d-"' % number)
    wrong = dice.choice(["nothing", "line", "length", "header", "header", "chunks", "chunks", "ends", "noise"])
    line = dice.choice(LINES) if wrong == "line" else b"POST %s HTTP/1.1"
    line = line.replace(b"%s", PATH.encode()).replace(b"%%", b"%")
    headers = [b"Host: door.example.com", b"Content-Type: application/json"]
    if wrong == "chunks":
        headers.append(b"Transfer-Encoding: chunked")
        body = chunked(body, dice)
    if wrong != "chunks" or dice.random() < 0.1:
        lies = [b"%d" % (len(body) + off) for off in (-1, 1, -20, 500)]
        headers.append(
            b"Content-Length: " + (dice.choice([*LENGTHS, *lies]) if wrong == "length" else b"%d" % len(body))
        )
    if wrong == "header":
        headers.insert(dice.randrange(len(headers) + 1), dice.choice(HEADERS))
    ends = dice.choice([b"\n", b"\r", b"\n\r", b"\r\r\n"]) if wrong == "ends" else b"\r\n"
    made = ends.join([line, *headers, b"", b""]) + body
    if wrong == "noise":
        made = bytearray(made)
        for _ in range(dice.randint(1, 5)):
            made[dice.randrange(min(300, len(made)))] = dice.randrange(256)
    return bytes(made)


def talk(number, dice):
    "One to three requests in one go, cut into pieces, and an end."
    made = b"".join(asked(number * 3 + n, dice) for n in range(dice.choice([1, 1, 1, 2, 3])))
    made = made[: dice.randrange(len(made))] if dice.random() < 0.1 else made
    cuts = sorted(dice.randrange(len(made) + 1) for _ in range(dice.choice([0, 0, 1, 6])))
    pieces = [made[a:b] for a, b in zip([0, *cuts], [*cuts, len(made)], strict=True)]
    return Talk(pieces, dice.choice(["read", "read", "read", "read", "half", "close", "reset"]))


def hold(port, one, dice):
    "Have the conversation."
    with (
        contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as line,
        contextlib.suppress(OSError),
    ):
        one.left = True
        for piece in one.pieces:
            line.sendall(piece)
            if len(one.pieces) > 1:
                time.sleep(dice.choice([0, 0.001, 0.03]))
        if one.end == "half":
            line.shutdown(socket.SHUT_WR)
        if one.end == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if one.end in ("read", "half"):
            line.settimeout(QUIET)
            while came := line.recv(65536):
                one.came += came
            one.left = one.end == "half"
    one.statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", one.came)]


def acked(one):
    return {int(n) for n in re.findall(rb'"event":\s*"e(\d+)"', one.came)}


def stored(url):
    store = open_store(url)
    try:
        return dict(store.engine.read(lambda c: c.execute(sa.select(events.c.id, events.c.body)).all()))
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.timeout(300 + SOCKETS)
def test_whatever_comes_on_a_socket_the_door_goes_on_and_stores_what_it_thanks_for(tmp_path):
    installed = Installation(tmp_path, 1)
    assert installed.cli("db", "upgrade")[0] == 0
    door = installed.spawn("_door")
    try:
        dice = random.Random(SEED)
        talks = [talk(number, dice) for number in range(1, SOCKETS + 1)]
        with ThreadPoolExecutor(16) as pool:
            jobs = [pool.submit(hold, installed.port, one, random.Random(SEED)) for one in talks]
            goods = [post(installed, 10**6 + n) for n in range(SOCKETS // 20)]  # meanwhile somebody behaves
            for job in jobs:
                job.result()
        assert {status for status, *_ in goods} == {202}
        assert post(installed, 10**7)[0] == 202
        assert door.poll() is None
        assert "Traceback" not in installed.log(), installed.log()[-3000:]
        odd = [(one.statuses, one.pieces[0][:300]) for one in talks if not set(one.statuses) <= MAY_BE]
        assert not odd, odd[:3]
        assert {202, 400, 413} <= {status for one in talks for status in one.statuses}
        agree(talks, stored(f"sqlite:///{tmp_path}/connector.db"), len(goods) + 1)
    finally:
        installed.stop()


def agree(talks, there, good):
    "What was acked is there; what is there was acked, but for conversations that were left before the answer."
    thanked = {event for one in talks for event in acked(one)}
    assert thanked <= there.keys(), "acked and not stored"
    quiet = {event: body for event, body in there.items() if event not in thanked and b"raw-" in body}
    left = b"".join(b"".join(one.pieces) for one in talks if one.left)
    silent = {event: body[:300] for event, body in quiet.items() if body[:40] not in left}
    assert not silent, "stored and not acked"
    assert len(there) - len(thanked) - len(quiet) <= good + sum(one.left for one in talks)

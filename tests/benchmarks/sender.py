"""Send customers as Flavours would, in a process of its own, and print what the sender saw as JSON.

Closed loop (as fast as the answers come) without --rate; with it, open loop: arrival times are fixed beforehand and
latency counts from them, so that a slow answer cannot hide the ones that had to wait behind it.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

SAMPLE = (Path(__file__).resolve().parent.parent / "samples" / "customers.CREATE.json").read_text()
XID, CUSTOMER = "9a48c3ad-35e9-4929-b714-6fe30f4afc93", "c4a868ea-735e-461f-868c-a5d2eaa212d0"


def request(path, n):
    body = SAMPLE.replace(XID, f"bench-{n}").replace(CUSTOMER, f"customer-{n}").replace("55223322", f"5{50000000 + n}")
    raw = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


async def talk(args, numbers, start, seen):
    reader, writer = await asyncio.open_connection("127.0.0.1", args.port)
    for n in numbers:
        due = start + (n - args.first) / args.rate if args.rate else time.perf_counter()
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(request(args.path, n))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(x[15:]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        seen.append((time.perf_counter() - due, int(head[9:12])))
    writer.close()


async def main(args):
    numbers = iter(range(args.first, args.first + args.count))
    seen = []
    start = time.perf_counter() + 0.05
    await asyncio.gather(*(talk(args, numbers, start, seen) for _ in range(args.connections)))
    took = time.perf_counter() - start
    waits = sorted(wait for wait, _ in seen)
    print(json.dumps({
        "rate": len(seen) / took,
        "p50_ms": 1000 * waits[len(waits) // 2],
        "p99_ms": 1000 * waits[int(len(waits) * 0.99)],
        "answers": {str(code): sum(c == code for _, c in seen) for code in {c for _, c in seen}},
    }))  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0)
    asyncio.run(main(parser.parse_args()))

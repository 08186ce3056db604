"""The floors: a bare Flask route on the door's own waitress, and a bare requests.Session loop."""

import argparse
import itertools
import json
import threading
import time

import requests


def route(port):
    from flask import Flask

    from connector.web.serving import serve

    app = Flask("bare")
    app.add_url_rule("/x", view_func=lambda: ("", 202), methods=["POST"])
    serve(app, "127.0.0.1", port, threads=16)


def loop(port, threads, count):
    numbers = itertools.count()

    def push():
        session = requests.Session()
        session.trust_env = False
        while (n := next(numbers)) < count:
            record = {"external_id": f"bare-{n}", "name": "User 1", "phone": f"+9665{n:08}", "country": "SA"}
            answer = session.put(f"http://127.0.0.1:{port}/contacts/bare-{n}", json={"contact": record}, timeout=10)
            answer.json()

    workers = [threading.Thread(target=push) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({"rate": count / (time.perf_counter() - start)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["route", "loop"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--count", type=int, default=1000)
    args = parser.parse_args()
    route(args.port) if args.what == "route" else loop(args.port, args.threads, args.count)

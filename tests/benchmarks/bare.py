"""The floors: a bare Flask route on the door's own waitress, the same route with the push in it, and a bare loop of
prepared requests.
"""

import argparse
import itertools
import json
import os
import threading
import time

import requests

from tests.benchmarks.customers import record

NICE = 5  # as the worker has it


def route(port):
    from flask import Flask

    from connector.web.serving import serve

    app = Flask("bare")
    app.add_url_rule("/x", view_func=lambda: ("", 202), methods=["POST"])
    serve(app, "127.0.0.1", port, threads=16)


def naive(port, crm):
    "Push in the request itself, as a script of ten lines would."
    from flask import Flask, request

    from connector.web.serving import serve

    app, session = Flask("naive"), requests.Session()
    session.trust_env = False

    def push():
        data = request.get_json()["data"]
        user = data["user"]
        contact = {"external_id": data["id"], "name": user["name"], "phone": user["phone"], "email": user["email"]}
        session.put(f"http://127.0.0.1:{crm}/contacts/{data['id']}", json={"contact": contact}, timeout=10).json()
        return "", 202

    app.add_url_rule("/x", view_func=push, methods=["POST"])
    serve(app, "127.0.0.1", port, threads=16)


def loop(crm, threads, count):
    "Push `count` contacts by prepared requests; print the CPU it took."
    os.nice(NICE)
    numbers, together = itertools.count(), threading.Barrier(threads + 1)

    def push():
        session = requests.Session()
        session.trust_env = False
        prepared = session.prepare_request(requests.Request("PUT", f"http://127.0.0.1:{crm}/contacts/", json={}))
        together.wait()
        while (n := next(numbers)) < count:
            call = prepared.copy()
            call.url = f"http://127.0.0.1:{crm}/contacts/bare-{n}"
            call.body = json.dumps({"contact": record(n, f"bare-{n}")}).encode()
            call.headers["Content-Length"] = str(len(call.body))
            session.send(call, timeout=10).json()

    workers = [threading.Thread(target=push) for _ in range(threads)]
    for worker in workers:
        worker.start()
    before = time.process_time()
    together.wait()
    for worker in workers:
        worker.join()
    print(json.dumps({"cpu": time.process_time() - before}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["route", "naive", "loop"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--crm", type=int, default=0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--count", type=int, default=1000)
    args = parser.parse_args()
    if args.what == "loop":
        loop(args.crm, args.threads, args.count)
    else:
        route(args.port) if args.what == "route" else naive(args.port, args.crm)

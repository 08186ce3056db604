"""A vendor with state, answered by `responses` or on true sockets; faults are scripted, request by request."""

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from connector.targets import records


@dataclass(frozen=True)
class Fault:
    """One scripted answer for the next request of a method, or of a purpose (find, create, update); "" for any.

    `then`: reset, hang, truncate or drip the answer. `commits`: the vendor does what was asked before it fails.
    """

    method: str = ""
    status: int = 0
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    then: str = ""
    commits: bool = False


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    payload: object


class Vendor:
    base = "/api"

    def __init__(self):
        self.contacts, self.requests, self.faults = {}, [], []
        self.ignores_filter = self.ignores_paging = self.empty_404 = False
        self.bad = []  # (field, value or None for any, sentence): what the vendor refuses, in its own way
        self.whole = False  # one bad contact spoils the batch
        self.lock = threading.Lock()

    def seed(self, **contact):
        number = len(self.contacts) + 1
        self.contacts[number] = {"id": number, **contact}
        return str(number)

    def purposes(self, request):
        "What a request is for: find, create, update; a native upsert is both of the last, a token request none."
        return {"GET": {"find"}, "POST": {"create"}}.get(request.method, {"update"})

    def said(self, what):
        "The requests of a method, or of a purpose."
        return [request for request in self.requests if what == request.method or what in self.purposes(request)]

    def said_in_words(self, contact, words):
        "A contact in the laboratory's words; here the vendor's fields are the record's."
        return contact | {word: records.look(contact, field) for word, field in words.items()}

    def wrong(self, fields):
        "What the vendor has against a contact: (field, sentence) of each."
        return [(f, said) for f, value, said in self.bad if fields.get(f) is not None and value in (None, fields[f])]

    def decode(self, body):
        return json.loads(body) if body else None

    def answer(self, method, url, headers, body):
        "Return (status, headers, body, then)."
        with self.lock:
            return self._answer(method, url, headers, body)

    def _answer(self, method, url, headers, body):
        parts = urlsplit(url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        payload = self.decode(body)
        request = Request(method, unquote(parts.path).removeprefix(self.base), query, dict(headers), payload)
        self.requests.append(request)
        meant = {"", method} | self.purposes(request)
        fault = next((f for f in self.faults if f.method in meant), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.commits:
                self.work(request)
            if fault.status:
                return fault.status, fault.headers, fault.body, fault.then
        status, data, *more = self.work(request)
        then = fault.then if fault else ""
        headers = {"Content-Type": "application/json"} | (more[0] if more else {})
        return status, headers, b"" if data is None else json.dumps(data).encode(), then

    def page(self, rows, query, size=100):
        if self.ignores_paging:
            return rows
        number, size = int(query.get("page", 1)), int(query.get("per_page", size))
        return rows[(number - 1) * size : number * size]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer goes out in two parts, and the second is not to wait for an ACK

    def _do(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        status, headers, text, then = self.server.vendor.answer(self.command, self.path, self.headers, body)
        self.close_connection = bool(then)
        if then == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
        elif then == "hang":
            self.server.ending.wait(5)
        elif then != "nothing":
            self._send(status, headers, text, then)

    do_GET = do_POST = do_PUT = do_PATCH = do_REPORT = _do  # noqa: N815 - as http.server calls them

    def _send(self, status, headers, text, then):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if then == "truncate":
            text = text[: len(text) // 2]
        for piece in [text] if then != "drip" else [text[i : i + 1] for i in range(len(text))]:
            self.wfile.write(piece)
            if then == "drip":
                time.sleep(0.05)

    def handle(self):
        with contextlib.suppress(ConnectionError):
            super().handle()

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        "A test that breaks connections needs no traceback of it."

    def shutdown_request(self, request):
        with contextlib.suppress(OSError):
            super().shutdown_request(request)


@contextlib.contextmanager
def served(vendor):
    "Serve a vendor on a true socket; yield its base URL."
    server = _Server(("127.0.0.1", 0), _Handler)
    server.vendor, server.ending = vendor, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{vendor.base}"
    finally:
        server.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""Wait on this machine for the one request that a vendor's page sends a browser back with."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.targets.oauth2_connect import Answer

    Reads = Callable[[str], Answer | None]

PATIENCE = 10.0  # seconds for a browser that opened a connection ahead and says nothing
_THANKS = "Thank you. You can close this window and go back to the terminal."
_NO = "The access was not allowed; the terminal says more. You can close this window."
_STRANGE = "This is not the answer that is waited for. Open the address that the terminal shows."


class Callback(ThreadingHTTPServer):
    """Listen on the loopback; `reads` tells an answer from anything else that comes in."""

    daemon_threads = True

    def __init__(self, port: int, path: str) -> None:
        super().__init__(("127.0.0.1", port), _Page)
        self.path = path
        self.reads: Reads | None = None
        self.came: queue.SimpleQueue[Answer | ConnectorError] = queue.SimpleQueue()

    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that broke."""

    def wait(self, seconds: float) -> "Answer":
        """Return the answer. Raises ConnectorError: nobody came, or the vendor or the person said no."""
        try:
            came = self.came.get(timeout=seconds)
        except queue.Empty:
            came = ConnectorError(f"nobody came back within {seconds:g} s; start it once more")
        if isinstance(came, ConnectorError):
            raise came
        return came


class _Page(BaseHTTPRequestHandler):
    timeout = PATIENCE
    server: Callback

    def do_GET(self) -> None:
        known = urlsplit(self.path).path == self.server.path and self.server.reads is not None
        try:
            answer = self.server.reads(self.path) if known and self.server.reads else None
        except ConnectorError as no:
            self._say(200, _NO)
            self.server.came.put(no)
            return
        self._say(200 if answer else 400, _THANKS if answer else _STRANGE)
        if answer:
            self.server.came.put(answer)

    def _say(self, status: int, text: str) -> None:
        with suppress(OSError):  # a browser that is gone has said all that it had to say
            self._send(status, text)

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing: the address holds the code."""


@contextmanager
def listening(port: int, path: str) -> Iterator[Callback]:
    """Listen on 127.0.0.1. Raises ConnectorError when the port is taken."""
    try:
        server = Callback(port, path)
    except OSError as problem:
        why = problem.strerror
    else:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
        return
    raise ConnectorError(
        f"cannot listen on 127.0.0.1:{port}: {why}; choose another --port (and register its redirect URI), or --paste"
    )

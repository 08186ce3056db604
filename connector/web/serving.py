"""Run the application on waitress until a signal, then answer what is in flight and leave."""

import logging
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

DRAIN = 10.0  # seconds that requests in flight may take after SIGTERM
_TOKEN = re.compile(r"(/webhooks/[^/\s]+/)[^/\s]+")


def serve(
    app: Flask,
    host: str,
    port: int,
    *,
    threads: int = 16,
    trusted_proxy: str | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; must be called in the main thread.

    Port 0 takes a free one; `ready` is told the real port once connections are taken. Then no new connection is taken,
    requests in flight are answered (up to 10 s), and it returns. Raises OSError when the address cannot be had.
    """
    _quiet()
    sockets: dict[int, Any] = {}
    listener = _listen(host, port)
    server: Any = create_server(app, map=sockets, sockets=[listener], **_settings(threads, trusted_proxy))
    server.channel_class = _Channel
    with _signals(server.pull_trigger) as stopping:
        if ready is not None:
            ready(listener.getsockname()[1])
        while not stopping:
            wasyncore.loop(timeout=1, use_poll=True, map=sockets, count=1)
        _drain(server, sockets, time.monotonic() + DRAIN)


class _Task(WSGITask):
    """Send an answer's head and body in one piece, from the thread that made it."""

    def finish(self) -> None:
        super().finish()
        channel: Any = self.channel
        with channel.outbuf_lock:
            channel._flush_exception(channel._flush_some, do_close=False)


class _Channel(HTTPChannel):
    """Be a connection for which the loop does not turn while its own thread is about to send the answer."""

    task_class = _Task

    def writable(self) -> bool:
        # As handle_write has it: while a request runs, the loop sends only what is large.
        waits = self.total_outbufs_len >= self.adj.send_bytes if self.requests else self.total_outbufs_len
        return bool(waits or self.will_close or self.close_when_flushed)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _settings(threads: int, trusted_proxy: str | None) -> dict[str, Any]:
    proxy = {
        "trusted_proxy": trusted_proxy,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
    }
    return {
        "threads": threads,
        "channel_timeout": 30,
        "cleanup_interval": 10,
        "connection_limit": 500,  # well below the usual 1,024 descriptors of a process
        "send_bytes": 64 * 1024,  # a smaller answer is sent when it is whole
        "max_request_body_size": 16 * 1024 * 1024,  # the app says 413 over 1 MiB; this guards the disk
        "clear_untrusted_proxy_headers": True,
        "asyncore_use_poll": True,
        "log_socket_errors": False,
        "ident": None,
    } | (proxy if trusted_proxy else {})


@contextmanager
def _signals(wake: Callable[[], None]) -> Iterator[list[int]]:
    got: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if not got:
            wake()  # the loop may be asleep in poll()
        got.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _drain(server: Any, sockets: dict[int, Any], until: float) -> None:
    _accept_all(server)
    wasyncore.dispatcher.close(server)  # the listening socket only: server.close() would take the trigger along
    first = True  # once more through the loop, for what had arrived but was not read yet
    while first or (any(map(_busy, server.active_channels.values())) and time.monotonic() < until):
        wasyncore.loop(timeout=0.1, use_poll=True, map=sockets, count=1)
        first = False
    server.task_dispatcher.shutdown(timeout=max(0.0, until - time.monotonic()))
    wasyncore.close_all(sockets)


def _accept_all(server: Any) -> None:
    # Who is still in the kernel's queue has connected: closing the listener would reset them.
    known = -1
    while known < len(server.active_channels):
        known = len(server.active_channels)
        server.handle_accept()


def _busy(channel: Any) -> bool:
    # A request being read, waiting for a thread or running, or an answer not yet on the wire.
    return bool(channel.request is not None or channel.requests or channel.total_outbufs_len)


def _quiet() -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.getLogger("waitress").addFilter(_without_token)


def _without_token(record: logging.LogRecord) -> bool:
    record.msg, record.args = _TOKEN.sub(r"\1***", record.getMessage()), None
    return True

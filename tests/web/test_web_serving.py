"""The real server on real sockets: what waitress, not Flask, answers for, and how it leaves."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = r"""
import os, sys, time
from flask import Flask, request
from connector.web import serving

serving.DRAIN = float(sys.argv[2])
app = Flask("slow")

@app.get("/slow")
def slow():
    os.write(1, b"working\n")  # whole lines, from two threads
    time.sleep(float(request.args["for"]))
    return "done"

@app.post("/echo")
def echo():
    return {"body": request.get_data(as_text=True), "from": request.remote_addr, "scheme": request.scheme}

def broken(environ, start_response):
    if environ["PATH_INFO"].startswith("/webhooks"):
        raise ZeroDivisionError
    return app(environ, start_response)

serving.serve(broken, sys.argv[1], 0, threads=2, trusted_proxy=sys.argv[3] or None,
              ready=lambda port: print(port, flush=True))
print("left in order", flush=True)
"""


class Server:
    def __init__(self, host: str = "127.0.0.1", drain: float = 10, trusted_proxy: str = "") -> None:
        command = [sys.executable, "-c", SCRIPT, host, str(drain), trusted_proxy]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.host, self.port = host, int(self.line())
        self.connections: list[http.client.HTTPConnection] = []

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def connect(self, timeout: float = 10) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        self.connections.append(connection)
        connection.connect()
        return connection

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out.strip(), err


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(**settings: Any) -> Server:
        started.append(Server(**settings))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.communicate()
        for connection in server.connections:
            connection.close()


def refused(server: Server) -> bool:
    try:
        server.connect(1).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # this very probe came while the listener was being closed
        return False
    return False


def until(holds: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_answered_and_a_late_connection_refused(
    serve: Callable[..., Server], number: int
) -> None:
    server = serve()
    busy = server.connect()
    busy.request("GET", "/slow?for=1")
    assert server.line() == "working"
    server.process.send_signal(number)
    assert until(lambda: refused(server))
    assert server.process.poll() is None
    assert busy.getresponse().read() == b"done"
    assert server.process.wait(10) == 0
    assert server.process.communicate()[0].strip() == "left in order"


def test_who_had_connected_before_the_signal_is_answered(serve: Callable[..., Server]) -> None:
    server = serve()
    server.process.send_signal(signal.SIGSTOP)
    early = [server.connect() for _ in range(5)]
    for connection in early:
        connection.request("POST", "/echo", "x")
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGCONT)
    assert [connection.getresponse().status for connection in early] == [200] * 5
    assert server.process.wait(10) == 0


def test_a_body_that_is_still_arriving_is_waited_for(serve: Callable[..., Server]) -> None:
    server = serve()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
        slow.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert until(lambda: refused(server))
        slow.sendall(b"cd")
        with slow.makefile("rb") as answer:
            assert b'"abcd"' in answer.read()
    assert server.process.wait(10) == 0


def test_an_idle_connection_does_not_hold_it_up(serve: Callable[..., Server]) -> None:
    server = serve()
    idle = server.connect()
    idle.request("POST", "/echo", "x")
    idle.getresponse().read()
    began = time.monotonic()
    assert server.stop()[:2] == (0, "left in order")
    assert time.monotonic() - began < 3


def test_what_takes_too_long_is_left_behind_also_when_asked_twice(serve: Callable[..., Server]) -> None:
    server = serve(drain=0.5)
    busy = server.connect()
    busy.request("GET", "/slow?for=15")
    assert server.line() == "working"
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert until(lambda: refused(server))
    assert server.stop()[:2] == (0, "left in order")
    assert time.monotonic() - began < 5


def test_more_at_once_than_threads_all_are_answered(serve: Callable[..., Server]) -> None:
    server = serve()
    waiting = [server.connect() for _ in range(6)]
    for connection in waiting:
        connection.request("GET", "/slow?for=0.2")
    assert server.line() == "working"
    time.sleep(0.1)
    server.process.send_signal(signal.SIGTERM)
    assert [connection.getresponse().read() for connection in waiting] == [b"done"] * 6
    out, err = server.process.communicate(timeout=10)
    assert "left in order" in out
    assert "queue depth" not in err


def test_a_chunked_body_is_read_and_the_server_is_not_named(serve: Callable[..., Server]) -> None:
    connection = serve().connect()
    connection.request(
        "POST", "/echo", iter([b"ab", b"cd"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    answer = connection.getresponse()
    assert b'"body":"abcd"' in answer.read()
    assert answer.headers["Server"] is None


FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


def test_a_trusted_proxy_is_believed(serve: Callable[..., Server]) -> None:
    connection = serve(trusted_proxy="127.0.0.1").connect()
    connection.request("POST", "/echo", headers=FORWARDED)
    answer = connection.getresponse().read()
    assert b'"from":"203.0.113.9","scheme":"https"' in answer


def test_anybody_else_is_not(serve: Callable[..., Server]) -> None:
    connection = serve().connect()
    connection.request("POST", "/echo", headers=FORWARDED)
    assert b'"from":"127.0.0.1","scheme":"http"' in connection.getresponse().read()


def test_the_servers_own_log_hides_the_token(serve: Callable[..., Server]) -> None:
    server = serve()
    connection = server.connect()
    connection.request("POST", "/webhooks/flavours/path-token-0123456789/errors")
    assert connection.getresponse().status == 500
    _, _, err = server.stop()
    assert "Exception while serving /webhooks/flavours/***" in err
    assert "path-token" not in err


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_is_served(serve: Callable[..., Server]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    assert not refused(serve(host="::1"))


def test_an_address_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        script = f"from connector.web.serving import serve\nserve(None, '127.0.0.1', {port})"
        ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"('127.0.0.1', {port})" in ended.stderr


def test_nobody_needs_to_be_told_that_it_is_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    script = f"from flask import Flask\nfrom connector.web.serving import serve\nserve(Flask('x'), '127.0.0.1', {port})"

    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 404
        except ConnectionRefusedError:
            return False
        finally:
            connection.close()

    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) as process:
        assert until(answers, 20)
        process.terminate()
        assert process.wait(20) == 0

"""Stand between a program and a server: hand bytes on, until it is told to cut the line at the worst moment."""

import contextlib
import random
import socket
import threading


class Relay:
    """Listen at (host, port) and hand on to `server`, an address.

    `cuts` (0 to 1): how often a COMMIT of PostgreSQL's protocol costs its connection. Half of those are cut before the
    server hears of it, half when it has committed and its answer is on the way.
    """

    def __init__(self, server, host="127.0.0.1", seed=1):
        self.server, self.cuts, self.cut = server, 0.0, {"unheard": 0, "unanswered": 0}
        self.random, self.lock, self.open = random.Random(seed), threading.Lock(), set()
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                try:
                    server = socket.create_connection(self.server, timeout=5)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                pair = _Pair(self, client, server)
                self.open.add(pair)
                threading.Thread(target=pair.asks, daemon=True).start()
                threading.Thread(target=pair.answers, daemon=True).start()

    def fate(self):
        with self.lock:
            if self.random.random() >= self.cuts:
                return None
            fate = self.random.choice(list(self.cut))
            self.cut[fate] += 1
            return fate

    def close(self):
        self.listener.close()
        for pair in list(self.open):
            pair.end()


class _Pair:
    def __init__(self, relay, client, server):
        self.relay, self.client, self.server, self.silent = relay, client, server, False

    def asks(self):
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                fate = self.relay.fate() if b"COMMIT\0" in data else None
                if fate == "unheard":
                    break
                self.silent = fate == "unanswered"
                self.server.sendall(data)
        self.end()

    def answers(self):
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                if self.silent:
                    break
                self.client.sendall(data)
        self.end()

    def end(self):
        self.relay.open.discard(self)
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

"""A private PostgreSQL for the tests: one cluster for each process that tests, a fresh database for each test."""

import atexit
import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from connector.store.migrate import upgrade
from tests.installation import free_port

_numbers = itertools.count()


def programs():
    "Where initdb and postgres are, or None."
    found = shutil.which("initdb")
    if found and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    return next((folder for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def account():
    "PostgreSQL refuses to run as root: as whom it runs then, as arguments for subprocess."
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            who = pwd.getpwnam(name)
            return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")


class Cluster:
    """A PostgreSQL with its files in a folder of its own; it may be stopped and started under its users.

    `data`: its data in another folder; `initdb`: what else is said to initdb; `settings`: the server's.
    """

    def __init__(self, *, fsync=False, data=None, initdb=(), **settings):
        self.bin = programs()
        if self.bin is None:
            pytest.skip("the programs of the PostgreSQL server are not installed: apt-get install postgresql")
        pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[dev]'")
        self.folder, self.port, self._as = tempfile.mkdtemp(prefix="pg"), free_port(), account()
        self.data = str(data or f"{self.folder}/data")
        self._fsync, self._settings = "on" if fsync else "off", settings
        self.process = None
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        words = ["-D", self.data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", *initdb]
        self._run("initdb", *words)
        atexit.register(self.remove)
        self.start()

    def _run(self, program, *arguments):
        subprocess.run(
            [f"{self.bin}/{program}", *arguments], check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **self._as
        )

    def start(self):
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "fsync": self._fsync, "full_page_writes": self._fsync, "max_connections": 100, "autovacuum": "off",
            "shared_buffers": "32MB", "deadlock_timeout": "100ms",
        } | self._settings  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with Path(self.folder, "..", Path(self.folder).name + ".log").open("ab") as log:
            self.process = subprocess.Popen(
                [f"{self.bin}/postgres", "-D", self.data, *options],
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self._as,
            )  # fmt: skip
            self.log = Path(log.name)
        until = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def _answers(self):
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.dsn("postgres")).close()
            return True
        return False

    def stop(self, number=signal.SIGINT):
        "Stop the server: SIGINT ends its clients' connections, SIGQUIT is a crash."
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def dsn(self, database):
        return f"host={self.folder} port={self.port} user=test dbname={database}"

    def url(self, database, *, tcp=False):
        if tcp:
            return f"postgresql+psycopg://test@127.0.0.1:{self.port}/{database}"
        return f"postgresql+psycopg://test@/{database}?host={self.folder}&port={self.port}"

    def sql(self, text, database="postgres"):
        import psycopg

        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else []

    def database(self, template="migrated"):
        "The name of a fresh database; `template0` gives an empty one."
        name = f"d{next(_numbers)}"
        if template == "migrated":
            self._migrated()
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    @functools.cache  # noqa: B019 - a cluster lives as long as its process
    def _migrated(self):
        self.sql("CREATE DATABASE migrated TEMPLATE template0")
        upgrade(self.url("migrated"))

    def drop(self, name):
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")


@functools.cache
def cluster():
    "This process's cluster, started on first use and stopped at its end."
    return Cluster()


@contextlib.contextmanager
def database(template="migrated", *, tcp=False):
    "The address of a fresh database; it is dropped afterwards."
    here = cluster()
    name = here.database(template)
    try:
        yield here.url(name, tcp=tcp)
    finally:
        here.drop(name)

"""A real Odoo 19: Debian's package from sid, its Python packages from pip, and a PostgreSQL of its own."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.installation import free_port
from tests.real.systems import Missing, answers, home, place, run, running, venv

HERE = Path(__file__).parent
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
DATABASE, MODULES = "crm", "contacts,base_vat"
# What no test needs: translations, the accounting of other countries, shops and websites.
LEFT_OUT = ("*/i18n/*.po", "*/addons/l10n_*", "*/addons/website*", "*/addons/pos_*")
NEW_KEY = """\
from datetime import datetime, timedelta
user = env.ref('base.user_admin')
keys = env['res.users.apikeys'].with_user(user).sudo()
print('KEY', keys._generate('rpc', 'tests of the connector', datetime.now() + timedelta(days=80)))
env.cr.commit()
"""
CONFIG = """\
[options]
db_host = 127.0.0.1
db_port = {postgres}
db_user = odoo
db_password = odoo
db_name = {database}
dbfilter = ^{database}$
list_db = False
data_dir = {folder}/data
http_interface = 127.0.0.1
http_port = {port}
workers = 0
max_cron_threads = 0
"""


class Postgres:
    "A PostgreSQL with its files in a folder, owned by the user `postgres` where we are root, who may not run it."

    def __init__(self, folder):
        self.files, self.port = folder / "pg", free_port()
        self.bin = binaries()
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}

    def own(self):
        self.files.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            run(
                "the files of PostgreSQL cannot be given to its user",
                "chown",
                "-R",
                "postgres:postgres",
                str(self.files),
            )

    def make(self):
        self.own()
        initdb = [
            f"{self.bin}/initdb",
            "-D",
            str(self.files),
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        run("initdb", *initdb, cwd="/", **self.user)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.files} -c fsync=off -c full_page_writes=off"
        # pg_ctl's server keeps its standard output: with a pipe there we would wait for it for ever.
        command = [
            f"{self.bin}/pg_ctl",
            "-D",
            str(self.files),
            "-w",
            "-l",
            str(self.files / "log"),
            "-o",
            options,
            "start",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self.user)

    def stop(self):
        command = [f"{self.bin}/pg_ctl", "-D", str(self.files), "-m", "fast", "-w", "stop"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self.user)

    def sql(self, text):
        command = [
            f"{self.bin}/psql",
            "-qAt",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            "postgres",
            "postgres",
            "-c",
            text,
        ]
        return run("psql", *command, cwd="/", **self.user)


@dataclass
class Odoo:
    "A running Odoo; `postgres` may be stopped and started under it."

    url: str
    key: str = field(repr=False)
    postgres: Postgres
    database: str = DATABASE
    login: str = "admin"

    def call(self, model, method, **arguments):
        "What a method of a model returns, over JSON-2."
        headers = {"Authorization": f"bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/json/2/{model}/{method}", json.dumps(arguments).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def partners(self, *fields, domain=()):
        context = {"active_test": False}
        return self.call("res.partner", "search_read", domain=list(domain), fields=list(fields), context=context)

    def clear(self):
        "Take away what a test made."
        ours = self.partners("id", domain=[["ref", "!=", False]])
        self.call("res.partner", "unlink", ids=[row["id"] for row in ours])


@contextlib.contextmanager
def odoo():
    "Install what is not there yet, and run it on a fresh copy of its database."
    folder = home("odoo")
    source(folder)
    python = venv(folder, "-r", str(HERE / "requirements.txt"))
    if not (folder / "database.tar.gz").exists():
        build(folder, python)
    with place("odoo") as own, started(own, folder, python) as found:
        yield found


@contextlib.contextmanager
def started(own, folder, python):
    run("the database cannot be unpacked", "tar", "-xzf", str(folder / "database.tar.gz"), "-C", str(own))
    postgres, port = Postgres(own), free_port()
    postgres.own()
    postgres.start()
    try:
        config, log = written(own, postgres, port), own / "odoo.log"
        command = [python, "-m", "odoo", "server", "-c", str(config)]
        with running(command, log, env=environment(folder), cwd=own) as process:
            url = f"http://127.0.0.1:{port}"
            answers(f"{url}/web/health", process, log)
            yield Odoo(url, (folder / "api_key").read_text().strip(), postgres)
    finally:
        postgres.stop()


def environment(folder):
    return os.environ | {"PYTHONPATH": str(folder / "src"), "PYTHONWARNINGS": "ignore"}


def written(own, postgres, port):
    config = own / "odoo.conf"
    config.write_text(CONFIG.format(postgres=postgres.port, database=DATABASE, folder=own, port=port))
    return config


def build(folder, python):
    "Make the database with its modules and an API key, once, and keep it packed."
    with place("odoo-new") as own:
        postgres = Postgres(own)
        postgres.make()
        postgres.start()
        try:
            postgres.sql("create role odoo login createdb password 'odoo'")
            config = str(written(own, postgres, free_port()))
            more = {"env": environment(folder), "cwd": own}
            odoo = [python, "-m", "odoo"]
            install = [
                "server",
                "-c",
                config,
                "-i",
                MODULES,
                "--without-demo",
                "--stop-after-init",
                "--log-level=error",
            ]
            run("Odoo cannot install its modules", *odoo, *install, **more)
            shell = [*odoo, "shell", "-c", config, "--no-http", "--log-level=error"]
            said = run("Odoo's shell gives no API key", *shell, input=NEW_KEY, **more)
            (folder / "api_key").write_text(re.search(r"^KEY (\w+)$", said, re.MULTILINE)[1])
            (folder / "api_key").chmod(0o600)
        finally:
            postgres.stop()
        packed = folder / "database.tar.gz.new"
        run("the database cannot be packed", "tar", "-czf", str(packed), "-C", str(own), "pg")
        packed.rename(folder / "database.tar.gz")


def source(folder):
    "Fetch and unpack the package, once, without touching the system's own packages."
    if (folder / "src" / "odoo").is_dir():
        return
    package = next(folder.glob("odoo-19_*_all.deb"), None) or fetched(folder)
    new = folder / "src.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    exclude = [word for pattern in LEFT_OUT for word in ("--exclude", pattern)]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacked:
        tar = ["tar", "-x", "-C", str(new), "--strip-components=5", *exclude, "./usr/lib/python3/dist-packages/odoo"]
        run("Odoo's package cannot be unpacked", *tar, stdin=unpacked.stdout)
    new.rename(folder / "src")


def fetched(folder):
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} sid main\n")
    settings = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    (apt / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    more = {"env": os.environ | {"APT_CONFIG": str(apt / "apt.conf")}, "cwd": folder}
    run("apt cannot read Debian's list of packages", "apt-get", "-qq", "update", **more)
    run("apt cannot bring odoo-19 from Debian sid", "apt-get", "-qq", "download", "odoo-19", **more)
    return next(folder.glob("odoo-19_*_all.deb"))


def mirror():
    "Debian's mirror as this machine uses it."
    if not KEYRING.exists():
        raise Missing("this is no Debian: Odoo's package comes from there")
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "\n".join(
        file.read_text(errors="replace") for file in lists if file.suffix in {".list", ".sources"} and file.is_file()
    )
    found = re.search(r"^(?:deb .*?|URIs:\s*)(https?://\S+/debian/?)(?=\s|$)", text, re.MULTILINE)
    if found is None:
        raise Missing("apt knows no mirror of Debian on this machine: Odoo's package comes from there")
    return found[1]


def binaries():
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not there:
        raise Missing("PostgreSQL is not installed: apt-get install postgresql")
    return there[-1].parent

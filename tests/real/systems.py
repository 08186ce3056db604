"""Real systems for tests: each installed once into a cache folder, started anew on loopback for each run of the tests.

The cache is ${XDG_CACHE_HOME:-~/.cache}/flavours-connector/NAME, or what NAME_HOME says. Packages come by the machine's own
apt and pip. What runs is a copy in a folder of its own under the system's temporary one, removed at the end.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path


class Missing(Exception):
    "What a system needs and this machine cannot bring, in one sentence."


def home(name):
    "The folder where a system is installed."
    told = os.environ.get(f"{name.upper()}_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(told) if told else cache / "flavours-connector" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def run(what, *command, **more):
    "Run a command to its end; raise Missing with the end of what it said."
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    except OSError as problem:
        raise Missing(f"{what}: {problem}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Missing(f"{what}: {' '.join(said) or f'ended with {done.returncode}'}")
    return done.stdout


def venv(folder, *requirements):
    "Make a virtual environment with these requirements, once; return its Python."
    python = folder / "venv" / "bin" / "python"
    mark = folder / "venv" / f"has-{hashlib.sha256(repr(requirements).encode()).hexdigest()[:12]}"
    if not mark.exists():
        if not python.exists():
            run("a virtual environment cannot be made", sys.executable, "-m", "venv", str(folder / "venv"))
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        run("pip cannot bring its packages", *pip, *requirements)
        mark.touch()
    return str(python)


@contextlib.contextmanager
def place(name):
    "A folder for one run, that other users of this machine may enter."
    folder = Path(tempfile.mkdtemp(prefix=f"flavours-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(command, log, **more):
    "A server for as long as it is needed; it ends with its whole group."
    with Path(log).open("ab") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, **more
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url, process, log, seconds=90):
    "Wait until the server answers at all."
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{url} does not answer:\n{Path(log).read_text(errors='replace')[-3000:]}")

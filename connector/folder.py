"""The mappings folder, as admins edit it: which mappings are there, their text, and how one is put back."""

import os
import shutil
import tempfile
from contextlib import suppress
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import IO

from connector.errors import MappingError, Problem

LARGEST = 256 * 1024  # bytes; a mapping is far smaller, and a film that was saved here by mistake is not read
SUFFIX = ".yaml"


def names(folder: Path) -> list[str]:
    """Return the names of the mappings in the folder, sorted."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}") if path.is_file())


def path(folder: Path, name: str) -> Path:
    """Return where the mapping of this name is kept."""
    return folder / f"{name}{SUFFIX}"


def text(file: Path) -> str:
    """Return the text of a mapping. Raises MappingError: not there, too large, or not UTF-8."""
    try:
        with file.open("rb") as opened:
            body = opened.read(LARGEST + 1)
    except OSError as problem:
        raise MappingError([Problem(str(file), 1, 1, f"cannot be read: {problem.strerror}")]) from problem
    if len(body) > LARGEST:
        raise MappingError([Problem(str(file), 1, 1, f"is larger than {LARGEST // 1024} kB; a mapping is far smaller")])
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = body.count(b"\n", 0, problem.start) + 1
        raise MappingError([Problem(str(file), line, 1, "is not UTF-8 text; save it as UTF-8")]) from problem


def stamp(file: Path) -> tuple[int, int] | None:
    """Return what changes when the file does (its time in nanoseconds, its size in bytes); None when it is not there."""
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


def keep_beside(file: Path) -> Path:
    """Copy a mapping's file beside it, as NAME.yaml.replaced (or .replaced2 …), and return the copy. Raises OSError."""
    numbered = (file.with_name(f"{file.name}.replaced{number if number > 1 else ''}") for number in count(1))
    copy = next(path for path in numbered if not path.exists())
    with file.open("rb") as body:
        _put(copy, body, like=file)
    return copy


def replace(file: Path, text: str) -> None:
    """Write another text into a mapping's file; a reader sees the old or the new one, whole. Raises OSError."""
    real = file.resolve()  # a link stays a link
    _put(real, BytesIO(text.encode()), like=real)


def _put(file: Path, body: IO[bytes], like: Path) -> None:
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(number, "wb") as opened:
            shutil.copyfileobj(body, opened)
            opened.flush()
            os.fsync(opened.fileno())
        shutil.copymode(like, name)
        with suppress(PermissionError):
            os.chown(name, like.stat().st_uid, like.stat().st_gid)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

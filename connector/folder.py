"""The mappings folder, as admins edit it: which mappings are there, and their text."""

from pathlib import Path

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

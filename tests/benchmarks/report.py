"""The figures as a table for people, and with the machine they are from as JSON."""

import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

PACKAGES = ("flask", "waitress", "requests", "urllib3", "sqlalchemy", "psycopg", "marshmallow")
HEAD = ("line", "figure", "ours", "floor", "ratio", "spread", "goal", "", "beside")


def row(figure):
    "The cells of one line."
    ratios = figure.ratios
    return (
        str(figure.line),
        f"{figure.name}, {figure.unit}",
        _short(statistics.median(figure.ours)),
        _short(statistics.median(figure.floor)) if figure.floor else "",
        f"{figure.ratio:.2f}" if ratios else "",
        _spread(ratios or figure.ours),
        str(figure.goal or ""),
        {None: "", True: "reached", False: "MISSED"}[figure.reached],
        figure.against,
    )


def _short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _spread(values):
    return f"{_short(min(values))} to {_short(max(values))}" if len(values) > 1 else ""


def table(figures):
    rows = [HEAD, *map(row, sorted(figures, key=lambda figure: figure.line))]
    widths = [max(len(cells[n]) for cells in rows) for n in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows)  # fmt: skip


def machine():
    "Where and from what the figures are."
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _cpu():
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit():
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def collect(benchmark, bench, figures):
    "Run one benchmark and add its figures; return the sentence that says why it was skipped, if it was."
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    try:
        for figure in benchmark(bench):
            figures.append(figure)
            say("  ".join(cell for cell in row(figure) if cell))
    except pytest.skip.Exception as skipped:
        say(f"skipped: {skipped.msg}")
        return skipped.msg
    return None

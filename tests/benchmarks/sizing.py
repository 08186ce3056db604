"""Say in README what one small machine does, from the figures of a real run.

python -m tests.benchmarks --json tests/benchmarks/results.json      # on a quiet machine, some twenty minutes
python -m tests.benchmarks.sizing                                    # README's tables from it
"""

import json
import math
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE.parent.parent / "README.md"
BEGIN, END = "<!-- sizing -->\n", "<!-- /sizing -->"

# How a figure is called in README; its own name where it tells a count.
ROWS = {
    "acks": "webhooks stored and thanked for, SQLite",
    "acks_postgres": "the same, PostgreSQL on the same machine",
    "ack_wait": "the slowest 1 % of thanks, at 200 webhooks/s while the worker empties a full store",
    "push_p99": "from a webhook to its push when nothing else is to be done, slowest 1 %",
    "drain": "contacts one by one, a target that answers at once",
    "drain_slow": "the same, a target that takes 50 ms; 16 push threads",
    "workers": "4 workers of 4 push threads on PostgreSQL, the same target",
    "batches": "contacts in batches of 100",
    "cpu": "CPU from webhook to contact, one by one",
    "batches_cpu": "CPU of the worker in batches of 100",
    "memory": "",
    "growth": "",
    "start": "",
    "claim_sqlite_waiting": "",
    "claim_postgresql_waiting": "",
    "nodered": "webhook to contact, one by one",
    "nodered_batches": "what is stored to contacts in batches of 100",
}
UNITS = {"1/s": "/s", "contacts/s": "/s", "s per 1,000": " s for 1,000"}
THREADS, SHARE = 16, 0.6  # push threads of a worker; of what was measured, plan with so much


def read(file=RESULTS):
    return json.loads(file.read_text(encoding="utf-8"))


def tables(results):
    "Return the part of README that the results make."
    figures = {figure["key"]: figure for figure in results["figures"]}
    return "\n".join([_head(results), "", *_measured(figures), "", *_targets(figures), "", *_loads(figures), ""])


def _head(results):
    machine = results["machine"]
    how = "a quick run" if results["quick"] else "a full run"
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"Measured by {how} on {machine['date'][:10]} (commit {machine['commit']}): {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}, {packages}. Sender, target and PostgreSQL "
        f"ran on the same cores; so did other work, of which the load was {machine['load_before']:.1f} before it began."
    )


def _measured(figures):
    yield from _rows("what", "measured", "beside it, in the same run", "ratio")
    for key, name in ROWS.items():
        if key in figures:
            yield _row(name or figures[key]["name"], *_beside(figures[key]))


def _beside(figure):
    unit = UNITS.get(figure["unit"], f" {figure['unit']}")
    if figure["floor"] is None:
        return f"{_short(figure['ours'])}{unit}", "", ""
    return f"{_short(figure['ours'])}{unit}", f"{_short(figure['floor'])}{unit}: {figure['against']}", f"{figure['ratio']:.2f}"  # fmt: skip


def _targets(figures):
    "How many workers for which target."
    rates = (10, 100, 1000)
    yield from _rows("the target takes", "one worker pushes", *(f"workers for {rate:,}/s" for rate in rates))
    for name, latency in (("10 ms", 0.01), ("50 ms", 0.05), ("200 ms", 0.2), ("1 s", 1.0)):
        one = pushes(figures, latency)
        yield _row(name, f"{_short(one)}/s", *(str(needed(rate, one)) for rate in rates))
    batch = figures["batches"]["ours"]
    yield _row("batches of 100, at once", f"{_short(batch)}/s", *(str(needed(rate, batch)) for rate in rates))


def pushes(figures, latency):
    "Contacts that a worker of 16 threads pushes in a second: what its threads can wait for, up to what its CPU can do."
    efficiency = figures["drain_slow"]["ours"] * 0.05 / THREADS
    return min(THREADS / latency * efficiency, figures["drain"]["ours"])


def needed(rate, one):
    "How many of these for a rate, when each is used to a share of what it can do."
    return math.ceil(rate / (SHARE * one))


def _loads(figures):
    "What a rate of events takes in all."
    yield from _rows("customers", "events/s", "doors", "cores, one by one", "cores, in batches")
    acks, single, batch = (
        figures["acks_postgres"]["ours"],
        figures["cpu"]["ours"] / 1000,
        figures["cpu_batches"]["ours"] / 1000,
    )
    for name, rate in (
        ("100,000 a day, a tenth of them in the busiest hour", 100_000 / 10 / 3600),
        ("10,000 merchants, 50 a day each, the same", 50_000 / 3600),
        ("", 100),
        ("", 1000),
    ):
        yield _row(
            name,
            _short(rate),
            str(needed(rate, acks)),
            *(str(math.ceil(rate * cost / SHARE)) for cost in (single, batch)),
        )


def _rows(*names):
    yield _row(*names)
    yield _row(*["---"] * len(names))


def _row(*cells):
    return f"| {' | '.join(cells)} |"


def _short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def with_tables(text, results):
    before, rest = text.split(BEGIN)
    return before + BEGIN + tables(results) + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8"), read()), encoding="utf-8")

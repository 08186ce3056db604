"""The command that proves the promises on this machine: the real server, killed again and again, then judged."""

import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.frame import FAILED, json_option, plain, show_json, table
from connector.errors import BadInput

if TYPE_CHECKING:
    from connector.drill.drilling import Seen
    from connector.drill.judging import Finding

SHOWN = 20
COLUMNS = ("what", "how_many", "of_which")


@click.command()
@click.option("--customers", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), help="Repeat a drill; it is printed.  [default: by chance]")
@click.option("--doors", type=click.IntRange(1, 8), default=1, show_default=True, help="How many doors.")
@click.option("--workers", type=click.IntRange(1, 8), default=1, show_default=True, help="How many workers.")
@click.option("--database", metavar="URL", help="An EMPTY database to drill on, instead of SQLite in the folder.")
@json_option
@click.pass_context
def drill(
    ctx: click.Context,
    customers: int,
    seed: int | None,
    doors: int,
    workers: int,
    database: str | None,
    as_json: bool,
) -> None:
    """See for yourself that no customer is lost and none is twice, before you go live.

    Starts the real server in a temporary folder, with a CRM that drops answers, answers errors and rubbish, and a
    sender that repeats, reorders and corrupts; kills doors, workers and the supervisor with -9 again and again; then
    compares customer by customer. Ends with 0 only if nothing differs. Your own store and targets are not touched.
    """
    from connector.drill.drilling import Drill, run
    from connector.drill.house import House
    from connector.drill.judging import judge

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: sys.exit(128 + got))  # so that all ends with the drill
    seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 - any will do
    folder = Path(tempfile.mkdtemp(prefix="flavours-connector-drill-"))
    house = House(folder, database) if database else House(folder)
    keep, store = True, ""
    try:
        house.open(seed, doors, workers)
        store = _empty(house.config())
        click.echo(f"seed {seed}: {customers} customers, {doors} doors, {workers} workers, in {folder}", err=True)
        with _Bar() as bar:
            seen = run(Drill(seed, customers), house, store, bar.show)
        findings = judge(seen.evidence)
        keep = bool(findings)
    except (KeyboardInterrupt, SystemExit, click.UsageError, BadInput):
        keep = False
        raise
    finally:
        house.close()
        if not keep and database and store:
            _unmake(store)
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    facts = _facts(seed, seen, findings)
    show_json(facts) if as_json else _tell(facts, findings, folder)
    ctx.exit(FAILED if findings else 0)


def _empty(path: Path) -> str:
    """Return the address of a store that was never made. Raises ConfigError, click.UsageError."""
    from connector import config
    from connector.store import Store

    database = config.load(path, os.environ).database
    store = Store(database)
    try:
        revision = store.engine.revision()
    finally:
        store.close()
    if revision is not None:
        raise click.UsageError("this database holds a store already; a drill needs an empty one")
    return database


def _unmake(database: str) -> None:
    from connector.store.migrate import unmake

    unmake(database)


class _Bar:
    """Show how far it is, one bar for each part, on standard error."""

    def __enter__(self) -> "_Bar":
        self._what, self._at = "", 0
        self._bar: Any = None
        return self

    def show(self, what: str, done: int, of: int) -> None:
        """Move on, or begin the next part."""
        if what != self._what:
            self._finish()
            self._what, self._at = what, 0
            self._bar = click.progressbar(length=max(of, 1), label=f"{what:10}", file=sys.stderr)
            self._bar.__enter__()
        self._bar.length = max(of, 1)
        self._bar.update(max(0, done - self._at))
        self._at = max(done, self._at)

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def __exit__(self, *_: object) -> None:
        self._finish()


def _facts(seed: int, seen: "Seen", findings: "Sequence[Finding]") -> dict[str, Any]:
    from connector.drill.judging import KINDS, versions

    evidence = seen.evidence
    found = Counter(finding.kind for finding in findings)
    fates = Counter(one.letter.fate for one in evidence.thanked)
    ends = Counter(delivery.state for delivery in evidence.deliveries)
    return {
        "seed": seed,
        "seconds": round(seen.seconds, 1),
        "letters": dict(fates),
        "answers": dict(seen.answers),
        "customers_accepted": len(versions(evidence.thanked)),
        "customers_at_crm": len({contact.get("external_id") for contact in evidence.contacts}),
        "events": dict(Counter(event.state for event in evidence.events)),
        "deliveries": dict(ends),
        "differences": {kind: found[kind] for kind in KINDS},
        "findings": [{"kind": f.kind, "customer": f.customer, "what": f.what} for f in findings[:SHOWN]],
        "kills": dict(seen.kills),
        "faults": dict(sorted(seen.faults.items())),
    }


def _tell(facts: Mapping[str, Any], findings: "Sequence[Finding]", folder: Path) -> None:
    table(list(_rows(facts)), COLUMNS)
    for finding in findings[:SHOWN]:
        click.echo(plain(f"{finding.kind}: {finding.customer} {finding.what}"), err=True)
    if len(findings) > SHOWN:
        click.echo(f"... and {len(findings) - SHOWN} more", err=True)
    if findings:
        click.echo(f"Something DIFFERS; all of it is in {folder}", err=True)
    else:
        click.echo(f"\nNothing differs. It took {facts['seconds']:.0f} s; repeat it with --seed {facts['seed']}.")


def _rows(facts: Mapping[str, Any]) -> "list[dict[str, Any]]":
    rows = [
        ("letters posted", facts["answers"], "answers: "),
        ("letters taken in", facts["letters"], ""),
        ("customers accepted", facts["customers_accepted"], ""),
        ("customers at the CRM", facts["customers_at_crm"], ""),
        *((kind, number, "") for kind, number in facts["differences"].items()),
        ("deliveries", facts["deliveries"], ""),
        ("killed with -9", facts["kills"], ""),
        ("faults of the CRM", facts["faults"], ""),
    ]
    return [_row(*row) for row in rows]


def _row(what: str, number: "int | Mapping[str, int]", before: str) -> dict[str, Any]:
    if isinstance(number, int):
        return {"what": what, "how_many": number, "of_which": ""}
    parts = ", ".join(f"{name} {count}" for name, count in number.items())
    return {"what": what, "how_many": sum(number.values()), "of_which": before + parts}

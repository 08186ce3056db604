"""Every figure of speed and scale beside its floor of the same run, as a table and as JSON.

python -m tests.benchmarks [--quick] [--only NAME] [--rounds N] [--json FILE]
"""

import argparse
import json
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.benchmarks.figures import Bench
from tests.benchmarks.report import collect, machine, table
from tests.benchmarks.suite import SUITE


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(SUITE), help="may be given again; default: all")
    parser.add_argument("--rounds", type=int, help="of each figure; 3, or 1 with --quick")
    parser.add_argument("--quick", action="store_true", help="smaller, for a look: some four minutes")
    parser.add_argument("--json", type=Path, help="write the figures there, with the machine they are from")
    return parser.parse_args()


def measure(args):
    "Run what was asked for: the figures, why something was skipped, and what went wrong; one that fails stops no other."
    figures, skipped, failed = [], {}, {}
    with tempfile.TemporaryDirectory(prefix="flavours-bench") as folder:
        for name in args.only or SUITE:
            start = time.monotonic()
            print(f"== {name}", file=sys.stderr, flush=True)
            bench = Bench(Path(folder) / name, args.rounds or (1 if args.quick else 3), args.quick)
            try:
                if why := collect(SUITE[name], bench, figures):
                    skipped[name] = why
            except Exception as problem:  # noqa: BLE001
                traceback.print_exc()
                failed[name] = f"{type(problem).__name__}: {problem}"
            print(f"   {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return figures, skipped, failed


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was started is ended, what was filled removed
    facts = machine()
    figures, skipped, failed = measure(args)
    print(table(figures))
    for name, why in (skipped | failed).items():
        print(f"{name} {'was skipped' if name in skipped else 'FAILED'}: {why}")
    if args.json:
        made = {"machine": facts, "quick": args.quick, "skipped": skipped, "failed": failed}
        made["figures"] = [figure.as_json() for figure in figures]
        args.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

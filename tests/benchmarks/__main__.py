"""Every figure of speed and scale beside its floor of the same run, as a table and as JSON.

python -m tests.benchmarks [--quick] [--only NAME] [--rounds N] [--json FILE]
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Bench
from tests.benchmarks.report import collect, machine, table
from tests.benchmarks.suite import SUITE


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(SUITE), help="may be given again; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="smaller, for a look: some three minutes")
    parser.add_argument("--json", type=Path, help="write the figures there, with the machine they are from")
    args = parser.parse_args()
    facts, figures, skipped = machine(), [], {}
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        for name in args.only or SUITE:
            start = time.monotonic()
            print(f"== {name}", file=sys.stderr, flush=True)
            bench = Bench(Path(folder) / name, 1 if args.quick and args.rounds == 3 else args.rounds, args.quick)
            found, why = collect(SUITE[name], bench)
            figures += found
            skipped |= {name: why} if why else {}
            print(f"   {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(table(figures))
    for name, why in skipped.items():
        print(f"{name} was skipped: {why}")
    if args.json:
        made = {
            "machine": facts,
            "quick": args.quick,
            "figures": [figure.as_json() for figure in figures],
            "skipped": skipped,
        }
        args.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

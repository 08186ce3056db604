"""The figures of speed and scale, one test for each benchmark; printed, not judged: machines are noisy.

pytest -m benchmark -s tests/benchmarks; `python -m tests.benchmarks` prints the same as one table
"""

import os

import pytest

from tests.benchmarks.figures import Bench
from tests.benchmarks.report import table
from tests.benchmarks.suite import SUITE

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("name", SUITE)
def test_figures(name, tmp_path):
    bench = Bench(tmp_path, int(os.environ.get("BENCH_ROUNDS", "3")), "BENCH_QUICK" in os.environ)
    figures = list(SUITE[name](bench))
    print(f"\n{table(figures)}")
    assert figures
    assert all(len(figure.floor) in (0, len(figure.ours)) for figure in figures)

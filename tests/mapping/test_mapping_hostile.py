"""Hostile documents: each is refused within a second of processor time and 100 MB, whoever else keeps the machine busy."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.mapping.hostile import DOCUMENTS

ROOT = Path(__file__).parents[2]
HARMLESS = {"sexagesimal"}  # a plain text in YAML 1.2
# One of each sort; the rest of them is as heavy, and among the slow.
QUICK = (
    *("aliases", "python_tag", "deep_lists", "long_path", "quotes", "sexagesimal", "wrong_paths", "film"),
    *("template_of_brackets", "template_of_powers", "template_of_a_loop", "control_characters", "ten_megabytes"),
)
ALL = (*DOCUMENTS, "film")


@cache
def costs(*names):
    "What each document came to in a process that reads nothing else, and that no coverage slows down."
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    program = [sys.executable, "-m", "tests.mapping.hostile", *names]
    run = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in ALL])
def test_a_hostile_document_is_refused_in_a_second_and_100_megabytes(name):
    cost = costs(*(QUICK if name in QUICK else ALL))[name]
    assert cost["seconds"] < 1
    assert cost["megabytes"] < 100
    assert bool(cost["problems"]) is (name not in HARMLESS)
    assert len(cost["problems"]) <= 101


@pytest.mark.parametrize("names", [QUICK, pytest.param(ALL, marks=pytest.mark.slow)], ids=["quick", "all"])
def test_all_of_them_together_take_less_than_100_megabytes(names):
    # The mark is the highest that the process ever reached: what one hides under another's shows here.
    assert sum(cost["megabytes"] for cost in costs(*names).values()) < 100


def test_a_large_file_is_named_as_too_large():
    problems = costs(*QUICK)["film"]["problems"]
    assert problems == [problem for problem in problems if "1:1: is larger than 256 kB" in problem]


def test_a_hundred_problems_are_enough():
    problems = costs(*QUICK)["wrong_paths"]["problems"]
    assert len(problems) == 101
    assert problems[-1].endswith("there may be more: these are the first 100 problems")


def test_no_tag_runs_anything():
    assert "tags (`!`) are not used" in costs(*QUICK)["python_tag"]["problems"][0]
    assert not (ROOT / "hostile-was-here").exists()

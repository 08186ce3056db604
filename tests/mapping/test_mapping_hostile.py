"""Hostile documents: each is refused within a second of processor time and 100 MB, whoever else keeps the machine busy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mapping.hostile import DOCUMENTS

ROOT = Path(__file__).parents[2]
HARMLESS = {"sexagesimal"}  # a plain text in YAML 1.2


@pytest.fixture(scope="module")
def costs():
    "What each document came to in a process that reads nothing else, and that no coverage slows down."
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    program = [sys.executable, "-m", "tests.mapping.hostile"]
    run = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", [*DOCUMENTS, "film"])
def test_a_hostile_document_is_refused_in_a_second_and_100_megabytes(costs, name):
    cost = costs[name]
    assert cost["seconds"] < 1
    assert cost["megabytes"] < 100
    assert bool(cost["problems"]) is (name not in HARMLESS)
    assert len(cost["problems"]) <= 101


def test_all_of_them_together_take_less_than_100_megabytes(costs):
    # The mark is the highest that the process ever reached: what one hides under another's shows here.
    assert sum(cost["megabytes"] for cost in costs.values()) < 100


def test_a_large_file_is_named_as_too_large(costs):
    assert costs["film"]["problems"] == [
        problem for problem in costs["film"]["problems"] if "1:1: is larger than 256 kB" in problem
    ]


def test_a_hundred_problems_are_enough(costs):
    problems = costs["wrong_paths"]["problems"]
    assert len(problems) == 101
    assert problems[-1].endswith("there may be more: these are the first 100 problems")


def test_no_tag_runs_anything(costs):
    assert "tags (`!`) are not used" in costs["python_tag"]["problems"][0]
    assert not (ROOT / "hostile-was-here").exists()

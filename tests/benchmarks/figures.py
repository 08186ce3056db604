"""What a benchmark finds: a figure of ours beside its floor of the same round, and whether the goal was reached."""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Goal:
    "What is to be reached: the ratio to the floor, or our figure itself, at least or at most so much."

    what: Literal["ratio", "ours"]
    how: Literal["at least", "at most", "under"]
    value: float

    def reached(self, value):
        return value >= self.value if self.how == "at least" else value < self.value or (
            self.how == "at most" and value == self.value
        )  # fmt: skip

    def __str__(self):
        return f"{self.how} {self.value:g}{' x' if self.what == 'ratio' else ''}"


@dataclass(frozen=True)
class Figure:
    "One line of the table; `ours` and `floor` hold one value for each round, measured one after the other."

    line: int  # of the list of goals
    key: str  # what it is called where it is used: it stays when the name is said better
    name: str
    unit: str
    ours: list[float]
    floor: list[float]
    against: str
    goal: Goal | None = None

    @property
    def ratios(self):
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True) if floor] if self.floor else []

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def value(self):
        "What the goal is about."
        return self.ratio if self.goal and self.goal.what == "ratio" else statistics.median(self.ours)

    @property
    def reached(self):
        return None if self.goal is None or self.value is None else self.goal.reached(self.value)

    def as_json(self):
        return {
            "line": self.line, "key": self.key, "name": self.name, "unit": self.unit, "ours": statistics.median(self.ours),
            "floor": statistics.median(self.floor) if self.floor else None, "against": self.against,
            "ratio": self.ratio, "rounds": {"ours": self.ours, "floor": self.floor, "ratio": self.ratios},
            "goal": str(self.goal) if self.goal else None, "reached": self.reached,
        }  # fmt: skip


@dataclass
class Bench:
    "What a benchmark is given: how many rounds, whether it is in a hurry, and a folder of its own."

    folder: Path
    rounds: int = 3
    quick: bool = False
    _numbers: int = 0

    def some(self, full, quick):
        "Return a count for a full run, or the smaller one."
        return quick if self.quick else full

    def room(self):
        "Return a fresh folder."
        self._numbers += 1
        made = self.folder / f"room{self._numbers}"
        made.mkdir(parents=True)
        return made

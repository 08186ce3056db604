"""Write a difference as people know it: a red line that begins with -, a green one with +."""

import json
from collections.abc import Iterator
from typing import Any

import click


def written(value: Any) -> str:
    """Return a value so that every character of it is seen, and none can move the cursor."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def removed(text: str) -> str:
    """Return the line of what was there, or should be."""
    return click.style(f"- {text}", fg="red")


def added(text: str) -> str:
    """Return the line of what is there now."""
    return click.style(f"+ {text}", fg="green")


def lines(old: str | None, new: str | None) -> Iterator[str]:
    """Yield both lines; None has none."""
    if old is not None:
        yield removed(old)
    if new is not None:
        yield added(new)

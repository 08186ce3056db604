"""What a transform is, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

OnInvalid = Literal["raw", "drop", "hold"]
Options = Mapping[str, str]


class Result(NamedTuple):
    """Hold a transform's answer: the text to send (None: nothing), and why it is not `valid`.

    A value that is not valid is what would be sent raw; the rule's `on_invalid` decides, or its `on_junk` for one that
    is well formed and yet `junk`. `warning` completes the sentence "field …" and never holds the value.
    """

    value: str | None
    valid: bool = True
    warning: str | None = None
    junk: bool = False


class Context(NamedTuple):
    """Give a transform the path its value came from (None: no single one) and a look at other fields ("": empty)."""

    source: str | None = None
    look: Callable[[str], str] = lambda _: ""


NOWHERE = Context()


@dataclass(frozen=True, slots=True)
class Transform:
    """Describe one word after `use:`.

    `options` gives for each option a check that says what is wrong with its text, or None; `main` is the option that
    a bare text means (`{date: "%Y"}`). `on_junk` is None for a word that doubts nothing. `exact`: the value means
    something only whole, so that `max_length` leaves it out instead of cutting it. `needs`: the main option must be
    given. `looks`: it reads other fields beside its value.
    """

    run: Callable[[str, Options, Context], Result]
    on_invalid: OnInvalid = "raw"
    options: Mapping[str, Callable[[str], str | None]] = field(default_factory=dict)
    main: str | None = None
    on_junk: OnInvalid | None = None
    exact: bool = False
    needs: bool = False
    looks: bool = False

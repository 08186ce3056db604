"""The list of a mapping's fields: what each comes from, picked by its name in the reader's language, with a value beside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from connector import flavours
from connector.errors import BadWebhook
from connector.mapping import editing, paths
from connector.mapping.clean import clean, flat
from connector.models import Event
from connector.web.admin.event import masked

LONGEST = 40  # characters of a value that are shown beside a field


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold a field of Flavours that may be picked, and what the event at hand says there."""

    path: str
    value: str


def read(body: bytes | None) -> Event | None:
    """Return an event that carries a customer, None for a body that does not."""
    try:
        return flavours.read(body) if body else None
    except BadWebhook:
        return None


def choices(event: Event | None, *, bare: bool) -> list[Choice]:
    """Return the fields of Flavours that may be picked, those that it added since too; `bare` with personal values."""
    known = (*paths.CUSTOMER, *paths.DERIVED, *paths.ENVELOPE)
    added = [] if event is None else sorted(_added(event.data))
    return [Choice(path, "" if event is None else _value(event, path, bare=bare)) for path in (*known, *added)]


def _added(data: Mapping[str, Any]) -> Iterator[str]:
    for name, _ in paths.leaves(data):
        if name not in paths.KNOWN and paths.unknown(f"data.{name}") is None:
            yield f"data.{name}"


def _value(event: Event, path: str, *, bare: bool) -> str:
    value, _ = clean(paths.path(path).find(event))
    if value is None:
        return ""
    text = flat(value if bare or path in paths.DERIVED else masked(value, path.rpartition(".")[2]))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def arranged(text: str, form: MultiDict[str, str]) -> str:
    """Return the text with what a person picked: other sources, one more field, or one less. Raises ValueError.

    Each picked source comes with what it was when the page was drawn: only what a person changed is changed.
    """
    for name, path in form.items():
        kind, _, rest = name.partition(":")
        number, _, target = rest.partition(":")
        if kind == "source" and number.isdecimal() and len(number) < 4 and path != form.get(f"was:{rest}"):
            text = editing.choose(text, target, int(number), path)
    if form.get("remove"):
        return editing.remove(text, form["remove"])
    if form.get("do") == "add":
        return editing.add(text, form.get("new_target", "").strip(), form.get("new_path", ""))
    return text

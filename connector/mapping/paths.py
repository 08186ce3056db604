"""Where things are: the fields of a Flavours event, and the places of a record."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from connector.mapping.company import has_vat_number, is_company
from connector.models import Event

# The published payload of customers.CREATE (docs.flavours.sa, Customers Webhooks / Payload).
CUSTOMER = (
    *("id", "created_by", "qoyod_id", "type", "gender", "tax_number", "zip_code", "city", "district", "street", "crn"),
    *("user.id", "user.userable_id", "user.role", "user.name", "user.username", "user.email", "user.phone_prefix"),
    *("user.phone", "user.lang", "user.fcm_token", "user.is_active", "user.email_verified_at"),
    *("user.phone_verified_at", "user.created_at", "user.updated_at", "user.deleted_at"),
)
ENVELOPE = ("event.xid", "event.action", "event.timestamp")
# What no field says and the whole customer tells; read like a field.
DERIVED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "is_company": is_company,
    "has_vat_number": has_vat_number,
}
# What many customers have in common: nobody is found by it.
SHARED = frozenset(
    (
        *("type", "gender", "zip_code", "city", "district", "street", "created_by", "event.action"),
        *("user.role", "user.lang", "user.is_active", "user.phone_prefix"),
        *DERIVED,
    )
)
KNOWN = frozenset((*CUSTOMER, *ENVELOPE, *DERIVED))

ADDED = "a field that Flavours added since"
NO_CURE = " (it sends user.name, user.phone, user.email, id, tax_number, crn, street, city and others)"

Keys = tuple[str | int, ...]

# As text too, for the schema that editors read: their expressions know no more than this.
NEW_FIELD = r"data(?:\.[A-Za-z][A-Za-z0-9_-]*(?:\[\d{1,2}\])*)+"
PLACE = r"[^\s.\[\]](?:[^.\[\]\n]*[^\s.\[\]])?(?:\[\d{1,2}\])*"
LONGEST = 200
_NEW_FIELD, _PLACE = re.compile(NEW_FIELD), re.compile(PLACE)
_PARTED = re.compile(r"\s*(?:[,|;\u060c\u061b]|\b(?:or|and)\b)\s*")


@dataclass(frozen=True, slots=True)
class Path:
    """Name one field of an event; `keys` lead to it from the data, or from the envelope; or it is `derived`."""

    text: str
    keys: Keys
    envelope: bool = False
    derived: Callable[[Mapping[str, Any]], Any] | None = None
    texts: tuple[str, ...] = field(init=False)  # the text alone, as a rule names its sources

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", (self.text,))

    def find(self, event: Event) -> Any:
        """Return what the event holds there, None where there is nothing."""
        if self.derived is not None:
            return self.derived(event.data)
        if self.envelope:
            return getattr(event, str(self.keys[0]))
        here: Any = event.data
        for key in self.keys:
            # A dict first: what JSON gives is found without a call.
            here = here.get(key) if type(here) is dict else _step(here, key)
        return here


@lru_cache(maxsize=1024)
def path(text: str) -> Path:
    """Return the path that the text names; ask `unknown` first whether it does."""
    if text in ENVELOPE:
        return Path(text, (text.removeprefix("event."),), envelope=True)
    if text in DERIVED:
        return Path(text, (), derived=DERIVED[text])
    return Path(text, tuple(_keys(text.removeprefix("data."))))


def unknown(text: str) -> str | None:
    """Say what is wrong with a path, None when it is right.

    The fields of the published payload are known by name; `data.` before a name takes a field that Flavours added
    since, unchecked.
    """
    if text in KNOWN or _new_field(text):
        return None
    if text == "user":
        return "`user` is a group of fields; name one of them, as in `user.name`"
    return f"Flavours sends no `{shown(text)}`{_meant(text)}"


def as_list(text: str, words: Container[str]) -> str:
    """Return how a list of the words is written, for who wrote `city, street` or `city or street`; else ""."""
    parts = [part for part in _PARTED.split(text[:LONGEST]) if part]
    listed = len(parts) > 1 and any(part in words for part in parts)
    return f"; a list is written [{', '.join(parts)}]" if listed else ""


def did_you_mean(text: str, words: Iterable[str]) -> str:
    """Return `; did you mean …?` for the nearest of the words, "" when none is near."""
    known = sorted(words)
    near = get_close_matches(text[:LONGEST], known, n=1, cutoff=0.6)
    if not near:  # vat for saudi_vat
        holding = [word for word in known if text.lower() in word.split("_")[:: word.count("_") or 1]]
        near = holding if len(holding) == 1 else []
    return f"; did you mean `{near[0]}`?" if near else ""


def shown(text: str) -> str:
    """Cut a person's word to what fits into a message of one line."""
    line = " ".join(text[:200].split())
    return line if len(line) <= 60 else line[:59] + "…"


def place(text: str) -> Keys | None:
    """Return the keys of a record's place (`billing_address.city`, `phones[0].value`), None when it is not one."""
    if len(text) > LONGEST or not all(_PLACE.fullmatch(part) for part in text.split(".")):
        return None
    return tuple(_keys(text))


def items(keys: Keys) -> tuple[Keys, ...]:
    """Return the items of lists that a place lies in: `phones[0]` for `phones[0].value`, none for `name`."""
    return tuple(keys[: depth + 1] for depth, key in enumerate(keys[:-1]) if isinstance(key, int))


def nest(values: Iterable[tuple[Keys, Any]]) -> dict[str, Any]:
    """Build the record from its places; the items of a list close ranks where one is left out."""
    root: dict[str | int, Any] = {}
    for keys, value in values:
        here = root
        for key in keys[:-1]:
            here = here.setdefault(key, {})
        here[keys[-1]] = value
    return {str(key): _listed(value) if isinstance(value, dict) else value for key, value in root.items()}


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each place of a record, as a mapping writes it (`phones[0].value`), with what stands there."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{name}[{index}]")
    elif name:
        yield name, value


def _listed(group: dict[str | int, Any]) -> Any:
    """Turn each group whose keys are numbers into a list."""
    whole = {key: _listed(item) if isinstance(item, dict) else item for key, item in group.items()}
    if all(isinstance(key, int) for key in whole):
        return [whole[key] for key in sorted(whole)]
    return whole


def _keys(text: str) -> Iterable[str | int]:
    for part in text.split("."):
        name, *items = part.split("[")
        yield name
        yield from (int(item.rstrip("]")) for item in items)


def _step(here: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return here[key] if isinstance(here, list) and key < len(here) else None
    return here.get(key) if isinstance(here, Mapping) else None


def _new_field(text: str) -> bool:
    return len(text) <= LONGEST and _NEW_FIELD.fullmatch(text) is not None


def _meant(text: str) -> str:
    if listed := as_list(text, KNOWN):
        return listed
    by_leaf = sorted((known for known in CUSTOMER if known.rpartition(".")[2] == text), key=len)
    if by_leaf:
        return f"; did you mean `{by_leaf[0]}`?"
    meant = did_you_mean(text, KNOWN)
    if meant:
        return meant
    return f"; {ADDED} is written `data.{shown(text)}`" if _new_field(f"data.{text}") else NO_CURE

"""Plan, from a seed, all that the drill's Flavours will post: customers and their changes, repeats, disorder, rubbish.

Pure: the same seed and size make the same letters in the same order.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Fate = Literal["accepted", "ignored", "rejected", "unauthorized"]

SOURCES = ("flavours", "branch")  # the customers of one are looked up at the CRM, those of the other go with a key
ACTION = "customers.CREATE"
_BEGIN = 1_700_000_000_000  # epoch ms
_COUNTS, _OFTEN = (1, 2, 3), (45, 35, 20)  # how many versions a customer has, and how often
_REORDERED, _REPEATED, _RESTYLED, _SAME_XID, _RUBBISH, _OTHER = 0.5, 0.35, 0.5, 0.1, 0.08, 0.04


@dataclass(frozen=True, slots=True)
class Version:
    """Hold one state of a customer as Flavours tells it; `record` is what the CRM must then hold, without its id."""

    customer: str
    updated_at: int
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """Hold one webhook to be posted, and what must become of it."""

    source: str
    body: bytes
    fate: Fate
    status: tuple[int, ...]
    version: Version | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold what is to be sent: each round is posted in order; rounds go side by side."""

    rounds: Sequence[Sequence[Letter]]

    @property
    def letters(self) -> list[Letter]:
        """Return every letter, whatever its round."""
        return [letter for letters in self.rounds for letter in letters]


def plan(seed: int, customers: int) -> Plan:
    """Make the letters of so many customers."""
    chance = random.Random(f"plan {seed}")  # noqa: S311 - a drill must be repeatable
    rounds: list[list[Letter]] = []
    echoes: list[Letter] = []
    for number in range(1, customers + 1):
        letters, repeats = _customer(seed, number, chance)
        rounds.append(letters)
        echoes += repeats
    for echo in echoes:  # near its first time, often at the same moment as it
        near = int(echo.version.customer.rpartition("-")[2]) if echo.version else 1
        rounds[min(customers, near + chance.randrange(4)) - 1].append(echo)
    return Plan(rounds)


def _customer(seed: int, number: int, chance: random.Random) -> tuple[list[Letter], list[Letter]]:
    source = SOURCES[number % 2]
    count = chance.choices(_COUNTS, _OFTEN)[0]
    same_xid = chance.random() < _SAME_XID
    events = [_event(seed, number, version, same_xid=same_xid) for version in range(1, count + 1)]
    letters = [_letter(source, event, number) for event in events]
    if chance.random() < _REORDERED:
        chance.shuffle(letters)
    repeats = [_restyled(letter, chance) for letter in letters if chance.random() < _REPEATED]
    if chance.random() < _RUBBISH:
        letters.insert(chance.randrange(len(letters) + 1), _rubbish(source, number, chance))
    if chance.random() < _OTHER:
        body = {"xid": f"other-{seed}-{number}", "action": "orders.CREATE", "data": {"id": number}}
        letters.append(Letter(source, json.dumps(body).encode(), "ignored", (202, 200)))
    return letters, repeats


def _event(seed: int, number: int, version: int, *, same_xid: bool) -> dict[str, Any]:
    digits = 50_000_000 + (number * 7_919 + 1_234_567) % 9_999_991  # 055…: each is a number that can be
    moment = _BEGIN + number * 1000 + version
    names = (f"Customer {number} of {version}", f"عميل {number} نسخة {version}")
    return {
        "xid": f"drill-{seed}-{number}" + ("" if same_xid else f"-{version}"),
        "action": ACTION,
        "timestamp": moment,
        "data": {
            "id": f"drill-{number}",
            "updated_at": moment,
            "city": f"City {version}",
            "user": {
                "name": names[number % 3 == 0],
                "phone_prefix": "966",
                "phone": f"05{digits}",
                "updated_at": moment,
            },
        },
    }


def _letter(source: str, event: dict[str, Any], number: int) -> Letter:
    data = event["data"]
    record = {
        "external_id": data["id"],
        "name": data["user"]["name"],
        "phone": "+966" + data["user"]["phone"][1:],
        "city": data["city"],
    }
    version = Version(f"drill-{number}", data["updated_at"], record)
    return Letter(source, json.dumps(event, ensure_ascii=False).encode(), "accepted", (202, 200), version)


def _restyled(letter: Letter, chance: random.Random) -> Letter:
    # Other white space and another time on the envelope: it is the same webhook all the same.
    if chance.random() < _RESTYLED:
        return letter
    event = json.loads(letter.body)
    event["timestamp"] += 60_000
    body = json.dumps(event, indent=1).encode()
    return Letter(letter.source, body, letter.fate, letter.status, letter.version)


def _rubbish(source: str, number: int, chance: random.Random) -> Letter:
    whole = {"xid": f"bad-{number}", "action": ACTION, "data": {"id": f"bad-{number}", "user": {"name": "X"}}}
    text = json.dumps(whole).encode()
    headless = json.dumps(whole | {"data": {"user": {"name": f"no id {number}"}}}).encode()
    userless = json.dumps(whole | {"data": {"id": f"bad-{number}", "price": 5}}).encode()
    return chance.choice(
        [
            Letter(source, text[: len(text) // 2], "rejected", (400,)),
            Letter(source, b"\xff\xfe" + text, "rejected", (400,)),
            Letter(source, b"[" + text + b"]", "rejected", (400,)),
            Letter(source, headless, "rejected", (422,)),
            Letter(source, userless, "rejected", (422,)),
            Letter(source, text, "unauthorized", (401,)),
        ]
    )

"""Turn a webhook's bytes into a plain document, or say in one sentence why they are not one."""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from connector.errors import BadWebhook

DEEPEST = 100


class _Unfit(ValueError):
    """Carry our own sentence out of the parser's hooks."""


def parse(body: bytes) -> dict[str, Any]:
    """Read strict JSON (RFC 8259, a byte order mark is tolerated) whose top is an object.

    Raises BadWebhook 400 for anything else, also for what Python's parser would let pass or choke on: NaN, Infinity,
    1e999, duplicate keys, nesting deeper than 100, numbers of thousands of digits.
    """
    try:
        document = _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise BadWebhook(400, f"the body is not UTF-8 (byte {problem.start + 1})") from None
    except RecursionError:
        raise BadWebhook(400, _TOO_DEEP) from None
    except _Unfit as problem:
        raise BadWebhook(400, str(problem)) from None
    except json.JSONDecodeError as problem:
        # Its own text is safe: it names a place, and never quotes the body.
        raise BadWebhook(400, f"the body is not JSON: {problem}") from None
    except ValueError:
        raise BadWebhook(400, "the body has a number with too many digits") from None
    if not isinstance(document, dict):
        raise BadWebhook(400, "the body is JSON, but not an object")
    # Counting brackets is cheap and never too low: only who might be too deep is measured.
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(document) > DEEPEST:
        raise BadWebhook(400, _TOO_DEEP)
    return document


_TOO_DEEP = f"the body is nested deeper than {DEEPEST} levels"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Unfit("the body has an object with the same key twice")
    return made


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Unfit("the body has a number that is too large")
    return number


def _constant(name: str) -> NoReturn:
    raise _Unfit(f"the body is not JSON: {name} is not a number")


def _depth(document: Any) -> int:
    depth, level = 0, [document]
    while level:
        depth += 1
        level = [child for parent in level for child in _children(parent)]
    return depth


def _children(parent: Any) -> Iterable[Any]:
    held = parent.values() if isinstance(parent, dict) else parent
    return (child for child in held if isinstance(child, dict | list))


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)

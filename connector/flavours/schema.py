"""Say what a Flavours webhook is: the envelope, the customer and its user; lenient, but for what a customer is."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from connector.errors import BadWebhook
from connector.flavours.actions import is_customers
from connector.flavours.body import parse
from connector.models import Event

LONGEST = 255
_INT64 = range(-(2**63), 2**63)
_SANE = range(946_684_800_000, 4_102_444_800_000)  # 2000-01-01 to 2100-01-01, epoch milliseconds
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def storable(text: object) -> str | None:
    """Return the text when it can be kept as a key: 1 to 255 characters, no NUL, no lone surrogate; else None."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST or "\0" in text:
        return None
    # isascii is the quick way out; only a lone surrogate does not survive UTF-8.
    return text if text.isascii() or text == text.encode("utf-8", "ignore").decode("utf-8") else None


class Name(fields.Field[str]):
    """Take text that can be kept as a key."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = storable(value)
        if text is None:
            raise ValidationError(f"must be text of 1 to {LONGEST} characters, without NUL or broken Unicode")
        return text


class Id(Name):
    """Take a key as text, or as an integer within 64 bits, which becomes text."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return super()._deserialize(str(value) if type(value) is int and value in _INT64 else value)


class Millis(fields.Field[object]):
    """Take a point in time: an integer must fit 64 bits, anything else is kept as it came."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> object:
        if isinstance(value, int) and value not in _INT64:
            raise ValidationError("must be an integer within 64 bits")
        return value


class _Lenient(Schema):
    error_messages = {"type": "must be an object"}  # noqa: RUF012 - as marshmallow wants it

    class Meta:
        """Let unknown keys be: Flavours adds fields without notice, and what is kept is the document itself."""

        unknown = EXCLUDE


class EnvelopeSchema(_Lenient):
    """Be what every webhook is wrapped in. `xid` may be absent (flavours.md, trap 4)."""

    xid = Id(allow_none=True, load_default=None)
    action = Name(required=True, error_messages={"required": "is missing", "null": "is null"})
    timestamp = Millis(allow_none=True, load_default=None)
    data = fields.Raw(allow_none=True, load_default=None)


class UserSchema(_Lenient):
    """Be the person inside a customer; only what we store is looked at, the rest is the mapping's business."""

    updated_at = Millis(allow_none=True)


class CustomerSchema(_Lenient):
    """Be a customer: it has an id and a user, or it is something else (trap 1: products sent as customers.CREATE)."""

    id = Id(required=True, error_messages={"required": "is missing", "null": "is null"})
    user = fields.Nested(UserSchema(), required=True, error_messages={"required": "is missing", "null": "is null"})
    updated_at = Millis(allow_none=True)


# One shared instance each: a new one per request costs five times the whole load.
ENVELOPE, CUSTOMER = EnvelopeSchema(), CustomerSchema()


def read(body: bytes) -> Event:
    """Read a webhook's bytes.

    An event that promises a customer must carry one; any other needs only the envelope and has no `customer`. Raises
    BadWebhook: 400 when the body is not a JSON object, 422 with the fields when it is not what its action promises.
    """
    document = parse(body)
    data = document.get("data")
    errors: dict[str, list[str]] = {}
    envelope = _load(ENVELOPE, document, "", errors)
    action = envelope.get("action", "")
    customer = _load(CUSTOMER, data, "data", errors) if is_customers(action) else None
    if errors:
        raise _refusal(document, errors)
    fingerprint = hashlib.sha256(_CANONICAL.encode([envelope["action"], data]).encode()).hexdigest()
    return _event(envelope, data, customer, fingerprint)


def reread(body: bytes) -> Event:
    """Read what was accepted before, a quarter of the price of `read`: no schema, no fingerprint. Raises BadWebhook.

    Whatever does not look as nearly every customer does is read with all care.
    """
    document = parse(body)
    data, user = document.get("data"), None
    if isinstance(data, dict):
        user = data.get("user")
    held = (document.get("action"), document.get("timestamp"), document.get("xid"))
    if not (isinstance(user, dict) and isinstance(data, dict) and _usual(*held) and type(data.get("id")) is str):
        return read(body)
    return _event({"action": held[0], "timestamp": held[1], "xid": held[2]}, data, data, "")


def _usual(action: Any, timestamp: Any, xid: Any) -> bool:
    known = type(action) is str and is_customers(action)
    return known and type(timestamp) in (int, type(None)) and type(xid) in (str, type(None))


def _load(schema: Schema, document: Any, path: str, errors: dict[str, list[str]]) -> Mapping[str, Any]:
    try:
        loaded: Mapping[str, Any] = schema.load(document)
    except ValidationError as problem:
        errors |= _flat(problem.messages_dict, path)
        return problem.valid_data if isinstance(problem.valid_data, dict) else {}
    return loaded


def _flat(messages: Mapping[str, Any], path: str) -> dict[str, list[str]]:
    flat: dict[str, list[str]] = {}
    for key, found in messages.items():
        # marshmallow files what is wrong with a whole object under _schema: that is the object's own path.
        place = path if key == "_schema" else f"{path}.{key}".lstrip(".")
        flat |= _flat(found, place) if isinstance(found, Mapping) else {place: [str(message) for message in found]}
    return flat


def _refusal(document: Mapping[str, Any], errors: dict[str, list[str]]) -> BadWebhook:
    xid, action = document.get("xid"), storable(document.get("action"))
    xid = storable(str(xid) if type(xid) is int and xid in _INT64 else xid)
    wrong = "; ".join(f"{path} {messages[0]}" for path, messages in errors.items())
    promise = f"a {action} event must carry a customer: " if action and is_customers(action) else ""
    return BadWebhook(422, f"{promise}{wrong}", errors, xid=xid, action=action)


def _event(envelope: Mapping[str, Any], data: Any, customer: Mapping[str, Any] | None, fingerprint: str) -> Event:
    timestamp, kept = envelope["timestamp"], data if isinstance(data, dict) else {}
    user = kept.get("user") if customer else None
    times = (kept, user) if isinstance(user, dict) else (kept,)
    return Event(
        xid=envelope["xid"],
        action=envelope["action"],
        timestamp=timestamp if type(timestamp) is int else None,
        data=kept,
        customer=customer["id"] if customer else None,
        updated_at=max((t for held in times if (t := _moment(held.get("updated_at"))) is not None), default=None),
        deleted=any(held.get("deleted_at") is not None for held in times),
        fingerprint=fingerprint,
        warnings=_warnings(customer["id"], times[-1]) if customer else (),
    )


def _moment(value: Any) -> int | None:
    return value if type(value) is int and value in _SANE else None


def _warnings(customer: str, user: Mapping[str, Any]) -> tuple[str, ...]:
    owner = user.get("userable_id")
    if owner is None or str(owner) == customer:
        return ()
    return ("user.userable_id differs from data.id: data.id is used, the user may belong to another customer",)

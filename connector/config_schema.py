"""Say what config.yaml may hold: one marshmallow schema, whose messages name the cure."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing, validate, validates_schema

from connector.config_text import Unset
from connector.masking import Secret

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|m|h|d|w|y)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110: token
_ACTION = re.compile(r"customers?\.(?:\*|[a-z_]+)", re.IGNORECASE)
_NO_GROUP = "must be a group of settings, each on a line of its own"
_DATABASES = "use sqlite:///connector.db (a file beside this one) or sqlite:////var/lib/connector.db"


def duration(text: str) -> float:
    """Return the seconds that a text such as 200ms, 5s, 10m, 6h, 3d or 2y stands for. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a duration with its unit, as in 200ms, 5s, 10m, 6h, 3d")
    return float(found[1]) * _UNITS[found[2]]


def did_you_mean(word: str, known: Mapping[str, Any]) -> str:
    """Return `, did you mean …?` with the nearest of the known words, else the list of them."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f", did you mean `{near[0]}`?" if near else f" (known: {', '.join(known) or 'none'})"


_MESSAGES: dict[str, Any] = {"required": "is missing", "null": "is empty; fill it, or delete the line"}


class _Patient(fields.Field[Any]):
    """Let an unset value (reported already) stand for itself, so that the rest can still be checked."""

    default_error_messages = _MESSAGES

    def deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        """Take the value in, or the default in place of one that is unset."""
        if not isinstance(value, Unset):
            return super().deserialize(value, *rest, **more)
        return "" if self.load_default is missing else self.load_default


class Text(_Patient):
    """Take a text that is not empty."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, bool | int | float):
            raise ValidationError("must be text; put it in quotes")
        if not isinstance(value, str) or not value.strip():
            raise ValidationError("must be text, and not empty")
        return str(value)  # a plain one: what was put in is no secret here


class SecretText(Text):
    """Take a text that is never shown; an unset one stays as it is."""

    def deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        """Take the secret in."""
        return value if isinstance(value, Unset) else super().deserialize(value, *rest, **more)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Secret:
        return Secret(super()._deserialize(value))


class Seconds(_Patient):
    """Take a duration, as seconds."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        try:
            return duration(str(value))
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None


class Whole(_Patient):
    """Take a whole number in a range, also as the text that an environment variable is."""

    def __init__(self, low: int, high: int, **more: Any) -> None:
        super().__init__(**more)
        self._low, self._high = low, high

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        text = str(value)
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and self._low <= int(text) <= self._high):
            raise ValidationError(f"must be a whole number from {self._low} to {self._high}")
        return int(text)


class Flag(_Patient):
    """Take true or false, also as the text that an environment variable is."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if str(value).lower() not in {"true", "false"}:
            raise ValidationError("must be true or false")
        return str(value).lower() == "true"


class Several(fields.Field[Any]):
    """Take a list, or the one value that stands for a list of one; `what` names its items."""

    default_error_messages = _MESSAGES

    def __init__(self, item: fields.Field[Any], what: str, **more: Any) -> None:
        super().__init__(**more)
        self._item, self._what = item, what

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            return (self._item.deserialize(value),)
        if not value:
            raise ValidationError(f"is an empty list; give at least one {self._what}")
        made, errors = [], {}
        for index, item in enumerate(value):
            try:
                made.append(self._item.deserialize(item))
            except ValidationError as wrong:
                errors[index] = wrong.messages
        if errors:
            raise ValidationError(errors)
        return tuple(made)


class Named(fields.Field[Any]):
    """Take a group of named things, each by the same schema."""

    default_error_messages = _MESSAGES

    def __init__(self, schema: Schema, **more: Any) -> None:
        super().__init__(**more)
        self._schema = schema

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be a group: a name on the left, its settings under it")
        made, errors = {}, {}
        for name, item in value.items():
            try:
                _matches(_NAME, "is not a name: up to 64 of A–Z a–z 0–9 _ -")(name)
                made[name] = self._schema.load(item)
            except ValidationError as wrong:
                errors[name] = wrong.messages
        if errors:
            raise ValidationError(errors)
        return made


def _matches(pattern: re.Pattern[str], message: str) -> Any:
    def check(value: str) -> None:
        if not isinstance(value, Unset) and pattern.fullmatch(value) is None:
            raise ValidationError(message)

    return check


def _address(value: str) -> None:
    try:
        ip_address(value)
    except ValueError:
        raise ValidationError("must be the proxy's IP address, as in 127.0.0.1") from None


def _url(value: str) -> None:
    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"https", "http"} and bool(parts.hostname) and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        fits = False
    if not (fits or isinstance(value, Unset)):
        raise ValidationError("must be an address that begins with https://, as in https://hooks.example.com")


def _database(value: str) -> None:
    if value.startswith("postgres"):
        raise ValidationError("PostgreSQL is not built yet; use sqlite:///…")
    name = value.removeprefix("sqlite:///")
    if not value.startswith("sqlite:///") or not name.strip("/") or name == ":memory:" or "?" in name:
        raise ValidationError(f"is not a database that this program knows; {_DATABASES}")


def _at_least(low: str) -> Any:
    def check(value: float) -> None:
        if value < duration(low):
            raise ValidationError(f"must be at least {low}")

    return check


class Group(Schema):
    """Be a group of settings that refuses what it does not know."""

    error_messages = {"type": _NO_GROUP}  # noqa: RUF012 - as marshmallow wants it

    class Meta:
        """Leave unknown keys to `known`, whose message is better."""

        unknown = EXCLUDE

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def known(self, _data: Any, original: Any, **_: Any) -> None:
        """Refuse unknown keys, each with the nearest known one."""
        strange = original.keys() - self.fields.keys() if isinstance(original, dict) else ()
        if strange:
            raise ValidationError({key: [f"unknown key `{key}`{did_you_mean(key, self.fields)}"] for key in strange})


def _group(schema: type[Schema], **more: Any) -> fields.Nested:
    return fields.Nested(schema(), error_messages={**_MESSAGES, "type": _NO_GROUP}, **more)


class ServerSchema(Group):
    """Be `server`."""

    host = Text(load_default="127.0.0.1")
    port = Whole(0, 65535, load_default=8080)
    public_url = Text(load_default=None, validate=_url)
    trusted_proxy = Text(load_default=None, validate=_address)


class AdminSchema(Group):
    """Be `admin`; accepted, and unused until there are admin pages."""

    enabled = Flag()


class AlertsSchema(Group):
    """Be `alerts`."""

    url = SecretText(required=True, validate=_url)


class KeepSchema(Group):
    """Be `keep`."""

    bodies = Seconds(load_default=duration("90d"), validate=_at_least("1d"))
    ledger = Seconds(load_default=duration("2y"), validate=_at_least("1d"))

    @validates_schema
    def outlive(self, data: Mapping[str, Any], **_: Any) -> None:
        """Keep the keys that make duplicates harmless at least as long as the bodies."""
        if data["ledger"] < data["bodies"]:
            raise ValidationError("must not be shorter than keep.bodies", "ledger")


class RetrySchema(Group):
    """Be `retry`."""

    give_up_after = Seconds(load_default=duration("14d"), validate=_at_least("1s"))
    first_wait = Seconds(load_default=duration("5s"), validate=_at_least("10ms"))
    longest_wait = Seconds(load_default=duration("6h"), validate=_at_least("10ms"))

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a first wait that is longer than the longest."""
        if data["first_wait"] > data["longest_wait"]:
            raise ValidationError("must not be longer than retry.longest_wait", "first_wait")


class WorkerSchema(Group):
    """Be `worker`."""

    push_threads = Whole(1, 128, load_default=16)
    lease = Seconds(load_default=duration("60s"), validate=_at_least("2s"))


class HeaderSchema(Group):
    """Be a source's `auth.header`."""

    name = Text(required=True, validate=_matches(_HEADER, "is not a header's name"))
    value = Several(SecretText(), "value", required=True)


class HmacSchema(Group):
    """Be a source's `auth.hmac`."""

    header = Text(required=True, validate=_matches(_HEADER, "is not a header's name"))
    secret = Several(SecretText(), "secret", required=True)
    algorithm = Text(
        load_default="sha256", validate=validate.OneOf(("sha256", "sha1", "sha512"), error="must be one of: {choices}")
    )
    encoding = Text(load_default="hex", validate=validate.OneOf(("hex", "base64"), error="must be one of: {choices}"))
    prefix = fields.String(load_default="", error_messages={"invalid": "must be text; put it in quotes"})


class AuthSchema(Group):
    """Be a source's `auth`: all that is given must hold."""

    path_token = Several(
        SecretText(validate=_matches(_TOKEN, "must be 16 to 64 characters of A–Z a–z 0–9 _ -")),
        "token",
        load_default=(),
    )
    header = _group(HeaderSchema, load_default=None)
    hmac = _group(HmacSchema, load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def something(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a source that anybody could use."""
        if not (data.get("path_token") or data.get("header") or data.get("hmac")):
            raise ValidationError("names no proof of the sender; give it a path_token")


class SourceSchema(Group):
    """Be one of `sources`."""

    auth = _group(AuthSchema, required=True)
    rejected_status = Whole(
        200, 499, load_default=422, validate=validate.OneOf((200, 202, 400, 422), error="must be one of: {choices}")
    )


class TargetSchema(Schema):
    """Be one of `targets`: its kind; the other settings are checked by the kind itself."""

    error_messages = Group.error_messages
    kind = Text(required=True)

    class Meta:
        """Leave the kind's own settings to it."""

        unknown = EXCLUDE


class SyncSchema(Group):
    """Be one of `syncs`."""

    source = Text(required=True)
    actions = Several(
        Text(validate=_matches(_ACTION, "is not an action about customers, such as customers.CREATE or customers.*")),
        "action",
        required=True,
    )
    mapping = Text(
        required=True, validate=_matches(_NAME, "must be the name of a file in the mappings folder, without .yaml")
    )
    target = Text(required=True)
    when = Text(load_default=None)
    observe = Flag(load_default=False)
    on_delete = Text(
        load_default="skip", validate=validate.Equal("skip", error="must be skip; archive is not built yet")
    )


def _reserved(_value: Any) -> None:
    raise ValidationError("is reserved for a later version; delete it")


class ConfigSchema(Group):
    """Be config.yaml."""

    database = Text(load_default="sqlite:///connector.db", validate=_database)
    mappings = Text(load_default="mappings")
    server = _group(ServerSchema, load_default=lambda: ServerSchema().load({}))
    secret_key = Several(SecretText(), "key", load_default=())
    admin = _group(AdminSchema)
    alerts = _group(AlertsSchema, load_default=None)
    keep = _group(KeepSchema, load_default=lambda: KeepSchema().load({}))
    retry = _group(RetrySchema, load_default=lambda: RetrySchema().load({}))
    worker = _group(WorkerSchema, load_default=lambda: WorkerSchema().load({}))
    sources = Named(SourceSchema(), required=True)
    targets = Named(TargetSchema(), load_default=dict)
    syncs = Named(SyncSchema(), load_default=dict)
    include = fields.Raw(validate=_reserved)

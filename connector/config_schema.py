"""Say what config.yaml may hold: one marshmallow schema."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from connector.config_fields import (
    NAME,
    Flag,
    Group,
    Named,
    Seconds,
    SecretText,
    Several,
    Text,
    Whole,
    at_least,
    duration,
    group,
    matches,
)
from connector.config_text import Unset

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110: token
_ACTION = re.compile(r"customers?\.(?:\*|[a-z_]+)", re.IGNORECASE)
_DATABASES = (
    "use sqlite:///connector.db (a file beside this one), sqlite:////var/lib/connector.db "
    "or postgresql+psycopg://user:password@host/database"
)


def _address(value: str) -> None:
    try:
        ip_address(value)
    except ValueError:
        raise ValidationError("must be the proxy's IP address, as in 127.0.0.1") from None


def _url(*, query: bool = False) -> Any:
    def check(value: str) -> None:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in {"https", "http"} and bool(parts.hostname) and not parts.fragment
            fits = fits and (query or not parts.query)
            _ = parts.port
        except ValueError:
            fits = False
        if not (fits or isinstance(value, Unset)):
            raise ValidationError("must be an address that begins with https://, as in https://hooks.example.com")

    return check


def _database(value: str) -> None:
    if value.startswith("postgres"):
        if problem := database_problem(value):
            raise ValidationError(problem)
        return
    name = value.removeprefix("sqlite:///")
    if not value.startswith("sqlite:///") or not name.strip("/") or name == ":memory:" or "?" in name:
        raise ValidationError(f"is not a database that this program knows; {_DATABASES}")


def database_problem(value: str) -> str | None:
    """Return what is wrong with an address of PostgreSQL, None when nothing is; never with its password."""
    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"postgresql", "postgresql+psycopg"} and len(parts.path) > 1
        _ = parts.port
    except ValueError:
        fits = False
    if not fits:
        return (
            "is not an address of PostgreSQL; write postgresql+psycopg://user:password@host/database, and %XX for "
            "what is no letter or digit in a password"
        )
    if "password" in parse_qs(parts.query):
        return "holds the password after the `?`; write it before the host: user:password@host"
    return None


class ServerSchema(Group):
    """Be `server`."""

    host = Text(load_default="127.0.0.1")
    port = Whole(0, 65535, load_default=8080)
    public_url = Text(load_default=None, validate=_url())
    trusted_proxy = Text(load_default=None, validate=_address)


class AdminSchema(Group):
    """Be `admin`; accepted, and unused until there are admin pages."""

    enabled = Flag()


class AlertsSchema(Group):
    """Be `alerts`."""

    url = SecretText(required=True, validate=_url(query=True))


class KeepSchema(Group):
    """Be `keep`."""

    bodies = Seconds(load_default=duration("90d"), validate=at_least("1d"))
    ledger = Seconds(load_default=duration("2y"), validate=at_least("1d"))

    @validates_schema
    def outlive(self, data: Mapping[str, Any], **_: Any) -> None:
        """Keep the keys that make duplicates harmless at least as long as the bodies."""
        if data["ledger"] < data["bodies"]:
            raise ValidationError("must not be shorter than keep.bodies", "ledger")


class RetrySchema(Group):
    """Be `retry`."""

    give_up_after = Seconds(load_default=duration("14d"), validate=at_least("1s"))
    first_wait = Seconds(load_default=duration("5s"), validate=at_least("10ms"))
    longest_wait = Seconds(load_default=duration("6h"), validate=at_least("10ms"))

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a first wait that is longer than the longest."""
        if data["first_wait"] > data["longest_wait"]:
            raise ValidationError("must not be longer than retry.longest_wait", "first_wait")


class WorkerSchema(Group):
    """Be `worker`."""

    push_threads = Whole(1, 128, load_default=16)
    lease = Seconds(load_default=duration("60s"), validate=at_least("2s"))


class HeaderSchema(Group):
    """Be a source's `auth.header`."""

    name = Text(required=True, validate=matches(_HEADER, "is not a header's name"))
    value = Several(SecretText(), "value", required=True)


class HmacSchema(Group):
    """Be a source's `auth.hmac`."""

    header = Text(required=True, validate=matches(_HEADER, "is not a header's name"))
    secret = Several(SecretText(), "secret", required=True)
    algorithm = Text(
        load_default="sha256", validate=validate.OneOf(("sha256", "sha1", "sha512"), error="must be one of: {choices}")
    )
    encoding = Text(load_default="hex", validate=validate.OneOf(("hex", "base64"), error="must be one of: {choices}"))
    prefix = fields.String(load_default="", error_messages={"invalid": "must be text; put it in quotes"})


class AuthSchema(Group):
    """Be a source's `auth`: all that is given must hold."""

    path_token = Several(
        SecretText(validate=matches(_TOKEN, "must be 16 to 64 characters of A–Z a–z 0–9 _ -")),
        "token",
        load_default=(),
    )
    header = group(HeaderSchema, load_default=None)
    hmac = group(HmacSchema, load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def something(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a source that anybody could use."""
        if not (data.get("path_token") or data.get("header") or data.get("hmac")):
            raise ValidationError("names no proof of the sender; give it a path_token")


class SourceSchema(Group):
    """Be one of `sources`."""

    auth = group(AuthSchema, required=True)
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
        Text(validate=matches(_ACTION, "is not an action about customers, such as customers.CREATE or customers.*")),
        "action",
        required=True,
    )
    mapping = Text(
        required=True, validate=matches(NAME, "must be the name of a file in the mappings folder, without .yaml")
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
    server = group(ServerSchema, load_default=lambda: ServerSchema().load({}))
    secret_key = Several(SecretText(), "key", load_default=())
    admin = group(AdminSchema)
    alerts = group(AlertsSchema, load_default=None)
    keep = group(KeepSchema, load_default=lambda: KeepSchema().load({}))
    retry = group(RetrySchema, load_default=lambda: RetrySchema().load({}))
    worker = group(WorkerSchema, load_default=lambda: WorkerSchema().load({}))
    sources = Named(SourceSchema(), required=True)
    targets = Named(TargetSchema(), load_default=dict)
    syncs = Named(SyncSchema(), load_default=dict)
    include = fields.Raw(validate=_reserved)

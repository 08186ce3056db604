"""What a declarative target may say: one schema, checked as a whole, so that a mistake shows before the first customer."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from connector.config_fields import Flag, Group, Text
from connector.targets.blanks import Template, template
from connector.targets.oauth2_settings import oauth2
from connector.targets.settings import HttpSettings, header_text, secret

_MESSAGES: dict[str, Any] = {
    "required": "is missing",
    "null": "is empty; fill it, or delete the line",
    "invalid": "must be a list: each item on a line of its own, behind a dash",
    "type": "must be a group of settings, each on a line of its own",
}
_PLAIN = re.compile(r"[A-Za-z0-9/_.~!$&'()*+,;=:@%-]*")
_RESERVED = {"content-length", "content-type", "host", "transfer-encoding"}


class Blanks(Text):
    """Take a text with {{ blanks }}; `may` are the blanks that make sense here, beside those of the record."""

    def __init__(self, *may: str, path: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self._may, self._path = may, path

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        text = super()._deserialize(value, *rest, **more)
        if self._path and (not text.startswith("/") or "?" in text or "#" in text):
            raise ValidationError("must be a path that begins with / and has no ? or #")
        try:
            read = template(text)
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None
        if self._path and not all(map(_PLAIN.fullmatch, read.fixed)):
            raise ValidationError("must be written in plain characters, others as %20 and so on")
        strange = next((n for n in read.names if not n.startswith("record.") and n not in self._may), None)
        if strange is not None:
            raise ValidationError(f"{{{{ {strange} }}}} is not known yet at this point")
        return read


class Named(fields.Field[Any]):
    """Take a group of texts with {{ blanks }}, each under its name."""

    default_error_messages = _MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Template]:
        if not isinstance(value, dict):
            raise self.make_error("type")
        made, errors = {}, {}
        for name, text in value.items():
            try:
                made[name] = _BLANKS.deserialize(text)
            except ValidationError as wrong:
                errors[name] = wrong.messages
        if errors:
            raise ValidationError(errors)
        return made


_BLANKS = Blanks("customer", required=True)


def _group(schema: type[Schema], **more: Any) -> fields.Nested:
    return fields.Nested(schema(), error_messages=_MESSAGES, **more)


class HeaderSettings(Group):
    """Be `auth.header` or `auth.query`."""

    name = Text(required=True, validate=validate.Regexp(r"[A-Za-z0-9_.-]{1,64}$", error="is not a name for this"))
    value = secret("the credential", required=True)


class BasicSettings(Group):
    """Be `auth.basic`."""

    username = Text(required=True)
    password = secret("the password", required=True)


class AuthSettings(Group):
    """Be `auth`: one way to prove who we are."""

    bearer = secret("sent as Authorization: Bearer …", load_default=None)
    basic = _group(BasicSettings, load_default=None)
    header = _group(HeaderSettings, load_default=None)
    query = _group(HeaderSettings, load_default=None)
    oauth2 = oauth2("client_credentials", "refresh_token", "jwt_bearer", addressed=True, load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def one(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse none, and several."""
        if sum(value is not None for value in data.values()) != 1:
            raise ValidationError("must be one of bearer, basic, header, query or oauth2")


class FindSettings(Group):
    """Be one rung of `find`."""

    path = Blanks("customer", path=True, required=True)
    query = Named(load_default=dict)
    records = Text(load_default=None)
    match = Named(required=True, validate=validate.Length(min=1, error="names no field to compare"))
    id = Text(load_default="id")


class FetchSettings(Group):
    """Be `fetch`: how one contact is read by its id."""

    path = Blanks("customer", "remote_id", path=True, required=True)
    record = Text(load_default=None)
    id = Text(load_default="id")


class CreateSettings(Group):
    """Be `create`."""

    method = Text(
        load_default="POST", validate=validate.OneOf(("POST", "PUT", "PATCH"), error="must be one of: {choices}")
    )
    path = Blanks("customer", path=True, required=True)
    envelope = Text(load_default=None)
    record = Text(load_default=None)
    id = Text(load_default="id")


class UpdateSettings(Group):
    """Be `update`."""

    method = Text(
        load_default="PUT", validate=validate.OneOf(("POST", "PUT", "PATCH"), error="must be one of: {choices}")
    )
    path = Blanks("customer", "remote_id", path=True, required=True)
    envelope = Text(load_default=None)
    record = Text(load_default=None)


def _header_name(value: str) -> None:
    header_text(value)
    if value.lower() in _RESERVED or not all(part.isalnum() for part in value.split("-")):
        raise ValidationError("is not a header's name that can be set, as Idempotency-Key is")


class RestSettings(HttpSettings):
    """Be the settings of a declarative target."""

    auth = _group(
        AuthSettings,
        load_default=None,
        metadata={"help": "bearer, basic, header, query or oauth2", "secret": True},
    )
    find = fields.List(
        _group(FindSettings),
        load_default=list,
        error_messages=_MESSAGES,
        metadata={"help": "how to look for a contact: path, query, records, match, id; asked in this order"},
    )
    fetch = _group(
        FetchSettings,
        load_default=None,
        metadata={"help": "how to read one contact: path, record; needed by on_update and to verify an id"},
    )
    create = _group(
        CreateSettings,
        required=True,
        metadata={"help": "how to make one: method, path, envelope, id"},
    )
    update = _group(
        UpdateSettings,
        load_default=None,
        metadata={"help": "how to change one: method, path, envelope"},
    )
    idempotency_header = Text(
        load_default=None, validate=_header_name, metadata={"help": "the header that makes a repeated create harmless"}
    )
    at_most_once = Flag(
        load_default=False, metadata={"help": "true: nothing can be looked up; a lost answer ends held"}
    )

    @validates_schema(skip_on_field_errors=True)
    def once(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a target that could make twins, or could not update."""
        addressed = "customer" in data["create"]["path"].names
        sure = data["find"] or data["idempotency_header"] or addressed or data["at_most_once"]
        if not sure:
            raise ValidationError(
                "could make a contact twice after a lost answer; give it find, idempotency_header or a path with "
                "{{ customer }}, or accept held deliveries with at_most_once: true",
                "create",
            )
        if data["update"] is None and not addressed:
            raise ValidationError("is missing; say how a contact is changed", "update")

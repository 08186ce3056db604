"""What a declarative target may say: one schema, checked as a whole, so that a mistake shows before the first customer."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from connector.config_fields import Flag, Group, Several, Text
from connector.targets.oauth2_settings import oauth2
from connector.targets.rest_form import (
    MESSAGES,
    Blanks,
    ErrorSettings,
    FieldsSettings,
    Named,
    PageSettings,
    Shaped,
    SuccessSettings,
)
from connector.targets.rest_form import group as _group
from connector.targets.settings import HttpSettings, header_text, secret

_RESERVED = {"content-length", "content-type", "host", "transfer-encoding"}


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
    query = Named(shaped=True, load_default=dict)
    records = Text(load_default=None)
    row = Text(load_default=None)
    match = Named(required=True, validate=validate.Length(min=1, error="names no field to compare"))
    id = Text(load_default="id")
    spellings = Flag(load_default=False)
    search = Flag(load_default=False)
    short = Flag(load_default=False)
    page = _group(PageSettings, load_default=None)


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
    beside = Shaped(load_default=None)
    record = Text(load_default=None)
    id = Text(load_default="id")

    @validates_schema(skip_on_field_errors=True)
    def apart(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse to mix the record with what is sent beside it."""
        if data["beside"] is not None and data["envelope"] is None:
            raise ValidationError("is missing; with `beside` the record needs a name of its own", "envelope")


class UpdateSettings(Group):
    """Be `update`."""

    method = Text(
        load_default="PUT", validate=validate.OneOf(("POST", "PUT", "PATCH"), error="must be one of: {choices}")
    )
    path = Blanks("customer", "remote_id", path=True, required=True)
    envelope = Text(load_default=None)
    record = Text(load_default=None)
    only_changed = Flag(load_default=None)


def keyed(create: Mapping[str, Any]) -> bool:
    """Tell whether a create names the customer, in its path or beside the record, so that it makes nothing twice."""
    beside = create["beside"].names if create["beside"] else ()
    return "customer" in (*create["path"].names, *beside)


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
        error_messages=MESSAGES,
        metadata={"help": "how to look for a contact: path, query, records, match, id …; asked in this order"},
    )
    fetch = _group(
        FetchSettings,
        load_default=None,
        metadata={"help": "how to read one contact: path, record; needed by on_update and to verify an id"},
    )
    create = _group(
        CreateSettings,
        required=True,
        metadata={"help": "how to make one: method, path, envelope, beside, record, id"},
    )
    update = _group(
        UpdateSettings,
        load_default=None,
        metadata={"help": "how to change one: method, path, envelope, record, only_changed"},
    )
    idempotency_header = Text(
        load_default=None, validate=_header_name, metadata={"help": "the header that makes a repeated create harmless"}
    )
    success = _group(
        SuccessSettings, load_default=None, metadata={"help": "what an answer says that is one: path, equals"}
    )
    message = Text(load_default=None, metadata={"help": "where an error holds the sentence for people"})
    errors = fields.List(
        _group(ErrorSettings),
        load_default=list,
        error_messages=MESSAGES,
        metadata={"help": "what errors mean whose status does not tell it; the first rule that fits decides"},
    )
    soft = Several(
        Text(),
        "field",
        load_default=(),
        metadata={"help": "fields that are left out when the system refuses them, so that the rest goes through"},
    )
    field_list = _group(
        FieldsSettings,
        load_default=None,
        metadata={"help": "where the system lists its fields; `targets check` compares the mapping with it"},
    )
    customer_field = Text(
        load_default=None,
        metadata={"help": "the field that holds the customer's id: always sent, and another's id there is respected"},
    )
    at_most_once = Flag(
        load_default=False, metadata={"help": "true: nothing can be looked up; a lost answer ends held"}
    )

    @validates_schema(skip_on_field_errors=True)
    def once(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a target that could make twins, or could not update."""
        addressed = keyed(data["create"])
        sure = data["find"] or data["idempotency_header"] or addressed or data["at_most_once"]
        if not sure:
            raise ValidationError(
                "could make a contact twice after a lost answer; give it find, idempotency_header, or {{ customer }} in "
                "path or beside, or accept held deliveries with at_most_once: true",
                "create",
            )
        if data["update"] is None and not addressed:
            raise ValidationError("is missing; say how a contact is changed", "update")

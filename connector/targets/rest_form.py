"""The parts that a declarative target is described with: texts and groups with {{ blanks }}, pages, errors, lists of fields."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from connector.config_fields import Group, Seconds, Several, Text, Whole
from connector.targets.blanks import Shape, Template, shape, template

MESSAGES: dict[str, Any] = {
    "required": "is missing",
    "null": "is empty; fill it, or delete the line",
    "invalid": "must be a list: each item on a line of its own, behind a dash",
    "type": "must be a group of settings, each on a line of its own",
}
MEANINGS = ("exists", "busy", "refused", "gone", "invalid", "again")
_PLAIN = re.compile(r"[A-Za-z0-9/_.~!$&'()*+,;=:@%-]*")


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
        known(read, self._may)
        return read


def known(read: Template | Shape, may: tuple[str, ...]) -> None:
    """Refuse a blank that has no value here yet. Raises ValidationError."""
    strange = next((name for name in read.names if not name.startswith("record.") and name not in may), None)
    if strange is not None:
        raise ValidationError(f"{{{{ {strange} }}}} is not known yet at this point")


class Shaped(fields.Field[Any]):
    """Take a group of anything that JSON can hold; its texts may have {{ blanks }}."""

    default_error_messages = MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Shape:
        if not isinstance(value, dict | list):
            raise self.make_error("type")
        try:
            read = shape(value)
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None
        known(read, ("customer",))
        return read


class Named(fields.Field[Any]):
    """Take a group of texts with {{ blanks }}, each under its name; where `shaped`, a list or a group is sent as JSON."""

    default_error_messages = MESSAGES

    def __init__(self, *, shaped: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self._shaped = shaped

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Template | Shape]:
        if not isinstance(value, dict):
            raise self.make_error("type")
        made: dict[str, Any] = {}
        errors = {}
        for name, item in value.items():
            field: fields.Field[Any] = _SHAPED if self._shaped and isinstance(item, dict | list) else _BLANKS
            try:
                made[name] = field.deserialize(item)
            except ValidationError as wrong:
                errors[name] = wrong.messages
        if errors:
            raise ValidationError(errors)
        return made


_BLANKS, _SHAPED = Blanks("customer", required=True), Shaped(required=True)


def group(schema: type[Schema], **more: Any) -> fields.Nested:
    """Return the field of a group of settings."""
    return fields.Nested(schema(), error_messages=MESSAGES, **more)


class PageSettings(Group):
    """Be `page` of a rung: how the next rows are asked for."""

    param = Text(required=True)
    size_param = Text(load_default=None)
    size = Whole(1, 1000, load_default=None)
    next = Text(load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def counted(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse to ask for pages of no size."""
        if data["size_param"] is not None and data["size"] is None:
            raise ValidationError("is missing; say how many rows to ask for", "size")


class SuccessSettings(Group):
    """Be `success`: what an answer says that is one, where its status alone does not tell."""

    path = Text(required=True)
    equals = Text(required=True)


class FieldsSettings(Group):
    """Be `fields`: where the system lists the fields that it has."""

    path = Blanks(path=True, required=True)
    query = Named(load_default=dict)
    records = Text(load_default=None)
    name = Text(load_default="name")
    also = Several(Text(), "field", load_default=())


class ErrorSettings(Group):
    """Be one rule of `errors`: by which answer it is known, and what that means."""

    status = Several(Whole(200, 599), "status", load_default=())
    path = Text(load_default=None)
    equals = Several(Text(), "text", load_default=())
    contains = Several(Text(), "text", load_default=())
    means = Text(required=True, validate=validate.OneOf(MEANINGS, error="must be one of: {choices}"))
    id = Text(load_default=None)
    field = Several(Text(), "field", load_default=())
    wait = Seconds(load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def known_by(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a rule that fits every answer, and one that leaves out what it needs."""
        if not (data["status"] or data["equals"] or data["contains"]):
            raise ValidationError("must say by which status, equals or contains it is known")
        if data["means"] == "invalid" and not data["field"]:
            raise ValidationError("is missing; say which field of the record is not accepted", "field")

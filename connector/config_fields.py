"""The kinds of setting that a configuration is made of: texts, secrets, durations, groups; each message names the cure."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing, validates_schema

from connector.config_text import Unset
from connector.masking import Secret

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|m|h|d|w|y)")
NO_GROUP = "must be a group of settings, each on a line of its own"


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


MESSAGES: dict[str, Any] = {"required": "is missing", "null": "is empty; fill it, or delete the line"}


class _Patient(fields.Field[Any]):
    """Let an unset value (reported already) stand for itself, so that the rest can still be checked."""

    default_error_messages = MESSAGES

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

    default_error_messages = MESSAGES

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

    default_error_messages = MESSAGES

    def __init__(self, schema: Schema, **more: Any) -> None:
        super().__init__(**more)
        self._schema = schema

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be a group: a name on the left, its settings under it")
        made, errors = {}, {}
        for name, item in value.items():
            try:
                matches(NAME, "is not a name: up to 64 of A–Z a–z 0–9 _ -")(name)
                made[name] = self._schema.load(item)
            except ValidationError as wrong:
                errors[name] = wrong.messages
        if errors:
            raise ValidationError(errors)
        return made


def matches(pattern: re.Pattern[str], message: str) -> Any:
    """Return a validator that refuses, with the message, a text that the whole pattern does not match."""

    def check(value: str) -> None:
        if not isinstance(value, Unset) and pattern.fullmatch(value) is None:
            raise ValidationError(message)

    return check


def at_least(low: str) -> Any:
    """Return a validator that refuses a shorter duration."""

    def check(value: float) -> None:
        if value < duration(low):
            raise ValidationError(f"must be at least {low}")

    return check


class Group(Schema):
    """Be a group of settings that refuses what it does not know."""

    error_messages = {"type": NO_GROUP}  # noqa: RUF012 - as marshmallow wants it

    class Meta:
        """Leave unknown keys to `known`, whose message is better."""

        unknown = EXCLUDE

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def known(self, _data: Any, original: Any, **_: Any) -> None:
        """Refuse unknown keys, each with the nearest known one."""
        strange = original.keys() - self.fields.keys() if isinstance(original, dict) else ()
        if strange:
            raise ValidationError({key: [f"unknown key `{key}`{did_you_mean(key, self.fields)}"] for key in strange})


def group(schema: type[Schema], **more: Any) -> fields.Nested:
    """Return the field of a group of settings."""
    return fields.Nested(schema(), error_messages={**MESSAGES, "type": NO_GROUP}, **more)

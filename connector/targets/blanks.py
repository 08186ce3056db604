"""Fill the {{ blanks }} of a declarative target: the customer's id, the remote id, or a field of the record."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

_BLANK = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_NAME = re.compile(r"customer|remote_id|record(?:\.[^\s.{}()|*'\"]+)+")

Value = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Template:
    """Hold a text with blanks; `names` are the blanks in order, `fixed` the texts around them (one more)."""

    text: str
    fixed: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def only(self) -> str | None:
        """Return the one blank that is the whole text, or None."""
        return self.names[0] if len(self.names) == 1 and self.fixed == ("", "") else None

    def fill(self, value: Value) -> str | None:
        """Return the text with its blanks filled, None when one has no value."""
        return self._filled([value(name) for name in self.names])

    def address(self, value: Value) -> str | None:
        """Return the text as part of an address: what is filled in can neither end nor climb the path.

        None when a blank has no value, or nothing but dots (which would climb).
        """
        values = [value(name) for name in self.names]
        if any(not text.strip(".") for text in values):
            return None
        return self._filled([quote(text, safe="") for text in values])

    def _filled(self, values: list[str]) -> str | None:
        if not all(values):
            return None
        return self.fixed[0] + "".join(value + after for value, after in zip(values, self.fixed[1:], strict=True))


def template(text: str) -> Template:
    """Read a text with blanks. Raises ValueError with the cure."""
    pieces = _BLANK.split(text)
    fixed, names = tuple(pieces[::2]), tuple(pieces[1::2])
    wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        shown = wrong[:40]
        raise ValueError(
            f"cannot fill {{{{ {shown} }}}}; write {{{{ customer }}}}, {{{{ record.FIELD }}}} or {{{{ remote_id }}}}"
        )
    if any("{{" in part or "}}" in part for part in fixed):
        raise ValueError("has a {{ or }} without its other half")
    return Template(text, fixed, names)

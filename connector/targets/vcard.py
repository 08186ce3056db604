"""Read and write vCards (RFC 2426 and 6350), changing only what is ours: all else in a card stays as it is, line by line.

A record names properties as a vCard does (`FN`, `EMAIL`, `X-VAT-NUMBER`); `N` and `ADR` are groups of named parts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.targets import records

PARTS: Mapping[str, Sequence[str]] = {
    "N": ("family", "given", "additional", "prefix", "suffix"),
    "ADR": ("box", "extended", "street", "locality", "region", "code", "country"),
}
PROPERTY = re.compile(r"[A-Z][A-Z0-9-]*")
_LINE = re.compile(r'(?P<before>(?:[\w-]+\.)?(?P<name>[\w-]+)(?:;(?:"[^"]*"|[^":])*)?):(?P<value>.*)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WIDTH = 75  # octets in a line


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one property: what stands before the colon as written, its name, and its value as escaped."""

    before: str
    name: str
    value: str

    def plain(self, like: Any = "") -> Any:
        """Return the value as a record says it, a text or a group of named parts; a list where `like` is one."""
        if self.name in PARTS:
            texts = map(_unescaped, _split(self.value, ";"))
            return {name: text for name, text in zip(PARTS[self.name], texts, strict=False) if text}
        if isinstance(like, list):
            return list(map(_unescaped, _split(self.value, ",")))
        text = _unescaped(self.value)
        return text.removeprefix("tel:") if self.name == "TEL" else text


def read(text: str) -> list[Line] | None:
    """Return the lines of a card, without BEGIN and END; None when the text is no card."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text.strip().removeprefix("\ufeff"))
    found = [_LINE.fullmatch(line) for line in re.split(r"\r?\n", unfolded) if line]
    lines = [Line(match["before"], match["name"].upper(), match["value"]) for match in found if match]
    ends = [(line.name, line.value.upper()) for line in (lines[:1] + lines[-1:])]
    return lines[1:-1] if ends == [("BEGIN", "VCARD"), ("END", "VCARD")] else None


def written(lines: Sequence[Line]) -> str:
    """Return the text of a card, its long lines folded."""
    whole = [Line("BEGIN", "BEGIN", "VCARD"), *lines, Line("END", "END", "VCARD")]
    return "".join(f"{_folded(f'{line.before}:{line.value}')}\r\n" for line in whole)


def fresh(record: Mapping[str, Any], version: str) -> list[Line]:
    """Return the lines of a new card; version 3.0 insists on N."""
    named = record if "N" in record else {**record, "N": {"given": record.get("FN", "")}}
    return [Line("VERSION", "VERSION", version), *(_made(name, value) for name, value in named.items())]


def changed(lines: Sequence[Line], fields: Mapping[str, Any]) -> list[Line]:
    """Return the lines with these fields in place of the first of their name; what else there is stays."""
    rest, kept = _with_name(lines, fields), []
    for line in lines:
        value = rest.pop(line.name, None)
        kept.append(line if value is None else replace(line, value=_escaped(line.name, value)))
    return [*kept, *(_made(name, value) for name, value in rest.items())]


def _with_name(lines: Sequence[Line], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Add the name in parts where it was made of the whole name, which changes now."""
    there = flat(lines, {}, frozenset())
    follows = "FN" in fields and there.get("N") == {"given": there.get("FN")}
    return {"N": {"given": fields["FN"]}, **fields} if follows else dict(fields)


def flat(lines: Sequence[Line], record: Mapping[str, Any], phones: frozenset[str]) -> dict[str, Any]:
    """Return a card as a record says it; of several e-mails or phones the one that is the record's, if it is there."""
    row: dict[str, Any] = {}
    for line in lines:
        ours = record.get(line.name)
        theirs = line.plain(ours)
        if line.name not in row or records.same(ours, theirs, phone=line.name in phones):
            row[line.name] = theirs
    return row


def unknown(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the names of a record's fields."""
    for name in record:
        if not PROPERTY.fullmatch(name):
            yield f"{name}: a vCard's properties are written in capitals, as in FN, TEL, ADR"
    for name, parts in PARTS.items():
        given = record.get(name)
        if given is not None and not isinstance(given, Mapping):
            yield f"{name}: is a group of {', '.join(parts)}"
            continue
        yield from (f"{name}.{part}: {name} has only {', '.join(parts)}" for part in given or () if part not in parts)


def _made(name: str, value: Any) -> Line:
    return Line(name, name, _escaped(name, value))


def _escaped(name: str, value: Any) -> str:
    if name in PARTS:
        return ";".join(_safe(records.text(value.get(part))) for part in PARTS[name])
    if isinstance(value, list):
        return ",".join(_safe(records.text(item)) for item in value)
    return _safe(records.text(value))


def _safe(text: str) -> str:
    plain = _CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"([\\,;])", r"\\\1", plain).replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def _split(value: str, mark: str) -> list[str]:
    """Return the parts between the marks; an escaped mark parts nothing."""
    return re.findall(rf"(?:^|{mark})((?:\\.|[^{mark}\\])*)", value, re.DOTALL)


def _folded(line: str) -> str:
    """Break a line after so many octets, never within a character."""
    pieces, piece, size = [], "", 0
    for char in line:
        octets = len(char.encode("utf-8", "replace"))
        if size + octets > _WIDTH:
            pieces.append(piece)
            piece, size = "", 1  # the space that begins the next
        piece, size = piece + char, size + octets
    return "\r\n ".join([*pieces, piece])

"""Say in plain words what the YAML parser complains of, where a person would look, and what to write instead."""

import re

from ruamel.yaml.error import MarkedYAMLError, StreamMark

Said = tuple[int, int, str]  # line and column, counted from 0, and the message

TEMPLATE = 'a template stands in quotes: {template: "{{ user.name }}"}'
_BEHIND = "something stands behind the closing quote; put the whole text in quotes"
_COLON = re.compile(r":(?:\s|$)")
_OTHER_COMMA = re.compile("[\u060c\u061b;]")  # the Arabic comma and semicolon, and ours
_AT_THE_ERROR = (
    (r"character '\\t'", "a tab; write spaces instead"),
    (r"unknown escape|escape sequence", "in \"…\" a `\\` is special; write the text between ' and '"),
    (r"mapping keys", "a text that begins with `?` stands in quotes"),
    (r"character '(.)'", "a text that begins with `{0}` stands in quotes"),
    (r"but found '<block mapping start>'", "is indented like no line above it; line it up with the others"),
    (r"but found '([}\]])'", "a `{0}` too many; delete it"),
    (r"<block end>, but found '<scalar>'", _BEHIND),
    (r"but found '-'|sequence entries", "a list is written in brackets, as in [user.name, user.phone]"),
    (r"the node content, but found ','", "a `,` too many, or something is missing before it"),
    (r"block scalar|comment or a line break", "`|` and `>` are special at the beginning of a text; put it in quotes"),
    (r"block end", "does not belong to the lines above it; line it up with the others"),
)
_AT_THE_BEGINNING = (
    (r"end of stream", "the quote that opens here is never closed"),
    (r"could not find expected ':'", "has no `: `; a line reads `field: where it comes from`"),
    (r"alias|anchor", "`&` and `*` are not used in mappings; write it out, or put the text in quotes"),
    (r"tag", "tags (`!`) are not used in mappings; put the text in quotes"),
)


def said(wrong: MarkedYAMLError, lines: list[str]) -> Said:
    """Return the place and the words for what the parser met in these lines."""
    at = wrong.problem_mark or wrong.context_mark
    begins = wrong.context_mark or at
    complaint = f"{wrong.context or ''}: {wrong.problem}"
    if "mapping values" in complaint:
        return _second_colon(at, lines)
    if "expected ',' or" in complaint:
        return _open_bracket(begins, at, lines)
    for pattern, words in _AT_THE_BEGINNING:
        if re.search(pattern, complaint):
            return begins.line, begins.column, words
    for pattern, words in _AT_THE_ERROR:
        if found := re.search(pattern, complaint):
            return at.line, at.column, words.format(*found.groups())
    return at.line, at.column, f"is not YAML: {wrong.problem}"


def _second_colon(at: StreamMark, lines: list[str]) -> Said:
    """Tell the three reasons apart for which a `:` stands where none may: text, the line above, the indentation."""
    line = lines[at.line]
    if _COLON.search(line[: at.column]):
        return at.line, at.column, "a second `: ` in one line; a text that holds one stands in quotes, a rule in braces"
    above = next((n for n in range(at.line - 1, -1, -1) if _code(lines[n])), at.line)
    if not _COLON.search(_code(lines[above])):
        return above, _indent(lines[above]), "has no `: `; a line reads `field: where it comes from`"
    return at.line, _indent(line), "is indented deeper than the line above, which is complete; line it up with that"


def _open_bracket(begins: StreamMark, at: StreamMark, lines: list[str]) -> Said:
    line = lines[begins.line]
    if at.line > begins.line:
        bracket = line[begins.column]
        return begins.line, begins.column, f"the `{bracket}` that opens here is not closed, or a `,` is missing in it"
    if line[at.column : at.column + 1] in {"}", "]"}:
        shut = {"{": "}", "[": "]"}[line[begins.column]]
        return (
            at.line,
            at.column,
            f"`{line[at.column]}` does not close `{line[begins.column]}`; write `{shut}` before it",
        )
    if comma := _OTHER_COMMA.search(line, begins.column, at.column):
        return at.line, comma.start(), f"`{comma[0]}` parts nothing here; write `,`"
    if line[: at.column].rstrip().endswith(("'", '"')):
        return at.line, at.column, _BEHIND
    return at.line, at.column, "a `,` is missing before this, or a text that holds `,` `:` `{` or `}` is not in quotes"


def _code(line: str) -> str:
    """Return a line without its remark."""
    return re.sub(r"(^|\s)#.*", "", line).strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())

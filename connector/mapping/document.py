"""Read a mapping document: YAML text in, a compiled Mapping out, or every problem at once with file:line:col."""

import hashlib
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as TextMap
from typing import Any

from connector.errors import MappingError, Problem
from connector.mapping import yamltext
from connector.mapping.checking import MOST_PROBLEMS, Checker, TooMany
from connector.mapping.compiling import rule
from connector.mapping.customers import CUSTOMERS
from connector.mapping.forms import First, shared
from connector.mapping.paths import SHARED, Keys, as_list, did_you_mean, shown
from connector.mapping.shape import Mapping, Rule, Sample
from connector.mapping.template import condition
from connector.mapping.yamltext import Node
from connector.models import OnNameTaken

__all__ = ["Mapping", "Rule", "Sample", "read"]

VERSION = 1
MOST_FIELDS = 500
KEYS = ("version", "kind", "match", "fields", "on_update", "on_name_taken", "ignore", "when", "samples")
_FIRST = {
    "version": f"`version: {VERSION}` at the top",
    "kind": "what kind of target it is for, as in `kind: csv`",
    "fields": "`fields:`, and the target's fields below it",
}
ON_UPDATE = ("overwrite", "fill_if_empty", "keep")
ON_NAME_TAKEN: TextMap[str, OnNameTaken] = {"suffix": "suffix", "hold": "hold"}


def read(text: str, file: str) -> Mapping:
    """Read a mapping; `file` is its name in messages. Raises MappingError with every problem."""
    root = yamltext.read(text, file)
    check = Checker(file)
    try:
        mapping = _mapping(check, root, text)
    except TooMany:
        last = max(check.problems)
        more = Problem(file, last.line, last.column, f"there may be more: these are the first {MOST_PROBLEMS} problems")
        raise MappingError([*check.problems, more]) from None
    if check.problems:
        raise MappingError(check.problems)
    return mapping


def _mapping(check: Checker, root: Node, text: str) -> Mapping:
    entries = check.group(root, KEYS, "a mapping is")
    meant = "".join(did_you_mean(key, KEYS) for key in entries.keys() - set(KEYS))
    for key, cure in _FIRST.items():
        if isinstance(root.value, dict) and key not in entries and f"`{key}`" not in meant:
            check.wrong(root, f"`{key}` is missing; write {cure}")
    _version(check, entries.get("version"))
    rules = _rules(check, entries.get("fields"))
    fill, keep = _on_update(check, entries.get("on_update"), rules)
    return Mapping(
        kind=check.filled(entries["kind"], "`kind`") if "kind" in entries else "",
        version=VERSION,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        match=_match(check, entries.get("match"), rules),
        fields=rules,
        ignore=tuple(path.text for path in check.paths(entries.get("ignore"), "`ignore`")),
        fill_if_empty=fill,
        keep=keep,
        on_name_taken=_on_name_taken(check, entries.get("on_name_taken")),
        when=check.expression(condition, entries.get("when"), "`when`"),
        samples=_samples(check, entries.get("samples")),
    )


def _version(check: Checker, node: Node | None) -> None:
    if node is not None and (isinstance(node.value, bool) or node.value != VERSION):
        cure = f"; write `version: {VERSION}`, without quotes" if isinstance(node.value, str) else ""
        check.wrong(node, f"this program reads version {VERSION}{cure}")


def _rules(check: Checker, node: Node | None) -> tuple[Rule, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, dict) or not node.value:
        cure = "; indent the lines below it by two spaces" if node.value is None else ""
        cure = "; write it without dashes" if isinstance(node.value, list) else cure
        check.wrong(
            node, f"`fields` is a group: the target's field on the left, where it comes from on the right{cure}"
        )
        return ()
    if len(node.value) > MOST_FIELDS:
        check.wrong(node, f"holds {len(node.value)} fields; a mapping has at most {MOST_FIELDS}")
        return ()
    rules = tuple(rule(check, target, item) for target, item in node.value.items())
    for target, other in _clashing(rules):
        what = f"`{shown(target)}` and `{shown(other)}` cannot both be: a place holds text, a group or a list"
        check.wrong(node.value[target], what, key=True)
    return rules


def _clashing(rules: Iterable[Rule]) -> Iterable[tuple[str, str]]:
    """Yield the fields that cannot stand in one record with one before them: `a` and `a.b`, `a[0]` and `a.b`."""
    kinds: dict[Keys, tuple[type, str]] = {}
    for each in (each for each in rules if each.keys):
        inside = {each.keys[:depth]: type(key) for depth, key in enumerate(each.keys)}
        wanted = {**inside, each.keys: type(None)}
        other = next((kinds[keys][1] for keys, kind in wanted.items() if kinds.get(keys, (kind,))[0] is not kind), None)
        other = kinds[each.keys][1] if each.keys in kinds else other
        if other is not None:
            yield each.target, other
        for keys, kind in wanted.items():
            kinds.setdefault(keys, (kind, each.target))


def _names(check: Checker, node: Node | None, what: str, known: Sequence[str]) -> tuple[str, ...]:
    names = []
    for item in check.items(node, f"`{what}`"):
        name = check.filled(item, "a field")
        if name and known and name not in known:
            whole = name.partition("[")[0]
            list_of = f"a list is written as a whole; name `{shown(whole)}`" if whole in known else ""
            meant = as_list(name, known) or did_you_mean(name, known)
            check.wrong(item, list_of or f"`{shown(name)}` is not one of the fields above{meant}")
        names.append(name)
    return tuple(names)


def _on_update(check: Checker, node: Node | None, rules: tuple[Rule, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is filled only when empty, and what is kept; what is listed to be overwritten says so to people.

    They may name a field, or a whole list: a target replaces a list as a whole, so no item of it can be protected.
    """
    update = check.group(node, ON_UPDATE, "`on_update` is") if node else {}
    known = [each.target for each in rules if "[" not in each.target]
    lists = dict.fromkeys(each.target.partition("[")[0] for each in rules if "[" in each.target)
    named = {mode: _names(check, update.get(mode), mode, (*known, *lists)) for mode in ON_UPDATE}
    seen: dict[str, str] = {}
    for mode in ON_UPDATE:
        for item in check.items(update.get(mode), f"`{mode}`"):
            if isinstance(item.value, str) and item.value in seen:
                other = seen[item.value]
                check.wrong(item, f"`{shown(item.value)}` is in `{other}` already; keep it in one of the two")
            seen[str(item.value)] = mode
    return named["fill_if_empty"], named["keep"]


def _on_name_taken(check: Checker, node: Node | None) -> OnNameTaken:
    text = check.filled(node, "`on_name_taken`") if node else "suffix"
    if text and text not in ON_NAME_TAKEN and node:
        check.wrong(node, f"`on_name_taken` is one of: {', '.join(ON_NAME_TAKEN)}{did_you_mean(text, ON_NAME_TAKEN)}")
    return ON_NAME_TAKEN.get(text, "suffix")


def _match(check: Checker, node: Node | None, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    names = _names(check, node, "match", [each.target for each in rules])
    same = {each.target for each in rules if _common(each)}
    for item in check.items(node, "`match`"):
        if item.value in same:
            check.wrong(item, f"`{item.value}` is the same for many customers; nobody is found by it")
    return names


def _common(rule: Rule) -> bool:
    """Tell whether many customers have the same value there: a word, a city, a language, a kind of number."""
    if isinstance(rule.take, First) and not rule.take.paths:  # its own problem is told already
        return False
    kind_of_number = any(step.name == "crn_type" for step in rule.steps)
    paths = (path.removeprefix("data.") for path in rule.take.paths)
    return shared(rule) or kind_of_number or SHARED.issuperset(paths)


def _samples(check: Checker, node: Node | None) -> tuple[Sample, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, list):
        check.wrong(node, "`samples` is a list, each with `given` and `expect`")
        return ()
    return tuple(sample for item in node.value if (sample := _sample(check, item)))


def _sample(check: Checker, node: Node) -> Sample | None:
    entries = check.group(node, ("given", "expect"), "a sample is")
    given, expect = entries.get("given"), entries.get("expect")
    if not isinstance(node.value, dict):
        return None
    if given is None or expect is None or not isinstance(expect.value, dict):
        check.wrong(node, "a sample has `given` (the customer as Flavours sends it) and `expect` (the whole record)")
        return None
    _expected(check, expect)
    if isinstance(given.value, str):
        return _named_sample(check, given, expect.plain(), node.line)
    if not isinstance(given.value, dict):
        check.wrong(given, f"`given` is a customer as Flavours sends it, or one of: {', '.join(CUSTOMERS)}")
        return None
    return Sample(given.plain(), expect.plain(), node.line)


def _expected(check: Checker, node: Node) -> None:
    """Find what no record can hold, before it makes a riddle of `expected 12211, got '12211'`."""
    if isinstance(node.value, dict | list):
        for item in node.value.values() if isinstance(node.value, dict) else node.value:
            _expected(check, item)
    elif node.value is None:
        check.wrong(node, "an empty field is left out of the record; delete this line")
    elif not isinstance(node.value, str | bool):
        check.wrong(node, "a record holds text, no numbers; put it in quotes")


def _named_sample(check: Checker, given: Node, expect: dict[str, Any], line: int) -> Sample | None:
    name = given.value
    if name not in CUSTOMERS:
        known = f" (there are: {', '.join(CUSTOMERS)})"
        check.wrong(given, f"there is no sample customer `{shown(name)}`{did_you_mean(name, CUSTOMERS) or known}")
        return None
    return Sample(CUSTOMERS[name], expect, line, name)

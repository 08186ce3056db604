"""Compile the rules of a document: each node of YAML becomes a rule, each mistake a problem with its place."""

from collections.abc import Callable, Mapping

from connector.mapping.checking import Checker
from connector.mapping.expressions import LONGEST_RESULT
from connector.mapping.fold import fold
from connector.mapping.forms import Choice, Filled, First, Fixed, Join
from connector.mapping.paths import ADDED, KNOWN, NO_CURE, Path, as_list, did_you_mean, place, shown, unknown
from connector.mapping.shape import Rule, Step, Take
from connector.mapping.template import condition, template
from connector.mapping.transforms import TRANSFORMS, OnInvalid, Transform
from connector.mapping.yamltext import Node

ON_INVALID: Mapping[str, OnInvalid] = {"raw": "raw", "drop": "drop", "hold": "hold"}
FORMS: Mapping[str, tuple[str, ...]] = {
    "from": (),
    "first_of": (),
    "join": ("with",),
    "template": (),
    "value": (),
    "if": ("then", "else"),
}
_PARTS = tuple(part for parts in FORMS.values() for part in parts)
EVERYWHERE = ("use", "map", "default", "max_length", "required", "when")
_KEYS = (*FORMS, *_PARTS, *EVERYWHERE)
EXAMPLES: Mapping[str, str] = {"only_if": '"05########"'}


def rule(check: Checker, target: str, node: Node) -> Rule:
    """Compile the rule of one field."""
    keys = place(target)
    if keys is None:
        check.wrong(node, f"`{shown(target)}` is no field; write it like name, address.city, phones[0].value", key=True)
    if isinstance(node.value, str):
        return Rule(target, keys or (), First(_bare(check, node)))
    if node.value is None:
        check.wrong(
            node,
            f"`{shown(target)}` has no rule; write a field of Flavours behind the `:`, or indent the lines below it",
            key=True,
        )
        return Rule(target, keys or (), First(()))
    dotted = f"; a group is written with a dot, as in {shown(target)}.city"
    entries = check.group(node, _KEYS, "a rule is a path, or", dotted)
    return Rule(
        target,
        keys or (),
        _take(check, node, entries),
        _steps(check, entries),
        _lookup(check, entries),
        _default(check, entries),
        check.flag(entries.get("required"), "`required`"),
        check.expression(condition, entries.get("when"), "`when`"),
        _max_length(check, entries.get("max_length")),
    )


def _max_length(check: Checker, node: Node | None) -> int | None:
    if node is None:
        return None
    if isinstance(node.value, bool) or not isinstance(node.value, int) or not 0 < node.value <= LONGEST_RESULT:
        check.wrong(node, f"`max_length` is a number of characters, 1 to {LONGEST_RESULT}, without quotes")
        return None
    return node.value


def _bare(check: Checker, node: Node) -> tuple[Path, ...]:
    """Read a bare word, which is a path; who meant fixed text or a template learns how to write it."""
    if "{{" in node.value:
        check.wrong(node, f'a template is written {{template: "{shown(node.value)}"}}')
        return ()
    text = node.value
    problem = None if not text.strip() or text[0] in "\u201c\u201d" else unknown(text)
    if problem and as_list(text, KNOWN):
        paths = as_list(text, KNOWN).partition("[")[2]
        check.wrong(
            node, f"`{shown(text)}` is no field; the first that holds something is written {{first_of: [{paths}}}"
        )
        return ()
    if problem and (ADDED in problem or problem.endswith(NO_CURE)):
        check.wrong(node, f'{problem.removesuffix(NO_CURE)}; fixed text is written {{value: "{shown(text)}"}}')
        return ()
    return check.path(node)


def _take(check: Checker, node: Node, entries: Mapping[str, Node]) -> Take:
    forms = [form for form in FORMS if form in entries]
    if len(forms) != 1:
        if forms or (isinstance(node.value, dict) and node.value.keys() <= set(_KEYS)):
            check.wrong(node, f"a rule has one of: {', '.join(FORMS)}; here: {', '.join(forms) or 'none'}", key=True)
        return First(())
    form = forms[0]
    for part in entries.keys() & (set(_PARTS) - set(FORMS[form])):
        check.wrong(entries[part], f"`{part}` does not go with `{form}`", key=True)
    return _MAKERS[form](check, entries)


def _from(check: Checker, entries: Mapping[str, Node]) -> Take:
    return First(check.path(entries["from"]))


def _first_of(check: Checker, entries: Mapping[str, Node]) -> Take:
    return First(check.paths(entries["first_of"], "`first_of`"))


def _join(check: Checker, entries: Mapping[str, Node]) -> Take:
    between = entries.get("with")
    sources = check.paths(entries["join"], "`join`")
    return Join(sources, check.text(between, "`with`")) if between else Join(sources)


def _template(check: Checker, entries: Mapping[str, Node]) -> Take:
    found = check.expression(template, entries["template"], "`template`")
    return Filled(found) if found else First(())


def _value(check: Checker, entries: Mapping[str, Node]) -> Take:
    node = entries["value"]
    return Fixed(node.value if isinstance(node.value, bool) else check.fixed(node, "`value`"))


def _choice(check: Checker, entries: Mapping[str, Node]) -> Take:
    test = check.expression(condition, entries["if"], "`if`")
    if "then" not in entries:
        check.wrong(entries["if"], "`if` needs a `then`", key=True)
    then, otherwise = (
        check.fixed(entries[part], f"`{part}`", template=False) if part in entries else None
        for part in ("then", "else")
    )
    return Choice(test, then, otherwise) if test and then else First(())


_MAKERS: Mapping[str, Callable[[Checker, Mapping[str, Node]], Take]] = {
    "from": _from,
    "first_of": _first_of,
    "join": _join,
    "template": _template,
    "value": _value,
    "if": _choice,
}


def _steps(check: Checker, entries: Mapping[str, Node]) -> tuple[Step, ...]:
    node = entries.get("use")
    if node is None:
        return ()
    words = [node] if isinstance(node.value, dict) else check.items(node, "`use`")
    return tuple(step for word in words if (step := _step(check, word)))


def _step(check: Checker, node: Node) -> Step | None:
    """Compile `phone`, `{date: "%Y"}` or `{phone: {prefix: …, on_invalid: drop}}`."""
    if isinstance(node.value, dict) and len(node.value) == 1:
        [(name, given)] = node.value.items()
    else:
        name, given = check.text(node, "each word of `use`"), None
    transform = TRANSFORMS.get(name)
    if transform is None:
        if name:
            known = f"; the words are: {', '.join(TRANSFORMS)}"
            meant = as_list(name, TRANSFORMS) or did_you_mean(name, TRANSFORMS) or known
            check.wrong(node, f"unknown transform `{shown(name)}`{meant}")
        return None
    options = _options(check, name, given) if given else {}
    if transform.needs and transform.main not in options:
        check.wrong(node, f"`{name}` needs its `{transform.main}`, as in {{{name}: {EXAMPLES[name]}}}")
    on_invalid = ON_INVALID.get(options.pop("on_invalid", ""), transform.on_invalid)
    on_junk = ON_INVALID.get(options.pop("on_junk", ""), transform.on_junk or on_invalid)
    return Step(name, transform, options, on_invalid, on_junk)


def _options(check: Checker, name: str, given: Node) -> dict[str, str]:
    transform = TRANSFORMS[name]
    entries = {transform.main: given} if transform.main and isinstance(given.value, str) else None
    if entries is None:
        entries = check.group(given, allowed(transform), f"the options of `{name}` are")
    options = {}
    for option, node in ((option, node) for option, node in entries.items() if option in allowed(transform)):
        text = check.filled(node, f"`{option}`")
        problem = transform.options.get(option, _bad_on_invalid)(text) if text else None
        if problem:
            check.wrong(node, f"`{option}` {problem}")
        options[option] = text
    return options


def allowed(transform: Transform) -> tuple[str, ...]:
    """Return the names of a word's options."""
    return (*transform.options, "on_invalid", *(() if transform.on_junk is None else ("on_junk",)))


def _bad_on_invalid(text: str) -> str | None:
    return None if text in ON_INVALID else f"is one of: {', '.join(ON_INVALID)}"


def _lookup(check: Checker, entries: Mapping[str, Node]) -> dict[str, str] | None:
    node = entries.get("map")
    if node is None:
        return None
    if not isinstance(node.value, dict) or not node.value:
        check.wrong(node, "`map` is a group, as in {ar: ar_SA, en: en_US}")
        return None
    lookup: dict[str, str] = {}
    for key, item in node.value.items():
        if not fold(key):
            check.wrong(
                item, "an empty text is never looked up; write what an empty field becomes as `default`", key=True
            )
        if fold(key) in lookup:
            check.wrong(
                item, f"`{shown(key)}` is there already: case, spaces and diacritics do not count; delete one", key=True
            )
        lookup[fold(key)] = check.fixed(item, f"`{shown(key)}`", template=False)
    return lookup


def _default(check: Checker, entries: Mapping[str, Node]) -> Take | None:
    node = entries.get("default")
    if node is None:
        return None
    if isinstance(node.value, dict):
        inner = check.group(node, ("template",), "`default` is text, or")
        found = check.expression(template, inner.get("template"), "`template`")
        return Filled(found) if found else None
    return Fixed(check.fixed(node, "`default`"))

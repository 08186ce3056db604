"""What the core says in English is said in Arabic, with the one action; a sentence of the core that is not there fails here."""

import ast
import re
from pathlib import Path

import pytest

import connector
from connector import flavours
from connector.bundled import payload
from connector.errors import BadWebhook, MappingError
from connector.mapping import document
from connector.mapping.rules import apply
from connector.mapping.samples import check_samples
from connector.web.admin import core, language
from tests.web.admin.arabic import translated
from tests.web.admin.test_admin_mappings import TEXT

HOUSE = Path(connector.__file__).parent
# Every room that says something which a page may show; targets/settings.py and the like speak of config.yaml alone.
OF_CONFIG = re.compile(r"settings|rest_form|blanks|kinds|webhook_signing")
ROOMS = [
    *(HOUSE / "mapping").glob("*.py"),
    *(HOUSE / "mapping/transforms").glob("*.py"),
    *(HOUSE / "flavours").glob("*.py"),
    *(HOUSE / f"delivery/{name}.py" for name in ("deliver", "policy")),
    *(HOUSE / f"store/{name}.py" for name in ("again", "erasing", "settling")),
    *(HOUSE / "web/admin/reaching.py",),
    *(room for room in (HOUSE / "targets").glob("*.py") if not OF_CONFIG.search(room.stem)),
    *(HOUSE / "targets/vendors").glob("*.py"),
]
# What is no sentence for people of the admin pages: help of the schema, sample customers, words that are looked for,
# what the sender alone is told, what a programmer reads, and what the list of fields says in words of its own.
ELSEWHERE = {"jsonschema.py", "customers.py", "editing.py", "junk.py", "verify.py", "yamltext.py:28"}
LOOKED_FOR = re.compile(r"\\s|\\S|\\w|\\d|\(\?:|\.\*|\)\?|\w\|\w|^but found|^block (end|scalar)|^could not find|^end of stream"
                        r"|^unknown escape|^mapping (keys|values)|^character |^expected ','|^the node content|^<block end>"
                        r"|^\{% |^no call$|^a web page instead of data$|^would update|^, intuit|^with id: |^access denied$"
                        r"|^too many requests$|^You are not allowed to|^must be unique$|^select \* from|^DisplayName in \("
                        r"|^FROM Contact|^select |and Active in|^refused without a reason$|^<\?xml|^<C:|^something that is not JSON$")  # fmt: skip
SAID = "GET x was not answered in time"  # what may stand before an end
OTHERS = [one for one in language.LANGUAGES if core.catalogue(one) is not None]


def pieces(room):
    "Yield each text of a room with its line, as fixed words and None for a hole: two words or more, no docstring, no help."
    tree = ast.parse(room.read_text())
    apart = {id(part) for node in ast.walk(tree) if of_config(node) for part in ast.walk(node)}
    apart |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    apart |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in apart or not isinstance(node, ast.JoinedStr | ast.Constant):
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        words = [part.value if isinstance(part, ast.Constant) else None for part in parts]
        text = "\0".join(word for word in words if isinstance(word, str))
        if re.search(r"[^\W\d_]{2,} +[^\W\d_]{2,}", text) and not LOOKED_FOR.search(text):
            yield node.lineno, words


def of_config(node):
    "Tell whether a part of a room describes a kind or a setting, for `targets kinds` and config.yaml."
    name = getattr(node, "name", None) or getattr(getattr(node, "func", None), "id", None)
    helps = isinstance(node, ast.Dict) and any(getattr(key, "value", None) == "help" for key in node.keys)
    return helps or name in {"Kind", "ValidationError"} or (isinstance(node, ast.ClassDef) and "Settings" in name)


def all_of(known):
    return (*known.sentences, *known.opening, *known.ends)


def test_every_language_but_english_has_the_cores_sentences():
    assert {*OTHERS, "en"} == set(language.LANGUAGES)


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("spoken", OTHERS)
def test_every_sentence_of_the_core_is_known(room, spoken):
    known = "\n".join("\0".join(one.words) for one in all_of(core.catalogue(spoken)))
    missing = [
        (line, words)
        for line, words in pieces(room)
        if room.name not in ELSEWHERE
        and f"{room.name}:{line}" not in ELSEWHERE
        and not all(part in known for part in fragments(words))
        and not any(translated("".join(text).removesuffix("; ")) for text in filled(words))
    ]
    assert missing == []


def filled(words):
    "Yield a text with something in its holes: it may stand behind another, begin with one, and a hole may be left empty."
    if words[0] is not None:
        yield (SAID, *(word or "x" for word in words))
    for first in ("x", "GET x", SAID, "GET x answered 200" if ": " not in "".join(filter(None, words)) else "x"):
        for other in ("x", ""):
            yield (words[0] or first, *(other if word is None else word for word in words[1:]))


def fragments(words):
    "Return the fixed words of a text that is put together elsewhere."
    parts = (part for word in words if word for part in re.split(r"\{\w+\}|; ", word))
    return [part for part in parts if re.search(r"\w \w", part)]


@pytest.mark.parametrize("spoken", OTHERS)
def test_every_translation_has_the_holes_of_its_sentence_and_is_in_its_language(spoken):
    for one in all_of(core.catalogue(spoken)):
        assert {hole.partition(":")[0] for hole in one.said[1::2]} <= set(one.holes), one
        assert re.search(r"[\u0600-\u06ff]", "".join(one.said[::2])) or one.holes, one
        assert not re.search(r"[\u0600-\u06ff]", "".join(one.words)), one


BROKEN = (
    "",
    "kind: csv\nfields: []\n",
    "version: 1\nkind: csv\nfields:\n  name user.name\n",
    'version: 1\nkind: csv\nfields:\n  name: {template: "{{ user.nam }}"}\n',
    'version: 1\nkind: csv\nfields:\n  name: {template: "{{ user.name | uper }}"}\n',
    "version: 1\nkind: csv\nfields:\n  name: {from: user.name, use: phon}\n  city: {from: city, max_length: x}\n",
    "version: 1\nkind: csv\nfields:\n  name: {from: user.name, then: x}\n  a: {}\n  b: city or street\n  c: town\n",
    "version: 1\nkind: csv\nfields:\n  name: {if: crn}\n  city: city\n  city: city\n",
    "version: 1\nkind: csv\nfields:\n  name: {if: crn = x, then: a}\n  x.y: city\n  x: street\nmatch: [city, nam]\n",
    "version: 2\nkind: csv\nfeilds:\n  name: {from: user.name]\n",
    "version: 1\nkind: csv\nfields:\n  name: user.name\nsamples:\n  - given: nobody\n    expect: {name: 1}\n",
    "version: 1\nkind: csv\nfields:\n\tname: user.name\n",
    "version: 1\nkind: csv\nfields:\n  name: {value: \u201cx\u201d}\n  tel: {from: user.phone, use: {phone: {prefix: a b}}}\n",
    "version: 1\nkind: csv\nfields:\n  a: {from: created_at, use: {date: '%Q'}, when: crn is odd, default: 12}\n",
)


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_mapping_is_told_in_arabic(text):
    with pytest.raises(MappingError) as broken:
        document.read(text, "csv")
    for problem in broken.value.problems:
        assert translated(problem.message), problem


def test_what_a_mapping_warns_of_is_told_in_arabic():
    use = ["saudi_vat", "crn", "postal_code", "email", "digits", "{date: '%Y'}", "{only_if: '05########'}"]
    fields = "".join(f"  f{n}: {{from: user.name, use: {one}}}\n" for n, one in enumerate(use))
    text = f"{TEXT}  group: user.id\n  need: {{from: street, required: true}}\n  short: {{from: user.name, max_length: 2}}\n{fields}"
    made = apply(document.read(text, "csv"), flavours.read(payload("documented").replace(b"55223322", b"x")))
    assert len(made.warnings) == 8
    for one in (*made.warnings, made.hold):
        assert translated(one), one
    samples = document.read(TEXT + "samples:\n  - given: person\n    expect: {name: Omar}\n", "csv")
    assert all(translated(one) for one in check_samples(samples))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"action": "customers.CREATE"}', b'{"action": "customers.CREATE", "data": {}}']
)
def test_why_an_event_was_rejected_is_told_in_arabic(body):
    with pytest.raises(BadWebhook) as refused:
        flavours.read(body)
    assert translated(refused.value.detail), refused.value.detail


def test_english_is_what_the_core_says_and_a_vendors_words_are_its_own():
    assert str(core.said("en", "left out: <empty>")) == '<bdi dir="ltr" lang="en">left out: &lt;empty&gt;</bdi>'
    vendors = core.said("ar", "Ungültiger <b>Wert</b>")
    assert vendors.startswith(language.said("ar", "own_words"))
    assert "Ungültiger &lt;b&gt;Wert&lt;/b&gt;" in vendors
    assert core.said("ar", None) == core.said("en", "") == ""
    assert core.short("ar", "phone") == '<bdi dir="ltr" lang="en">phone</bdi>'


@pytest.mark.parametrize(
    "text", ["a: " * 5000, "; left out" * 500, "x is y; " * 250, "`" * 2000, "sample 1 (line " * 130]
)
def test_whatever_a_vendor_writes_costs_little_and_breaks_nothing(text):
    assert core.said("ar", text)

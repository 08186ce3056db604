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
from tests.web.admin.test_admin_mappings import TEXT

HOUSE = Path(connector.__file__).parent
ROOMS = [
    *(HOUSE / "mapping").glob("*.py"),
    *(HOUSE / "mapping/transforms").glob("*.py"),
    *(HOUSE / "flavours").glob("*.py"),
    *(HOUSE / f"delivery/{name}.py" for name in ("deliver", "policy")),
    *(HOUSE / f"store/{name}.py" for name in ("again", "settling")),
    *(HOUSE / f"targets/{name}.py" for name in ("answers", "batches", "book", "ladder", "lost", "outcomes", "writing")),
]
# What is no sentence for people of the admin pages: help of the schema, sample customers, words that are looked for,
# what the sender alone is told, what a programmer reads, and what the list of fields says in words of its own.
ELSEWHERE = {"jsonschema.py", "customers.py", "editing.py", "junk.py", "verify.py", "yamltext.py:28"}
LOOKED_FOR = re.compile(r"\\s|\(\?:|^but found|^block (end|scalar)|^could not find|^end of stream|^unknown escape"
                        r"|^mapping (keys|values)|^character |^expected ','|^the node content|^<block end>|^\{% |^no call$"
                        r"|^a web page instead of data$|^would update|^, intuit")  # fmt: skip
OTHERS = [one for one in language.LANGUAGES if core.catalogue(one) is not None]


def pieces(room):
    "Yield the fixed words of each text of a room, with its line: two words or more, no docstring."
    tree = ast.parse(room.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in docs else None
        if isinstance(text, str) and re.search(r"[^\W\d_]{2,} +[^\W\d_]{2,}", text) and not LOOKED_FOR.search(text):
            yield node.lineno, text


def test_every_language_but_english_has_the_cores_sentences():
    assert {*OTHERS, "en"} == set(language.LANGUAGES)


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("spoken", OTHERS)
def test_every_sentence_of_the_core_is_known(room, spoken):
    known = core.catalogue(spoken)
    words = "\n".join("\0".join(one.words) for one in (*known.sentences, *known.ends))
    missing = [
        (line, text)
        for line, text in pieces(room)
        if room.name not in ELSEWHERE
        and f"{room.name}:{line}" not in ELSEWHERE
        and not all(part in words for part in re.split(r"\{\w+\}|; ", text) if re.search(r"\w \w", part))
    ]
    assert missing == []


@pytest.mark.parametrize("spoken", OTHERS)
def test_every_translation_has_the_holes_of_its_sentence_and_is_in_its_language(spoken):
    for one in (*core.catalogue(spoken).sentences, *core.catalogue(spoken).ends):
        assert set(one.said[1::2]) <= set(one.holes), one
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


def translated(text):
    "Tell whether the core's sentence is known in Arabic, and nothing of it is left in English but what is a name."
    words = core.said("ar", text).partition(' <small class="core"')[0]
    left = re.search(r"[a-z]{2,}( [a-z]{2,}){3}", words.replace('bdi dir="ltr"', ""))
    return language.said("ar", "own_words") not in words and not left


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

"""Anything that may come: customers of any JSON, and mapping documents of every form, as plain data."""

import io

from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.mapping.customers import CUSTOMERS as NAMED
from connector.mapping.paths import CUSTOMER, DERIVED, ENVELOPE

TEXT = st.text(st.characters(codec=None), max_size=30)
ODD = (
    10**400,
    "٠٥٥١٢٣٤٥٦٧",
    "+966",
    "a@b.co",
    "310122393500003",
    "7001234567",
    "12211-3456",
    "RRRD2929",
    "Guest",
    "شركة ن",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=30)
# A line that begins with a no-break space is refused: nobody sees that it is no indentation.
KEYS = PRINTABLE.filter(lambda text: text == text.strip())
YAML_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PRINTABLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OUTER = {path: JSON for path in CUSTOMER if "." not in path} | {"new": JSON}
INNER = {path.removeprefix("user."): JSON for path in CUSTOMER if "." in path}
CUSTOMERS = st.fixed_dictionaries({}, optional=OUTER | {"user": JSON | st.fixed_dictionaries({}, optional=INNER)})

PLAIN = st.text("abcdefgh ابتثج-_", min_size=1, max_size=12).filter(str.strip)
PATHS = st.sampled_from([*CUSTOMER, *ENVELOPE, *DERIVED, "data.new", "data.new.list[0]", "data.new[1].x"])
FIELDS = ("name", "phone", "email", "vat", "رقم", "Field #1", "a.b", "a.c.d", "l[0].x", "l[1].x", "l[2].y.z", "g[0][0]")
HOLES = st.sampled_from(
    (
        *("{{ user.name }}", "{{ id | left(8) }}", "{{ user.phone | digits }}", "{{ type or city | default('x') }}"),
        *("{{ 'a' if is_company else user.lang }}", "{{ crn ~ '-' ~ user.email }}", "{{ not crn }}", "{{ 7 }}"),
    )
)
TEMPLATES = st.lists(HOLES | PLAIN, min_size=1, max_size=3).map("".join)
CONDITIONS = st.sampled_from(
    (
        *("tax_number or crn", "not is_company", 'type == "B2B"', 'user.lang in ["ar", "en"]', "user.is_active"),
        *('city != "جدة" and crn', 'user.phone not in ["1", "2"]', "data.new == none", "user.name | lower == id"),
    )
)
FORMS = st.one_of(
    st.fixed_dictionaries({"from": PATHS}),
    st.fixed_dictionaries({"first_of": st.lists(PATHS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"join": st.lists(PATHS, min_size=1, max_size=3)}, optional={"with": PLAIN}),
    st.fixed_dictionaries({"template": TEMPLATES}),
    st.fixed_dictionaries({"value": PLAIN | st.booleans()}),
    st.fixed_dictionaries({"if": CONDITIONS, "then": PLAIN}, optional={"else": PLAIN}),
)
DECIDE = st.sampled_from(["raw", "drop", "hold"])
DOUBTED = {"on_invalid": DECIDE, "on_junk": DECIDE}
OPTIONS = {
    "phone": DOUBTED | {"prefix": st.sampled_from(["966", "00965", "user.phone_prefix", "data.new"])},
    **dict.fromkeys(("email", "name", "saudi_vat", "crn", "cr_number", "unified_number"), DOUBTED),
    "date": {"format": st.sampled_from(["%Y-%m-%d", "%d/%m/%y %H:%M:%S", "%j %A"]), "timezone": st.just("UTC")},
    "postal_code": {"country": st.sampled_from(["SA", "kw", "BH", "OM", "AE", "QA"])},
}
PLAIN_WORDS = (
    *("phone", "email", "saudi_vat", "crn", "cr_number", "unified_number", "crn_type", "name", "first_name"),
    *("last_name", "postal_code", "additional_number", "building_number", "short_address", "date", "lower", "upper"),
    *("strip", "first_word", "rest_words", "digits"),
)


def _with_options(word):
    options = OPTIONS.get(word, {"on_invalid": DECIDE})
    return st.fixed_dictionaries({word: st.fixed_dictionaries({}, optional=options)})


SHAPES = st.lists(st.text("#@05 ab", min_size=1, max_size=6), min_size=1, max_size=3).map("*|".join)
WORDS = st.sampled_from(PLAIN_WORDS)
WORD = WORDS | WORDS.flatmap(_with_options) | st.fixed_dictionaries({"only_if": SHAPES})
MORE = {
    "use": WORD | st.lists(WORD, min_size=1, max_size=3),
    "map": st.dictionaries(PLAIN, PLAIN, min_size=1, max_size=3),
    "default": PLAIN | st.fixed_dictionaries({"template": TEMPLATES}),
    "max_length": st.integers(1, 40),
    "required": st.booleans(),
    "when": CONDITIONS,
}
RULES = PATHS | st.tuples(FORMS, st.fixed_dictionaries({}, optional=MORE)).map(lambda both: both[0] | both[1])
SAMPLES = st.fixed_dictionaries({"given": st.sampled_from(sorted(NAMED)), "expect": st.dictionaries(PLAIN, PLAIN)})


@st.composite
def documents(draw):
    "A mapping document of every form; most of them can be read."
    fields = draw(st.dictionaries(st.sampled_from(FIELDS), RULES, min_size=1, max_size=8))
    names = st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=min(3, len(fields)), unique=True)
    modes = draw(st.permutations(["overwrite", "fill_if_empty", "keep"]))
    more = {
        "match": names,
        "on_update": st.fixed_dictionaries({}, optional={modes[0]: names}),
        "on_name_taken": st.sampled_from(["suffix", "hold"]),
        "ignore": st.lists(PATHS, min_size=1, max_size=3),
        "when": CONDITIONS,
        "samples": st.lists(SAMPLES, max_size=2),
    }
    return {"version": 1, "kind": "rest", "fields": fields} | draw(st.fixed_dictionaries({}, optional=more))


def dumped(document):
    "The document as YAML text, as any program may write it."
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.representer.ignore_aliases = lambda *_: True
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()

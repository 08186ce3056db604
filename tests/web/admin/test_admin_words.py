"""Nothing is half translated: each language has every sentence, and the templates hold none of their own."""

import ast
import re
import string
from pathlib import Path

import pytest

from connector import models
from connector.bundled import bundled
from connector.mapping import document, paths
from connector.web import admin
from connector.web.admin import language
from connector.web.admin.language import words

ROOMS = Path(admin.__file__).parent
TEMPLATES = sorted((ROOMS / "templates").rglob("*.html"))
CODES = {
    *re.findall(r"`(\w+)`", models.Hold.__doc__.split("Codes:")[1]),
    *("rejected", "gave_up"),
}


def test_every_language_has_every_sentence():
    english, arabic = words("en"), words("ar")
    assert set(english) - set(arabic) == set()
    assert set(arabic) - set(english) == set()


def test_every_sentence_is_in_its_language():
    assert [key for key, text in words("en").items() if re.search(r"[\u0600-\u06ff]", text)] == []
    assert [key for key, text in words("ar").items() if not re.search(r"[\u0600-\u06ff]", text)] == []


@pytest.mark.parametrize("key", words("en"))
def test_what_is_filled_in_is_the_same(key):
    fields = [{name for _, name, _, _ in string.Formatter().parse(words(code)[key]) if name} for code in ("en", "ar")]
    assert fields[0] == fields[1]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_of_its_own(template):
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text(), flags=re.DOTALL)
    text = re.sub(
        r'<pre dir="ltr" tabindex="0">connector.*?</pre>|<bdi dir="ltr">[de ms]*</bdi>', "", text, flags=re.DOTALL
    )
    shown = re.findall(r'(?:title|placeholder|aria-label|alt)="([^"]*)"', text)
    shown = [re.sub(r"^ ?[de]$", "", one) for one in shown] + re.findall(r">([^<]*)", text)
    assert [one.strip() for one in shown if re.search(r"[^\W\d_]{2,}", one)] == []


def test_every_sentence_that_a_page_asks_for_is_there():
    asked = set()
    for template in TEMPLATES:
        asked |= set(re.findall(r"""\bt\(['"](\w+)['"]\s*[,)]""", template.read_text()))
    for room in ROOMS.glob("*.py"):
        texts = [node.value for node in ast.walk(ast.parse(room.read_text())) if isinstance(node, ast.Constant)]
        asked |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"(well|held|sign_in)_\w+", text)}
    assert asked - set(words("en")) == set()
    assert len(asked) > 80


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_sentence_and_the_one_action(code):
    assert {f"code_{code}", f"code_{code}_cure"} <= set(words("en"))


def test_every_state_role_and_deed_has_a_word(app):
    keys = [f"state_{name}" for name in (*models.DELIVERY_STATES, *models.EVENT_STATES)]
    keys += [f"target_{name}" for name in models.StateName.__args__] + [f"role_{name}" for name in models.ROLES]
    source = "\n".join(room.read_text() for room in ROOMS.glob("*.py"))
    keys += [f"did_{what}" for what in re.findall(r'\bnote\("(\w+)"', source)]
    assert set(keys) - set(words("en")) == set()


@pytest.mark.parametrize("mapping", sorted(bundled("mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_field_of_a_shipped_mapping_has_a_name_for_people(mapping):
    fields = document.read(mapping.read_text(encoding="utf-8"), mapping.name).fields
    nameless = [
        rule.target for rule in fields if not all(language.of_target(spoken, rule.target) for spoken in ("en", "ar"))
    ]
    assert nameless == []


def test_every_field_of_flavours_has_a_name_for_people():
    fields = (*paths.CUSTOMER, *paths.ENVELOPE, *paths.DERIVED)
    assert [path for path in fields if not language.of_flavours("ar", path)] == []
    assert language.of_flavours("en", "data.loyalty") is None


@pytest.mark.parametrize(
    ("asked", "cookie", "accepts", "spoken"),
    [("ar", "en", "en", "ar"), (None, "ar", "en", "ar"), (None, None, "ar", "ar"), ("xx", "yy", None, "en")],
)
def test_the_language_is_the_one_asked_for_then_the_chosen_then_the_browsers(asked, cookie, accepts, spoken):
    assert language.chosen(asked, cookie, accepts) == spoken


def test_a_browser_is_answered_in_its_language_until_a_person_chooses(visitor):
    arabic = visitor.get("/admin/sign-in", headers={"Accept-Language": "ar-SA,ar;q=0.9,en;q=0.5"}).text
    assert '<html lang="ar" dir="rtl">' in arabic
    assert "تسجيل الدخول" in arabic
    visitor.get("/admin/sign-in?lang=en")
    assert 'dir="ltr"' in visitor.get("/admin/sign-in", headers={"Accept-Language": "ar"}).text

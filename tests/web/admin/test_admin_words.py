"""Nothing is half translated: each language has every sentence, and the templates hold none of their own."""

import ast
import re
import string
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connector import models
from connector.bundled import bundled
from connector.mapping import document, paths
from connector.web import admin
from connector.web.admin import language
from connector.web.admin.language import words
from connector.web.admin.vocabulary import phrases, vocabulary

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


def test_what_is_filled_in_is_the_same():
    for key in words("en"):
        english, arabic = (
            {name for _, name, _, _ in string.Formatter().parse(words(code)[key]) if name} for code in ("en", "ar")
        )
        assert english == arabic, key


# Arabic has one word for one thing, on every page: what must not be said, and what is said instead.
GLOSSARY = {
    r"وجهة|الوجهة|وجهات": "النظام المستهدف (a target), or النظام where it is plain which",
    r"فلافور|فليفور|فلافرز|فلايفر|Flavours": "فليفرز",
    r"(?<!ة )(?<!ا )الربط(?! به)|خريطة|التعيين|المابينج": "ربط الحقول (a mapping); ربط alone links a record",
    r"المخزن|المستودع": "قاعدة البيانات: a restaurant has another kind of store",
    r"(?<!دفتر )عيّ?نات|العينة": "المثال، الأمثلة (a sample)",
    r"التخلي|اتركه(?! فارغ)|تخلّى": "تجاوز (skip, give up)",
    r"الويبهوك|ويبهوك|الخطاف|webhook": "الويب هوك",
    r"رقم التسجيل الضريبي|الرقم الضريبى|ضريبة القيمة المضافة": "الرقم الضريبي",
    r"المزود(?!ّ)|المورّد": "النظام، or مزوّد النظام",
    r"مفتاح الدولة|كود الدولة": "رمز الدولة",
    r"معرّف العميل|معرف العميل": "رقم العميل",
    r"وحدها$|وحدها\.": "تلقائيًا",
    r"أصبح مستخدم": "قيد الاستخدام: مستخدم is a person who signs in",
    r"(?<!أحد )(?<!ال)شخص آخر|أضف شخص": "مستخدم (a person who signs in)",
}


def arabic_texts():
    "Yield every Arabic text of the pages with its place: their words, what the core says, what the editor says."
    for file in sorted((ROOMS / "words").glob("*ar.yaml")):
        queue = [("", YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")))]
        while queue:
            place, found = queue.pop()
            if isinstance(found, str):
                yield f"{file.name}: {place}", found
            else:
                queue += found.items()


def arabic_comments():
    "Yield what the shipped mappings call their fields."
    for file in sorted(bundled("mappings").glob("*.yaml")):
        for line in re.findall("#(.*)", file.read_text(encoding="utf-8")):
            yield file.name, " ".join(re.findall("[\u0600-\u06ff]+", line))


def test_arabic_has_one_word_for_one_thing():
    wrong = [
        (place, said, f"say {instead}")
        for place, said in (*arabic_texts(), *arabic_comments())
        for never, instead in GLOSSARY.items()
        if re.search(never, said)
    ]
    assert wrong == []


def test_arabic_is_typed_as_it_is_read():
    for place, said in arabic_texts():
        assert not re.search(r"[؟،؛]{2}|\s[،؛.؟]| {2}|[\u0600-\u06ff],|اً|\?$", said), (place, said)
        assert not re.search(r"(?<![لب])\u0640|[\u0660-\u0669]", said), (
            place,
            said,
        )  # no stretched letters, one kind of digits


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "يوم واحد"), (2, "يومين"), (3, "3 أيام"), (10, "10 أيام"), (11, "11 يومًا"), (100, "100 يوم"), (103, "103 أيام"),
     ("1,011", "1,011 يومًا"), (0, "0 أيام"), ("1,000+", "1,000+ يوم")],
)  # fmt: skip
def test_arabic_counts_as_people_do(number, text):
    assert language.counted("ar", str(number), "يوم واحد|يومين|# أيام|# يومًا|# يوم") == text


def test_what_is_counted_has_all_its_forms():
    assert [language.counted("en", number, "# second|# seconds") for number in ("1", "2")] == ["1 second", "2 seconds"]
    assert "انتظر ثانيتين" in language.said("ar", "sign_in_wait", seconds=2)
    assert "Wait 1 second," in language.said("en", "sign_in_wait", seconds=1)
    for spoken, forms in (("en", 2), ("ar", 5)):
        for text in words(spoken).values():
            counting = [spec for _, _, spec, _ in string.Formatter().parse(text) if spec]
            assert {spec.count("|") + 1 for spec in counting} <= {forms}, text
    for place, said in arabic_texts():
        assert {spec.count("|") + 1 for spec in re.findall(r"<\w+:([^<>]*)>", said)} <= {5}, place


@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_every_word_of_a_mapping_has_a_meaning(spoken):
    for place, ones in vocabulary(spoken).items():
        assert [one["label"] for one in ones if not (one.get("info") or one.get("detail"))] == [], place
    arabic = "".join(one.get("info", "") for ones in vocabulary("ar").values() for one in ones)
    assert not re.search(r"[a-z]{3,}( [a-z]{3,}){3}", arabic)


def test_the_editor_says_nothing_that_is_not_translated():
    bundle = (ROOMS / "static/codemirror.min.js").read_text(encoding="utf-8")
    asked = set(re.findall(r'(?:phrase\(|\bBe\(\w,)"([^"]+)"', bundle))
    assert len(asked) > 15
    assert asked - set(phrases("ar")) == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_of_its_own(template):
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text(), flags=re.DOTALL)
    text = re.sub(
        r'<pre dir="ltr" tabindex="0">connector.*?</pre>|<bdi dir="ltr">[de]*</bdi>', "", text, flags=re.DOTALL
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

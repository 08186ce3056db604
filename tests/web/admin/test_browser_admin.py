"""A real browser walks through the rooms, in both languages, with a real worker: no console error, nothing against the policy."""

import re
import urllib.request

import pytest

from connector.mapping import document
from tests.web.admin.test_admin_pages import person

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[dev]'")
pytestmark = pytest.mark.slow

TEXT = """\
version: 1
kind: csv
fields:
  name: user.name
  phone: {from: user.phone, use: {phone: {on_invalid: hold}}}
"""
WORDS = {
    "en": {"well": "All is well", "line": "Line 4", "try": "Try it and see", "change": "1 of 1 customers", "publish": "Publish",
           "used": "It is in use now", "again": "Try again", "done": "Done: 1.", "delivered": "delivered", "back": "Go back to it",
           "leave": "Leave it", "decided": "is decided", "out": "Sign out", "copied": "Copied", "cannot": "The mapping cannot make a record"},
    "ar": {"well": "كل شيء على ما يرام", "line": "السطر 4", "try": "جرّبه وشاهد", "change": "سيتغير 1 من 1", "publish": "نشر",
           "used": "أصبح قيد الاستخدام الآن", "again": "إعادة المحاولة", "done": "تم تنفيذ: 1.", "delivered": "تم التسليم", "back": "الرجوع إليه",
           "leave": "تجاوز", "decided": "تم البت", "out": "تسجيل الخروج", "copied": "تم النسخ", "cannot": "لم ينتج ربط الحقول سجلًا"},
}  # fmt: skip
expect = sync_api.expect


@pytest.fixture
def clock():
    "Return none: the store goes by the machine's own, as a worker does."


@pytest.fixture
def published(store):
    store.mappings.publish("csv", "csv", document.read(TEXT, "csv").hash, TEXT, "Omar")


def post(address, url, body):
    "Send a webhook as Flavours would."
    with urllib.request.urlopen(address + url, body.encode(), timeout=30) as answer:
        assert answer.status == 202


def write(page, text):
    "Write a mapping as a person does, wherever they write it."
    field = page.locator(".cm-content")
    if not field.count():
        return page.locator("textarea[name=text]").fill(text)
    field.click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")  # typed over coloured words, the browser itself would try to keep their look
    return page.keyboard.insert_text(text)


def stays_on(page, part):
    "See that what the keyboard is on stays so when the part of the page around it renews itself."
    page.locator(part).evaluate("one => { one.focus(); one.was = true }")
    page.wait_for_function("part => !document.querySelector(part).was", arg=part)
    expect(page.locator(part)).to_be_focused()


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.usefixtures("published", "worker")
def test_a_person_works_through_a_morning(open_page, address, url, customer, tmp_path, lang):
    say, book = WORDS[lang], tmp_path / "book.csv"
    page = open_page("editor", lang)
    status, button = page.get_by_role("status").first, page.get_by_role("button")
    expect(page.locator("html")).to_have_attribute("dir", {"en": "ltr", "ar": "rtl"}[lang])
    expect(page.get_by_role("heading", level=1)).to_contain_text(say["well"])

    page.evaluate("window.the_page_was_never_loaded_again = true")
    post(address, url, person(customer))
    page.get_by_role("link", name="e1", exact=True).wait_for()
    assert page.evaluate("window.the_page_was_never_loaded_again")
    stays_on(page, "#c1")
    page.get_by_role("link", name="e1", exact=True).click()
    expect(page.locator("article#d1 header")).to_contain_text(say["delivered"])
    assert "Sara Ahmed" in book.read_text()

    page.goto("/admin/mappings/csv")
    write(page, TEXT.replace("user.name", "user.nam"))
    expect(page.locator("#preview")).to_contain_text(say["line"])
    expect(page.locator("#preview")).to_contain_text("user.nam")
    write(page, TEXT + '  city: {value: "Buraydah"}\n')
    expect(page.locator("#preview pre")).to_contain_text("Buraydah")
    button.filter(has_text=say["try"]).click()
    expect(page.locator("main")).to_contain_text(say["change"])
    expect(page.locator(".difference .added")).to_have_text(re.compile("city.*Buraydah"))
    button.filter(has_text=re.compile(f"^{say['publish']}$")).click()
    expect(status).to_contain_text(say["used"])

    page.goto("/admin/events/1")
    page.locator("article#d1").get_by_role("button", name=say["again"], exact=True).click()
    button.filter(has_text=say["again"]).click()
    expect(status).to_contain_text(say["done"])
    for _ in range(100):
        page.goto("/admin/events/1")
        if page.locator("article#d1 table tbody tr").count() == 2:
            break
        page.wait_for_timeout(200)
    assert "Buraydah" in book.read_text()

    post(address, url, person(customer, 2, phone="12"))
    page.goto("/admin/")
    page.locator(".tile.warn").click()
    expect(page.locator("main article").first).to_contain_text(say["cannot"])
    button.filter(has_text=say["leave"]).first.click()
    expect(status).to_contain_text(say["decided"])

    page.goto("/admin/mappings/csv")
    button.filter(has_text=say["back"]).click()
    expect(status).to_contain_text(say["used"])
    expect(page.locator("textarea[name=text]")).to_have_value(TEXT)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/targets")
    page.locator("form[action$='/address'] button").first.click()
    page.locator("button[data-copies]").click()
    expect(page.locator("button[data-copies]")).to_have_text(say["copied"])
    assert page.evaluate("navigator.clipboard.readText()").endswith(url)
    button.filter(has_text=say["out"]).click()
    page.wait_for_url("**/admin/sign-in")
    page.goto("/admin/")
    page.wait_for_url("**/admin/sign-in")

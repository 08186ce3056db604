"""A real browser walks through the rooms, in both languages: no console error, nothing against the policy, no overflow."""

import threading
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.web.admin.conftest import PASSWORD
from tests.web.admin.test_admin_pages import person, settle

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium: apt-get install chromium"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[dev]'")

WORDS = {
    "en": {"in": "Sign in", "name": "Name", "password": "Password", "well": "Some customers wait", "again": "Try again",
           "done": "Done: 1.", "leave": "Leave it", "decided": "is decided", "out": "Sign out"},
    "ar": {"in": "تسجيل الدخول", "name": "الاسم", "password": "كلمة المرور", "well": "بعض العملاء", "again": "إعادة المحاولة",
           "done": "تم تنفيذ: 1.", "leave": "اتركه", "decided": "تم البت", "out": "تسجيل الخروج"},
}  # fmt: skip


class _Quiet(WSGIRequestHandler):
    def log(self, *_args):
        pass


@pytest.fixture
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser():
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser):
    errors = []

    def opened(**more):
        page = browser.new_context(**more).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        return page

    yield opened
    assert errors == []


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_a_person_works_through_a_morning(address, open_page, send, customer, store, lang):
    say = WORDS[lang]
    store.leases.beat("w1", 60_000)
    page = open_page()
    page.goto(f"{address}/admin/?lang={lang}")
    page.goto(f"{address}/admin/sign-in?lang={lang}")
    page.get_by_label(say["name"], exact=True).fill("editor")
    page.get_by_label(say["password"]).fill(PASSWORD)
    page.get_by_role("button", name=say["in"]).click()
    page.wait_for_url(f"{address}/admin/")
    send(person(customer))
    settle(store, "held", "why", "two_matches")
    sync_api.expect(page.get_by_role("heading", level=1)).to_contain_text(say["well"], timeout=20_000)
    page.get_by_role("link", name="e1", exact=True).click()
    page.get_by_role("button", name=say["again"], exact=True).click()
    page.get_by_role("button", name=say["again"], exact=True).click()
    sync_api.expect(page.get_by_role("status").first).to_contain_text(say["done"])
    assert store.desk.delivery(1)["state"] == "pending"
    settle(store, "held", "why", "two_matches")
    page.goto(f"{address}/admin/held")
    page.get_by_role("button", name=say["leave"], exact=True).click()
    sync_api.expect(page.get_by_role("status").first).to_contain_text(say["decided"])
    page.get_by_role("button", name=say["out"]).click()
    page.wait_for_url(f"{address}/admin/sign-in")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_every_page_fits_a_phone_and_works_without_javascript(address, open_page, send, customer, store, lang):
    send(person(customer))
    settle(store, "held", "several contacts have this phone (1, 2)", "two_matches")
    page = open_page(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page.goto(f"{address}/admin/sign-in?lang={lang}")
    page.locator("input[name=name]").fill("editor")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button").click()
    for path in ("/", "/deliveries", "/events/1", "/held", "/targets", "/people", "/audit"):
        page.goto(f"{address}/admin{path}")
        box = page.locator("html").bounding_box()
        wide = max(
            one["x"] + one["width"] for one in (b.bounding_box() for b in page.locator("main, header.top").all())
        )
        assert box["width"] <= 360, path
        assert wide <= 361, path

"""A real browser writes a mapping: completion, mistakes at their line, a field picked from the list, no error in the console."""

import re
import threading
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from connector.mapping import document
from tests.web.admin.conftest import PASSWORD
from tests.web.admin.test_admin_mappings import PAGE, TEXT
from tests.web.admin.test_admin_pages import person

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium: apt-get install chromium"),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[dev]'")
expect = sync_api.expect


class _Quiet(WSGIRequestHandler):
    def log(self, *_args):
        pass


@pytest.fixture
def editor(app):
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    errors = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_context(base_url=f"http://127.0.0.1:{server.server_port}").new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto("/admin/sign-in?lang=ar")
        page.locator("input[name=name]").fill("editor")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main button").click()
        page.wait_for_url("**/admin/")
        yield page
        browser.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert errors == []


def test_a_person_writes_with_help_and_picks_from_the_list(editor, send, customer, store):
    send(person(customer))
    store.mappings.publish("csv", "csv", document.read(TEXT, "csv").hash, TEXT, "Omar")
    editor.goto(PAGE)
    written, area = editor.locator(".cm-content"), editor.locator("textarea[name=text]")
    written.click()
    editor.keyboard.press("Control+End")
    editor.keyboard.type("  place: ci")
    expect(editor.locator(".cm-tooltip-autocomplete")).to_contain_text("المدينة")
    editor.keyboard.type("tee")
    editor.keyboard.press("Escape")
    expect(editor.locator(".cm-lint-marker-error")).to_have_count(1, timeout=60_000)
    expect(editor.locator(".cm-lintRange-error")).to_have_text("citee")
    editor.locator(".cm-lint-marker-error").hover()
    expect(editor.locator(".cm-tooltip-lint")).to_have_text(
        re.compile("^لا يرسل فليفرز حقلًا اسمه .citee.[.] هل تقصد .city.؟$")
    )
    written.press("Control+f")
    expect(editor.locator(".cm-search button[name=next]")).to_have_text("التالي")
    editor.locator(".cm-search button[name=close]").click()
    editor.keyboard.press("Control+End")
    for _ in range(3):
        editor.keyboard.press("Backspace")
    editor.keyboard.type("ty")
    editor.keyboard.press("Escape")
    expect(editor.locator(".cm-lint-marker-error")).to_have_count(0, timeout=60_000)
    picked = editor.locator("select[name='source:0:name']")
    picked.select_option("user.email")
    expect(written).to_contain_text("name: user.email", timeout=60_000)
    expect(area).to_have_value(TEXT.replace("user.name", "user.email") + "  place: city")
    editor.locator("select[name='source:0:phone']").select_option("user.username")
    expect(written).to_contain_text("from: user.username", timeout=60_000)
    editor.get_by_role("button", name="نشر", exact=True).click()
    expect(editor.get_by_role("status")).to_be_visible(timeout=60_000)
    assert "from: user.username" in store.mappings.active("csv")

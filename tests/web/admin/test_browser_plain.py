"""A browser without JavaScript does what matters: search, open, replay, edit and publish."""

import pytest

from connector.mapping import document
from tests.web.admin.test_admin_mappings import CITY, TEXT
from tests.web.admin.test_admin_pages import person, settle

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[dev]'")
pytestmark = pytest.mark.slow
expect = sync_api.expect


def test_without_javascript_a_person_searches_opens_replays_edits_and_publishes(open_page, send, customer, store):
    store.mappings.publish("csv", "csv", document.read(TEXT, "csv").hash, TEXT, "Omar")
    send(person(customer))
    send(person(customer, 2, name="Omar Saleh", phone="559999999", email="omar@example.com"))
    settle(store, "failed", "refused", "rejected")
    store.search.follow()
    page = open_page("editor", java_script_enabled=False)
    button, status = page.get_by_role("button"), page.get_by_role("status").first

    page.get_by_role("link", name="Deliveries", exact=True).click()
    page.get_by_role("searchbox").fill("+966 55 123 4567")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody").get_by_role("link", name="d1", exact=True).click()
    expect(page.locator("article#d1")).to_contain_text("The target refused the data")

    page.locator("article#d1").get_by_role("button", name="Try again", exact=True).click()
    button.filter(has_text="Try again").click()
    expect(status).to_contain_text("Done: 1.")
    assert store.desk.delivery(1)["state"] == "pending"

    page.get_by_role("link", name="Mappings", exact=True).click()
    page.locator("tbody").get_by_role("link", name="csv", exact=True).click()
    text = page.locator("textarea[name=text]")
    text.fill(TEXT.replace("user.name", "user.nam"))
    button.filter(has_text="Try it").click()
    expect(page.locator("#preview")).to_contain_text("Line 6")
    text.fill(CITY)
    button.filter(has_text="Try it").click()
    expect(page.locator(".difference .added")).to_have_text("+  city: city")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(status).to_contain_text("It is in use now")
    assert store.mappings.active("csv") == CITY

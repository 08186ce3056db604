"""Every page for everybody: axe-core finds nothing serious, Tab reaches all, a phone's width is enough, Arabic is Arabic.

axe.min.js is axe-core 4.14.1 by Deque Systems, unmodified (MPL-2.0, axe.LICENSE.txt beside it); only the tests use it.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.config import TargetConfig
from connector.mapping import document
from connector.store.tables import deliveries
from connector.web.app import create_app
from tests.targets.stub_vendor import served
from tests.targets.vendors.espocrm import lab as espo
from tests.targets.vendors.rest.lab import settings as rest_settings
from tests.web.admin.test_admin_beside import TEXT as ESPO
from tests.web.admin.test_admin_customer import again, link
from tests.web.admin.test_admin_mappings import CITY, TEXT
from tests.web.admin.test_admin_pages import person, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
ROOMS = (
    *(
        "/",
        "/deliveries?state=held",
        "/events/1",
        "/customers?id=customer-1",
        "/held",
        "/mappings",
        "/people",
        "/audit",
    ),
    *("/password", "/nowhere"),
)
LOOK = """only => axe.run(document, only).then(found => found.violations
  .filter(one => ["serious", "critical"].includes(one.impact))
  .map(one => one.id + ": " + one.nodes.map(node => node.html.slice(0, 160)).join(" | ")))"""
# Everything that can be used, in the order of the page; of a group of radio buttons Tab reaches one.
USABLE = """[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [contenteditable=true], [tabindex]")]
  .filter(one => (one.tabIndex >= 0 || one.isContentEditable) && !one.disabled && one.getClientRects().length && one.checkVisibility())"""
FOCUSED = f"""() => {{ const one = document.activeElement, looks = getComputedStyle(one.closest(".cm-editor") || one), shown = one.getBoundingClientRect();
  return [{USABLE}.indexOf(one), (looks.outlineStyle !== "none" && parseFloat(looks.outlineWidth) > 0)
    || looks.boxShadow !== "none", shown.width > 0 && shown.right > 0 && shown.left < innerWidth] }}"""
PART_OF_A_DATE = "() => document.activeElement.type === 'date'"
WIDER = """() => [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().width > innerWidth
    && !one.closest(".wide, pre, textarea, .unseen")).map(one => one.outerHTML.slice(0, 120))
  .concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])"""
LATIN = """() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let one = walk.nextNode(); one; one = walk.nextNode())
    if (one.parentElement.getClientRects().length && !one.parentElement.closest("pre, textarea, [lang=en], code, .cm-editor"))
      found.push(one.nodeValue);
  for (const name of ["aria-label", "title", "placeholder", "alt"])
    for (const one of document.querySelectorAll("[" + name + "]")) found.push(one.getAttribute(name));
  return found.concat(document.title) }"""
# Names and ids are what they are; so is what a person types into a terminal, and what YAML is called.
NAMES = {
    *(
        "connector",
        "serve",
        "worker",
        "send",
        "xid",
        "YAML",
        "JSON",
        "Flavours",
        "flavours",
        "lenient",
        "plain",
        "signed",
    ),
    *("contacts", "customers", "CREATE", "csv", "editor", "viewer", "operator", "Omar", "customer", "ms"),
    *("customers_to_contacts", "name", "phone", "email", "city", "user", "crm", "books", "espocrm", "rest", "auth"),
    *("client_secret", "api_key", "X-Signature", "Sara", "Ahmed", "sara", "example", "com", "Jeddah"),
    *("lastName", "emailAddress", "phoneNumber"),
}


@pytest.fixture
def app(admin_config, store):
    "A contact book, a CRM that has two who could be one customer, and one that is connected by OAuth2."
    vendor = espo.EspocrmVendor()
    vendor.seed(lastName="سارة أحمد", emailAddress="sara@example.com", phoneNumber="0551234567")
    vendor.seed(lastName="سارة", emailAddress="sara@example.com", description="اتصلت بنا")
    said = {"token_url": "http://127.0.0.1:9/token", "authorize_url": "http://127.0.0.1:9/authorize"}
    oauth2 = said | {"client_id": "id-1", "client_secret": "secret-1"}
    with served(vendor) as address:
        books = rest_settings(address, allow_private=True, auth={"oauth2": oauth2})
        targets = {
            "crm": TargetConfig("crm", "espocrm", espo.settings(address, allow_private=True), "c", {}),
            "books": TargetConfig("books", "rest", books, "c", {}),
        }
        yield create_app(replace(admin_config, targets=admin_config.targets | targets), store)


@pytest.fixture
def busy(store, send, customer, app, url):
    "A store in which something of everything happened."
    for n, text in enumerate((TEXT, CITY)):
        store.mappings.publish("csv", "csv", document.read(text, "csv").hash, text, ("Omar", "editor")[n])
    for n in range(1, 5):
        send(person(customer, n))
    app.test_client().post(url, data=b'{"action": "customers.CREATE"}')
    warnings = ["email: user.email is not an e-mail address; left out"]
    digest = document.read(ESPO, "espocrm").hash
    store.mappings.publish("espocrm", "espocrm", digest, ESPO)
    send(again(person(customer, 1), 5, phone="559999999", city="Jeddah"))
    there = sa.update(deliveries).where(deliveries.c.id == 1).values(target="crm", pinned_mapping=digest)
    store.engine.write(
        lambda c, args: [c.execute(sa.update(deliveries).values(warnings=warnings)), c.execute(there), None][2:],
        None,
    )
    link(store, digest=document.read(TEXT, "csv").hash)
    settle(store, "held", "several contacts have this phone (1, 2)", "two_matches")
    settle(store, "failed", "POST crm.example.com/contacts answered 422: phone is wrong", "rejected", number=2)
    settle(store, "delivered", "created", number=3)
    store.states.register(["contacts"])
    store.states.pause("contacts", None, "paused by a person")


def rooms(page):
    "Come to every page, also to those that only a form leads to; yield what each is called."
    for path in ROOMS:
        page.goto(f"/admin{path}")
        yield path
    page.goto("/admin/events/1")
    page.locator("form[action$='/show'] button").click()
    yield "an event with what is personal"
    page.goto("/admin/deliveries?state=failed")
    page.locator("tbody input[type=checkbox]").first.check()
    page.locator("button[value=replay]").first.click()
    yield "the confirmation"
    page.goto("/admin/targets")
    page.locator("form[action$='/address'] button").first.click()
    yield "an address"
    page.goto("/admin/targets")
    page.locator("form[action$='/crm/check'] button").click()
    page.locator(".notice[role]").wait_for()
    yield "the targets, one of them checked"
    page.locator("form[action$='/connect'] button").click()
    yield "the way to connect"
    page.goto("/admin/customers?id=customer-1")
    page.locator("form[action$='/customers/show'] button").click()
    yield "a customer with what is personal"
    page.goto("/admin/held")
    page.locator("form[action$='/look'] button").click()
    page.locator(".beside").wait_for()
    yield "what is held beside what is there"
    page.goto("/admin/mappings/csv")
    yield "the editor"
    page.locator("form#draft button").first.click()
    page.wait_for_load_state()
    yield "what would change"


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.usefixtures("busy")
def test_every_page_is_for_everybody(open_page, lang):
    page, found = open_page("editor", lang, viewport={"width": 360, "height": 740}, reduced_motion="reduce"), {}
    for room in rooms(page):
        found[room] = looked(page, lang)
    page.context.clear_cookies(name="connector_admin")
    page.goto("/admin/sign-in")
    found["the sign-in"] = looked(page, lang)
    assert {room: wrong for room, wrong in found.items() if wrong} == {}
    assert len(found) == len(ROOMS) + 10


def looked(page, lang):
    "Return what is wrong with a page, in light and dark, by its width, by the keyboard and by its words."
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
    wrong = page.evaluate(WIDER) + unreached(page) + (latin(page) if lang == "ar" else [])
    page.evaluate(AXE)
    wrong += page.evaluate(LOOK, {})
    page.emulate_media(color_scheme="dark")
    wrong += [f"dark: {one}" for one in page.evaluate(LOOK, {"runOnly": ["color-contrast"]})]
    page.emulate_media(color_scheme="light")
    return wrong


def unreached(page):
    "Return what Tab does not reach, in the order of the page and with a mark that is seen."
    usable, wrong = page.evaluate(f"() => {USABLE}.map(one => one.outerHTML.slice(0, 120))"), []
    page.evaluate("() => { document.activeElement.blur(); document.body.tabIndex = -1; document.body.focus() }")
    for at, what in enumerate(usable):
        page.keyboard.press("Tab")
        focused, marked, in_view = page.evaluate(FOCUSED)
        while focused < at and page.evaluate(PART_OF_A_DATE):  # day, month and year each have a stop
            page.keyboard.press("Tab")
            focused, marked, in_view = page.evaluate(FOCUSED)
        if (focused, marked, in_view) != (at, True, True):
            wrong.append(f"{what}: {focused} instead of {at}, marked {marked}, in view {in_view}")
            break
    return wrong


def latin(page):
    "Return the words in Latin letters that an Arabic page shows and that are no names."
    texts = [text for text in page.evaluate(LATIN) if text]
    words = {word for text in texts for word in re.findall(r"[A-Za-z][\w-]+", text)}
    return sorted(word for word in words if word not in NAMES and not re.search(r"\d", word))

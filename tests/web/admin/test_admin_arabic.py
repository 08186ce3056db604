"""An Arabic page says nothing in English but names: of fields, files, commands, and what somebody else said."""

import json
import re

from tests.web.admin.test_admin_mappings import PAGE, TEXT, post
from tests.web.admin.test_admin_pages import person, settle

# Left out: what is written for whoever helps from afar, what a person or a vendor wrote, and names, which say that they are.
ELSEWHERE = re.compile(
    r"<head>.*?</head>|<pre.*?</pre>|<textarea.*?</textarea>|<bdi.*?</bdi>|<small class=\"core\".*?</small>"
    r"|<a [^>]*lang=\"en\".*?</a>| · [^<]*(?=</option>)",
    re.DOTALL,
)
NAMES = {"xid", "d34", "connector", "send", "serve", "worker", "yaml", "json", "keep", "config", "csv", "contacts",
         "customers", "city", "citee", "editor", "operator", "viewer", "noura", "name", "phone", "flavours", "lenient", "plain", "signed"}  # fmt: skip


def english(page):
    "Return the English words that a person sees, or hears from a screen reader."
    bare = ELSEWHERE.sub("", page)
    said = re.findall(r'(?:title|placeholder|aria-label|alt)="([^"]*)"', bare) + re.findall(r">([^<]*)", bare)
    return [one.strip() for one in said if {word.lower() for word in re.findall(r"[A-Za-z]{3,}", one)} - NAMES]


def test_an_arabic_page_says_nothing_in_english(someone, send, customer, store):
    send(person(customer))
    settle(store, "held", "several contacts have this phone (1, 2); look there", "two_matches")
    editor = someone("editor")
    post(editor, "publish", TEXT)
    assert editor.post("/admin/targets/contacts/check").status_code == 302
    assert editor.post("/admin/targets/contacts/pause").status_code == 302
    editor.post("/admin/people/add", "/admin/people", name="noura", password="a-password-of-hers", role="viewer")
    pages = ["", "deliveries", "deliveries?q=sara", "held", "events/1", f"customers?id={json.loads(customer)['data']['id']}", "mappings",
             "targets", "people", "audit", "nowhere"]  # fmt: skip
    editor.get("/admin/?lang=ar")
    drawn = {path: editor.get(f"/admin/{path}").text for path in pages}
    drawn["mapping"] = editor.get(PAGE).text
    drawn["wrong"] = post(editor, "publish", TEXT + "  city: citee\n").text
    drawn["confirm"] = editor.post("/admin/deliveries/confirm", action="replay", id="1").text
    assert {path: found for path, page in drawn.items() if (found := english(page))} == {}
    assert all('<html lang="ar" dir="rtl">' in page for page in drawn.values())

"""A mapping is tried, published, compared and rolled back in the browser; nobody writes over another's work."""

import hashlib
import html
import json
import re

import pytest

from connector.mapping import document
from tests.web.admin.test_admin_pages import person

TEXT = """\
# how we like our contacts
version: 1
kind: csv
match: [phone]
fields:
  name: user.name
  phone: {from: user.phone, use: phone}
"""
CITY = TEXT + "  city: city\n"
PAGE = "/admin/mappings/csv"


def test_a_draft_is_tried_on_nothing_that_was_purged(someone, send, customer, store):
    send(person(customer))
    store.forgetting.erase([1])
    tried = someone("editor").post(f"{PAGE}/try", page=PAGE, text=TEXT, base="0", event="e1").text
    assert "or what it held was purged" in tried


@pytest.fixture
def published(store):
    store.mappings.publish("csv", "csv", document.read(TEXT, "csv").hash, TEXT, "Omar")
    return store.mappings.history("csv")[0]


@pytest.fixture
def editor(someone, published):
    return someone("editor")


def base(visitor):
    return re.search(r'name="base" value="(\d+)"', visitor.get(PAGE).text)[1]


def post(visitor, what, text, **form):
    return visitor.post(f"{PAGE}/{what}", page=PAGE, text=text, **{"base": base(visitor), **form})


def test_the_page_shows_the_text_in_use_and_what_it_makes(editor):
    assert PAGE in editor.get("/admin/mappings").text
    page = editor.get(PAGE).text
    assert "# how we like our contacts" in page
    assert "User 1" in page
    assert "user.phone" in page


def test_a_mistake_is_named_by_its_line_and_nothing_is_published(editor, store, published):
    answer = post(editor, "publish", TEXT.replace("user.name", "user.nam"))
    assert answer.status_code == 422
    assert "Line 6, column" in answer.text
    assert store.mappings.history("csv") == [published]


def test_a_preview_is_a_part_of_a_page(editor):
    part = post(editor, "preview", CITY.replace("city: city", "town: {value: Riyadh}")).text
    assert "Riyadh" in part
    assert "<html" not in part


def test_trying_it_says_what_would_change_and_publishes_nothing(editor, send, customer, store, published):
    for n in (1, 2):
        send(person(customer, n))
    page = post(editor, "try", TEXT.replace("user.name", "user.email"), event="e2").text
    assert "2 of 2 customers would change" in page
    assert "sara@example.com" in page
    assert '<span class="added">+  name: user.email</span>' in page
    assert store.mappings.history("csv") == [published]
    assert [(row["what"], row["about"]) for row in store.audit.list(1)] == [("show_event", "e2")]


def test_publishing_keeps_comments_and_says_who(editor, store, admin_config):
    file = admin_config.mappings / "csv.yaml"
    file.write_text(TEXT)
    answer = post(editor, "publish", CITY.replace("\n", "\r\n"))
    assert answer.headers["Location"] == f"{PAGE}?done=1"
    newest = store.mappings.history("csv")[0]
    assert (newest.published_by, newest.hash) == ("editor", hashlib.sha256(CITY.encode()).hexdigest())
    assert file.read_text() == CITY
    assert store.audit.list(1)[0]["about"] == f"csv {newest.hash[:12]}"


def test_a_second_editor_is_told_and_writes_over_nothing(editor, store, published):
    other = TEXT + "  email: user.email\n"
    store.mappings.publish("csv", "csv", document.read(other, "csv").hash, other, "Sara")
    answer = post(editor, "publish", CITY, base=published.id)
    assert answer.status_code == 409
    assert "Sara" in answer.text
    assert "city: city" in answer.text
    assert '<span class="removed">-  email: user.email</span>' in answer.text
    assert store.mappings.active("csv") == other
    merged = re.search(r'name="base" value="(\d+)"', answer.text)[1]
    assert post(editor, "publish", CITY, base=merged).status_code == 302


def test_samples_that_fail_stop_it_unless_a_person_says_so(editor, store):
    text = TEXT + "samples:\n  - given: person\n    expect: {name: Omar}\n"
    assert post(editor, "publish", text).status_code == 422
    assert post(editor, "publish", text, anyway="1").status_code == 302
    assert store.mappings.active("csv") == text


def test_an_older_version_is_compared_and_put_back(editor, store, published):
    post(editor, "publish", CITY)
    assert '<span class="removed">-  city: city</span>' in editor.get(f"{PAGE}?version={published.hash}").text
    assert editor.post(f"{PAGE}/rollback", page=PAGE, version=published.hash).status_code == 302
    assert store.mappings.active("csv") == TEXT
    assert [row["what"] for row in store.audit.list(2)] == ["rollback", "publish"]
    assert editor.post(f"{PAGE}/rollback", page=PAGE, version="../../etc").status_code == 404


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "..", "csv%00", "%2e%2e%2fcsv"])
def test_a_name_that_no_sync_uses_is_nowhere(editor, name):
    assert editor.get(f"/admin/mappings/{name}").status_code in (302, 404)
    assert editor.post(f"/admin/mappings/{name}/publish", page=PAGE, text=TEXT, base="0").status_code in (404, 405)


def test_markup_in_a_mapping_stays_text(editor):
    hostile = "</textarea></pre><script>alert(1)</script>"
    page = post(editor, "try", f"{TEXT}  {hostile}: user.name\n# {hostile}\n").text
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;" in page


def test_a_viewer_reads_it_only(someone, published):
    page = someone("viewer").get(PAGE).text
    assert "# how we like our contacts" in page
    assert "<textarea" not in page


def drawn(page):
    return html.unescape(re.search(r"<textarea [^>]*name=\"text\"[^>]*>\n(.*?)</textarea>", page, re.DOTALL)[1])


def test_each_field_is_called_by_its_name_and_shows_where_it_comes_from(editor):
    page = editor.get(PAGE).text
    assert re.search(r"Mobile number <small><bdi dir=\"ltr\">phone</bdi></small>", page)
    assert re.search(
        r'<select name="source:0:phone".*?<option value="user.phone" selected>Mobile number', page, re.DOTALL
    )
    assert "رقم الجوال <small>" in editor.get(f"{PAGE}?lang=ar").text


def test_what_is_picked_changes_its_place_in_the_text_alone(editor, store, published):
    page = post(editor, "arrange", TEXT, **{"source:0:name": "user.email", "was:0:name": "user.name"})
    assert drawn(page.text) == TEXT.replace("name: user.name", "name: user.email")
    assert store.mappings.history("csv") == [published]
    unchanged = post(editor, "arrange", TEXT, **{"source:0:name": "user.email", "was:0:name": "user.email"})
    assert drawn(unchanged.text) == TEXT


def test_a_field_is_added_and_taken_out(editor):
    more = drawn(post(editor, "arrange", TEXT, do="add", new_target="city", new_path="city").text)
    assert more == CITY
    assert drawn(post(editor, "arrange", CITY, remove="city").text) == TEXT
    refused = post(editor, "arrange", TEXT, do="add", new_target="name", new_path="city")
    assert (refused.status_code, drawn(refused.text)) == (422, TEXT)


def test_the_last_customers_values_stand_beside_masked_until_somebody_asks(editor, send, customer, store):
    send(person(customer))
    masked = editor.get(PAGE).text
    assert "Mobile number · user.phone · ***" in masked
    assert "551234567" not in masked
    shown = post(editor, "try", TEXT, event="e1").text
    assert "Mobile number · user.phone · 551234567" in shown


def test_a_preview_of_an_event_is_written_down_once(editor, send, customer, store):
    send(person(customer))
    for text in (TEXT, CITY, TEXT):
        assert "sara" in post(editor, "preview", text.replace("user.name", "user.email"), event="e1").text
    assert [row["what"] for row in store.audit.list()].count("show_event") == 1


@pytest.mark.parametrize("whole", [True, False])
def test_pasted_json_is_tried_whole_or_the_data_alone(editor, whole):
    data = {"id": "c9", "user": {"name": "Omar Saleh"}}
    pasted = json.dumps({"action": "customers.CREATE", "data": data} if whole else data)
    assert "Omar Saleh" in post(editor, "preview", TEXT, pasted=pasted).text


@pytest.mark.parametrize("pasted", ["{", "[]", "3", '{"data": 3}', "[" * 9000])
def test_pasted_nonsense_is_said(editor, pasted):
    assert "holds no customer" in post(editor, "preview", TEXT, pasted=pasted).text


def test_a_field_that_flavours_added_since_can_be_picked(editor):
    pasted = json.dumps({"id": "c9", "loyalty": {"tier": "gold"}, "user": {"name": "Omar"}})
    page = post(editor, "try", TEXT, pasted=pasted).text
    assert "data.loyalty.tier · gold" in page
    text = post(
        editor, "arrange", TEXT, pasted=pasted, **{"source:0:name": "data.loyalty.tier", "was:0:name": "x"}
    ).text
    assert "name: data.loyalty.tier" in drawn(text)


def test_the_editor_gets_the_words_of_the_core_in_the_readers_language(editor, someone):
    said = editor.get(f"{PAGE}/words").json
    assert {"label": "saudi_vat"}.items() <= next(one for one in said["uses"] if one["label"] == "saudi_vat").items()
    assert {"label": "user.phone", "detail": "Mobile number"} in said["paths"]
    assert {one["label"] for one in said["keys"]} >= {"version", "kind", "match", "fields", "on_update", "samples"}
    assert {one["label"] for one in said["rule"]} >= {"from", "first_of", "use", "map", "default", "when"}
    arabic = editor.get(f"{PAGE}/words?lang=ar").json
    assert {"label": "user.phone", "detail": "رقم الجوال"} in arabic["paths"]
    assert {"label": "hold", "info": "ينتظر العميل قرارًا."} in arabic["on_invalid"]
    assert arabic["phrases"]["next"] == "التالي"
    assert said["phrases"] == {}
    assert someone("viewer").get(f"{PAGE}/words").status_code == 403


def test_the_styles_of_the_editor_are_allowed_by_a_word_that_is_new_each_time(editor):
    pages = [editor.get(PAGE) for _ in range(2)]
    nonces = [re.search(r'data-nonce="([\w-]{20,})"', page.text)[1] for page in pages]
    assert nonces[0] != nonces[1]
    for page, nonce in zip(pages, nonces, strict=True):
        policy = page.headers["Content-Security-Policy"]
        assert f"style-src 'self' 'nonce-{nonce}';" in policy
        assert "script-src 'self';" in policy
    assert "nonce" not in editor.get("/admin/mappings").headers["Content-Security-Policy"]

"""Nobody gets in who should not, nobody does what their role forbids, and nothing that came from outside is markup."""

import json
import re

import pytest
import sqlalchemy as sa

from connector.config import ServerConfig
from connector.store.tables import attempts, deliveries
from connector.web.app import create_app
from tests.web.admin.conftest import BOTH, PASSWORD, Visitor

PAGES = (
    "/",
    "/now",
    "/deliveries",
    "/events/1",
    "/customers",
    "/held",
    "/held/1/beside",
    "/mappings",
    "/mappings/csv",
    "/targets",
    "/people",
    "/password",
    "/audit",
    "/nothing/here",
)
CHANGES = {
    "/deliveries/confirm": "operator",
    "/deliveries/decide": "operator",
    "/events/1/show": "operator",
    "/events/1/replay": "operator",
    "/customers/show": "operator",
    "/held/1": "operator",
    "/held/1/look": "operator",
    "/targets/contacts/check": "operator",
    "/targets/contacts/connect": "editor",
    "/people/add": "editor",
    "/people/role": "editor",
    "/people/password": "editor",
    "/people/remove": "editor",
    "/targets/contacts/pause": "operator",
    "/targets/contacts/resume": "operator",
    "/sources/flavours/address": "editor",
    "/mappings/csv/preview": "editor",
    "/mappings/csv/arrange": "editor",
    "/mappings/csv/try": "editor",
    "/mappings/csv/publish": "editor",
    "/mappings/csv/rollback": "editor",
}
OWN = ("/password", "/sign-out")  # what everybody may change who is signed in


def test_every_room_that_changes_something_is_listed_here(app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("admin.") and "POST" in rule.methods]
    filled = {re.sub(r"<int:\w+>", "1", rule.rule).removeprefix("/admin") for rule in rules}
    filled = {
        rule.replace("/targets/<name>", "/targets/contacts")
        .replace("/mappings/<name>", "/mappings/csv")
        .replace("<name>", "flavours")
        for rule in filled
    }
    assert filled == {*CHANGES, *OWN, "/sign-in"}


@pytest.mark.parametrize("page", PAGES)
def test_without_a_session_every_page_leads_to_the_sign_in(visitor, page):
    answer = visitor.get("/admin" + page)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/sign-in")


def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(visitor):
    answer = visitor.get("/admin/now", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/admin/sign-in")


@pytest.mark.parametrize("page", [*CHANGES, *OWN])
def test_without_a_session_nothing_is_changed(visitor, page, store):
    answer = visitor.post("/admin" + page, page="/admin/sign-in", how="skip", action="replay")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/sign-in")
    assert store.audit.list() == []


@pytest.mark.parametrize(("page", "role"), CHANGES.items())
def test_a_role_below_may_not_change(someone, page, role, store):
    visitor = someone({"operator": "viewer", "editor": "operator"}[role])
    before = store.audit.list()
    assert visitor.post("/admin" + page, how="skip", action="replay").status_code == 403
    assert store.audit.list() == before


@pytest.mark.parametrize("page", ["/people", "/audit"])
def test_people_and_the_audit_log_are_for_editors(someone, page):
    assert someone("operator").get("/admin" + page).status_code == 403
    assert someone("editor").get("/admin" + page).status_code == 200


@pytest.mark.parametrize("page", [*CHANGES, *OWN])
def test_a_form_of_another_site_is_refused(someone, page):
    editor = someone("editor")
    answer = editor.client.post("/admin" + page, data={"how": "skip", "action": "replay", "id": "1"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text
    assert editor.get("/admin/").status_code == 200


def test_the_door_needs_no_token_of_a_form(app, url, customer):
    assert app.test_client().post(url, data=customer).status_code == 202


@BOTH
def test_a_session_is_renewed_at_the_sign_in_and_ends_at_the_sign_out(visitor, app):
    visitor.get("/admin/sign-in")
    before = visitor.client.get_cookie("connector_admin", path="/admin").value
    visitor.sign_in("editor")
    inside = visitor.client.get_cookie("connector_admin", path="/admin").value
    assert inside != before
    visitor.post("/admin/sign-out")
    thief = Visitor(app)
    thief.client.set_cookie("connector_admin", inside, path="/admin")
    assert thief.get("/admin/").headers["Location"] == "/admin/sign-in"


@BOTH
def test_a_session_ends_by_the_clock_with_the_person_and_with_a_new_password(someone, store, clock):
    editor, operator, viewer = someone("editor"), someone("operator"), someone("viewer")
    store.people.remove("operator")
    store.people.change("viewer", password="x")
    assert [one.get("/admin/").status_code for one in (editor, operator, viewer)] == [200, 302, 302]
    clock.now += 12 * 3_600_000
    assert editor.get("/admin/").status_code == 302


@BOTH
def test_the_token_of_a_session_is_not_in_the_store(someone, store):
    someone("editor")
    token = store.people.sign_in("editor")
    kept = store.engine.read(lambda c: c.exec_driver_sql("SELECT token FROM sessions").scalars().all())
    assert len(kept) == 2
    assert token not in kept
    assert store.people.signed_in(token).name == "editor"


def test_the_cookie_is_for_the_browser_alone_and_https_where_there_is_https(admin_config, store, app):
    flags = Visitor(app).get("/admin/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in flags
    assert "SameSite=Lax" in flags
    assert "Path=/admin" in flags
    assert "Secure" not in flags
    behind = Visitor(app, **{"wsgi.url_scheme": "https"}).get("/admin/sign-in").headers["Set-Cookie"]
    assert "Secure" in behind
    from dataclasses import replace

    public = create_app(replace(admin_config, server=ServerConfig(public_url="https://hooks.example.com")), store)
    assert "Secure" in Visitor(public).get("/admin/sign-in").headers["Set-Cookie"]


@BOTH
def test_guessing_is_slowed_for_the_name_and_for_the_address(app, store, clock):
    guesser = Visitor(app)
    assert [guesser.sign_in("editor", f"guess {n}").status_code for n in range(5)] == [401] * 5
    assert guesser.sign_in("editor").status_code == 429
    assert guesser.sign_in("viewer").status_code == 429, "the address"
    elsewhere = Visitor(app, REMOTE_ADDR="203.0.113.8")
    assert elsewhere.sign_in("editor").status_code == 429, "the name"
    assert elsewhere.sign_in("viewer").status_code == 302
    clock.now += 2_000
    assert Visitor(app, REMOTE_ADDR="203.0.113.8").sign_in("editor").status_code == 302


def test_each_wrong_password_doubles_the_wait_up_to_a_quarter_of_an_hour(store, clock):
    waits = []
    for _ in range(16):
        store.people.failed(("name:x",))
        waits.append(store.people.wait(("name:x", "name:y")))
        clock.now += waits[-1]
    assert waits[:7] == [0, 0, 0, 0, 2000, 4000, 8000]
    assert waits[-1] == 15 * 60_000


def test_a_stranger_and_a_wrong_password_get_the_same_answer(app):
    known, stranger = Visitor(app), Visitor(app, REMOTE_ADDR="203.0.113.9")
    first, second = known.sign_in("editor", "wrong"), stranger.sign_in("nobody", "wrong")
    strip = lambda page: re.sub(r'name="csrf_token" value="[^"]+"', "", page.text)  # noqa: E731
    assert (first.status_code, strip(first)) == (second.status_code, strip(second))


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}"


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_what_came_from_outside_stays_text(someone, send, customer, store, lang):
    body = json.loads(customer)
    body["data"]["id"] = HOSTILE
    body["data"]["user"]["name"] = HOSTILE
    body["xid"] = HOSTILE
    number = send(json.dumps(body))
    store.engine.write(
        lambda c, args: [c.execute(sa.update(deliveries).values(state="held", reason=HOSTILE)), None][1:],
        None,
    )
    store.states.register(["contacts"])
    store.states.pause("contacts", None, HOSTILE)
    editor = someone("editor")
    for page in ("/", "/deliveries", f"/events/{number}", "/held", "/targets", "/audit"):
        text = editor.get(f"/admin{page}?lang={lang}").text
        assert "<script>alert" not in text, page
        assert "<img" not in text, page
    shown = editor.post(f"/admin/events/{number}/show", page=f"/admin/events/{number}").text
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    found = editor.get("/admin/deliveries", query_string={"q": HOSTILE}).text
    assert "<script>alert" not in found


@BOTH
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_what_a_target_answered_stays_text(someone, send, customer, store, lang):
    number = send(customer)
    answered = {"delivery_id": 1, "number": 1, "started_at": 0, "took_ms": 1, "outcome": "fail", "answer": HOSTILE}
    warned = [f"name: left out, for the target refuses it ({HOSTILE})", HOSTILE]
    store.engine.write(
        lambda c, args: [
            c.execute(sa.insert(attempts).values({**answered, "worker": HOSTILE})),
            c.execute(sa.update(deliveries).values(state="failed", code=HOSTILE, remote_id=HOSTILE, warnings=warned)),
            None,
        ][2:],
        None,
    )
    viewer = someone("viewer")
    for page in ("/deliveries", "/deliveries?state=failed", f"/events/{number}", "/"):
        text = viewer.get(f"/admin{page}{'&' if '?' in page else '?'}lang={lang}").text
        assert "<script>alert" not in text, page
        assert "<img" not in text, page
    assert "&lt;script&gt;alert(1)" in viewer.get(f"/admin/events/{number}").text


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_what_a_mistake_in_a_mapping_quotes_stays_text(someone, lang):
    text = f"version: 1\nkind: csv\nfields:\n  name: 'user.{HOSTILE.partition(chr(34))[0]}'\n"
    page = "/admin/mappings/csv"
    answer = someone("editor").post(f"{page}/preview?lang={lang}", page=page, text=text, base="0", event=HOSTILE)
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_shields(someone, page):
    answer = someone("editor").get("/admin" + page)
    policy = answer.headers.getlist("Content-Security-Policy")
    assert len(policy) == 1
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy[0]
    assert "unsafe" not in policy[0]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?! src=)", answer.text)


def test_the_rooms_are_not_there_unless_they_are_switched_on(config, store):
    client = create_app(config, store).test_client()
    assert client.get("/admin/").status_code == 404
    assert client.get("/admin/sign-in").headers["Content-Type"] == "application/problem+json"


def test_a_password_is_never_shown(app):
    assert PASSWORD not in Visitor(app).sign_in("nobody").text

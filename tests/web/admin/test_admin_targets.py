"""A target is checked and connected from its page, beside the door: over true sockets, with a real issuer of tokens."""

import html
import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask import session

from connector.config import TargetConfig
from connector.store.tables import attempts
from connector.web.admin import language
from connector.web.admin.errands import NOTED, Asked, Errands
from connector.web.app import create_app
from tests.targets.stub_issuer import CLIENT, SECRET, Issuer
from tests.targets.stub_vendor import served
from tests.targets.vendors.rest.lab import settings as rest_settings
from tests.web.admin.conftest import BOTH, Visitor, answered
from tests.web.admin.test_admin_pages import person, settle

PAGE = "/admin/targets"


@pytest.fixture
def issuer():
    issuer = Issuer()
    with served(issuer) as issuer.address:
        yield issuer


@pytest.fixture
def app(admin_config, store, issuer):
    home = issuer.address.removesuffix("/api")
    said = {"token_url": f"{home}/oauth/token", "authorize_url": f"{home}/authorize"}
    oauth2 = said | {"client_id": CLIENT, "client_secret": SECRET}
    crm = TargetConfig(
        "crm", "rest", rest_settings(issuer.address, allow_private=True, auth={"oauth2": oauth2}), "c", {}
    )
    return create_app(replace(admin_config, targets=admin_config.targets | {"crm": crm}), store)


@pytest.fixture
def editor(someone):
    return someone("editor")


def post(editor, path):
    return editor.post(path, page=PAGE)


def ended(editor):
    return answered(editor, PAGE)


def invited(editor):
    page = post(editor, f"{PAGE}/crm/connect").text
    assert "http://localhost/admin/targets/connected" in page
    return html.unescape(re.search(r'role="button" href="([^"]+/authorize[^"]+)"', page)[1])


def back(editor, address):
    parts = urlsplit(address)
    return editor.get(f"{parts.path}?{parts.query}")


def test_a_check_says_what_it_saw(editor, store):
    assert post(editor, f"{PAGE}/contacts/check").headers["Location"] == PAGE
    page = ended(editor)
    assert "It works." in page
    assert "0 contacts" in page
    assert store.audit.list(1)[0]["what"] == "check"


def test_a_check_that_fails_says_so_and_one_that_works_lets_a_held_target_go_on(editor, store, issuer):
    store.states.register(["contacts"])
    from connector.store.tables import targets

    store.engine.write(
        lambda c, args: [c.execute(targets.update().values(state="held", reason="401")), None][1:],
        None,
    )
    post(editor, f"{PAGE}/crm/check")
    page = ended(editor)
    assert "It works." not in page
    assert "notice bad" in page
    post(editor, f"{PAGE}/contacts/check")
    assert "It works." in ended(editor)
    assert store.states.all()["contacts"].state == "open"


def test_a_person_allows_the_access_and_the_target_is_connected(editor, store, issuer):
    address = invited(editor)
    answer = back(editor, issuer.allow(address))
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    page = ended(editor)
    assert "It works." in page
    assert "Access renewed" in page
    assert store.vault("crm").load() is not None
    assert [row["what"] for row in store.audit.list(2)] == ["connected", "connect"]


def test_an_answer_is_taken_once_and_only_by_the_session_that_asked(editor, app, store, issuer):
    address = issuer.allow(invited(editor))
    thief = Visitor(app)
    thief.sign_in("operator")
    assert back(thief, address).status_code == 403
    assert back(editor, address.replace("state=", "state=x")).status_code == 400
    assert back(editor, address).status_code == 400, "the first answer ended it"
    assert store.vault("crm").load() is None


def test_who_says_no_is_told_so(editor, store, issuer):
    state = re.search(r"state=([^&]+)", invited(editor))[1]
    back(editor, f"/admin/targets/connected?error=access_denied&state={state}")
    assert "the access was not allowed" in ended(editor)


def test_what_knows_no_oauth2_is_not_connected(editor):
    assert "/targets/contacts/connect" not in editor.get(PAGE).text
    assert post(editor, f"{PAGE}/contacts/connect").status_code == 404


@BOTH
def test_secrets_say_when_they_were_last_used_and_never_what_they_are(editor, store, send, customer, clock):
    page = editor.get(PAGE).text
    assert page.count("Not lately") == 6, "four sources, two targets"
    assert ("auth.oauth2.client_secret" in page, SECRET in page) == (True, False)
    send(person(customer))
    settle(store, "delivered")
    came = [("created", clock.now + 60_000), ("retry", clock.now + 900_000)]
    rows = [
        {"delivery_id": 1, "number": n, "started_at": at, "took_ms": 1, "outcome": how, "worker": "w"}
        for n, (how, at) in enumerate(came)
    ]
    store.engine.write(lambda c, args: [c.execute(attempts.insert(), rows), None][1:], None)
    page = editor.get(PAGE).text
    assert page.count("Not lately") == 4
    assert page.count(language.time(clock.now)) == 1, "the event that its secrets let in"
    assert page.count("Which of several it was is not kept") == 1, "of two in the address"
    assert page.count(language.time(clock.now + 60_000)) == 1, "the try that came through"
    assert language.time(clock.now + 900_000) not in page


def test_a_session_names_only_so_many_errands(app, clock):
    asked = Asked(Errands(), clock)
    with app.test_request_context():
        for number in range(NOTED + 3):
            clock.now += 1
            assert asked.start(("look", "operator", str(number)), lambda: None)
        assert next(iter(session["errands"])) == "look/operator/3"
        assert len(session["errands"]) == NOTED


def test_a_page_of_another_process_waits_for_the_one_that_knows(editor, admin_config, store, clock):
    other = Visitor(create_app(admin_config, store))
    post(editor, f"{PAGE}/contacts/check")
    cookie = editor.client.get_cookie("connector_admin", path="/admin").value
    other.client.set_cookie("connector_admin", cookie, path="/admin")
    assert "being asked" in other.get(PAGE).text
    assert "It works." in ended(editor)
    other.post(f"{PAGE}/contacts/check", page=PAGE)
    assert "It works." in ended(other)
    cookie = other.client.get_cookie("connector_admin", path="/admin").value
    editor.client.set_cookie("connector_admin", cookie, path="/admin")
    assert "It works." not in editor.get(PAGE).text, "what it knows is older"
    clock.now += 60_000
    assert "being asked" not in editor.get(PAGE).text
    assert "It works." in other.get(PAGE).text

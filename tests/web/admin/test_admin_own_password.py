"""Whoever is signed in changes their own password, by the old one; wherever else they were signed in, they are out."""

import re

import pytest

from tests.web.admin.conftest import PASSWORD, Visitor

PAGE = "/admin/password"
NEW = "a-new-password"


def change(visitor, **form):
    return visitor.post(PAGE, page=PAGE, **{"old": PASSWORD, "password": NEW, "again": NEW} | form)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_a_new_password_is_in_force_at_once_and_every_other_session_ends(someone, app, store, role):
    here, elsewhere = someone(role), someone(role)
    before = here.client.get_cookie("connector_admin", path="/admin").value
    assert f'href="{PAGE}"' in here.get("/admin/").text
    assert change(here).headers["Location"] == f"{PAGE}?done=1"
    assert "Everywhere else you are signed out" in here.get(f"{PAGE}?done=1").text
    assert elsewhere.get("/admin/").status_code == 302
    thief = Visitor(app)
    thief.client.set_cookie("connector_admin", before, path="/admin")
    assert thief.get("/admin/").headers["Location"] == "/admin/sign-in", "the session is renewed, too"
    assert Visitor(app).sign_in(role, PASSWORD).status_code == 401
    assert Visitor(app).sign_in(role, NEW).status_code == 302
    deeds = [(row["person"], row["what"], row["about"]) for row in store.audit.list()]
    assert (role, "change_own_password", "") in deeds
    assert NEW not in str(deeds)
    assert store.people.password(role).startswith("scrypt:")


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"old": "wrong"}, 401, "The old password is not right"),
        ({"old": ""}, 401, "The old password is not right"),
        ({"password": "short", "again": "short"}, 422, "10 to 200 characters"),
        ({"again": "another-password"}, 422, "not typed the same twice"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(someone, store, form, status, said):
    viewer, kept, deeds = someone("viewer"), store.people.password("viewer"), store.audit.list()
    answer = change(viewer, **form)
    assert answer.status_code == status
    assert said in answer.text
    assert NEW not in answer.text
    assert PASSWORD not in answer.text
    assert store.people.password("viewer") == kept
    assert store.audit.list() == deeds
    assert viewer.get("/admin/").status_code == 200


def test_who_guesses_the_old_one_waits_as_at_the_sign_in(someone, app, clock):
    viewer = someone("viewer")
    assert [change(viewer, old=f"guess {n}").status_code for n in range(5)] == [401] * 5
    refused = change(viewer)
    assert (refused.status_code, re.search(r"Wait (\d+) seconds", refused.text)[1]) == (429, "2")
    assert Visitor(app, REMOTE_ADDR="203.0.113.8").sign_in("viewer").status_code == 429, "the name"
    clock.now += 2_000
    assert change(viewer).status_code == 302

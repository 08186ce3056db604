"""Editors let people in and out in the browser; one editor is always left, and whoever is out is out at once."""

import threading

import pytest

from connector.store.people import LastEditor
from tests.web.admin.conftest import PASSWORD, Visitor

PAGE = "/admin/people"
NEW = "a-new-password"


@pytest.fixture
def editor(someone):
    return someone("editor")


def post(editor, what, **form):
    return editor.post(f"{PAGE}/{what}", page=PAGE, **form)


def role(store, name):
    return {one.name: one.role for one in store.people.list()}.get(name)


def test_who_is_let_in_may_sign_in(editor, app, store):
    assert post(editor, "add", name=" Sara ", role="operator", password=NEW).headers["Location"] == f"{PAGE}?done=1"
    assert role(store, "Sara") == "operator"
    assert Visitor(app).sign_in("Sara", NEW).status_code == 302
    assert (store.audit.list(2)[1]["what"], store.audit.list(2)[1]["about"]) == ("add_person", "Sara (operator)")


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"name": ""}, 422, "1 to 100 characters"),
        ({"name": "a\tb"}, 422, "1 to 100 characters"),
        ({"password": "short"}, 422, "10 to 200 characters"),
        ({"name": "viewer"}, 409, "of that name already"),
        ({"role": "owner"}, 400, ""),
    ],
)
def test_what_cannot_be_is_said_and_nobody_is_let_in(editor, store, form, status, said):
    before = store.people.list()
    answer = post(editor, "add", **{"name": "Sara", "role": "viewer", "password": NEW} | form)
    assert answer.status_code == status
    assert said in answer.text
    assert store.people.list() == before


def test_a_role_changes_and_its_sessions_end(editor, someone, store):
    viewer = someone("viewer")
    post(editor, "role", name="viewer", role="operator")
    assert role(store, "viewer") == "operator"
    assert viewer.get("/admin/").status_code == 302


def test_a_password_changes_and_its_sessions_end(editor, someone, app, store):
    viewer = someone("viewer")
    assert post(editor, "password", name="viewer", password="short").status_code == 422
    post(editor, "password", name="viewer", password=NEW)
    assert viewer.get("/admin/").status_code == 302
    assert Visitor(app).sign_in("viewer", PASSWORD).status_code == 401
    assert Visitor(app).sign_in("viewer", NEW).status_code == 302
    assert NEW not in str(store.audit.list())


def test_who_is_removed_is_out_at_once(editor, someone, store):
    viewer = someone("viewer")
    post(editor, "remove", name="viewer")
    assert role(store, "viewer") is None
    assert viewer.get("/admin/").status_code == 302
    assert post(editor, "remove", name="viewer").status_code == 404


@pytest.mark.parametrize(("what", "form"), [("remove", {}), ("role", {"role": "viewer"})])
def test_the_last_editor_stays(editor, store, what, form):
    answer = post(editor, what, name="editor", **form)
    assert answer.status_code == 409
    assert "the last editor" in answer.text
    assert role(store, "editor") == "editor"
    assert editor.get(PAGE).status_code == 200
    store.people.change("viewer", role="editor")
    assert post(editor, what, name="editor", **form).status_code == 302
    assert editor.get(PAGE).status_code == 302


def test_of_two_editors_who_remove_each_other_one_stays(store):
    store.people.change("viewer", role="editor")
    came = []

    def remove(name):
        try:
            store.people.remove(name, keep_editor=True)
        except LastEditor:
            came.append(name)

    threads = [threading.Thread(target=remove, args=(name,)) for name in ("editor", "viewer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 1
    assert [one.name for one in store.people.list() if one.role == "editor"] == came

"""People are added, listed and removed on the command line; a password is never on it, nor shown."""

import json

import pytest
from werkzeug.security import check_password_hash

from connector.store import open_store

PASSWORD = "a-long-password"


@pytest.fixture
def people(home):
    def run(*words, typed=f"{PASSWORD}\n"):
        return home("people", *words, stdin=typed)

    return run


def test_a_person_is_added_listed_and_removed(people):
    added = people("add", "Sara", "--role", "editor", "--password-stdin")
    assert (added.exit_code, added.stdout) == (0, "Sara may sign in as editor\n")
    assert "the admin pages are off: set `admin: {enabled: true}`" in added.stderr
    (row,) = json.loads(people("list", "--json").output)
    assert (row["name"], row["role"]) == ("Sara", "editor")
    assert "Sara  editor" in people("list").output
    assert people("remove", "Sara").output == "Sara may sign in no more\n"
    assert json.loads(people("list", "--json").output) == []


def test_a_password_is_typed_twice_and_kept_hashed(people, home):
    result = people("add", "Sara", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    store = open_store(f"sqlite:///{home.folder / 'connector.db'}")
    kept = store.people.password("Sara")
    store.close()
    assert kept.startswith("scrypt:")
    assert check_password_hash(kept, PASSWORD)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "Sara", "--password-stdin"), "there is a person Sara already"),
        (("add", " ", "--password-stdin"), "a name has 1 to 100 characters"),
        (("remove", "Omar"), "there is no person Omar"),
        (("password", "Omar", "--password-stdin"), "there is no person Omar"),
    ],
)
def test_what_cannot_be_done_is_said(people, words, said):
    people("add", "Sara", "--password-stdin")
    result = people(*words)
    assert result.exit_code == 2
    assert said in result.output


def test_a_short_password_is_refused(people):
    result = people("add", "Sara", "--password-stdin", typed="short\n")
    assert result.exit_code == 2
    assert "a password has 10 to 200 characters" in result.output


def test_a_new_password_ends_the_sessions(people, home):
    people("add", "Sara", "--password-stdin")
    store = open_store(f"sqlite:///{home.folder / 'connector.db'}")
    token = store.people.sign_in("Sara")
    assert people("password", "Sara", "--password-stdin", typed="another-password\n").exit_code == 0
    assert store.people.signed_in(token) is None
    assert [row["what"] for row in store.audit.list()] == ["change_password", "add_person"]
    store.close()

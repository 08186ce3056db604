"""The contact book, as people and crashes find it."""

import fcntl
import os
import threading

import pytest

from connector.models import Hold, Retry, Skip, Upsert
from connector.targets.csv import KIND, Csv
from tests.targets.conftest import Run


def upsert(customer="c1", record=None, **more):
    return Upsert(customer, record or {"name": "Sara", "phone": "+966551234567"}, (), "k", **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "contacts.csv"


@pytest.fixture
def book(path):
    return Csv(path)


def text(path):
    return path.read_bytes().decode("utf-8")


def push(book, *requests, run=None):
    return list(book.upsert(requests or [upsert()], run or Run()))


def test_the_book_opens_in_excel_arabic_included(book, path):
    push(book, upsert(record={"name": "سارة", "address": {"city": "الرياض"}}))
    assert text(path) == "\ufeffcustomer_id,name,address.city\r\nc1,سارة,الرياض\r\n"


@pytest.mark.parametrize("value", ["=HYPERLINK(1)", "+966551234567", "-1", "@SUM(A1)", "\tx", "'=1", "''+1", "'x"])
def test_no_cell_is_a_formula_and_unchanged_stays_unchanged(book, path, value):
    push(book, upsert(record={"name": value}))
    cell = text(path).splitlines()[1].removeprefix("c1,")
    assert not cell.strip('"').startswith(("=", "+", "-", "@", "\t"))
    assert [o.how for o in push(book, upsert(record={"name": value}))] == ["unchanged"]


def test_what_people_add_stays(book, path):
    push(book)
    path.write_text(
        "customer_id,notes,name,phone\r\nc1,=A1,Sara,'+966551234567\r\n,by hand,Omar,\r\n", encoding="utf-8-sig"
    )
    assert [o.how for o in push(book, upsert(record={"name": "Salem"}), upsert("c2"))] == ["updated", "created"]
    assert text(path).splitlines()[1:] == ["c1,=A1,Salem,'+966551234567", ",by hand,Omar,", "c2,,Sara,'+966551234567"]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_book_that_excel_saved_with_its_countrys_delimiter_is_read(book, path, mark):
    path.write_text(f"customer_id{mark}name\r\nc1{mark}Omar\r\n", encoding="utf-8-sig")
    assert push(book, upsert(record={"name": "Sara"}))[0].how == "updated"
    assert text(path) == f"\ufeffcustomer_id{mark}name\r\nc1{mark}Sara\r\n"


def test_new_fields_become_columns_at_the_end(book, path):
    push(book, upsert(record={"name": "Sara"}), upsert("c2", {"email": "omar@example.com"}))
    assert text(path).splitlines() == ["\ufeffcustomer_id,name,email", "c1,Sara,", "c2,,omar@example.com"]


def test_a_field_named_as_the_first_column_gets_a_column_of_its_own(book, path):
    push(book, upsert(record={"customer_id": "x"}))
    assert text(path).splitlines() == ["\ufeffcustomer_id,customer_id_", "c1,x"]


def test_lists_are_one_cell(book, path):
    push(book, upsert(record={"tags": ["a", "b"], "items": [{"a": 1}]}))
    assert text(path).splitlines()[1] == 'c1,"a, b","[{""a"": 1}]"'


def test_a_text_longer_than_a_cell_is_cut_with_a_warning(book):
    first = push(book, upsert(record={"name": "x" * 40_000}))[0]
    assert first.warnings == ("name: shortened to what one cell can hold",)
    assert push(book, upsert(record={"name": "x" * 40_000}))[0].how == "unchanged"


def test_lines_and_quotes_inside_a_cell_come_back(book):
    record = {"name": 'a "b"\r\nc,d\ne'}
    push(book, upsert(record=record))
    assert push(book, upsert(record=record))[0].how == "unchanged"


def test_an_empty_file_is_a_new_book(book, path):
    path.write_bytes(b"")
    assert push(book)[0].how == "created"


def test_a_person_may_link_another_row(book, path):
    push(book, upsert("old"))
    outcome = push(book, upsert("new", {"name": "Sara A."}, remote_id="old"))[0]
    assert (outcome.how, outcome.remote_id) == ("updated", "old")


def test_a_link_to_a_row_that_is_gone_is_forgotten(book):
    assert push(book, upsert("c1", remote_id="gone"))[0].remote_id == "c1"


def test_two_rows_of_one_customer_are_held(book, path):
    path.write_text("customer_id,name\r\nc1,a\r\nc1,b\r\n", encoding="utf-8")
    outcome = push(book)[0]
    assert (type(outcome), outcome.code) == (Hold, "two_matches")
    assert "2, 3" in outcome.reason


BROKEN = {
    "another encoding": "customer_id,name\r\nc1,سارة\r\n".encode("cp1256"),
    "no header": b"c1,Sara\r\n",
    "a column twice": b"customer_id,name,name\r\nc1,a,b\r\n",
    "cells too many": b"customer_id,name\r\nc1,a,b,c\r\n",
    "an open quote": b'customer_id,name\r\nc1,"a\r\n',
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_is_no_book_is_never_written_over(book, path, how):
    path.write_bytes(BROKEN[how])
    outcome = push(book)[0]
    assert (type(outcome), outcome.spent, outcome.trouble.kind) == (Retry, False, "refused")
    assert str(path) in outcome.reason
    assert path.read_bytes() == BROKEN[how]
    assert not book.check().ok


def test_empty_cells_behind_the_last_column_do_no_harm(book, path):
    path.write_bytes(b"customer_id,name\r\nc1,Sara,,\r\n\r\n")
    assert push(book, upsert(record={"name": "Sara"}))[0].how == "unchanged"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    book = Csv(tmp_path / "nowhere" / "contacts.csv")
    outcome = push(book)[0]
    assert (outcome.spent, outcome.trouble.kind) == (False, "busy")
    assert "nowhere" in outcome.reason
    assert not book.check().ok


def test_a_path_that_is_a_folder_is_told(tmp_path):
    assert "Is a directory" in Csv(tmp_path).check().lines[0]


def test_a_book_that_another_program_locks_is_waited_for(book, path, monkeypatch):
    monkeypatch.setattr("connector.targets.csv.PATIENCE", 0.05)
    with path.with_name("contacts.csv.lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        outcome = push(book)[0]
    assert outcome.trouble.kind == "busy"
    assert "lock" in outcome.reason
    assert push(book)[0].how == "created"


def test_many_threads_lose_no_row(path):
    books = [Csv(path) for _ in range(2)]
    push_one = lambda n: push(books[n % 2], upsert(f"c{n}", {"name": f"n{n}", f"column{n % 3}": "x"}))  # noqa: E731
    threads = [threading.Thread(target=push_one, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(text(path).splitlines()) == 25


def test_a_failed_write_leaves_the_old_book(book, path, monkeypatch):
    push(book)
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = push(book, upsert("c2"))[0]
    assert "No space left" in outcome.reason
    assert path.read_bytes() == before


def test_the_books_permissions_stay(book, path):
    push(book)
    path.chmod(0o640)
    push(book, upsert("c2"))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_to_the_book_stays_a_link(tmp_path, path):
    path.touch()
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    push(Csv(link))
    assert link.is_symlink()
    assert "c1" in text(path)


def test_observe_touches_nothing(book, path):
    outcome = push(book, upsert(observe=True))[0]
    assert isinstance(outcome, Skip)
    assert not path.exists()


def test_a_check_tells_how_many(book):
    push(book)
    assert "1 contacts" in book.check().lines[0]


def test_a_folder_that_takes_no_file_fails_the_check(book, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    assert "cannot write" in book.check().lines[0]


def test_the_kind_says_what_the_target_does():
    assert KIND.batch_size == Csv.batch_size

"""The mappings folder: what is read of it is bounded, what is written into it is whole."""

import os

import pytest

from connector import folder
from connector.errors import MappingError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "csv.yaml"
    path.write_text("old")
    return path


def names(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_a_mapping_is_found_by_its_name(tmp_path, file):
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder.yaml").mkdir()
    assert folder.names(tmp_path) == ["csv"]
    assert folder.path(tmp_path, "csv") == file


def test_line_ends_are_read_as_they_are(file):
    file.write_bytes(b"a: 1\r\n")
    assert folder.text(file) == "a: 1\r\n"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"x" * (folder.LARGEST + 1), ":1:1: is larger than 256 kB"),
        (b"a: 1\nb: \xff\n", ":2:1: is not UTF-8 text"),
    ],
)
def test_what_is_no_mapping_is_told_by_its_place(file, body, told):
    file.write_bytes(body)
    with pytest.raises(MappingError) as error:
        folder.text(file)
    assert told in str(error.value)


def test_another_text_is_put_in_place_whole_with_the_mode_of_the_old_one(tmp_path, file):
    file.chmod(0o640)
    with file.open() as reading:
        folder.replace(file, "الجديد")
        assert reading.read() == "old"  # who reads it meanwhile has the old one, whole
    assert file.read_text(encoding="utf-8") == "الجديد"
    assert file.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["csv.yaml"]


def test_a_link_stays_a_link(tmp_path, file):
    link = tmp_path / "linked.yaml"
    link.symlink_to(file)
    folder.replace(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"


def test_what_cannot_be_written_leaves_the_old_text_and_nothing_else(tmp_path, file, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.replace(file, "new")
    assert (file.read_text(), names(tmp_path)) == ("old", ["csv.yaml"])


def test_what_is_kept_beside_never_takes_the_place_of_another(tmp_path, file):
    assert folder.keep_beside(file).name == "csv.yaml.replaced"
    file.write_text("newer")
    assert folder.keep_beside(file).name == "csv.yaml.replaced2"
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["newer", "old", "newer"]
    assert folder.names(tmp_path) == ["csv"]


def test_the_stamp_changes_with_the_file(tmp_path, file):
    before = folder.stamp(file)
    assert folder.stamp(file) == before
    file.write_text("longer")
    assert folder.stamp(file) not in (None, before)
    assert folder.stamp(tmp_path / "none.yaml") is None

"""Mistakes that people make in a mapping file, each in a file of its own with the messages it should get.

A file ends with its expected messages, one a line: `# expect LINE:COLUMN MESSAGE`; there are no others.
"""

from pathlib import Path

import pytest

from connector.errors import MappingError
from connector.mapping.document import read

FILES = sorted((Path(__file__).parent / "wrong").glob("*.yaml"))


def found(text):
    try:
        read(text, "m.yaml")
    except MappingError as error:
        return [f"{problem.line}:{problem.column} {problem.message}" for problem in error.problems]
    return []


def expected(text):
    return [line.removeprefix("# expect ") for line in text.split("\n") if line.startswith("# expect ")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_wrong_file_is_answered_where_it_is_wrong(path):
    text = path.read_text(encoding="utf-8")
    assert expected(text), "a wrong file says what it expects"
    assert found(text) == expected(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_message_is_one_line_that_names_a_place_in_the_file(path):
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    with pytest.raises(MappingError) as error:
        read(text, "m.yaml")
    for problem in error.value.problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert "\n" not in problem.message
        assert "Error" not in problem.message


def test_there_are_enough_of_them_and_no_two_are_the_same():
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    assert len(FILES) >= 40
    assert len({"\n".join(expected(text)) for text in texts}) >= 60

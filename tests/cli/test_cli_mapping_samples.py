"""mapping test: every mapping keeps what its samples promise, or says where it does not."""

import json

import pytest

GOOD = """\
version: 1
kind: rest
fields:
  name: user.name
  address.city: city
samples:
  - given: person
    expect: {name: Sara Ahmed, address: {city: Riyadh}}
"""
WRONG = (
    GOOD.replace("Sara Ahmed", "Sara").replace("city: Riyadh", "town: Riyadh")
    + "  - {given: {id: 7}, expect: {tags: [a]}}\n"
)


@pytest.fixture
def mapping(home):
    "Write a mapping into the folder, and take the shipped one away."
    (home.folder / "mappings" / "csv.yaml").unlink()

    def write(text, name="m"):
        (home.folder / "mappings" / f"{name}.yaml").write_text(text)

    return write


def test_the_shipped_mappings_are_as_promised(cli):
    result = cli("mapping", "test")
    assert result.exit_code == 0
    assert result.stdout.endswith(": all as promised\n")
    assert cli.json("mapping", "test", "csv", "qoyod")["ok"] is True


def test_what_is_not_as_promised_is_shown_as_a_difference(home, mapping):
    mapping(WRONG)
    result = home("mapping", "test")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{home.folder}/mappings/m.yaml:7: sample 1 (person)",
        '  + address.city  "Riyadh"',
        '  - address.town  "Riyadh"',
        '  - name          "Sara"',
        '  + name          "Sara Ahmed"',
        f"{home.folder}/mappings/m.yaml:9: sample 2",
        '  - tags[0]  "a"',
        "1 mapping, 2 samples: 2 not as promised (- expected, + made)",
    ]


def test_colours_are_for_a_terminal_only(home, mapping):
    mapping(WRONG)
    assert "\x1b" not in home("mapping", "test").stdout
    shown = home("mapping", "test", color=True).stdout
    assert '\x1b[31m- name          "Sara"\x1b[0m' in shown
    assert '\x1b[32m+ name          "Sara Ahmed"\x1b[0m' in shown


def test_a_record_that_there_is_not_is_told(home, mapping):
    mapping(GOOD.replace("name: user.name", "name: {from: crn, required: true}"))
    result = home("mapping", "test", "m")
    assert result.exit_code == 1
    assert "\n  there is no record: name is required and crn gives nothing" in result.stdout


def test_a_mapping_without_samples_is_said_and_does_not_fail(home, mapping):
    mapping(GOOD)
    mapping("version: 1\nkind: rest\nfields: {a: city}\n", "bare")
    result = home("mapping", "test")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{home.folder}/mappings/bare.yaml: has no samples, so that nothing was tried",
        "2 mappings, 1 sample: all as promised",
    ]
    assert home("mapping", "test", "bare").stdout.endswith("1 mapping, 0 samples: none\n")


def test_mappings_that_cannot_be_read_are_told_with_every_problem(home, mapping):
    mapping(WRONG)
    mapping("version: 1\nkind: rest\nfields: {a: cty, b: user.fone}\n", "bad")
    mapping("version: 1\n", "worse")
    result = home("mapping", "test")
    assert result.exit_code == 2
    places = [line.removeprefix(f"{home.folder}/mappings/").split(" ")[0] for line in result.stderr.splitlines()]
    assert places == ["bad.yaml:3:13:", "bad.yaml:3:21:", "worse.yaml:1:1:", "worse.yaml:1:1:"]
    assert "sample 1 (person)" in result.stdout  # the others are tried all the same


def test_the_same_in_json(home, mapping):
    mapping(WRONG)
    mapping("version: 1\n", "bad")
    result = home("mapping", "test", "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert [problem["line"] for problem in told["problems"]] == [1, 1]
    (made,) = told["mappings"]
    assert (made["mapping"], made["samples"], len(made["wrong"])) == ("m", 2, 2)
    first = made["wrong"][0]
    assert (first["sample"], first["name"], first["line"], first["no_record"]) == (1, "person", 7, None)
    assert {"field": "name", "expected": "Sara", "got": "Sara Ahmed"} in first["differences"]


def test_a_mapping_may_be_named_twice_and_by_its_path(home, mapping):
    mapping(GOOD)
    assert home("mapping", "test", "m", "m", "mappings/m.yaml").stdout == "2 mappings, 2 samples: all as promised\n"


def test_an_empty_folder_names_the_cure(home, mapping):
    result = home("mapping", "test")
    assert result.exit_code == 2
    assert "there is no mapping in " in result.stderr
    assert "`connector init`" in result.stderr


def test_hostile_text_cannot_move_the_cursor(home, mapping):
    text = GOOD.replace("Sara Ahmed", "abc").replace("given: person", 'given: {id: 1, city: "a\\tb"}')
    mapping(text.replace("name: Sara", 'name: "\\e[2Jb\\u202ec"').replace("name: abc", 'name: "\\e[2Jb\\u202ec"'))
    output = home("mapping", "test", color=True).stdout
    assert '- name          "\\u001b[2Jb\\u202ec"' in output
    assert '+ address.city  "a\\tb"' in output
    assert "\x1b[2J" not in output
    assert "\u202e" not in output


def test_a_value_is_written_so_that_all_of_it_is_seen():
    from connector.cli.difference import written

    assert written("نورة\x1b\u202e\n\U000e0001") == '"نورة\\u001b\\u202e\\n\\udb40\\udc01"'
    assert (written(True), written("true"), written({})) == ("true", '"true"', "{}")

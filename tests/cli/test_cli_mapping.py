"""mapping preview: what becomes of a customer."""

import json

import pytest

from connector.cli.frame import payload


def test_the_documented_customer_by_default(home):
    shown = home.json("mapping", "preview", "csv")
    assert shown["record"]["name"] == "User 1"
    assert any(warning.startswith("email:") for warning in shown["warnings"])
    assert shown["trace"]["name"] == {"from": ["user.name"], "done": []}


def test_a_table_for_people(home):
    output = home("mapping", "preview", "csv").output
    assert output.splitlines()[0].split() == ["FIELD", "VALUE", "FROM", "DONE"]
    assert "warning: email:" in output


def test_a_payload_from_a_file_or_standard_input(home):
    (home.folder / "p.json").write_bytes(payload("company"))
    assert home.json("mapping", "preview", "csv", "p.json")["record"]["vat_number"] == "310122393500003"
    result = home("mapping", "preview", "csv", "-", "--json", stdin=payload("company"))
    assert json.loads(result.stdout)["record"]["name"] == "شركة النخيل"


def test_the_data_alone(home):
    (home.folder / "p.json").write_text('{"id": 7, "user": {"name": "Sara"}}')
    assert home.json("mapping", "preview", "csv", "p.json")["record"]["name"] == "Sara"


@pytest.mark.parametrize(
    ("text", "told"),
    [("[1]", "the body is JSON, but not an object"), ("{", "is not JSON"), ('{"action": "customers.CREATE"}', "data")],
)
def test_what_is_no_customer(home, text, told):
    (home.folder / "p.json").write_text(text)
    result = home("mapping", "preview", "csv", "p.json")
    assert result.exit_code == 1
    assert result.stderr.startswith("p.json: ")
    assert told in result.stderr


def test_a_mapping_by_its_path(cli):
    (cli.folder / "mine.yaml").write_text(
        'version: 1\nkind: rest\nfields:\n  a.b: user.name\n  "tags[0]": {value: new}\n  c: {from: crn, required: true}\n'
    )
    shown = cli.json("mapping", "preview", "mine.yaml")
    assert shown["record"] == {"a": {"b": "User 1"}, "tags": ["new"]}
    assert "c is required" in shown["hold"]
    output = cli("mapping", "preview", "./mine.yaml").output
    assert "tags[0]" in output
    assert "held: c is required" in output


def test_a_mapping_that_is_not_for_this_customer(cli):
    (cli.folder / "mine.yaml").write_text("version: 1\nkind: rest\nwhen: crn\nfields: {a: crn}\n")
    assert "skipped: the mapping is only for customers with: crn" in cli("mapping", "preview", "mine.yaml").output


def test_a_wrong_mapping_is_told_by_its_place(cli):
    (cli.folder / "mine.yaml").write_text("version: 1\nkind: rest\nfields:\n  a: user.nmae\n")
    result = cli("mapping", "preview", "mine.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith("mine.yaml:4:")


def test_a_mapping_that_there_is_not(home):
    result = home("mapping", "preview", "cvs")
    assert result.exit_code == 2
    assert "(there are: csv)" in result.stderr
    assert home("mapping", "preview", "nowhere.yaml").exit_code == 1


def test_without_a_configuration_the_shipped_ones_are_shown(cli):
    assert cli.json("mapping", "preview", "qoyod")["record"]["name"] == "User 1"


def test_a_broken_configuration_is_told(home):
    (home.folder / "config.yaml").write_text("a: 1\n")
    assert home("mapping", "preview", "csv").exit_code == 2

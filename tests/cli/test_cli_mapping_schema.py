"""mapping schema: what editors read is what the program knows."""

import json

from connector.bundled import bundled


def test_the_shipped_schema_is_current(cli):
    shipped = (bundled("mappings") / "mapping.schema.json").read_text(encoding="utf-8")
    assert cli("mapping", "schema").stdout == shipped, "run: connector mapping schema --write"


def test_it_is_printed_as_json(cli):
    assert cli.json("mapping", "schema")["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_it_is_written_into_the_configured_folder(home):
    file = home.folder / "mappings" / "mapping.schema.json"
    file.write_text("old")
    assert home("mapping", "schema", "--write").stdout == f"wrote {file}\n"
    assert file.read_text() == home("mapping", "schema").stdout
    assert home.json("mapping", "schema", "--write") == {"file": str(file)}
    assert json.loads(file.read_text())["required"] == ["version", "kind", "fields"]


def test_a_folder_with_the_schema_holds_no_mapping_more(home):
    home("mapping", "schema", "--write")
    assert [made["mapping"] for made in home.json("mapping", "coverage")["mappings"]] == ["csv"]

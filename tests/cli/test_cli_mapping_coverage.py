"""mapping coverage: the field-loss meter over what is stored."""

import json
import re

import pytest

from connector.mapping.paths import CUSTOMER
from tests.store.conftest import SYNC, event

LOSSY = "version: 1\nkind: csv\nfields:\n  name: user.name\n  p: {from: user.phone, use: phone}\n  c: {if: crn, then: y}\nignore: [type]\n"


@pytest.fixture
def arrived(store):
    def arrive(number, **data):
        text = json.dumps({"action": "customers.CREATE", "data": {"id": f"c{number}", "user": {"name": "S"}} | data})
        store.inbox.accept(event(f"x{number}", f"c{number}"), text.encode(), "flavours", (SYNC,))

    return arrive


@pytest.fixture
def lossy(home):
    (home.folder / "mappings" / "lossy.yaml").write_text(LOSSY)
    return home


def rows(output):
    return {line.split()[0]: line for line in output.splitlines() if line.strip()}


def test_gender_is_lost_and_named_first(lossy, arrived):
    arrived(1, gender="MALE", crn="5")
    arrived(2, gender="FEMALE")
    arrived(3)
    result = lossy("mapping", "coverage", "lossy")
    assert result.exit_code == 0
    shown = [line.split() for line in result.stdout.splitlines()]
    assert shown[1] == ["FIELD", "FILLED", "BECOMES"]
    assert shown[2] == ["gender", "2", "of", "3", "LOST"]
    found = rows(result.stdout)
    assert found["user.name"].split() == ["user.name", "3", "of", "3", "mapped:", "name"]
    assert found["user.phone_prefix"].split() == ["user.phone_prefix", "0", "of", "3", "mapped:", "p"]
    assert found["crn"].endswith("1 of 3  only asked, for: c")
    assert found["type"].endswith("0 of 3  ignored on purpose")
    assert found["user.fcm_token"].endswith("technical")
    assert set(CUSTOMER) <= set(found)
    assert result.stdout.splitlines()[-2].startswith("lossy loses gender (2 of 3), tax_number (0 of 3), ")
    assert result.stdout.splitlines()[-2].endswith("; map them, or list them under `ignore`")


def test_fields_that_flavours_added_are_found(lossy, arrived):
    arrived(1, loyalty={"tier": "gold", "since_at": 5})
    found = rows(lossy("mapping", "coverage", "lossy").stdout)
    assert found["data.loyalty.tier"].endswith("1 of 1  LOST")
    assert found["data.loyalty.since_at"].endswith("technical")


def test_an_empty_store_judges_by_what_flavours_documents(lossy):
    result = lossy("mapping", "coverage", "lossy")
    assert "No customer is stored yet: judged by the fields that Flavours documents." in result.stdout
    assert "lossy loses gender, tax_number, " in result.stdout
    assert lossy.json("mapping", "coverage", "lossy")["customers"] == 0


def test_no_store_and_no_configuration_do_as_well(lossy, cli):
    (lossy.folder / "connector.db").unlink()
    result = lossy("mapping", "coverage", "csv")
    assert result.exit_code == 0
    assert "was never made" in result.stderr
    assert "csv loses nothing" in result.stdout
    (cli.folder / "config.yaml").unlink()
    assert "qoyod loses nothing" in cli("mapping", "coverage", "qoyod").stdout


def test_every_mapping_of_the_folder_by_default(lossy):
    told = lossy.json("mapping", "coverage")
    assert [made["mapping"] for made in told["mappings"]] == ["csv", "lossy"]
    assert told["mappings"][0]["lost"] == []
    assert "gender" in told["mappings"][1]["lost"]


def test_the_same_in_json(lossy, arrived):
    arrived(1, gender="MALE")
    told = lossy.json("mapping", "coverage", "lossy")
    assert told["customers"] == 1
    fields = {field["field"]: field for field in told["mappings"][0]["fields"]}
    assert fields["gender"] == {"field": "gender", "filled": 1, "becomes": "lost", "by": []}
    assert fields["user.name"] == {"field": "user.name", "filled": 1, "becomes": "mapped", "by": ["name"]}


def test_last_bounds_what_is_looked_at(lossy, arrived):
    for number in range(1, 6):
        arrived(number)
    assert lossy.json("mapping", "coverage", "lossy", "--last", "3")["customers"] == 3


def test_one_lost_field_is_it(home):
    path = home.folder / "mappings" / "csv.yaml"
    path.write_text(re.sub(r"^(ignore: .*)gender", r"\1crn", path.read_text(), flags=re.MULTILINE))
    assert "\ncsv loses gender; map it, or list it under `ignore`\n" in home("mapping", "coverage").stdout


def test_mappings_that_cannot_be_read_are_told_with_every_problem(lossy):
    (lossy.folder / "mappings" / "csv.yaml").write_text("version: 1\n")
    (lossy.folder / "mappings" / "lossy.yaml").write_text("version: 1\nkind: csv\nfields: {a: cty}\n")
    result = lossy("mapping", "coverage")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 3


def test_hostile_names_cannot_move_the_cursor_nor_fill_the_screen(lossy, arrived):
    arrived(1, **{"k\x1b[2J": "x", **{f"n{n}": "x" for n in range(500)}})
    result = lossy("mapping", "coverage", "lossy", color=True)
    assert "\x1b" not in result.output
    assert "Flavours sends more new fields than are counted here" in result.stdout
    assert len(result.stdout.splitlines()) < 260

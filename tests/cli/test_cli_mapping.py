"""mapping preview: what becomes of one customer."""

import json

import pytest

from connector.bundled import payload
from connector.mapping.customers import CUSTOMERS
from tests.store.conftest import SYNC, event


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
    assert home("mapping", "preview", "nowhere.yaml").exit_code == 2


def test_without_a_configuration_the_shipped_ones_are_shown(cli):
    assert cli.json("mapping", "preview", "qoyod")["record"]["name"] == "User 1"


def test_a_broken_configuration_is_told(home):
    (home.folder / "config.yaml").write_text("a: 1\n")
    assert home("mapping", "preview", "csv").exit_code == 2


@pytest.mark.parametrize("name", CUSTOMERS)
def test_a_sample_customer_by_its_name(cli, name):
    from connector.cli import mapping_preview

    assert isinstance(cli.json("mapping", "preview", "csv", name)["record"], dict)
    assert name in mapping_preview.preview.help


def test_a_sample_customer_needs_no_configuration(cli):
    record = cli.json("mapping", "preview", "csv", "company")["record"]
    assert (record["name"], record["vat_number"]) == ("شركة النخيل", "310122393500003")


@pytest.mark.parametrize(
    ("word", "told"), [("persn", "did you mean `person`?"), ("nobody-9", "(there are: person, company,")]
)
def test_what_is_neither_a_file_nor_a_sample_customer(cli, word, told):
    result = cli("mapping", "preview", "csv", word)
    assert result.exit_code == 2
    assert f"there is no file {word}, and no such sample customer" in result.stderr
    assert told in result.stderr


def test_a_stored_event_by_its_id(home, store):
    store.inbox.accept(event("x1"), payload("company"), "flavours", (SYNC,))
    assert home.json("mapping", "preview", "csv", "e1")["record"]["name"] == "شركة النخيل"


@pytest.mark.parametrize(
    ("word", "told", "code"),
    [
        ("e1", "e1: the body is JSON, but not an object", 1),
        ("e2", "e2 carries no customer: its action is order.delivery.created", 1),
        ("e9", "there is no event e9", 2),
    ],
)
def test_a_stored_event_that_is_no_customer(home, store, word, told, code):
    store.inbox.reject("flavours", b"[]", "no object", None, None)
    store.inbox.accept(event("x2", None), b'{"action": "order.delivery.created", "data": {}}', "flavours", ())
    result = home("mapping", "preview", "csv", word)
    assert (result.exit_code, result.stderr) == (code, told + "\n")


def test_a_stored_event_whose_body_is_gone(home, store):
    import sqlalchemy as sa

    from connector.store.tables import events

    store.inbox.accept(event("x1"), payload("company"), "flavours", (SYNC,))
    store.engine.write(lambda c, args: [c.execute(sa.update(events).values(body=None)) for _ in args], None)
    result = home("mapping", "preview", "csv", "e1")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "e1: what Flavours sent was purged, as `keep` in config.yaml says: save the customer"
    )


LEFT_OUT = """\
version: 1
kind: rest
fields:
  asked: {from: city, when: crn}
  chosen: {if: crn, then: company}
  rest: {from: user.name, use: rest_words}
  email: {from: user.email, use: email}
  empty: {first_of: [user.username, street]}
  there: {value: x}
  phones[0].label: {value: mobile}
  phones[0].number: user.phone
"""


def test_what_is_left_out_says_why(cli):
    (cli.folder / "m.yaml").write_text(LEFT_OUT)
    (cli.folder / "p.json").write_text('{"id": 7, "city": "R", "user": {"name": "Sara", "email": "x"}}')
    assert cli.json("mapping", "preview", "m.yaml", "p.json")["left_out"] == {
        "asked": "its `when` does not hold: crn",
        "chosen": "its `if` does not hold: crn",
        "rest": "`rest_words` gives nothing",
        "email": "user.email is not an e-mail address",
        "empty": "there is nothing in user.username or street",
        "phones[0].label": "the rest of its item is empty",
        "phones[0].number": "there is nothing in user.phone",
    }
    lines = cli("mapping", "preview", "m.yaml", "p.json").stdout.splitlines()
    (empty,) = [line for line in lines if line.startswith("empty")]
    assert empty.endswith("left out: there is nothing in user.username or street")
    assert [line.split() for line in lines if line.startswith("there")] == [["there", "x", "fixed", "text"]]


def test_hostile_text_cannot_move_the_cursor(cli):
    (cli.folder / "m.yaml").write_text("version: 1\nkind: rest\nfields: {a: data.b}\n")
    (cli.folder / "p.json").write_text(json.dumps({"id": 7, "b": "x\x1b[2Jy\u202ez"}))
    assert "\x1b" not in cli("mapping", "preview", "m.yaml", "p.json", color=True).stdout
    assert "\x1b" not in cli("mapping", "preview", "m.yaml", "\x1b[2J", color=True).stderr

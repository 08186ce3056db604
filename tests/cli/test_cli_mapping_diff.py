"""mapping diff: what a changed mapping would change, for whom, before it goes live."""

import hashlib
import json

import pytest

from tests.store.conftest import SYNC, event

OLD = "version: 1\nkind: csv\nmatch: [phone]\nfields:\n  name: user.name\n  phone: user.phone\n  city: city\n"


def body(number, **data):
    user = {"name": f"Sara {number}", "phone": f"055123456{number}"} | data.pop("user", {})
    return json.dumps({"action": "customers.CREATE", "data": {"id": f"c{number}", "city": "R", "user": user} | data})


@pytest.fixture
def arrived(store):
    "Store customers c1, c2, …; each keyword is a field of the data."

    def arrive(*numbers, **data):
        for number in numbers:
            text = body(number, **data).encode()
            name = hashlib.sha256(text).hexdigest()
            store.inbox.accept(event(name, f"c{number}"), text, "flavours", (SYNC,))

    return arrive


@pytest.fixture
def mapping(home):
    def write(name, text):
        (home.folder / "mappings" / f"{name}.yaml").write_text(text)

    write("old", OLD)
    return write


def diff(home, *more, code=0):
    result = home("mapping", "diff", "old", "new", *more)
    assert result.exit_code == code, result.output
    return result.stdout.splitlines()


def test_nothing_changes(home, arrived, mapping):
    arrived(1, 2)
    mapping("new", OLD + "# a remark\n")
    lines = diff(home, "--exit-code")
    assert lines[0].startswith(f"{home.folder}/mappings/old.yaml (")
    assert lines[1:] == ["", "0 of 2 customers would change"]


def test_what_changes_for_whom(home, arrived, mapping):
    arrived(1, 2)
    arrived(3, user={"phone": None})
    mapping("new", OLD.replace("phone: user.phone", 'phone: {from: user.phone, use: {phone: "966"}}'))
    assert diff(home)[1:] == [
        "",
        "phone: 2 customers (2 change)",
        "  e2  c2",
        '    - "0551234562"',
        '    + "+966551234562"',
        "  e1  c1",
        '    - "0551234561"',
        '    + "+966551234561"',
        "",
        "looked up by other values: 2 customers",
        "",
        "2 of 3 customers would change",
    ]
    diff(home, "--exit-code", code=1)


def test_fields_with_most_customers_come_first(home, arrived, mapping):
    arrived(1, 2)
    arrived(3, crn="1")
    mapping("new", OLD.replace("city: city", "a: crn\n  town: city"))
    heads = [line for line in diff(home) if line and not line.startswith(" ")][1:]
    assert heads == [
        "city: 3 customers (3 lose it)",
        "town: 3 customers (3 get it)",
        "a: 1 customer (1 get it)",
        "3 of 3 customers would change",
    ]


def test_examples_are_five_or_all(home, arrived, mapping):
    arrived(*range(1, 9))
    mapping("new", OLD.replace("city: city", "city: {value: x}"))
    lines = diff(home)
    assert "  and 3 more; --all shows them" in lines
    assert sum(line.startswith("  e") for line in lines) == 5
    lines = diff(home, "--all")
    assert sum(line.startswith("  e") for line in lines) == 8
    assert not any("more" in line for line in lines)


def test_values_may_be_hidden(home, arrived, mapping):
    arrived(1)
    mapping("new", OLD.replace("city: city", "city: {from: city, use: lower}"))
    lines = diff(home, "--no-values")
    assert lines[1:] == ["", "city: 1 customer (1 change)", "  e1  c1", "", "1 of 1 customer would change"]
    told = home.json("mapping", "diff", "old", "new", "--no-values")
    assert told["fields"]["city"]["examples"] == [{"event": "e1", "customer": "c1"}]


def test_holds_and_skips(home, arrived, mapping):
    arrived(1, crn="1")
    arrived(2, crn="1", city=None)
    arrived(3)
    mapping("new", "version: 1\nkind: csv\nwhen: crn\nmatch: [phone]\nfields:\n  name: user.name\n  phone: user.phone\n"
                   "  city: {from: city, required: true}\n")  # fmt: skip
    lines = diff(home)
    start = lines.index("held: 1 customer (1 newly)")
    assert lines[1:4] == ["", "when", "  + crn"]
    assert lines[start + 1] == "  e2  c2"
    assert lines[start + 2].startswith("    + city is required and city gives nothing")
    assert lines[start + 3 :] == [
        "",
        "skipped: 1 customer (1 newly)",
        "  e3  c3",
        "    + the mapping is only for customers with: crn",
        "",
        "2 of 3 customers would change",
    ]


def test_settings_that_change_no_record_are_told(home, arrived, mapping):
    arrived(1)
    mapping("new", OLD.replace("match: [phone]", "match: [name]"))
    lines = diff(home, "--exit-code", code=1)
    assert lines[1:5] == ["", "match", "  - phone", "  + name"]
    assert lines[-1] == "0 of 1 customer would change"


def test_each_customer_counts_once_by_the_newest_event(home, arrived, mapping):
    arrived(1, city="Old Town")
    arrived(2)
    arrived(1, city="New Town")
    mapping("new", OLD.replace("city: city", "city: {from: city, use: upper}"))
    lines = diff(home)
    assert '    + "NEW TOWN"' in lines
    assert '    + "OLD TOWN"' not in lines
    assert lines[-1] == "1 of 2 customers would change"  # R is R


def test_last_bounds_what_is_looked_at(home, arrived, mapping, monkeypatch):
    from connector.cli import mapping_customers

    monkeypatch.setattr(mapping_customers, "PAGE", 2)
    arrived(*range(1, 8))
    mapping("new", OLD.replace("city: city", "city: {value: x}"))
    assert diff(home, "--last", "5")[-1] == "5 of 5 customers would change"
    assert diff(home)[-1] == "7 of 7 customers would change"


def test_customers_that_were_deleted_are_left_out(home, arrived, mapping):
    arrived(1)
    arrived(1, deleted_at=1705548163869)
    mapping("new", OLD.replace("city: city", "city: {value: x}"))
    assert diff(home)[-1] == "0 of 0 customers would change"


def test_bodies_that_are_no_customers_are_told(home, store, arrived, mapping):
    arrived(1)
    store.inbox.accept(event("x", "c2"), b"{}", "flavours", (SYNC,))
    mapping("new", OLD)
    result = home("mapping", "diff", "old", "new")
    assert "1 stored events cannot be read as customers any more: left out" in result.stderr
    assert result.stdout.endswith("0 of 1 customer would change\n")


def test_an_empty_store_says_so(home, mapping):
    mapping("new", OLD)
    lines = diff(home, "--exit-code")
    assert "no customer is stored yet" in lines[2]
    assert lines[-1] == "0 of 0 customers would change"


def test_what_is_active_and_what_has_a_hash(home, store, arrived, mapping):
    arrived(1)
    mapping("new", OLD.replace("city: city", "city: {value: x}"))
    digest = hashlib.sha256(OLD.encode()).hexdigest()
    store.mappings.publish("new", "csv", digest, OLD)
    for word in ("new@active", digest, digest[:8]):
        lines = home("mapping", "diff", word, "new").stdout.splitlines()
        assert lines[0].startswith(f"{word} ({digest[:12]}) -> ")
        assert lines[-1] == "1 of 1 customer would change"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("old@active", "no mapping old was published yet"),
        ("old@yesterday", "old@yesterday names no mapping: write NAME, NAME@active, a hash, or a path"),
        ("deadbeef", "no version begins with deadbeef"),
        ("odl", "there is no mapping odl in "),
    ],
)
def test_a_mapping_that_there_is_not(home, store, mapping, word, told):
    result = home("mapping", "diff", word, "old")
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_broken_mapping_is_told_by_its_place(home, store, mapping):
    mapping("new", "version: 1\nkind: csv\nfields: {a: cty}\n")
    store.mappings.publish("new", "csv", "h", "version: 1\nkind: csv\nfields: {b: cty}\n")
    result = home("mapping", "diff", "old", "new")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{home.folder}/mappings/new.yaml:3:13: ")
    assert home("mapping", "diff", "new@active", "old").stderr.startswith("new@active:3:13: ")


def test_the_same_in_json(home, arrived, mapping):
    arrived(1, 2)
    mapping("new", OLD.replace("city: city", "city: {value: x}").replace("match: [phone]\n", ""))
    told = home.json("mapping", "diff", "old", "new")
    assert told["old"]["hash"] == hashlib.sha256(OLD.encode()).hexdigest()
    assert told["settings"] == {"match": {"old": "phone", "new": None}}
    assert (told["customers"], told["changed"], told["looked_up_otherwise"]) == (2, 2, 2)
    city = told["fields"]["city"]
    assert (city["customers"], city["differs"], city["appears"], city["vanishes"]) == (2, 2, 0, 0)
    assert city["examples"][0] == {"event": "e2", "customer": "c2", "old": "R", "new": "x"}
    assert told["held"] == told["skipped"] == {"customers": 0, "differs": 0, "appears": 0, "vanishes": 0, "examples": []}  # fmt: skip


def test_hostile_text_cannot_move_the_cursor(home, store, mapping):
    text = json.dumps({"action": "customers.CREATE", "data": {"id": "c\x1b[2J", "city": "a\u009b2J", "user": {}}})
    store.inbox.accept(event("x", "c\x1b[2J"), text.encode(), "flavours", (SYNC,))
    mapping("new", OLD.replace("city: city", 'city: {template: "{{ city }}\\\\"}'))
    output = home("mapping", "diff", "old", "new", color=True).output
    assert "1 of 1 customer would change" in output
    assert "\x1b[32m+" in output
    assert "\x1b[2J" not in output
    assert "\u009b" not in output


def test_progress_goes_to_standard_error(home, arrived, mapping):
    arrived(1)
    mapping("new", OLD)
    result = home("mapping", "diff", "old", "new", "--json")
    assert "comparing" in result.stderr
    json.loads(result.stdout)

"""A place of a mapping's text is changed, and every other character stays."""

import difflib

import pytest

from connector.bundled import bundled
from connector.mapping import document
from connector.mapping.editing import add, choose, fields, remove
from connector.mapping.paths import KNOWN
from connector.mapping.yamltext import LARGEST

SHIPPED = sorted(bundled("mappings").glob("*.yaml"))
TEXT = """\
# ours
version: 1
kind: csv
fields:   # what our staff reads
  name:            # الاسم
    first_of: [user.name, "user.username", user.phone]   # best first
  phone: {from: user.phone, use: phone}  # as it is typed
  "post code": zip_code
  city: city      # المدينة
  country: {value: "SA"}
  note:
    template: >-
      Customer {{ id }}
      of Flavours

# what happens later
on_update:
  keep: [name]
"""


def changed(old, new):
    return [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[0] in "+-"]


def test_the_fields_are_read_with_their_places():
    found = {field.target: field for field in fields(TEXT)}
    assert list(found) == ["name", "phone", "post code", "city", "country", "note"]
    assert [(one.path, TEXT[one.start : one.end]) for one in found["name"].sources] == [
        ("user.name", "user.name"),
        ("user.username", '"user.username"'),
        ("user.phone", "user.phone"),
    ]
    assert (found["country"].form, found["country"].said, found["country"].line) == ("value", "SA", 10)
    assert (found["note"].form, found["note"].sources) == ("template", ())


def test_a_field_that_is_not_finished_yet_is_shown_without_a_form():
    (one,) = fields("fields:\n  name:\n    use: name\n")
    assert (one.target, one.line, one.form, one.sources) == ("name", 2, "", ())


def test_a_text_of_no_reasonable_size_has_no_fields():
    assert not fields(TEXT + "#" * LARGEST)


@pytest.mark.parametrize("mapping", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_mapping_is_read_as_it_is_meant_and_changed_in_its_place_alone(mapping):
    text = mapping.read_text(encoding="utf-8")
    rules = {rule.target: rule for rule in document.read(text, mapping.name).fields}
    found = {field.target: field for field in fields(text)}
    assert list(found) == list(rules)
    assert all(field.form for field in found.values())
    named = [field for field in found.values() if field.sources]
    assert [tuple(one.path for one in field.sources) for field in named] == [
        rules[field.target].take.paths for field in named
    ]
    chosen = choose(text, named[-1].target, len(named[-1].sources) - 1, "event.xid")
    assert [line[0] for line in changed(text, chosen)] == ["-", "+"]
    assert choose(chosen, named[-1].target, len(named[-1].sources) - 1, named[-1].sources[-1].path) == text
    more = add(text, "my_note", "crn")
    assert changed(text, more) == ["+   my_note: crn"]
    assert remove(more, "my_note") == text


def test_comments_and_quotes_stay_where_a_source_is_chosen():
    assert changed(TEXT, choose(TEXT, "name", 1, "user.email")) == [
        '-     first_of: [user.name, "user.username", user.phone]   # best first',
        "+     first_of: [user.name, user.email, user.phone]   # best first",
    ]
    assert '  phone: {from: "data.phones[0]", use: phone}  # as' in choose(TEXT, "phone", 0, "data.phones[0]")


@pytest.mark.parametrize(("target", "number"), [("nothing", 0), ("name", 3), ("name", -1), ("country", 0)])
def test_a_place_that_is_not_there_changes_nothing(target, number):
    assert choose(TEXT, target, number, "city") == TEXT


@pytest.mark.parametrize("path", ["user.nam", "", "city\n  evil: id", "city, x"])
def test_a_path_that_flavours_does_not_send_is_refused(path):
    with pytest.raises(ValueError, match="Flavours sends no"):
        choose(TEXT, "name", 0, path)
    with pytest.raises(ValueError, match="Flavours sends no"):
        add(TEXT, "street", path)


def test_a_field_is_put_below_the_last_and_taken_away_again():
    new = add(TEXT, "street", "street")
    assert changed(TEXT, new) == ["+   street: street"]
    assert new.index("  street: street") < new.index("# what happens later")
    assert remove(new, "street") == TEXT
    assert changed(TEXT, add(TEXT, "odd: name", "crn")) == ['+   "odd: name": crn']
    document.read(add(TEXT, "odd# name", "crn"), "")


def test_a_field_on_one_line_with_others_is_put_and_not_taken():
    flow = "version: 1\nkind: csv\nfields: {name: user.name}"
    assert add(flow, "phones[0]", "crn") == 'version: 1\nkind: csv\nfields: {name: user.name, "phones[0]": crn}'
    with pytest.raises(ValueError, match="lines of its own"):
        remove(flow, "name")
    assert add("version: 1\nkind: csv\nfields:\n  a: city", "b", "crn").endswith("  a: city\n  b: crn\n")


@pytest.mark.parametrize("target", ["name", "", "a..b", "x" * 300, "a\nb"])
def test_a_name_that_is_none_or_is_there_is_not_put(target):
    with pytest.raises(ValueError, match="is no name"):
        add(TEXT, target, "crn")


@pytest.mark.parametrize("text", ["", "fields:", "fields: []", "- a", "a: &x 1", "fields: {a: *x}", "[" * 5000, "\0"])
def test_what_is_no_mapping_yet_has_no_fields(text):
    assert fields(text) == []
    with pytest.raises(ValueError, match=r"no fields|is no name"):
        add(text, "name", "user.name")
    with pytest.raises(ValueError, match="lines of its own"):
        remove(text, "name")
    assert choose(text, "name", 0, next(iter(KNOWN))) == text

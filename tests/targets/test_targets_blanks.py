import pytest

from connector.targets.blanks import shape, template

VALUES = {"customer": "c/1?", "record.a.b": "x y", "dots": ".."}


def value(name):
    return VALUES.get(name, "")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{{customer}}", "c/1?"),
        ("a-{{ record.a.b }}-{{ customer }}", "a-x y-c/1?"),
        ("{{ remote_id }}", None),
    ],
)
def test_blanks_are_filled(text, filled):
    assert template(text).fill(value) == filled


def test_an_address_is_quoted():
    assert template("/c/{{ customer }}/x").address(value) == "/c/c%2F1%3F/x"


@pytest.mark.parametrize("dots", [".", "..", "..."])
def test_no_value_climbs_an_address(dots):
    assert template("/c/{{ customer }}").address(lambda _: dots) is None


def test_a_blank_without_a_value_makes_no_address():
    assert template("/c/{{ remote_id }}").address(value) is None


@pytest.mark.parametrize(
    "text",
    [
        "{{ user.name }}",
        "{{ customer | upper }}",
        "{{ record.__class__() }}",
        "{{ }}",
        "{{ customer",
        "customer }}",
        "{{ 'a' * 10**9 }}",
    ],
)
def test_nothing_else_can_be_written(text):
    with pytest.raises(ValueError, match=r"cannot fill|other half"):
        template(text)


def test_only_one_blank_is_told():
    assert template("{{ record.a }}").only == "record.a"
    assert template("+{{ record.a }}").only is None


def test_groups_and_lists_are_filled_as_json():
    read = shape({"all": [["a", "=", "{{ customer }}"], "x {{ record.a.b }}"], "limit": 5, "deep": {"on": True}})
    assert read.names == ("customer", "record.a.b")
    assert read.made(value) == {"all": [["a", "=", "c/1?"], "x x y"], "limit": 5, "deep": {"on": True}}
    assert read.fill(value) == '{"all":[["a","=","c/1?"],"x x y"],"limit":5,"deep":{"on":true}}'


def test_what_is_filled_in_can_end_no_text_of_json():
    assert shape(["{{ customer }}"]).fill(lambda _: '"],["x') == '["\\"],[\\"x"]'


def test_a_group_with_a_blank_that_has_no_value_is_none():
    read = shape({"a": "{{ remote_id }}", "b": "{{ customer }}"})
    assert (read.made(value), read.fill(value)) == (None, None)


def test_a_group_may_hold_no_blank_at_all():
    assert shape([{"a": "plain"}]).fill(value) == '[{"a":"plain"}]'


def test_a_blank_in_a_group_is_as_strict():
    with pytest.raises(ValueError, match="cannot fill"):
        shape({"a": [{"b": "{{ user.name }}"}]})

import pytest

from connector.targets.blanks import template

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

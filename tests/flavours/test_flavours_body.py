"""Bytes that are not a webhook get one clear sentence, and never crash the reader."""

import json

import pytest

from connector.errors import BadWebhook
from connector.flavours import read
from connector.flavours.body import parse


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "not JSON: Expecting value: line 1 column 1", id="empty"),
        pytest.param(b"hello", "not JSON", id="text"),
        pytest.param(b'{"a": 1', "not JSON", id="cut short"),
        pytest.param(b'{"a": 1} x', "not JSON: Extra data", id="more after the end"),
        pytest.param(b'{"a": "\x01"}', "not JSON: Invalid control character", id="a raw control character"),
        pytest.param(b"action=customers.CREATE", "not JSON", id="a form"),
        pytest.param(b"[]", "not an object", id="a list"),
        pytest.param(b'"text"', "not an object", id="a string"),
        pytest.param(b"null", "not an object", id="null"),
        pytest.param(b'{"a": "\xff"}', "not UTF-8 (byte 8)", id="invalid UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(b'{"a": NaN}', "NaN is not a number", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "-Infinity is not a number", id="Infinity"),
        pytest.param(b'{"a": 1e999}', "too large", id="a float beyond all bounds"),
        pytest.param(b'{"a": 1, "a": 2}', "same key twice", id="duplicate keys"),
        pytest.param(b'{"b": [{"a": 1, "a": 1}]}', "same key twice", id="duplicate keys deep inside"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "too many digits", id="a 5,000-digit number"),
        pytest.param(b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested deeper", id="50,000 objects deep"),
        pytest.param(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested deeper", id="50,000 lists deep"),
        pytest.param(b"[" * 50_000, "nested deeper", id="50,000 lists deep and cut"),
        pytest.param(b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper", id="101 deep"),
    ],
)
def test_what_is_not_a_json_object_is_refused_with_400(body: bytes, says: str) -> None:
    with pytest.raises(BadWebhook) as caught:
        read(body)
    assert (caught.value.status, caught.value.fields) == (400, {})
    assert says in caught.value.detail
    assert len(caught.value.detail) < 150


def test_a_hundred_levels_are_taken() -> None:
    assert parse(b'{"a":' + b"[" * 99 + b"]" * 99 + b"}")["a"]


def test_many_brackets_side_by_side_are_not_depth() -> None:
    assert len(parse(json.dumps({"rows": [{"tags": []}] * 500}).encode())["rows"]) == 500


def test_brackets_inside_text_are_not_depth() -> None:
    assert parse(b'{"a": "' + b"[" * 500 + b'"}') == {"a": "[" * 500}


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parse(b'\xef\xbb\xbf{"a": 1.5}') == {"a": 1.5}


def test_the_refusal_never_quotes_the_body() -> None:
    with pytest.raises(BadWebhook) as caught:
        read(b'{"phone": 0551234567}')
    assert "0551234567" not in caught.value.detail

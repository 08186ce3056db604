import json
from datetime import UTC, datetime
from functools import partial

import pytest

from connector.errors import Busy, Refused, Rejected, Uncertain
from connector.masking import mask
from connector.targets.answers import Asked, answered, complaint, retry_after, says, sentence, verdict

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 1.0),
        ("999999999", 86400.0),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30.0),
        ("Mon, 23 Nov 2026 15:00:30 +0300", 30.0),
        ("Mon, 23 Nov 2020 12:00:30 GMT", 1.0),
        ("Mon, 23 Nov 99999999999 12:00:30 GMT", None),
        ("Mon, 23 Nov 2026 12:00:30 +99999999999999", None),
    ],
)
def test_retry_after_in_both_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_what_is_hidden_is_hidden_before_the_vendors_words_are_cut():
    secret = "a-secret-of-many-letters"
    hide = partial(mask, values=(secret,))
    for before in range(270, 310):
        answer = answered(422, {}, json.dumps({"message": "." * before + secret}).encode())
        assert "a-sec" not in sentence(answer, Asked("GET x", writes=False, hide=hide), says(answer))


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"contact": {}, "errors": []}, None),
        ({"error": None}, None),
        ({"error": "no"}, 422),
        ({"error": {"code": 401}}, 401),
        ({"error": {"code": 7}}, 422),
        ({"errors": ["no"]}, 422),
        ({"success": False}, 422),
        ({"status": "error"}, 422),
        ({"status": "Active"}, None),
        (["error"], None),
    ],
)
def test_an_error_inside_a_200_is_seen(data, status):
    assert complaint(data) == status


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"message": "bad", "errors": {"name": ["too long", "ugly"]}}', "bad; name: too long; name: ugly"),
        (b'{"error": {"message": "bad", "code": 4}}', "bad"),
        (b'{"name": ["can\'t be blank"]}', "name: can't be blank"),
        (b'["one", "two", null, true]', "one; two"),
        (b'{"title": "Bad", "detail": "worse"}', "worse; Bad"),
        (b"plain  text\n here", "plain text here"),
        (b"<html><h1>500</h1>", "a web page instead of data"),
        (b"", ""),
        (b"null", ""),
        (b"[" * 20 + b"1" + b"]" * 20, ""),
    ],
)
def test_the_vendors_own_sentence_is_found(body, sentence):
    assert says(answered(422, {}, body)) == sentence


@pytest.mark.parametrize(
    ("status", "body", "writes", "error"),
    [
        (200, b"{}", True, type(None)),
        (204, b"", True, type(None)),
        (304, b"", False, Refused),
        (401, b"", False, Refused),
        (402, b"", False, Refused),
        (403, b"<html>", False, Refused),
        (404, b"{}", False, Rejected),
        (404, b"<html>", False, Uncertain),
        (404, b"", False, Uncertain),
        (408, b"", True, Uncertain),
        (409, b"{}", True, Rejected),
        (429, b"", True, Busy),
        (500, b"", True, Uncertain),
        (200, b'{"error": "x"}', False, Uncertain),
        (200, b'{"error": "x"}', True, Rejected),
        (200, b'{"error": {"code": 429}}', True, Busy),
        (200, b'{"error": {"code": 401}}', False, Refused),
    ],
)
def test_status_and_body_are_judged_together(status, body, writes, error):
    judged = verdict(answered(status, {}, body), Asked("GET h/p", writes, str), NOW)
    assert type(judged) is error


def test_a_404_without_a_body_is_an_answer_where_the_vendor_is_known_for_it():
    judged = verdict(answered(404, {}, b""), Asked("GET h/p", writes=False, hide=str, bare_404=True), NOW)
    assert (type(judged), judged.status) == (Rejected, 404)


def test_a_redirect_without_a_place_is_refused():
    assert "elsewhere" in str(verdict(answered(302, {}, b""), Asked("GET h/p", writes=False, hide=str), NOW))

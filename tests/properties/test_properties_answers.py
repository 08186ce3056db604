"""Whatever a vendor answers, a target says what it came to: one honest outcome for each request, and no secret in it."""

import json
import math
import os
import random
import re

import pytest
import requests
import responses

from connector.config import RetryConfig
from connector.delivery import policy
from connector.delivery.policy import Tried
from connector.models import Claim, Delivered, Outcome
from connector.store import bulk
from connector.targets.base import Check
from tests.properties.odd import ODD, PIECES, changed, spoiled
from tests.targets.conftest import LABS, able
from tests.targets.lab import EMAIL, PHONE, TAX, Run

SEED = int(os.environ.get("FLAVOURS_SEED", "5"))
ANSWERS = int(os.environ.get("FLAVOURS_ANSWERS", "60"))
NAME = "Sara Ahmed"
PERSONAL = (NAME, EMAIL, PHONE, PHONE[1:], TAX)
_SENTENCE = re.compile("message|detail|error|desc|title|reason|fault|exc", re.IGNORECASE)
_OF_NOBODY = re.compile(
    "common.db.login|web/version|authenticate|fields_get|version|personFields"
)  # no customer was named yet
NO_ID = {"", "None", "null", "True", "False", "true", "false", "nan", "NaN", "inf", "Infinity", "-inf", "undefined"}

STATUSES = [200, 200, 200, 201, 202, 204, 206, 207, 226, 299, 300, 302, 304, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410,
            412, 413, 415, 418, 422, 423, 425, 429, 451, 499, 500, 501, 502, 503, 504, 520, 599, 600, 999]  # fmt: skip
WAITS = ["", "0", "-1", "1", "30", "9" * 30, "1e9", "nan", "inf", "soon", "Mon, 99 Nov 2026 12:00:30 GMT", "\xff",
         "Mon, 23 Nov 9999 23:59:59 -9959", "Mon, 23 Nov 0001 12:00:30 +9959", "Mon, 23 Nov 2026 12:00:30 +99999999999999",
         "Mon, 23 Nov 99999999999 12:00:30 GMT", "0x10", "٣٠", "30 30", "1" * 20000]  # fmt: skip
TYPES = [
    "text/html",
    "application/json; charset=utf-16",
    "application/json; charset=nothing",
    "",
    "multipart/mixed",
    "\xff",
]
HEADERS = {
    "Retry-After": WAITS,
    "Content-Type": TYPES,
    "Content-Encoding": ["gzip", "deflate", "br", "zstd", "gzip, gzip, gzip"],
    "Location": ["https://[", "http://elsewhere.example.com/?token=x", "//", "\xff", "javascript:0"],
    "Link": ["<", '<https://elsewhere.example.com/>; rel="next"', "<>;rel=next"],
    "ETag": ["", "W/", '"' * 50, "\xff"],
    "Transfer-Encoding": ["chunked"],
    "Date": ["soon", "Mon, 23 Nov 9999 23:59:59 -9959"],
    "Set-Cookie": ["a=b; Domain=.com", "\xff"],
    "X-RateLimit-Reset": WAITS,
    "X-RateLimit-Remaining": ["-1", "x", "9" * 30],
}
TROUBLES = [requests.ReadTimeout, requests.ConnectTimeout, requests.ConnectionError, requests.exceptions.ChunkedEncodingError,
            requests.exceptions.SSLError, requests.exceptions.ProxyError, OSError]  # fmt: skip
PAGE = b"<html><body><h1>Sorry</h1>%s</body></html>"
XML = [b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]>', b"&c;", b"<a>", b"</a>", b"<![CDATA[", b"&#0;", b"]]>",
       b"<?xml version='1.0' encoding='utf-32'?>", b"<a " * 300, b"xmlns=''", b"BEGIN:VCARD\r\n", b"END:VCARD\r\n"]  # fmt: skip


class Odd:
    "Stands before a vendor and spoils some of its answers; `told` is what it answered last."

    def __init__(self, lab, dice, often):
        self.vendor, self.dice, self.often, self.told = lab.vendor, dice, often, []
        self.secrets, self.echoes = lab.secrets or ("-",), []

    def reply(self, http):
        try:
            status, headers, body, _ = self.vendor.answer(http.method, http.url, http.headers, http.body)
        except Exception:  # noqa: BLE001 - it was asked for what it made up itself
            status, headers, body = 404, {}, b'{"error": "no such thing"}'
        sent = f"{http.url} {http.body}"
        self.echoes = [*self.secrets, *(() if _OF_NOBODY.search(sent) else PERSONAL)]
        if self.dice.random() < self.often:
            status, headers, body = self.spoil(status, dict(headers), body)
        self.told.append((http.method, http.url, status, headers, body))
        return status, headers, body

    @property
    def said(self):
        return [*self.echoes, *(f"{'no. ' * self.dice.randint(0, 90)}bad value {text}" for text in self.echoes)]

    def spoil(self, status, headers, body):
        kind = self.dice.random()
        if kind < 0.05:
            return status, headers, self.dice.choice(TROUBLES)(f"{self.dice.choice(self.echoes)} at {status}")
        if kind < 0.25:
            status = self.dice.choice(STATUSES)
        if kind < 0.4:
            name = self.dice.choice(["Retry-After", *HEADERS])
            headers[name] = self.dice.choice(HEADERS[name])
        if kind > 0.2:
            body = self.body(body)
        return status, headers, body

    def body(self, body):
        kind = self.dice.random()
        if kind < 0.1:
            return self.dice.choice(
                [b"", b" ", b"null", b"{}", b"[]", b"0", b'""', b"[[]]", b"[null]", b'{"items": null}']
            )
        if kind < 0.2:
            return PAGE % self.dice.choice(self.echoes).encode()
        if kind < 0.25:
            return b"[" * 100_000 + b"]" * 100_000
        if kind < 0.35:
            error = self.dice.choice([*ODD, *self.said])
            return json.dumps(
                self.dice.choice([{"error": error}, {"errors": {"phone": [error]}}, {"message": error}, error])
            ).encode()
        try:
            made = json.loads(body)
        except ValueError:
            return spoiled(body, self.dice, PIECES + XML)
        if kind < 0.85:
            return json.dumps(echoed(changed(made, self.dice), self)).encode()
        return spoiled(body, self.dice)


def echoed(document, odd):
    "The same, with the customer's texts and our secrets in some of what looks like a sentence."
    if isinstance(document, list):
        return [echoed(item, odd) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: odd.dice.choice(odd.said) if _SENTENCE.search(key) and odd.dice.random() < 0.3 else echoed(item, odd)
        for key, item in document.items()
    }


def asked(lab, dice, n):
    "A request as the worker may make one."
    more = {
        "remote_id": dice.choice([None, None, "1", lab.nobody]),
        "remote_hint": dice.choice([None, None, None, "1", lab.nobody]),
        "maybe_sent": dice.random() < 0.2,
        "observe": dice.random() < 0.1,
        "create_anyway": dice.random() < 0.1,
    }
    if dice.random() < 0.2:
        more["fill_if_empty"] = (lab.words["name"],)
    if dice.random() < 0.2:
        more["keep"] = (lab.words[lab.lone],)
    return lab.request(f"c{n}", name=NAME, **more)


def claim():
    return Claim(1, 1, "f", "s", "t", "c", "customers.CREATE", b"", 1, 0, 0, maybe_sent=False, alone=False, active_since=None, link=None)  # fmt: skip


def judge(outcome, lab):
    assert isinstance(outcome, Outcome)
    if isinstance(outcome, Delivered):
        assert isinstance(outcome.remote_id, str)
        assert outcome.remote_id.strip() not in NO_ID
        assert not outcome.remote_id.startswith(("[", "{"))
        assert not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", outcome.remote_id)
    trouble = getattr(outcome, "trouble", None)
    waits = [w for w in (getattr(outcome, "after", None), trouble and trouble.after) if w is not None]
    assert all(math.isfinite(wait) and 0 <= wait <= 100_000 for wait in waits), waits
    settled = policy.settlement(claim(), Tried(outcome), (0, 1), RetryConfig(), lambda: 0.5)
    assert settled.reason
    assert len(settled.reason) < 2000
    answer = getattr(outcome, "answer", "")
    personal = PERSONAL[1:] if lab.kind == "erpnext" else PERSONAL  # a customer's name is its id there
    discreet(
        lab, bulk.storable(settled.reason), bulk.storable(answer), trouble.reason if trouble else "", personal=personal
    )
    assert not any(secret in said for said in outcome_warnings(outcome) for secret in lab.secrets)


def outcome_warnings(outcome):
    said = getattr(outcome, "warnings", ())
    assert all(isinstance(warning, str) for warning in said)
    return [bulk.storable(warning) for warning in said]


def discreet(lab, *said, personal=PERSONAL):
    "Nothing of a secret or of the customer's shows, not even most of it."
    for text in (*lab.secrets, *personal):
        part = text[: max(6, len(text) * 2 // 3)]
        assert not [line for line in said if part in line], (part, said)


def throw(kind, count, seed=SEED):
    dice = random.Random(f"{seed} {kind}")
    for n in range(count):
        lab = LABS[kind]()
        odd = Odd(lab, dice, dice.choice([0.15, 0.4, 0.8]))
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST", "PUT", "PATCH", "REPORT"):
                mock.add_callback(method, re.compile(r"https://[\w.-]+\.example\.com/"), odd.reply, content_type=None)
            try:
                once(lab, dice, odd)
            except BaseException as wrong:
                wrong.add_note(f"{kind}, the {n}th\n" + "\n".join(repr(told)[:1500] for told in odd.told))
                raise


def once(lab, dice, odd):
    if dice.random() < 0.5:
        lab.seed(name="Sara", **lab.alike) if lab.rungs else None
    target = lab.target
    for _ in range(2):
        many = dice.choice([1, 1, 2, 5]) if "batch" in lab.can else 1
        wanted = [asked(lab, dice, number) for number in range(many)]
        odd.told.clear()
        outcomes = target.upsert(wanted, Run({"7": "c9"}))
        assert len(outcomes) == many
        for outcome in outcomes:
            judge(outcome, lab)
    odd.told.clear()
    check = target.check(dice.choice([(), tuple(lab.words.values())]))
    assert type(check) is Check
    assert all(isinstance(line, str) and line for line in check.lines)
    discreet(lab, *check.lines, personal=())


@pytest.mark.parametrize("kind", able("http"))
def test_an_odd_answer_is_an_outcome(kind):
    throw(kind, 2)


@pytest.mark.slow
@pytest.mark.timeout(300 + ANSWERS)
@pytest.mark.parametrize("kind", able("http"))
def test_many_odd_answers(kind):
    "FLAVOURS_ANSWERS asks for more of each kind, FLAVOURS_SEED for others."
    throw(kind, ANSWERS, SEED + 1)

"""Bad input, and what it gets: through a real running server, to the answer, the kept event and the contact.

What is asked for                                   | where it is proved
--------------------------------------------------- | -----------------------------------------------------------------
body not JSON                                       | here, test_what_is_not_a_webhook
JSON but not an object                              | here, test_what_is_not_a_webhook
2 MiB body                                          | here, test_what_nobody_may_send_is_not_kept
50,000-deep nesting                                 | here, test_what_is_not_a_webhook
a 5,000-digit number                                | here, test_what_is_not_a_webhook
invalid UTF-8                                       | here, test_what_is_not_a_webhook
NaN                                                 | here, test_what_is_not_a_webhook
duplicate keys                                      | here, test_what_is_not_a_webhook
a lone surrogate or NUL in xid, a list as xid       | here, test_what_is_not_a_webhook
wrong content type                                  | here, test_the_content_type_does_not_matter
missing auth, wrong secret                          | here, test_what_nobody_may_send_is_not_kept
non-ASCII secret                                    | here, test_a_secret_that_is_not_ascii
unknown source                                      | here, test_what_nobody_may_send_is_not_kept
unknown action                                      | here, test_an_unknown_action_is_kept
product data under a customer action                | here, test_what_is_not_a_webhook
customer without id or user                         | here, test_what_is_not_a_webhook
int phone, Arabic-Indic digits                      | here, test_an_odd_customer_arrives
"[email protected]"                                 | here, test_an_odd_customer_arrives
name of 10,000 characters, =HYPERLINK( as a name    | here, test_an_odd_customer_arrives
control characters, a lone surrogate in a name      | here, test_an_odd_customer_arrives
config with unknown keys, missing variables         | test_config.py, test_a_wrong_config_is_told_by_its_place
config with duplicate YAML keys, `on:`              | test_config.py, test_a_wrong_config_is_told_by_its_place
...and each command refuses to start with one       | cli/test_cli_check.py, test_serve_and_worker_refuse_it_too
mapping with an unknown path                        | cli/test_cli_check.py, test_a_wrong_mapping_and_a_wrong_condition_together
mapping with an unknown path, unknown transform     | mapping/test_mapping_document.py, test_a_bad_rule_is_refused_where_it_stands
a template that tries __class__ or 'a' * 10**9      | mapping/test_mapping_template.py, test_a_template_refuses
a target that answers HTML, truncated JSON, nothing | targets/test_targets_conformance.py, test_an_unreadable_answer_to_a_question_is_never_nobody
...and to a create                                  | targets/test_targets_conformance.py, test_an_unreadable_answer_to_a_create_may_have_been_a_yes
a target that answers with a redirect               | targets/test_targets_conformance.py, test_a_redirect_is_never_followed
a target that answers 200 with an error             | targets/test_targets_conformance.py, test_refused_data_fails_with_the_vendors_sentence
a target that answers 429 without Retry-After       | targets/test_targets_conformance.py, test_too_many_requests_without_a_time
everyone instead of one row                         | targets/test_targets_conformance.py, test_an_ignored_filter_never_makes_a_twin
a target's bad answers, and nothing lost            | here, test_a_target_that_answers_badly_loses_nothing
one bad row costs no neighbour its ack              | store/test_store_engine.py, test_one_bad_row_costs_its_neighbours_nothing
one bad body costs no neighbour its ack             | here, test_bad_bodies_among_good_ones_cost_nobody_an_ack
"""

import csv
import http.client
import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.store import open_store
from tests.installation import SAMPLE, TESTS, TOKEN, Crm, Installation, call, customer, wait_for

PATH = f"/webhooks/flavours/{TOKEN}"
SECRET = "Bearer كلمة-السر"
EMAIL = "sara@example.com"
_numbers = itertools.count(1)


class Server:
    "One running installation, the stub CRM beside it, and the store that they fill."

    def __init__(self, folder):
        self.crm = Crm(folder)
        self.installed = Installation(folder, self.crm.port, csv=True)
        config = folder / "config.yaml"
        header = f"sources:\n  arabic:\n    auth: {{header: {{name: Authorization, value: {SECRET}}}}}\n"
        config.write_text(config.read_text().replace("sources:\n", "retry: {first_wait: 200ms}\n" + header))
        self.installed.serve()
        wait_for(lambda: len(self.installed.children()) == 3)
        self.pids = self.installed.children()
        self.store = open_store(f"sqlite:///{folder}/connector.db")

    def post(self, body, path=PATH, **headers):
        return call(self.installed.port, "POST", path, body, headers=headers)

    def events(self):
        return self.store.desk.events(limit=1)[0]["id"] if self.store.desk.events(limit=1) else 0

    def delivered(self, event):
        "Wait until both deliveries of an event ended; return them by target."

        def ended():
            rows = self.store.desk.deliveries(event=event)
            return rows if all(row["state"] in ("delivered", "held", "failed", "skipped") for row in rows) else None

        return {row["target"]: row for row in wait_for(ended)}

    def row(self, customer_id):
        "The customer's row in the contact book, and its line as written in the file."
        text = (self.installed.folder / "contacts.csv").read_text(encoding="utf-8-sig")
        (row,) = [r for r in csv.DictReader(text.splitlines()) if r["customer_id"] == customer_id]
        return row, next(line for line in text.splitlines() if line.startswith(customer_id))

    def contact(self, customer_id):
        (found,) = [c for c in self.crm.all()["contacts"] if c["external_id"] == customer_id]
        return found

    def stop(self):
        self.store.close()
        self.installed.stop()
        self.crm.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("bad-input"))
    yield server
    server.stop()


@pytest.fixture
def server(running):
    "The server, which must be as well after the test as before it, and have logged no secret and nobody."
    yield running
    assert call(running.installed.port, "GET", "/healthz")[0] == 200
    assert running.installed.children() == running.pids
    log = running.installed.log()
    for never in ("Traceback", TOKEN, SECRET, "كلمة", EMAIL, "Sara", "HYPERLINK", "User 1", "5500000"):
        assert never not in log


def fresh(**user):
    "A good customer that nobody sent before."
    return customer(next(_numbers), **{"email": EMAIL} | user)


def bent(**changes):
    return json.dumps(SAMPLE | changes).encode()


PRODUCT = (TESTS / "samples" / "products.as-customers.CREATE.json").read_bytes()
DATA = SAMPLE["data"]
NOT_A_WEBHOOK = {
    "not JSON": (b"not json", 400, "not JSON"),
    "a list": (b"[1]", 400, "not an object"),
    "a text": (b'"customers.CREATE"', 400, "not an object"),
    "50,000 deep": (b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "nested deeper"),
    "5,000 digits": (b'{"timestamp": ' + b"9" * 5_000 + b"}", 400, "too many digits"),
    "invalid UTF-8": (b'{"action": "\xff\xfe"}', 400, "not UTF-8"),
    "NaN": (b'{"timestamp": NaN}', 400, "NaN is not a number"),
    "duplicate keys": (b'{"action": "a", "action": "b"}', 400, "same key twice"),
    "a lone surrogate in xid": (bent(xid="x\ud800"), 422, "xid"),
    "NUL in xid": (bent(xid="x\0y"), 422, "xid"),
    "a list as xid": (bent(xid=["x"]), 422, "xid"),
    "a product": (PRODUCT, 422, "data.user is missing"),
    "no id": (bent(data={k: v for k, v in DATA.items() if k != "id"}), 422, "data.id is missing"),
    "no user": (bent(data={k: v for k, v in DATA.items() if k != "user"}), 422, "data.user is missing"),
    "data is a text": (bent(data="x"), 422, "data"),
}


@pytest.mark.parametrize("name", NOT_A_WEBHOOK)
def test_what_is_not_a_webhook(server, name):
    "It is refused with one sentence, kept byte for byte with that sentence, and never delivered."
    body, expected, says = NOT_A_WEBHOOK[name]
    status, answer = server.post(body)
    assert (status, answer["status"]) == (expected, expected)
    assert says in answer["detail"]
    assert len(answer["detail"]) < 300
    event = int(answer["event"][1:])
    kept = server.store.desk.event(event)
    assert (kept["state"], kept["body"], kept["reason"]) == ("rejected", body, answer["detail"])
    assert server.store.desk.deliveries(event=event) == []


NOBODY = {
    "no token": ("/webhooks/flavours", b"{}", 401, "did not prove who it is"),
    "a wrong token": (f"{PATH}x", b"{}", 401, "did not prove who it is"),
    "an Arabic token": ("/webhooks/flavours/%D8%B1%D9%85%D8%B2", b"{}", 401, "did not prove who it is"),
    "no header": ("/webhooks/arabic", b"{}", 401, "did not prove who it is"),
    "an unknown source": (f"/webhooks/flavors/{TOKEN}", b"{}", 404, "nothing at this address"),
    "2 MiB": (PATH, b" " * 2 * 1024 * 1024, 413, "larger than 1 MiB"),
}


@pytest.mark.parametrize("name", NOBODY)
def test_what_nobody_may_send_is_not_kept(server, name):
    path, body, expected, says = NOBODY[name]
    before = server.events()
    status, answer = server.post(body, path)
    assert (status, answer["status"]) == (expected, expected)
    assert says in answer["detail"]
    assert server.events() == before


def test_a_secret_that_is_not_ascii(server):
    "Compared as bytes: the right one opens, a wrong one gets 401, and neither is a crash."
    body, before = bent(xid="arabic"), server.events()
    wrong = {"Authorization": "Bearer كلمة".encode()}
    assert server.post(body, "/webhooks/arabic", **wrong)[0] == 401
    assert server.events() == before
    status, answer = server.post(body, "/webhooks/arabic", Authorization=SECRET.encode())
    assert (status, answer["status"]) == (202, "ignored")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
def test_the_content_type_does_not_matter(server, kind):
    body = fresh()
    status, answer = server.post(body, **{"Content-Type": kind})
    assert (status, answer["status"]) == (202, "accepted")
    assert {d["state"] for d in server.delivered(int(answer["event"][1:])).values()} == {"delivered"}


def test_an_unknown_action_is_kept(server):
    status, answer = server.post(fresh() | {"action": "customers.EXPLODED"})
    assert (status, answer["status"]) == (202, "ignored")
    event = int(answer["event"][1:])
    kept = server.store.desk.event(event)
    assert (kept["state"], kept["reason"]) == ("ignored", "no sync wants this action")
    assert server.store.desk.deliveries(event=event) == []


def test_the_command_line_shows_what_was_kept(server):
    status, answer = server.post(b"not json at all")
    assert status == 400
    code, out, _ = server.installed.cli("events", "show", answer["event"], "--json")
    shown = json.loads(out)
    assert (code, shown["state"], shown["reason"]) == (0, "rejected", answer["detail"])


# What a customer may be like: (the user's fields, the record's fields, a word of the one warning or None)
LONG = "سارة " * 1999 + "سارات"
ODD = {
    "int phone": ({"phone": 551230001}, {"phone": "+966551230001"}, None),
    "Arabic-Indic digits": ({"phone": "٠٥٥١٢٣٠٠٠٢", "phone_prefix": "٩٦٦"}, {"phone": "+966551230002"}, None),
    "[email protected]": ({"email": "[email protected]"}, {"email": ""}, "a masked e-mail address"),
    "10,000 characters": ({"name": LONG}, {"name": LONG}, None),
    "=HYPERLINK(": ({"name": '=HYPERLINK("http://example.com","x")'}, {"name": '=HYPERLINK("http://example.com","x")'}, None),
    "@SUM(": ({"name": "@SUM(A1)"}, {"name": "@SUM(A1)"}, None),
    "control characters": ({"name": "Sara\x00\x1b[2J Ahmed\u202e"}, {"name": "Sara[2J Ahmed"}, "invisible control characters"),
    "a lone surrogate": ({"name": "Sara\ud800 Ahmed"}, {"name": "Sara Ahmed"}, "invisible control characters"),
    "a list as a name": ({"name": ["Sara"], "username": "sara"}, {"name": "sara"}, "not text"),
    "no phone at all": ({"phone": None}, {"phone": ""}, None),
    "a phone that is none": ({"phone": "12"}, {}, "phone"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_customer_arrives(server, name):
    "In the CSV book and in the CRM, once, with a warning for what was left out; the bytes stay as they came."
    user, expected, warns = ODD[name]
    body = json.dumps(fresh(**user)).encode()
    status, answer = server.post(body)
    assert (status, answer["status"]) == (202, "accepted")
    event, who = int(answer["event"][1:]), json.loads(body)["data"]["id"]
    for delivery in server.delivered(event).values():
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
        said = " ".join(delivery["warnings"])
        assert (warns in said) if warns else (said == "")
    (row, line), contact = server.row(who), server.contact(who)
    for field, value in expected.items():
        assert row[field].removeprefix("'") == value
        assert (contact.get(field) or "") == value
    cells = next(csv.reader([line]))
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert server.store.desk.event(event)["body"] == body
    assert server.crm.all()["creates"][who] == 1


BADLY = {
    "an error": {"status": 500, "body": {"error": "database is away"}},
    "200 with an error": {"status": 200, "body": {"error": {"message": "database is away"}}},
    "another shape": {"status": 200, "body": {"hello": "world"}},
    "a redirect": {"status": 302, "body": {}},
    "429 without Retry-After": {"status": 429, "body": {}},
}


@pytest.mark.parametrize("name", BADLY)
def test_a_target_that_answers_badly_loses_nothing(server, name):
    server.crm.mode(**BADLY[name])
    body = fresh()
    status, answer = server.post(body)
    assert status == 202
    event, who = int(answer["event"][1:]), body["data"]["id"]
    told = lambda: [d for d in server.store.desk.deliveries(event=event, target="crm") if d["reason"]]  # noqa: E731
    (waiting,) = wait_for(told)
    assert waiting["state"] == "pending"
    assert server.row(who)[0]["email"] == EMAIL  # the other target is not kept waiting
    server.crm.mode(status=0, body=None)
    server.installed.cli("targets", "resume", "crm")
    assert server.delivered(event)["crm"]["state"] == "delivered"
    assert server.crm.all()["creates"][who] == 1


def test_bad_bodies_among_good_ones_cost_nobody_an_ack(server):
    good = [json.dumps(fresh()).encode() for _ in range(30)]
    bad = [b"not json %d" % n for n in range(15)] + [bent(xid=f"x\ud800{n}") for n in range(15)]
    mixed = [body for pair in zip(good, bad, strict=True) for body in pair]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.post, mixed))
    assert {status for status, _ in answers[::2]} == {202}
    assert {status for status, _ in answers[1::2]} == {400, 422}
    assert len({answer["event"] for _, answer in answers}) == 60


def test_half_a_request_harms_nobody(server):
    "A sender that hangs up in the middle of a body."
    connection = http.client.HTTPConnection("127.0.0.1", server.installed.port, timeout=5)
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b'{"action"')
    before = server.events()
    connection.close()
    assert server.post(fresh())[0] == 202
    assert server.events() == before + 1


def test_every_test_that_the_table_names_is_there():
    rows = [line.split("|") for line in __doc__.splitlines() if "|" in line][2:]
    assert len(rows) > 30
    for _, where in rows:
        file, name = re.fullmatch(r"\s*([\w./]+), (test_\w+)\s*", where).groups()
        path = TESTS / "end_to_end" / "test_bad_input.py" if file == "here" else TESTS / file
        assert f"def {name}(" in path.read_text(), where

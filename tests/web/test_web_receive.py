"""What the door answers, and what is in the store when it has. The traps are flavours.md, section 7."""

import hashlib
import hmac
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from connector.config import Config
from connector.store import Store
from connector.web.app import create_app

TOKEN = "path-token-0123456789"
XID = "9a48c3ad-35e9-4929-b714-6fe30f4afc93"


def bend(customer: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(customer) | changes).encode()


def test_a_customer_is_accepted_and_waits_for_delivery(
    client: FlaskClient, store: Store, url: str, customer: bytes
) -> None:
    answer = client.post(url, data=customer)
    assert (answer.status_code, answer.json) == (202, {"status": "accepted", "event": "e1", "xid": XID})
    assert answer.mimetype == "application/json"
    assert store.desk.event(1)["body"] == customer
    (delivery,) = store.desk.deliveries()
    assert (delivery["event_id"], delivery["sync"], delivery["state"]) == (1, "customers_to_contacts", "pending")


def test_the_second_post_is_a_duplicate(client: FlaskClient, store: Store, url: str, customer: bytes) -> None:
    client.post(url, data=customer)
    again = client.post(url, data=json.dumps(json.loads(customer) | {"timestamp": 5}, indent=3))
    assert (again.status_code, again.json) == (200, {"status": "duplicate", "event": "e1"})
    assert len(store.desk.deliveries()) == 1


def test_fifty_posts_at_once_are_one_event(config: Config, store: Store, url: str, customer: bytes) -> None:
    app = create_app(config, store)
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: app.test_client().post(url, data=customer).status_code, range(50)))
    assert sorted(codes) == [200] * 49 + [202]
    assert (len(store.desk.events()), len(store.desk.deliveries())) == (1, 1)


def test_trap_2_the_same_xid_with_other_content_is_a_conflict_and_delivered(
    client: FlaskClient, store: Store, url: str, customer: bytes
) -> None:
    client.post(url, data=customer)
    document = json.loads(customer)
    document["data"]["user"]["name"] = "Someone else"
    answer = client.post(url, json=document)
    assert answer.status_code == 202
    assert answer.json == {"status": "accepted", "event": "e2", "xid": XID, "conflict": True}
    assert len(store.desk.deliveries()) == 2


def test_trap_4_without_xid_nothing_is_a_duplicate(client: FlaskClient, url: str, customer: bytes) -> None:
    body = bend(customer, xid=None)
    assert client.post(url, data=body).json == {"status": "accepted", "event": "e1", "xid": None}
    assert client.post(url, data=body).json == {"status": "accepted", "event": "e2", "xid": None}


@pytest.mark.parametrize("action", ["customers.UPDATE", "products.CREATED", "order.delivery.created", "unheard of"])
def test_an_action_that_no_sync_wants_is_kept_as_ignored(
    client: FlaskClient, store: Store, url: str, customer: bytes, action: str
) -> None:
    answer = client.post(url, data=bend(customer, action=action))
    assert (answer.status_code, answer.json) == (202, {"status": "ignored", "event": "e1", "xid": XID})
    assert store.desk.event_counts() == {"ignored": 1}
    assert store.desk.deliveries() == []


def test_trap_1_a_product_under_customers_create_is_refused_kept_and_never_a_contact(
    client: FlaskClient, store: Store, url: str, product: bytes
) -> None:
    answer = client.post(url, data=product)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json is not None
    assert (answer.json["title"], answer.json["status"], answer.json["event"]) == ("Unprocessable Entity", 422, "e1")
    assert answer.json["fields"] == {"data.id": ["is missing"], "data.user": ["is missing"]}
    kept = store.desk.event(1)
    assert (kept["state"], kept["body"], kept["xid"]) == ("rejected", product, XID)
    assert store.desk.deliveries() == []


def test_a_rejected_product_does_not_take_the_customers_xid(
    client: FlaskClient, url: str, customer: bytes, product: bytes
) -> None:
    client.post(url, data=product)
    assert client.post(url, data=customer).json == {"status": "accepted", "event": "e2", "xid": XID}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"not json", id="not JSON"),
        pytest.param(b"[1]", id="not an object"),
        pytest.param(b"[" * 50_000, id="50,000 deep"),
        pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", id="5,000 digits"),
        pytest.param(b"\xff\xfe\x00", id="invalid UTF-8"),
        pytest.param(b'{"action": NaN}', id="NaN"),
        pytest.param(b'{"action": 1, "action": 2}', id="duplicate keys"),
    ],
)
def test_what_is_not_a_json_object_gets_400_and_is_kept_once(
    client: FlaskClient, store: Store, url: str, body: bytes
) -> None:
    first, second = client.post(url, data=body), client.post(url, data=body)
    assert (first.status_code, first.mimetype) == (400, "application/problem+json")
    assert first.json is not None
    assert (first.json["event"], "fields" in first.json) == ("e1", False)
    assert second.json == first.json
    assert store.desk.event(1)["body"] == body
    assert store.desk.event(1)["reason"] == first.json["detail"]


@pytest.mark.parametrize("xid", ["a\0b", "\ud800", ["x"], "x" * 256, 2**63])
def test_an_xid_that_cannot_be_a_key_gets_422_and_is_kept(
    client: FlaskClient, store: Store, url: str, customer: bytes, xid: object
) -> None:
    answer = client.post(url, data=bend(customer, xid=xid))
    assert answer.status_code == 422
    assert answer.json is not None
    assert list(answer.json["fields"]) == ["xid"]
    assert (store.desk.event(1)["state"], store.desk.event(1)["xid"]) == ("rejected", None)


@pytest.mark.parametrize("body", [b"not json", b'{"action": "customers.CREATE", "data": {}}'])
def test_a_source_may_ask_for_202_instead_of_4xx(client: FlaskClient, store: Store, body: bytes) -> None:
    answer = client.post(f"/webhooks/lenient/{TOKEN}", data=body)
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["status"], answer.json["event"]) == ("rejected", "e1")
    assert ("fields" in answer.json) == body.startswith(b"{")
    assert store.desk.event_counts() == {"rejected": 1}


def test_a_source_may_ask_for_400_instead_of_422(client: FlaskClient, product: bytes) -> None:
    answer = client.post(f"/webhooks/plain/{TOKEN}", data=product)
    assert answer.json is not None
    assert (answer.status_code, answer.json["status"], "fields" in answer.json) == (400, 400, True)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"])
def test_the_content_type_does_not_matter(client: FlaskClient, url: str, customer: bytes, kind: str) -> None:
    assert client.post(url, data=customer, content_type=kind).status_code == 202


def test_traps_6_to_9_odd_but_harmless_fields_are_accepted(
    client: FlaskClient, store: Store, url: str, customer: bytes
) -> None:
    document = json.loads(customer)
    odd = {"phone": 551234567, "phone_prefix": "٩٦٦", "email": "", "name": "=HYPERLINK(\x07" + "x" * 10_000}
    document["data"]["user"] |= odd | {"brand_new": {"key": [1]}}
    assert client.post(url, json=document).status_code == 202
    kept = json.loads(store.desk.event(1)["body"])
    assert kept == document


@pytest.mark.parametrize(
    "path",
    ["/webhooks/flavours", "/webhooks/flavours/wrong-token-0123456789", "/webhooks/flavours/رمز", "/webhooks/signed"],
)
def test_a_sender_that_proves_nothing_gets_401_and_leaves_nothing(
    client: FlaskClient, store: Store, customer: bytes, path: str
) -> None:
    answer = client.post(path, data=customer)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert "WWW-Authenticate" in answer.headers
    assert store.desk.events() == []


def test_the_401_answer_does_not_say_what_was_wrong_but_our_log_does(client: FlaskClient, customer: bytes) -> None:
    with capture_logs() as logged:
        missing = client.post("/webhooks/flavours", data=customer)
        wrong = client.post("/webhooks/flavours/wrong-token-0123456789", data=customer)
    assert missing.data == wrong.data
    reasons = [(line["source"], line["reason"]) for line in logged]
    assert reasons == [("flavours", f"the token in the URL is {what}") for what in ("missing", "wrong")]
    assert "wrong-token" not in str(logged)


def test_the_signature_is_checked_before_the_body_is_read(client: FlaskClient, store: Store) -> None:
    body = b"not json"
    right = hmac.new(b"s3cr3t", body, hashlib.sha256).hexdigest()
    assert client.post("/webhooks/signed", data=body, headers={"X-Signature": right[::-1]}).status_code == 401
    assert store.desk.events() == []
    assert client.post("/webhooks/signed", data=body, headers={"X-Signature": right}).status_code == 400


def test_an_old_token_opens_while_it_is_listed(client: FlaskClient, customer: bytes) -> None:
    assert client.post("/webhooks/flavours/old-token-0123456789", data=customer).status_code == 202


def test_a_slash_at_the_end_does_no_harm(client: FlaskClient, url: str, customer: bytes) -> None:
    assert client.post(url + "/", data=customer).status_code == 202


@pytest.mark.parametrize("path", ["/webhooks/nobody", f"/webhooks/nobody/{TOKEN}", f"/webhooks/nobody/{TOKEN}/errors"])
def test_an_unknown_source_gets_404(client: FlaskClient, customer: bytes, path: str) -> None:
    answer = client.post(path, data=customer)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 2 * 1024 * 1024])
def test_a_body_over_one_mib_gets_413(client: FlaskClient, store: Store, url: str, size: int) -> None:
    answer = client.post(url, data=b" " * size)
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert store.desk.events() == []


def test_a_body_of_one_mib_is_read(client: FlaskClient, url: str, customer: bytes) -> None:
    assert client.post(url, data=customer.ljust(1024 * 1024)).status_code == 202


def test_a_body_without_a_length_is_bounded_too(client: FlaskClient, url: str, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b" " * (1024 * 1024 + 1))
    with (tmp_path / "long").open("rb") as stream:
        answer = client.post(
            url,
            input_stream=stream,
            environ_overrides={"wsgi.input_terminated": True},
            headers={"Transfer-Encoding": "chunked"},
        )
    assert answer.status_code == 413


def test_a_browser_learns_that_the_address_works(client: FlaskClient, url: str) -> None:
    for path in (url, "/webhooks/signed"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "text/plain")
        assert answer.text.strip() == "This address works; Flavours must POST here."


@pytest.mark.parametrize(
    ("path", "status"), [("/webhooks/flavours", 401), (f"/webhooks/flavours/{TOKEN}x", 401), ("/webhooks/nobody", 404)]
)
def test_a_browser_at_a_wrong_address_learns_that_too(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_busy_store_gets_503_and_stores_nothing(client: FlaskClient, store: Store, url: str, customer: bytes) -> None:
    for body in (customer, b"not json"):
        holder = sqlite3.connect(store.engine.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answer = client.post(url, data=body)
        holder.rollback()
        holder.close()
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0


def test_trap_14_the_error_webhook_has_its_own_address(client: FlaskClient, store: Store, url: str) -> None:
    report = {"code": 504, "endpoint": f"https://hooks.example.com{url}", "message": f"{TOKEN} user1@example.com late"}
    with capture_logs() as logged:
        answer = client.post(f"{url}/errors", json=report)
    assert (answer.status_code, answer.json) == (202, {"status": "noted"})
    (line,) = logged
    assert (line["log_level"], line["code"], line["source"]) == ("warning", "504", "flavours")
    assert line["message"] == "*** ***@*** late"
    assert TOKEN not in str(logged)
    assert store.desk.events() == []
    assert 'flavours_error_webhooks_total{source="flavours"} 1' in client.get("/metrics").text


@pytest.mark.parametrize("body", [b"", b"{code: intger}", b"[]", b"[" * 50_000, b"\xff", b"{}"])
def test_trap_14_any_error_report_is_thanked(client: FlaskClient, url: str, body: bytes) -> None:
    assert client.post(f"{url}/errors", data=body).status_code == 202


def test_the_error_webhook_needs_proof_too(client: FlaskClient) -> None:
    assert client.post("/webhooks/flavours/errors", json={"code": 1}).status_code == 401
    body = b"{}"
    signed = {"X-Signature": hmac.new(b"s3cr3t", body, hashlib.sha256).hexdigest()}
    assert client.post("/webhooks/signed/errors", data=body, headers=signed).status_code == 202


def test_trap_15_the_log_of_a_refusal_holds_no_personal_data(client: FlaskClient, url: str, customer: bytes) -> None:
    document = json.loads(customer)
    document["data"]["id"] = ["user1@example.com", "0551234567"]
    with capture_logs() as logged:
        client.post(url, json=document)
    (line,) = logged
    assert "data.id must be text" in line["reason"]
    assert not any(personal in str(logged) for personal in ("user1", "0551234567", "User 1", "55223322", TOKEN))

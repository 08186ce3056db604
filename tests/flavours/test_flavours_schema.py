"""Lenient in what a webhook may carry, strict in what a customer is. The numbered traps are flavours.md, section 7."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import BadWebhook
from connector.flavours import read, reread
from connector.models import Event

Bent = Callable[[dict[str, Any]], bytes]


def refused(body: bytes) -> BadWebhook:
    with pytest.raises(BadWebhook) as caught:
        read(body)
    return caught.value


def test_the_documented_payload_is_read(customer: bytes) -> None:
    event = read(customer)
    assert (event.xid, event.action) == ("9a48c3ad-35e9-4929-b714-6fe30f4afc93", "customers.CREATE")
    assert event.customer == "c4a868ea-735e-461f-868c-a5d2eaa212d0"
    assert (event.timestamp, event.updated_at, event.deleted) == (1697681187551, 1705548163869, False)
    assert event.data == json.loads(customer)["data"]
    assert event.warnings == ()


def test_trap_1_product_data_under_a_customers_action_is_refused(product: bytes) -> None:
    bad = refused(product)
    assert bad.status == 422
    assert bad.fields == {"data.id": ["is missing"], "data.user": ["is missing"]}
    assert "customers.CREATE event must carry a customer: data.id is missing; data.user is missing" in bad.detail
    assert (bad.xid, bad.action) == ("9a48c3ad-35e9-4929-b714-6fe30f4afc93", "customers.CREATE")


def test_trap_2_the_same_xid_with_other_content_has_another_fingerprint(customer: bytes, bent: Bent) -> None:
    first, renamed = read(customer), read(bent({"data.user.name": "User 2"}))
    updated = read(bent({"action": "customers.UPDATE"}))
    assert first.xid == renamed.xid == updated.xid
    assert len({first.fingerprint, renamed.fingerprint, updated.fingerprint}) == 3


def test_trap_2_white_space_key_order_and_timestamp_do_not_change_the_fingerprint(customer: bytes, bent: Bent) -> None:
    document = json.loads(bent({"timestamp": 1}))
    again = json.dumps(dict(reversed(document.items())), indent=7, ensure_ascii=False).encode()
    assert read(again).fingerprint == read(customer).fingerprint


def test_trap_4_a_webhook_without_xid_is_taken(bent: Bent) -> None:
    assert read(bent({"xid": ...})).xid is None
    assert read(bent({"xid": None})).xid is None


def test_trap_5_a_timestamp_older_than_the_user_is_no_reason_to_refuse(customer: bytes) -> None:
    event = read(customer)
    assert event.timestamp is not None
    assert event.updated_at is not None
    assert event.timestamp < event.updated_at


@pytest.mark.parametrize("email", ["[email protected]", "", "not an address", None, 5, ["a@example.com"]])
def test_trap_6_no_email_is_refused(bent: Bent, email: object) -> None:
    assert read(bent({"data.user.email": email})).data["user"]["email"] == email


@pytest.mark.parametrize("phone", [55223322, "55223322", "٠٥٥١٢٣٤٥٦٧", "+966 55 123 4567", 0.5, None, ""])
def test_traps_7_and_8_no_phone_is_refused_or_changed(bent: Bent, phone: object) -> None:
    user = read(bent({"data.user.phone": phone, "data.user.phone_prefix": 966})).data["user"]
    assert (user["phone"], user["phone_prefix"]) == (phone, 966)


def test_trap_9_everything_but_the_customers_id_may_be_null() -> None:
    nulls = dict.fromkeys(("type", "gender", "tax_number", "crn", "updated_at", "deleted_at"))
    document = {"xid": None, "timestamp": None, "action": "customers.CREATE"}
    event = read(json.dumps(document | {"data": {"id": "c1", "user": nulls | {"id": None}} | nulls}).encode())
    assert (event.customer, event.timestamp, event.updated_at, event.deleted) == ("c1", None, None, False)


@pytest.mark.parametrize("odd", [5, 1.5, True, "text", ["a", 1], {"nested": {"deeper": None}}])
def test_trap_9_odd_types_are_kept_as_they_came(bent: Bent, odd: object) -> None:
    places = ("data.gender", "data.tax_number", "data.user.name", "data.user.is_active", "data.user.created_at")
    data = read(bent(dict.fromkeys(places, odd))).data
    assert [data["gender"], data["tax_number"]] == [odd, odd]
    assert [data["user"][key] for key in ("name", "is_active", "created_at")] == [odd] * 3


def test_trap_10_the_customers_id_is_used_and_a_mismatch_is_warned_of(bent: Bent) -> None:
    event = read(bent({"data.user.userable_id": "someone-else"}))
    assert event.customer == "c4a868ea-735e-461f-868c-a5d2eaa212d0"
    assert event.warnings == (
        "user.userable_id differs from data.id: data.id is used, the user may belong to another customer",
    )


@pytest.mark.parametrize("owner", [None, 7, "7"])
def test_trap_10_an_id_that_agrees_or_is_missing_is_fine(bent: Bent, owner: object) -> None:
    assert read(bent({"data.id": 7, "data.user.userable_id": owner})).warnings == ()


def test_trap_11_keys_that_nobody_announced_are_kept(bent: Bent) -> None:
    event = read(bent({"data.markets": [{"id": 1}], "data.user.nickname": "U", "version": 3}))
    assert (event.data["markets"], event.data["user"]["nickname"]) == ([{"id": 1}], "U")


@pytest.mark.parametrize("place", ["data.deleted_at", "data.user.deleted_at"])
@pytest.mark.parametrize("action", ["customers.CREATE", "customers.UPDATED", "customer.deleted"])
def test_trap_12_deleted_at_is_a_deletion_on_any_event(bent: Bent, place: str, action: str) -> None:
    assert read(bent({place: 1705548163869, "action": action})).deleted


def test_trap_12_an_inactive_user_is_not_a_deletion(bent: Bent) -> None:
    assert not read(bent({"data.user.is_active": False})).deleted


def test_trap_13_an_int_for_a_boolean_is_taken(bent: Bent) -> None:
    assert read(bent({"data.user.is_active": 0})).data["user"]["is_active"] == 0


def test_trap_14_an_error_webhook_is_not_an_event() -> None:
    bad = refused(b'{"code": 500, "endpoint": "https://hooks.example.com/x", "message": "timeout"}')
    assert (bad.status, bad.fields) == (422, {"action": ["is missing"]})


@pytest.mark.parametrize("action", ["order.delivery.created", "products.CREATED", "coupon"])
@pytest.mark.parametrize("data", [{"id": None}, None, [1], "text", {"user": 5}])
def test_other_events_need_only_an_envelope(bent: Bent, action: str, data: object) -> None:
    event = read(bent({"action": action, "data": data}))
    assert event.customer is None
    assert event.data == (data if isinstance(data, dict) else {})


def test_other_events_may_lack_data_and_tell_of_deletion_and_update() -> None:
    assert read(b'{"action": "products.CREATED"}').data == {}
    event = read(b'{"action": "products.UPDATED", "data": {"updated_at": 1705548163869, "deleted_at": 1}}')
    assert (event.updated_at, event.deleted) == (1705548163869, True)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"action": ...}, {"action"}),
        ({"action": None}, {"action"}),
        ({"action": 5}, {"action"}),
        ({"action": ""}, {"action"}),
        ({"action": ["customers.CREATE"]}, {"action"}),
        ({"data": ...}, {"data"}),
        ({"data": None}, {"data"}),
        ({"data": []}, {"data"}),
        ({"data": "c1"}, {"data"}),
        ({"data.id": ...}, {"data.id"}),
        ({"data.id": None}, {"data.id"}),
        ({"data.user": ...}, {"data.user"}),
        ({"data.user": None}, {"data.user"}),
        ({"data.user": "User 1"}, {"data.user"}),
        ({"data.user": [{}]}, {"data.user"}),
        ({"xid": ["a"], "data.id": {}, "data.user": 1}, {"xid", "data.id", "data.user"}),
    ],
)
def test_what_is_not_a_customer_is_refused_and_the_fields_are_named(
    bent: Bent, changes: dict[str, Any], fields: set[str]
) -> None:
    bad = refused(bent(changes))
    assert bad.status == 422
    assert set(bad.fields) == fields
    assert all(field in bad.detail for field in fields)


def test_the_whole_that_is_no_object_says_so(bent: Bent) -> None:
    assert refused(bent({"data": 5})).fields == {"data": ["must be an object"]}
    assert refused(bent({"data.user": 5})).fields == {"data.user": ["must be an object"]}


KEYS = ["xid", "data.id"]


@pytest.mark.parametrize("place", KEYS)
@pytest.mark.parametrize(
    "value", [[], ["x"], {}, 1.5, True, "", "x" * 256, "a\0b", "\ud800", "a\udfffb", 2**63, -(2**63) - 1, 10**400]
)
def test_an_id_that_cannot_be_a_key_is_refused_and_never_stored(bent: Bent, place: str, value: object) -> None:
    bad = refused(bent({place: value}))
    assert (bad.status, set(bad.fields)) == (422, {place})
    assert bad.xid is None if place == "xid" else bad.xid is not None


@pytest.mark.parametrize("place", KEYS)
@pytest.mark.parametrize("value", ["x", "x" * 255, "عميل ١", "🙂", "'; DROP TABLE", 0, -1, 2**63 - 1, -(2**63)])
def test_an_id_within_bounds_becomes_text(bent: Bent, place: str, value: object) -> None:
    event = read(bent({place: value}))
    assert (event.xid if place == "xid" else event.customer) == str(value)


@pytest.mark.parametrize("action", ["a\0", "\ud800", "x" * 256])
def test_an_action_that_cannot_be_stored_is_refused(bent: Bent, action: str) -> None:
    bad = refused(bent({"action": action, "xid": 7}))
    assert (set(bad.fields), bad.action, bad.xid) == ({"action"}, None, "7")


@pytest.mark.parametrize("place", ["timestamp", "data.updated_at", "data.user.updated_at"])
@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**300])
def test_times_beyond_64_bits_are_refused(bent: Bent, place: str, value: int) -> None:
    assert refused(bent({place: value})).fields == {place: ["must be an integer within 64 bits"]}


@pytest.mark.parametrize("value", ["2024-01-18T03:22:43Z", 1.5, True, {}, None])
def test_times_of_another_type_are_not_times_but_kept(bent: Bent, value: object) -> None:
    places = ("timestamp", "data.updated_at", "data.user.updated_at")
    event = read(bent(dict.fromkeys(places, value)))
    assert (event.timestamp, event.updated_at) == (None, None)
    assert event.data["updated_at"] == value


@pytest.mark.parametrize(
    ("customer_at", "user_at", "newest"),
    [
        (1705548163869, 1705548163870, 1705548163870),
        (1705548163870, 1705548163869, 1705548163870),
        (1705548163869, None, 1705548163869),
        (0, 1705548163, None),
        (946684799999, 4102444800000, None),
        (946684800000, 4102444800000, 946684800000),
        (9999999999999999, 1705548163869, 1705548163869),
    ],
)
def test_updated_at_is_the_newest_sane_time(
    bent: Bent, customer_at: int, user_at: int | None, newest: int | None
) -> None:
    event = read(bent({"data.updated_at": customer_at, "data.user.updated_at": user_at}))
    assert event.updated_at == newest


def test_a_lone_surrogate_in_a_name_is_kept_and_fingerprinted(bent: Bent) -> None:
    event: Event = read(bent({"data.user.name": "a\ud800"}))
    assert len(event.fingerprint) == 64
    assert event.data["user"]["name"] == "a\ud800"


@pytest.mark.parametrize("name", ["x" * 10_000, "=HYPERLINK(1)", "a\x07\u200eb\x00", "عميل"])
def test_any_name_is_taken(bent: Bent, name: str) -> None:
    assert read(bent({"data.user.name": name})).data["user"]["name"] == name


@pytest.mark.parametrize(
    "bend",
    [
        {},
        {"xid": None},
        {"xid": ...},
        {"xid": 7},
        {"timestamp": None},
        {"timestamp": "soon"},
        {"timestamp": True},
        {"data.id": 12},
        {"data.user.updated_at": None},
        {"data.user.updated_at": "2024"},
        {"data.deleted_at": 1},
        {"data.user.userable_id": "somebody else"},
        {"action": "customer.updated"},
        {"action": "orders.CREATE"},
    ],
)
def test_what_was_accepted_is_read_again_as_it_was_read(bend: dict[str, Any], bent: Bent) -> None:
    body = bent(bend)
    assert replace(reread(body), fingerprint="") == replace(read(body), fingerprint="")


@pytest.mark.parametrize("bend", [{"data.user": "nobody"}, {"data.id": None}, {"action": None}, {"data": []}])
def test_what_is_no_customer_is_none_when_it_is_read_again(bend: dict[str, Any], bent: Bent) -> None:
    with pytest.raises(BadWebhook):
        reread(bent(bend))

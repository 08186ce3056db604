"""events and deliveries: what came in, what became of it, and a person's decisions."""

import json

import pytest


def test_events_newest_first(home, ledger):
    rows = home.json("events", "list")
    assert [row["id"] for row in rows] == ["e6", "e5", "e4", "e3", "e2", "e1"]
    assert rows[1] | {"received_at": None} == {
        "id": "e5",
        "source": "flavours",
        "state": "ignored",
        "xid": "x5",
        "action": "customers.CREATE",
        "customer": "c5",
        "conflict": False,
        "received_at": None,
        "reason": "no sync wants this action",
    }


def test_events_of_one_state(home, ledger):
    assert [row["id"] for row in home.json("events", "list", "--state", "rejected")] == ["e6"]
    assert "the body is JSON, but not an object" in home("events", "list", "--state", "rejected").output


def test_the_limit(home, ledger):
    assert [row["id"] for row in home.json("events", "list", "--limit", "1")] == ["e6"]
    assert home("events", "list", "--limit", "0").exit_code == 2


@pytest.mark.parametrize("name", ["e6", "6"])
def test_one_event_with_its_body(home, ledger, name):
    assert home.json("events", "show", name)["body"] == "[]"


def test_one_event_with_its_deliveries(home, ledger):
    assert [d["id"] for d in home.json("events", "show", "e2")["deliveries"]] == ["d2"]
    output = home("events", "show", "e2").output
    assert "two contacts match" in output


def test_a_body_that_is_no_text_is_shown_all_the_same(home, store):
    store.inbox.reject("flavours", b"\xff\x1b[2J", "the body is not UTF-8", None, None)
    output = home("events", "show", "e1").output
    assert "\ufffd" in output
    assert "\x1b" not in output


def test_deliveries_in_json(home, ledger):
    rows = {row["id"]: row for row in home.json("deliveries", "list")}
    assert list(rows) == ["d4", "d3", "d2", "d1"]
    held = rows["d2"]
    assert (held["event"], held["xid"], held["customer"], held["source"]) == ("e2", "x2", "c2", "flavours")
    assert (held["sync"], held["target"], held["state"], held["attempts"]) == ("crm_sync", "crm", "held", 1)
    assert (held["remote_id"], held["next_attempt_at"], held["reason"]) == (None, None, "two contacts match")
    assert rows["d3"]["warnings"] == ["email: left out"]
    assert rows["d1"]["remote_id"] == "r-c1"


def test_a_pending_delivery_says_when(home, store):
    store.inbox.accept(*_arrival())
    (row,) = home.json("deliveries", "list", "--state", "pending")
    assert row["next_attempt_at"].endswith("Z")


def _arrival():
    from tests.store.conftest import SYNC, event

    return event("x9", "c9"), b"{}", "flavours", (SYNC,)


def test_a_delivery_before_its_first_try(home, store):
    store.inbox.accept(*_arrival())
    assert "pending" in home("deliveries", "show", "d1").output


@pytest.mark.parametrize(
    ("filters", "ids"),
    [(["--state", "held"], ["d2"]), (["--target", "other"], []), (["--event", "e3"], ["d3"])],
)
def test_deliveries_are_filtered(home, ledger, filters, ids):
    assert [row["id"] for row in home.json("deliveries", "list", *filters)] == ids


def test_a_table_cannot_move_the_cursor(home, ledger):
    output = home("deliveries", "list").output
    assert "\x1b" not in output
    assert output.splitlines()[0].split()[:3] == ["ID", "EVENT", "TARGET"]


def test_one_delivery_with_its_tries(home, ledger):
    shown = home.json("deliveries", "show", "d2")
    assert [(one["number"], one["reason"]) for one in shown["tries"]] == [(1, "two contacts match")]
    assert shown["code"] == "two_matches"
    assert "two contacts match" in home("deliveries", "show", "d2").output
    assert "email: left out" in home("deliveries", "show", "d3").output


@pytest.mark.parametrize("command", [["events", "show", "e99"], ["deliveries", "show", "d99"]])
def test_what_there_is_not(home, ledger, command):
    result = home(*command)
    assert result.exit_code == 2
    assert (
        result.stderr == f"there is no {command[0].removesuffix('s').replace('deliverie', 'delivery')} {command[2]}\n"
    )


@pytest.mark.parametrize("name", ["d1", "x", "", "٣", "9" * 30])
def test_what_is_no_id(home, name):
    result = home("events", "show", name)
    assert result.exit_code == 2
    assert "is not an id such as e12" in result.stderr


def test_skipping_by_decision(home, ledger):
    assert home("deliveries", "resolve", "d2", "--skip").output == "d2 is skipped\n"


def test_creating_by_decision(home, ledger):
    assert home.json("deliveries", "resolve", "d2", "--create")["state"] == "pending"


def test_linking_by_decision(home, ledger):
    assert home.json("deliveries", "resolve", "d2", "--link", "4711")["state"] == "pending"
    (claim,) = ledger.queue.turn("w2", [], {"crm": 1}, lambda state, *_: state).claims
    assert claim.link.remote_id == "4711"


@pytest.mark.parametrize("choice", [[], ["--skip", "--create"], ["--link", ""], ["--link", "1", "--skip"]])
def test_one_decision_is_needed(home, ledger, choice):
    result = home("deliveries", "resolve", "d2", *choice)
    assert result.exit_code == 2
    assert "choose one of --link REMOTE_ID, --create, --skip" in result.stderr


def test_what_is_delivered_is_not_resolved(home, ledger):
    result = home("deliveries", "resolve", "d1", "--skip")
    assert result.exit_code == 2
    assert "d1 is delivered; only held and failed deliveries are resolved" in result.stderr


def test_linking_needs_the_target_in_the_configuration(home, ledger):
    path = home.folder / "config.yaml"
    path.write_text(path.read_text().replace("crm: {kind", "crm2: {kind").replace("target: crm", "target: crm2"))
    result = home("deliveries", "resolve", "d2", "--link", "1")
    assert (result.exit_code, result.stderr) == (2, "the target crm is not in the configuration any more\n")


def test_replaying_by_id(home, ledger):
    assert home.json("replay", "d3", "d4") == {"replayed": ["d3", "d4"], "left": {}}
    assert {row["id"] for row in home.json("deliveries", "list", "--state", "pending")} == {"d3", "d4"}


def test_replaying_all_of_a_state(home, ledger):
    assert "1 tried again" in home("replay", "--state", "held").stdout
    assert home.json("deliveries", "list", "--state", "held") == []


def test_replaying_more_than_a_page(home, store, monkeypatch):
    monkeypatch.setattr("connector.cli.replay.PAGE", 2)
    monkeypatch.setattr("connector.cli.replay.CHUNK", 2)
    from connector.models import Fail
    from tests.store.conftest import arrive, settled, turn

    for number in range(5):
        arrive(store, customer=f"c{number}")
    turn(store, [settled(claim, Fail("no")) for claim in turn(store).claims], limit=0)
    assert home.json("replay", "--state", "failed")["replayed"] == ["d1", "d2", "d3", "d4", "d5"]


def test_what_waits_already_is_left(home, store):
    store.inbox.accept(*_arrival())
    assert home.json("replay", "d1", code=1) == {"replayed": [], "left": {"d1": "is pending: it will be tried anyway"}}


def test_an_event_is_read_and_routed_again(home, store):
    from connector.bundled import payload

    store.inbox.reject("flavours", payload("company"), "refused by an older program", None, None)
    assert home.json("replay", "e1") == {"replayed": ["e1"], "left": {}}
    (row,) = home.json("deliveries", "list")
    assert (row["event"], row["state"], row["sync"]) == ("e1", "pending", "crm_sync")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "is still not usable: the body is JSON, but not an object"),
        (json.dumps({"action": "order.delivery.created", "data": {}}).encode(), "no sync wants it"),
    ],
)
def test_an_event_that_is_still_not_wanted(home, store, body, reason):
    store.inbox.reject("flavours", body, "", None, None)
    result = home("replay", "--state", "rejected")
    assert result.exit_code == 1
    assert f"e1: {reason}" in result.stderr
    assert "0 tried again, 1 left as they are" in result.stdout


PURGED = "what Flavours sent was purged, as `keep` in config.yaml says: save the customer in Flavours again, and it comes anew"


def test_a_purged_event_is_left(home, store):
    store.inbox.accept(event := _arrival()[0], b"{}", "flavours", ())
    import sqlalchemy as sa

    from connector.store.tables import events

    store.engine.write(lambda c, args: [c.execute(sa.update(events).values(body=None)) for _ in args], event)
    assert home.json("replay", "e1", code=1)["left"] == {"e1": PURGED}
    assert PURGED in home("events", "show", "e1").output


@pytest.mark.parametrize("arguments", [[], ["d1", "--state", "held"], ["x1"], ["12"], ["--state", "delivered"]])
def test_replay_wants_ids_or_a_state(home, arguments):
    assert home("replay", *arguments).exit_code == 2


def test_replaying_what_there_is_not(home, ledger):
    assert home("replay", "d99").exit_code == 2
    assert home("replay", "e99").exit_code == 2

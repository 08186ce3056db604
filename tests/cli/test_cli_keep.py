"""purge and forget: what is old goes, a person is forgotten, and both say what they did and what they cannot do."""

import json

import pytest

from connector.cli import forget
from connector.models import Retry
from tests.store.conftest import SYNC, event, settled, turn

DAY = 86_400_000


@pytest.fixture
def old(ledger):
    "The ledger of conftest, e1 to e6 of which e2 is held, with everything a hundred days ago."
    from connector.store.tables import deliveries, events

    def back(connection, args):
        connection.execute(events.update().values(received_at=events.c.received_at - 100 * DAY))
        connection.execute(deliveries.update().values(finished_at=deliveries.c.finished_at - 100 * DAY))
        return args

    ledger.engine.write(back, None)
    return ledger


def test_a_purge_by_hand(home, old):
    would = home.json("purge", "--dry-run")
    assert (would["dry_run"], would["bodies"], would["events"], would["left"]) == (True, 5, 0, 1)
    assert home.json("events", "show", "e1")["body"] == "{}"
    done = home.json("purge")
    assert done | {"dry_run": True} == would | {key: done[key] for key in ("bodies_before", "events_before")}
    assert home.json("events", "show", "e1")["body"] is None
    assert home.json("events", "show", "e2")["body"] == "{}"
    (note,) = old.audit.list()
    assert (note["what"], note["about"]) == ("purge", "5 bodies, 0 events")
    assert note["person"].startswith("connector purge, ")
    (left,) = home.json("replay", "d3", code=1)["left"].values()
    assert "save the customer in Flavours again" in left


def test_an_age_takes_the_place_of_the_configured_one(home, old):
    assert home.json("purge", "--older-than", "101d")["bodies"] == 0
    output = home("purge", "--older-than", "30d").stdout
    assert "5 bodies from before" in output
    assert "1 events stay for now: they are not finished" in output
    result = home("purge", "--older-than", "soon")
    assert (result.exit_code, "must be a duration with its unit" in result.stderr) == (2, True)


def test_the_configuration_says_how_long(home, old):
    with (home.folder / "config.yaml").open("a") as file:
        file.write("keep: {bodies: 10d, ledger: 20d}\n")
    assert home.json("purge")["events"] == 5
    assert [row["id"] for row in home.json("events", "list")] == ["e2"]


def test_a_customer_is_forgotten(home, ledger):
    result = home("forget", "c1", stdin="y\n")
    assert result.exit_code == 0, result.output
    assert (
        "c1: events stored: 1\nthese contacts stay at their targets; delete them there:\n  crm  r-c1\n" in result.stdout
    )
    assert "Erase this? It cannot be undone" in result.stderr
    assert "events erased: 1; waiting deliveries ended: 0" in result.stdout
    (note,) = ledger.audit.list()
    assert (note["what"], note["about"]) == ("forget", "c1: crm r-c1")
    assert "its customer was forgotten by request" in home("events", "show", "e1").stdout
    assert home.json("deliveries", "show", "d1")["remote_id"] is None


def test_who_does_not_confirm_keeps_everything(home, ledger):
    assert home("forget", "c1", stdin="n\n").exit_code == 1
    assert home.json("events", "show", "e1")["body"] == "{}"
    assert ledger.audit.list() == []


def test_a_customer_is_forgotten_in_json(home, ledger):
    facts = home.json("forget", "c2", "--yes")
    assert facts == {"customer": "c2", "events": 1, "ended": 1, "contacts": [], "running": [], "uncertain": []}
    assert home.json("deliveries", "show", "d2")["reason"] == "forgotten by request"


def test_nobody_of_this_id(home, ledger):
    result = home("forget", "c\x1b9", "--yes")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "the store holds nothing of a customer c 9")


def test_which_source_is_asked_where_there_are_two(home, ledger):
    ledger.inbox.accept(event("x1", "c1"), b"{}", "other", [SYNC])
    result = home("forget", "c1", "--yes")
    assert (result.exit_code, "c1 is a customer of flavours, other: say which, with --source" in result.stderr) == (
        2,
        True,
    )
    assert home.json("forget", "c1", "--source", "other", "--yes")["events"] == 1
    assert home.json("events", "show", "e1")["body"] == "{}"


def test_an_answer_that_was_lost_is_said(home, ledger, monkeypatch):
    monkeypatch.setattr(forget, "PATIENCE", 0.0)
    ledger.inbox.accept(event("x9", "c9"), b"{}", "flavours", [SYNC])
    (claim,) = turn(ledger).claims
    turn(ledger, [settled(claim, Retry("timeout"), maybe_sent=True)], limit=0)
    result = home("forget", "c9", "--yes")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "events erased: 1; waiting deliveries ended: 1")
    assert "an answer of crm was lost: look there whether it has a contact of this customer" in result.stderr


def test_what_is_being_sent_is_said(home, ledger, monkeypatch):
    monkeypatch.setattr(forget, "PATIENCE", 0.0)
    ledger.inbox.accept(event("x9", "c9"), b"{}", "flavours", [SYNC])
    (claim,) = turn(ledger).claims
    result = home("forget", "c9", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["running"]) == (1, ["d5"])
    assert "a worker is sending d5: see that `connector serve` runs" in result.stderr
    turn(ledger, [settled(claim)], limit=0)
    assert home.json("forget", "c9", "--yes")["contacts"] == [{"target": "crm", "remote_id": "r-c9"}]

"""targets and status: what there is, how it is, and a person's word."""

import pytest


def test_the_kinds(cli):
    assert {"csv", "rest", "qoyod"} <= {row["kind"] for row in cli.json("targets", "kinds")}
    assert "qoyod" in cli("targets", "kinds").output


def test_the_list(home, ledger):
    (row,) = home.json("targets", "list")
    assert (row["target"], row["kind"], row["state"]) == ("crm", "csv", "open")
    assert (row["waiting"], row["held"], row["failed"], row["delivered"], row["skipped"]) == (0, 1, 1, 1, 1)
    assert home("targets", "list").output.splitlines()[1].split()[:3] == ["crm", "csv", "open"]


def test_pausing_and_going_on(home):
    assert home.json("targets", "pause", "crm")["until"] is None
    assert "paused by a person" in home("targets", "list").output
    assert home("targets", "resume", "crm").output == "target crm is open; 0 waiting\n"


def test_pausing_for_a_while(home):
    paused = home.json("targets", "pause", "crm", "--for", "10m")
    assert paused["state"] == "paused"
    assert paused["until"].endswith("Z")
    assert home("targets", "pause", "crm", "--for", "10").exit_code == 2


@pytest.mark.parametrize("command", ["pause", "resume", "check"])
def test_a_target_that_there_is_not(home, command):
    result = home("targets", command, "nobody")
    assert (result.exit_code, result.stderr) == (2, "there is no target nobody (there are: crm)\n")


def test_checking_a_target(home):
    assert home.json("targets", "check", "crm")["ok"] is True
    assert home("targets", "check", "crm").output.startswith("target crm: good\n")


def test_a_check_that_fails(home):
    (home.folder / "contacts.csv").mkdir()
    assert home.json("targets", "check", "crm", code=1)["ok"] is False
    assert home("targets", "check", "crm").output.startswith("target crm: NOT good\n")


def test_a_held_target_goes_on_after_a_check(home, store):
    from dataclasses import replace

    from tests.store.conftest import arrive, settled, turn

    arrive(store)
    (claim,) = turn(store).claims
    turn(store, [settled(claim)], advance=lambda state, *_: replace(state, state="held", reason="401"))
    assert "401" in home("status").output
    assert home.json("targets", "check", "crm")["resumed"] is True
    assert store.states.all()["crm"].state == "open"


def test_a_check_needs_no_store(home):
    (home.folder / "connector.db").unlink()
    assert home.json("targets", "check", "crm")["resumed"] is False


def test_the_status(home, ledger):
    facts = home.json("status")
    assert facts["events"] == {"accepted": 4, "ignored": 1, "rejected": 1}
    assert facts["worker_alive"] is False
    assert facts["targets"][0]["held"] == 1
    output = home("status").output
    assert "NOT RUNNING" in output
    assert "4 accepted, 1 ignored, 1 rejected" in output


def test_the_status_of_an_empty_store(home):
    output = home("status").output
    assert "none yet" in output
    assert "flavours: nothing yet" in output


def test_a_worker_is_seen(home, store):
    store.leases.beat("w1", 60_000)
    store.leases.beat("w2", -1)
    output = home("status").output
    assert "worker    w1: alive\nworker    w2: silent since " in output
    (first, second) = sorted(home.json("status")["workers"], key=lambda worker: worker["worker"])
    assert (first["alive"], second["alive"]) == (True, False)


def test_a_target_that_is_gone_is_still_shown(home, ledger):
    path = home.folder / "config.yaml"
    path.write_text(path.read_text().replace("crm: {kind", "crm2: {kind").replace("target: crm", "target: crm2"))
    rows = {row["target"]: row for row in home.json("status")["targets"]}
    assert rows["crm"]["note"] == "not in the configuration any more"
    assert rows["crm2"]["state"] == "open"

"""A real Odoo 19 behind the real server and worker."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.mapping.document import read
from connector.mapping.rules import apply
from connector.models import Delivered, Event, Upsert
from connector.targets.base import Around
from connector.targets.odoo_api import Api
from connector.targets.vendors.odoo import KIND
from tests.installation import wait_for
from tests.real.connecting import bundled, connected, customer, deliveries, name, send, settled, states, twice

ALL = 200


def settings(odoo):
    return {"base_url": odoo.url, "database": odoo.database, "api_key": odoo.key}


def ours(odoo):
    return odoo.partners(
        "ref", "name", "phone", "city", "country_code", "vat", domain=[["ref", "=like", "real-customer-%"]]
    )


def test_two_hundred_customers_sixteen_at_once_each_twice(odoo, connect):
    installed = connect("odoo", **settings(odoo))
    send(installed, twice(ALL))
    rows = settled(installed, 2 * ALL)
    assert states(rows) == {"delivered": 2 * ALL}
    partners = ours(odoo)
    assert sorted(p["ref"] for p in partners) == sorted(f"real-customer-{n}" for n in range(ALL))
    assert sorted(p["name"] for p in partners) == sorted(map(name, range(ALL)))
    assert {(p["city"], p["country_code"]) for p in partners} == {("الرياض", "SA")}
    assert {row["remote_id"] for row in rows} - {None} == {str(p["id"]) for p in partners}


def test_a_vat_number_that_odoo_refuses_fails_with_its_words_and_nobody_else(odoo, connect):
    as_typed = lambda text: text.replace("    use: saudi_vat", "    use: strip")  # noqa: E731
    installed = connect("odoo", change=as_typed, **settings(odoo))
    send(installed, [customer(n, tax_number="123" if n == 7 else f"3101223935{n:04}3") for n in range(20)])
    rows = settled(installed, 20)
    assert states(rows) == {"delivered": 19, "failed": 1}
    (failed,) = [row for row in rows if row["state"] == "failed"]
    assert failed["customer"] == "real-customer-7"
    assert "does not seem to be valid" in failed["reason"]
    assert 'Fifteen digits, first and last digits should be "3"' in failed["reason"]
    assert "Traceback" not in failed["reason"]
    assert len(ours(odoo)) == 19


def test_its_database_may_stop_in_the_middle(odoo, connect):
    installed = connect("odoo", **settings(odoo))
    events = twice(ALL)
    send(installed, events[:60])
    wait_for(lambda: len(ours(odoo)) > 5)
    odoo.postgres.stop()
    try:
        send(installed, events[60:])
        wait_for(lambda: "database may be down" in installed.log(), 60)
        time.sleep(2)
    finally:
        odoo.postgres.start()
    rows = settled(installed, 2 * ALL, 240)
    assert states(rows) == {"delivered": 2 * ALL}
    assert sorted(p["ref"] for p in ours(odoo)) == sorted(f"real-customer-{n}" for n in range(ALL))


def test_a_wrong_field_fails_at_once(odoo, connect):
    wrong = lambda text: text.replace("street2", "strete2")  # noqa: E731
    installed = connect("odoo", change=wrong, **settings(odoo))
    send(installed, [customer(n) for n in range(20)])
    rows = settled(installed, 20, 30)
    assert states(rows) == {"failed": 20}
    assert {row["attempts"] for row in rows} == {1}
    assert all("Invalid field name 'strete2'" in row["reason"] for row in rows)
    time.sleep(1)
    assert {row["attempts"] for row in deliveries(installed)} == {1}  # and never again
    assert ours(odoo) == []
    code, out, _ = installed.cli("targets", "check", "real")
    assert code == 1
    assert "strete2: Odoo has no such field, did you mean `street2`?" in out


def test_the_check_of_the_shipped_mapping(odoo, tmp_path):
    installed = connected(tmp_path, "odoo", **settings(odoo))
    code, out, _ = installed.cli("targets", "check", "real")
    assert code == 0
    assert "is Odoo 19.0 and takes the API key" in out


def test_a_wrong_key_holds_the_target_and_its_customers_wait(odoo, connect):
    installed = connect("odoo", **settings(odoo) | {"api_key": "0" * 40})
    send(installed, [customer(n) for n in range(3)])
    wait_for(lambda: "Invalid apikey" in installed.cli("targets", "list")[1])
    assert {(row["state"], row["attempts"]) for row in deliveries(installed)} == {("pending", 0)}
    assert ours(odoo) == []


class Run:
    def still_ours(self):
        return True

    def linked_to(self, _):
        return None


@pytest.fixture(params=["19.0", "18.0"])
def target(request, odoo, monkeypatch):
    "The target in this process; an Odoo that says it is 18 is spoken to over JSON-RPC."
    if request.param != "19.0":
        monkeypatch.setattr(Api, "_version", lambda _: request.param)
    return KIND.open(None, KIND.schema.load(settings(odoo) | {"login": odoo.login, "allow_private": True}), Around())


def requests(count, **data):
    mapping = read((bundled("mappings") / "odoo.yaml").read_text(encoding="utf-8"), "odoo.yaml")
    for n in range(count):
        body = customer(n, **data)["data"]
        made = apply(
            mapping, Event(None, "customers.CREATE", None, body, body["id"], None, deleted=False, fingerprint="")
        )
        more = {"phones": made.phones, "fill_if_empty": mapping.fill_if_empty, "keep": mapping.keep}
        yield Upsert(body["id"], made.record, made.match, f"key-{n}", **more)


def test_both_protocols_make_the_same(odoo, target):
    first = target.upsert(list(requests(100)), Run())
    again = target.upsert(list(requests(100)), Run())
    assert [(type(o), o.how) for o in (*first, *again)] == [(Delivered, "created")] * 100 + [
        (Delivered, "unchanged")
    ] * 100
    assert len(ours(odoo)) == 100


def test_the_same_customer_by_many_at_once_is_one_partner(odoo, target):
    "Nobody finds him yet, and all make him: the external id lets only one come of it."
    (request,) = requests(1)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: target.upsert([request], Run())[0], range(8)))
    done = [outcome for outcome in outcomes if isinstance(outcome, Delivered)]
    assert done
    assert len({outcome.remote_id for outcome in done}) == 1
    assert all(outcome.maybe_sent for outcome in outcomes if outcome not in done)  # they look again
    assert len(ours(odoo)) == 1


def test_a_partner_that_staff_typed_is_found_and_kept(odoo, target):
    *_, request = requests(124)
    staff = {"name": "Noura", "phone": "+966 55 100 0123", "ref": "staff-1", "country_id": 192}
    (number,) = odoo.call("res.partner", "create", vals_list=[staff])
    (outcome,) = target.upsert([request], Run())
    assert (outcome.how, outcome.remote_id) == ("updated", str(number))
    (partner,) = odoo.call("res.partner", "read", ids=[number], fields=["ref", "name", "phone"])
    assert (partner["ref"], partner["name"], partner["phone"]) == ("staff-1", "Noura", "+966 55 100 0123")
    assert ours(odoo) == []  # and no second one

"""The pages do what they say, without JavaScript: home, deliveries, an event, what is held, targets, people."""

import json

import pytest
import sqlalchemy as sa

from connector.store.desk import Decision
from connector.store.tables import deliveries
from tests import postgres


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, file):
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
    else:
        with postgres.database() as fresh:
            yield fresh


def settle(store, state, reason="", code=None, number=1):
    def op(connection, args):
        mine = sa.update(deliveries).where(deliveries.c.id == number)
        connection.execute(mine.values(state=state, reason=reason, code=code))
        return [None] * len(args)

    store.engine.write(op, None)


def person(customer, n=1, **user):
    body = json.loads(customer)
    body["xid"], body["data"]["id"] = f"xid-{n}", f"customer-{n}"
    body["data"]["user"] |= {"name": "Sara Ahmed", "phone": "551234567", "email": "sara@example.com"} | user
    return json.dumps(body)


def test_home_says_what_a_person_must_do_first(someone, send, customer, store):
    viewer = someone("viewer")
    assert "Nothing is being delivered: no worker is running" in viewer.get("/admin/").text
    store.leases.beat("w1", 60_000)
    assert "All is well" in viewer.get("/admin/").text
    send(customer)
    settle(store, "failed")
    assert "Some deliveries failed" in viewer.get("/admin/").text
    settle(store, "held")
    assert "Some customers wait for your decision" in viewer.get("/admin/").text
    assert "بعض العملاء بانتظار قرارك" in viewer.get("/admin/?lang=ar").text


def test_what_arrives_is_in_the_part_that_renews_itself(someone, send, customer):
    viewer = someone("viewer")
    assert "Nothing arrived yet" in viewer.get("/admin/now").text
    number = send(customer)
    part = viewer.get("/admin/now").text
    assert f"/admin/events/{number}" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    "text",
    [
        "Sara", "ahmed sara", "SARA AHMED", "+966 55 123 4567", "0551234567", "00966551234567", "٠٥٥١٢٣٤٥٦٧",
        "Sara@Example.com", "310122393500003", "xid-1", "customer-1", "e1", "d1",
    ],
)  # fmt: skip
def test_a_customer_is_found_by_what_people_know(someone, send, customer, store, text):
    body = json.loads(person(customer))
    body["data"]["tax_number"] = "310122393500003"
    send(json.dumps(body))
    send(person(customer, 2, name="Omar Saleh", phone="559999999", email="omar@example.com"))
    assert store.search.follow() == 2
    page = someone("viewer").get("/admin/deliveries", query_string={"q": text}).text
    assert "customer-1" in page
    assert "customer-2</bdi>" not in page


def test_arabic_names_are_found_however_they_are_typed(someone, send, customer, store):
    send(person(customer, name="فاطمة الزهراني"))
    store.search.follow()
    for text in ("فاطمه", "الزهرانى فَاطِمَة"):
        page = someone("viewer").get("/admin/deliveries", query_string={"q": text}).text
        assert "customer-1" in page


def test_a_search_says_when_the_newest_cannot_be_found_yet(someone, send, customer):
    send(person(customer))
    assert "cannot be found yet" in someone("viewer").get("/admin/deliveries?q=Sara").text


def test_the_list_pages_by_id_and_filters(someone, send, customer, store):
    for n in range(1, 61):
        send(person(customer, n))
    viewer = someone("viewer")
    first = viewer.get("/admin/deliveries").text
    assert ">d60<" in first
    assert ">d10<" not in first
    assert "before=11" in first
    assert ">d10<" in viewer.get("/admin/deliveries?before=11").text
    settle(store, "held", number=5)
    held = viewer.get("/admin/deliveries?state=held").text
    assert held.count('href="/admin/events/') == 1
    assert viewer.get("/admin/deliveries?state=nonsense&before=abc").status_code == 200


def test_chosen_deliveries_are_tried_again_after_a_confirmation(someone, send, customer, store):
    send(person(customer))
    settle(store, "failed")
    operator = someone("operator")
    asked = operator.post("/admin/deliveries/confirm", id=1, action="replay")
    assert "Try 1 again?" in asked.text
    assert store.desk.delivery(1)["state"] == "failed"
    done = operator.post("/admin/deliveries/decide", id=1, action="replay")
    assert done.headers["Location"] == "/admin/deliveries?done=1&left=0"
    assert store.desk.delivery(1)["state"] == "pending"
    assert [(row["person"], row["what"], row["about"]) for row in store.audit.list(1)] == [("operator", "replay", "d1")]


def test_what_moved_on_meanwhile_is_left_and_said(someone, send, customer, store):
    send(person(customer))
    done = someone("operator").post("/admin/deliveries/decide", id=["1", "999"], action="give_up")
    assert done.headers["Location"] == "/admin/deliveries?done=0&left=2"
    assert store.desk.delivery(1)["state"] == "pending"


def test_all_that_are_held_are_tried_again_at_once(someone, send, customer, store):
    for n in (1, 2, 3):
        send(person(customer, n))
    settle(store, "held", number=1)
    settle(store, "held", number=3)
    page = someone("operator").post("/admin/deliveries/confirm", all="held", action="replay").text
    assert "Try 2 again?" in page
    assert 'name="id" value="2"' not in page


def test_nothing_chosen_is_said(someone):
    assert "Nothing was chosen" in someone("operator").post("/admin/deliveries/confirm", action="replay").text


def test_an_event_is_masked_until_a_person_asks_which_is_written_down(someone, send, customer, store):
    send(person(customer))
    operator = someone("operator")
    page = operator.get("/admin/events/1").text
    assert "Sara" not in page
    assert "551234567" not in page
    shown = operator.post("/admin/events/1/show", page="/admin/events/1").text
    assert "Sara Ahmed" in shown
    assert [(row["what"], row["about"]) for row in store.audit.list(1)] == [("show_event", "e1")]


def test_an_event_says_what_to_do(someone, send, customer, store):
    send(person(customer))
    settle(store, "held", "several contacts have this phone (1, 2)", "two_matches")
    viewer = someone("viewer")
    page = viewer.get("/admin/events/1").text
    assert "Several records there could be this customer." in page
    assert "several contacts have this phone (1, 2)" in page
    assert "عدة سجلات هناك قد تكون لهذا العميل" in viewer.get("/admin/events/1?lang=ar").text


@pytest.mark.parametrize("forgotten", [False, True])
def test_what_was_purged_or_forgotten_says_so(someone, send, customer, store, clock, forgotten):
    send(person(customer))
    settle(store, "failed", "refused")
    if forgotten:
        store.forgetting.erase([1])
    else:
        clock.now += 100 * 86_400_000
        store.keeping.step(store.keeping.cuts(90 * 86_400, 730 * 86_400))
    operator = someone("operator")
    page = operator.get("/admin/events/1").text
    assert ("The customer was forgotten by request" in page) == forgotten
    assert ("To have it sent again, save the customer in Flavours once more." in page) != forgotten
    assert 'value="replay"' not in page
    done = operator.post("/admin/deliveries/decide", id="1", action="replay")
    assert done.location.endswith("done=0&left=1")


def test_a_rejected_event_is_read_again(someone, app, url, store):
    app.test_client().post(url, data=b'{"action": "customers.CREATE"}')
    page = someone("operator").post("/admin/events/1/replay", page="/admin/events/1").text
    assert "It was left as it is" in page


@pytest.mark.parametrize(("form", "state"), [({"how": "skip"}, "skipped"), ({"how": "create"}, "pending")])
def test_a_held_one_is_decided_with_one_click(someone, send, customer, store, form, state):
    send(person(customer))
    settle(store, "held", "why", "two_matches")
    operator = someone("operator")
    assert "d1 is decided" in operator.post("/admin/held/1", page="/admin/held", **form).text
    assert store.desk.delivery(1)["state"] == state
    assert store.audit.list(1)[0]["what"] == f"resolve_{form['how']}"
    assert operator.post("/admin/held/1", page="/admin/deliveries", **form).status_code == 409


def test_a_held_one_is_linked_to_a_record(someone, send, customer, store):
    send(person(customer))
    settle(store, "held", "why", "two_matches")
    operator = someone("operator")
    assert operator.post("/admin/held/1", page="/admin/held", how="link").status_code == 400
    assert operator.post("/admin/held/1", page="/admin/held", how="link", remote_id="4711").status_code == 200
    rows = store.engine.read(lambda c: c.exec_driver_sql("SELECT customer, remote_id FROM links").all())
    assert [tuple(row) for row in rows] == [("customer-1", "4711")]


def test_a_target_is_paused_and_resumed(someone, store):
    operator = someone("operator")
    operator.post("/admin/targets/contacts/pause")
    assert store.states.all()["contacts"].state == "paused"
    assert "Nothing is sent now" in operator.get("/admin/targets").text
    operator.post("/admin/targets/contacts/resume")
    assert store.states.all()["contacts"].state == "open"
    assert [row["what"] for row in store.audit.list(2)] == ["resume", "pause"]
    assert operator.post("/admin/targets/nonsense/pause").status_code == 404


def test_the_address_for_flavours_is_shown_on_a_click_which_is_written_down(someone, store):
    editor = someone("editor")
    assert "path-token" not in editor.get("/admin/targets").text
    assert "/webhooks/flavours/path-token-0123456789" in editor.post("/admin/sources/flavours/address").text
    assert store.audit.list(1)[0]["what"] == "show_address"


def test_people_and_what_they_did_are_listed(someone):
    editor = someone("editor")
    assert "Operator: also decides" in editor.get("/admin/people").text
    assert "signed in" in editor.get("/admin/audit").text


def test_who_is_signed_in_already_is_led_home(someone):
    assert someone("viewer").get("/admin/sign-in").headers["Location"] == "/admin/"


def test_without_people_the_sign_in_says_how_to_add_one(visitor, store):
    for name in ("viewer", "operator", "editor"):
        store.people.remove(name)
    assert "connector people add NAME" in visitor.get("/admin/sign-in").text


def test_what_is_not_there_is_said_in_a_page(someone):
    viewer = someone("viewer")
    for page in ("/admin/events/999", "/admin/nothing", "/admin/events/abc"):
        answer = viewer.get(page)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text


def test_a_decision_of_the_command_line_is_seen(someone, send, customer, store):
    send(person(customer))
    settle(store, "held")
    store.desk.resolve(Decision(1, "skip"))
    assert "Nothing waits for a decision" in someone("viewer").get("/admin/held").text

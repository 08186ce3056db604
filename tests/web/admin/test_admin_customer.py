"""A customer's page gathers what is known of one person, and hides what is personal until it is asked for."""

import json
from dataclasses import replace

import pytest

from connector.config import TargetConfig
from connector.mapping import document
from connector.models import Link
from connector.store import links as link_room
from connector.store.customers import TAIL
from connector.web.admin.customer import changes
from tests.web.admin.test_admin_mappings import TEXT
from tests.web.admin.test_admin_pages import person, settle

ODD = "a/b?c=<d>&e"


def link(store, target="contacts", customer="customer-1", remote_id="r-1", arrival=1, digest=""):
    made = Link(target, customer, remote_id, "account", None, arrival, "", digest)
    store.engine.write(lambda c, args: [link_room.put(c, args, 1_800_000_000_000), None][1:], made)


def again(body, n, **user):
    changed = json.loads(body)
    changed["xid"] = f"xid-again-{n}"
    changed["data"]["user"] |= user
    return json.dumps(changed)


@pytest.fixture
def two(send, customer):
    first = person(customer)
    send(first)
    send(person(customer, 2))
    send(again(first, 3, phone="559999999", city="Jeddah"))


@pytest.mark.parametrize("known", ["found by its key", "too new for the search"])
def test_all_that_came_of_one_customer_is_there_and_nothing_of_another(someone, two, store, known):
    if known == "found by its key":
        assert store.search.follow() == 3
    page = someone("viewer").get("/admin/customers?id=customer-1").text
    assert [f"/admin/events/{n}#d{n}" in page for n in (1, 2, 3)] == [True, False, True]
    assert page.index("/admin/events/3") < page.index("/admin/events/1")
    assert "The first that is known of this customer" in page


def test_what_a_change_changed_is_named_and_shown_to_who_asks(someone, two, store):
    operator = someone("operator")
    masked = operator.get("/admin/customers?id=customer-1").text
    assert "Mobile number <small>" in masked
    assert "559999999" not in masked
    shown = operator.post("/admin/customers/show", page="/admin/customers?id=customer-1", id="customer-1").text
    assert "<del>551234567</del></bdi> <bdi><ins>559999999</ins>" in shown
    assert [(row["what"], row["about"]) for row in store.audit.list(1)] == [("show_customer", "customer-1")]


def test_each_target_names_its_record_and_what_was_sent_last(someone, send, customer, store):
    send(person(customer))
    digest = document.read(TEXT, "csv").hash
    store.mappings.publish("csv", "csv", digest, TEXT)
    link(store, digest=digest)
    store.states.register(["gone-since"])
    link(store, "gone-since", remote_id="r-2")
    operator = someone("operator")
    page = operator.get("/admin/customers?id=customer-1").text
    assert "r-1" in page
    assert "r-2" in page
    assert "Sara Ahmed" not in page
    shown = operator.post("/admin/customers/show", page="/admin/customers?id=customer-1", id="customer-1").text
    assert "&#34;name&#34;: &#34;Sara Ahmed&#34;" in shown


def test_a_record_is_linked_where_its_address_is_known(admin_config, store, send, customer):
    from connector.web.app import create_app
    from tests.web.admin.conftest import Visitor

    settings = {"base_url": "https://crm.example.com", "api_key": "k"}
    espo = TargetConfig("crm", "espocrm", settings, "config.yaml", {})
    app = create_app(replace(admin_config, targets={"crm": espo}), store)
    send(person(customer))
    link(store, "crm", remote_id='a"/../b')
    viewer = Visitor(app)
    viewer.sign_in("viewer")
    page = viewer.get("/admin/customers?id=customer-1").text
    assert 'href="https://crm.example.com/#Contact/view/a%22%2F..%2Fb" rel="noreferrer noopener"' in page


def test_a_customer_of_whom_nothing_is_known_is_nowhere(someone):
    assert someone("viewer").get("/admin/customers?id=nobody").status_code == 404


def test_an_odd_id_is_found_and_stays_text(someone, send, customer):
    body = json.loads(customer)
    body["data"]["id"] = ODD
    send(json.dumps(body))
    viewer = someone("viewer")
    assert "/admin/customers?id=a/b?c%3D%3Cd%3E%26e" in viewer.get("/admin/deliveries").text
    page = viewer.get("/admin/customers", query_string={"id": ODD}).text
    assert "a/b?c=&lt;d&gt;&amp;e" in page


def test_it_pages_back_and_says_what_the_oldest_of_a_page_changed(someone, send, customer, store):
    first = person(customer)
    send(first)
    for n in range(2, 24):
        send(again(first, n, phone=f"5500000{n:02}"))
    viewer = someone("viewer")
    page = viewer.get("/admin/customers?id=customer-1").text
    assert page.count("It changed:") == 20
    assert "id=customer-1&amp;before=4" in page
    older = viewer.get("/admin/customers?id=customer-1&before=4").text
    assert older.count("It changed:") == 2
    assert "The first that is known" in older


def test_an_id_that_is_not_the_customers_but_an_xid_is_another_matter(someone, send, customer, store):
    send(person(customer))
    assert store.search.follow() == 1
    assert someone("viewer").get("/admin/customers?id=xid-1").status_code == 404


def test_the_customer_is_asked_for_by_an_index(store):
    plans = []

    def ask(connection):
        execute = connection.execute

        class Explaining:
            def execute(self, statement):
                text = str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
                plans.extend(row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text))
                return execute(statement)

        return Explaining()

    read = store.engine.read
    store.customers._engine = type("Engine", (), {"read": staticmethod(lambda f: read(lambda c: f(ask(c))))})
    store.customers.events("customer-1")
    assert not [step for step in plans if step.startswith("SCAN")]
    assert any("search_keys USING PRIMARY KEY (key=?" in step for step in plans)
    assert TAIL <= 20_000


def test_changes_are_told_of_what_can_be_read_only():
    old, new = b'{"data": {"a": 1, "b": {"c": [1]}}}', b'{"data": {"a": 2, "b": {"c": [1, 3]}}}'
    assert changes(old, new) == [("a", 1, 2), ("b.c[1]", None, 3)]
    for odd in (None, b"nonsense", b"[]", b'{"data": 3}', b"[" * 10_000):
        assert changes(odd, new) == []


def test_deliveries_are_filtered_by_day(someone, send, customer, store, clock):
    day = 86_400_000
    for n in (1, 2, 3):
        send(person(customer, n))
        clock.now += day
    settle(store, "held", number=2)
    from datetime import datetime

    dates = [datetime.fromtimestamp((1_800_000_000_000 + n * day) / 1000).astimezone().date() for n in range(3)]
    viewer = someone("viewer")

    def found(**query):
        page = viewer.get("/admin/deliveries", query_string=query).text
        return [n for n in (1, 2, 3) if f">d{n}<" in page]

    assert found(since=dates[1]) == [2, 3]
    assert found(until=dates[1]) == [1, 2]
    assert found(since=dates[1], until=dates[1]) == [2]
    assert found(since=dates[1], state="held") == [2]
    assert found(since=dates[2], state="held") == []
    assert found(since="nonsense", until="9999-12-31") == [1, 2, 3]
    store.search.follow()
    assert found(q="Sara", since=dates[1], until=dates[1]) == [2]

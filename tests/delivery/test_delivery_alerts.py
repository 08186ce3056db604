import json
import threading

import pytest
import requests
import responses
import structlog

from connector.delivery.alerts import Alerts, poster

URL = "https://alerts.example.com/hook"


def test_an_alert_is_one_text():
    with responses.RequestsMock() as vendor:
        vendor.post(URL, status=200)
        poster(URL)("crm is held")
        assert json.loads(vendor.calls[0].request.body) == {"text": "crm is held"}


@pytest.mark.parametrize("answer", [{"status": 500}, {"body": requests.ConnectionError("token in here")}])
def test_a_broken_alert_address_stops_nothing_and_is_not_quoted(answer):
    with responses.RequestsMock() as vendor, structlog.testing.capture_logs() as said:
        vendor.post(URL, **answer)
        poster(URL)("crm is held")
    assert "alert address" in str(said)
    assert "token in here" not in str(said)


def test_lines_are_gathered_and_counted():
    sent, first = [], threading.Event()

    def post(text):
        sent.append(text)
        first.set()

    alerts = Alerts(post, every=60)
    alerts.say("one")
    assert first.wait(5)
    for _ in range(3):
        alerts.say("crm: a delivery failed")
    alerts.say("crm is held")
    alerts.close()
    assert sent == ["one", "crm: a delivery failed (3 times)\ncrm is held"]


def test_without_an_address_nothing_is_gathered():
    alerts = Alerts(None)
    alerts.say("one")
    alerts.close()
    assert not alerts._lines

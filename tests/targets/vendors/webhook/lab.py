"""A receiver of Standard Webhooks: it verifies with the reference library, and takes each webhook-id once."""

import json

from standardwebhooks import Webhook, WebhookVerificationError

from tests.targets.lab import BASE, Lab, maker
from tests.targets.stub_vendor import Vendor

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"
ADDRESS = "/hooks/catch/123456/abcde7"


class Receiver(Vendor):
    "Keeps the last record of each customer."

    def __init__(self):
        super().__init__()
        self.seen, self.raw = set(), []

    def answer(self, method, url, headers, body):
        self.raw.append((dict(headers), body))
        return super().answer(method, url, headers, body)

    def work(self, _request):
        headers, body = self.raw[-1]
        try:
            told = Webhook(SECRET).verify(body, headers)
        except WebhookVerificationError as wrong:
            return 401, {"error": str(wrong)}
        if headers["webhook-id"] not in self.seen:
            self.seen.add(headers["webhook-id"])
            data = json.loads(body)["data"]
            assert data == told["data"]
            self.contacts[data["customer"]] = data["record"]
        return 200, {"received": True}


def settings(base_url=BASE, **more):
    return {"url": base_url + ADDRESS, "secret": SECRET, "timeout": "700ms", "uncertain_wait": "7s", **more}


def lab(**more):
    slept = []
    make = maker("webhook", lambda base: settings(base, allow_private=True, **more), slept)
    can = frozenset({"http", "customer", "once", "blind"})
    return Lab(
        "webhook",
        Receiver(),
        make,
        slept,
        words={w: w for w in ("name", "phone", "email", "tax_number")} | {"customer": "external_id"},
        rungs=(),
        spelled=(),
        can=can,
        refusals=lambda said: [(status, {"message": said}) for status in (400, 409, 422)],
        secrets=(SECRET, "123456", "abcde7"),
    )

"""Qoyod, as the vendor's page of facts says."""

import re

from connector.targets.base import Around
from connector.targets.vendors.qoyod import KIND, Qoyod
from tests.targets.lab import BASE, KEY, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor


class QoyodVendor(Vendor):
    "A list without rows is a 404; filters by q[field_eq]; the key in API-KEY."

    def work(self, request):
        if request.headers.get("API-KEY") != KEY:
            return 401, {"error": {"message": "Invalid API key", "code": 401}, "status": "error"}
        if request.method == "GET" and request.path == "/customers":
            rows = self.page(self.chosen(request.query), request.query)
            return (200, {"customers": rows}) if rows else (404, None)
        if request.method == "POST":
            number = self.seed(**request.payload["contact"])
            return 201, {"contact": self.contacts[int(number)]}
        number = request.path.rsplit("/", 1)[1]
        if not number.isdecimal() or int(number) not in self.contacts:
            return 404, {"error": {"message": "Resource not found", "code": 404}, "status": "error"}
        if request.method == "PUT":
            self.contacts[int(number)] |= request.payload["contact"]
        return 200, {"contact": self.contacts[int(number)]}

    def chosen(self, query):
        wanted = {m[1]: v for k, v in query.items() if (m := re.fullmatch(r"q\[(\w+)_eq\]", k))}
        rows = list(self.contacts.values())
        if self.ignores_filter:
            return rows
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def settings(base_url=BASE, **more):
    return {"base_url": base_url, "api_key": KEY, "timeout": "700ms", "uncertain_wait": "7s", **more}


def lab(**more):
    slept = []
    make = lambda base: Qoyod(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    words = {"name": "name", "phone": "phone_number", "email": "email", "tax_number": "tax_number"}
    return Lab(
        "qoyod",
        QoyodVendor(),
        make,
        slept,
        words=words,
        secrets=(KEY,),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "ignores", "pages"}),
    )

"""Wafeq, as the vendor's page of facts says: Django's ways, an idempotency key, a keyword search."""

import hashlib
import re
import uuid

from tests.targets.lab import BASE, SPELLED, Lab, maker
from tests.targets.stub_vendor import Vendor

KEY = "wafeq-key-0123456789"
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class WafeqVendor(Vendor):
    "Every path ends with a slash; ids are texts; external_id is a filter, all else a keyword."

    def __init__(self):
        super().__init__()
        self.replays = {}

    def seed(self, **contact):
        number = f"cnt_{len(self.contacts) + 1}"
        self.contacts[number] = {"id": number, **contact}
        return number

    def work(self, request):
        if request.headers.get("Authorization") != f"Api-Key {KEY}":
            return 401, {"detail": "Invalid API key."}
        if not request.path.endswith("/"):
            return 404, {"detail": "Not found."}
        if request.path != "/contacts/":
            return self.one(request, request.path.split("/")[2])
        return self.listed(request.query) if request.method == "GET" else self.made(request)

    def listed(self, query):
        rows = list(self.contacts.values())
        if not self.ignores_filter:
            wanted, word = query.get("external_id"), query.get("keyword", "").casefold()
            rows = [row for row in rows if wanted in (None, row.get("external_id"))]
            rows = [row for row in rows if word in " ".join(map(str, row.values())).casefold()]
        page, size = int(query.get("page", 1)), int(query.get("page_size", 20))
        more = self.ignores_paging or len(rows) > page * size
        here = rows if self.ignores_paging else rows[(page - 1) * size : page * size]
        following = f"https://vendor.example.com/api/contacts/?page={page + 1}" if more else None
        return 200, {"count": len(rows), "next": following, "previous": None, "results": here}

    def made(self, request):
        key = request.headers.get("X-Wafeq-Idempotency-Key", "")
        if not UUID4.fullmatch(key):
            return 400, {"detail": "X-Wafeq-Idempotency-Key must be a UUID v4."}
        if key in self.replays:
            return 201, self.replays[key], {"X-Wafeq-Idempotent-Replayed": "true"}
        if wrong := self.wrong(request.payload):
            return 400, {name: [said] for name, said in wrong}
        if not request.payload.get("name"):
            return 400, {"name": ["This field is required."]}
        self.replays[key] = self.contacts[self.seed(**request.payload)]
        return 201, self.replays[key]

    def one(self, request, number):
        if number not in self.contacts:
            return 404, {"detail": "Not found."}
        if request.method == "PATCH" and (wrong := self.wrong(request.payload)):
            return 400, {name: [said] for name, said in wrong}
        if request.method == "PATCH":
            self.contacts[number] |= request.payload
        return 200, self.contacts[number]


def settings(base_url=BASE, **more):
    return {"base_url": base_url, "api_key": KEY, "timeout": "700ms", "uncertain_wait": "7s", "pace": "1000/1s", **more}


def lab(**more):
    slept = []
    make = maker("wafeq", lambda base: settings(base, allow_private=True, **more), slept)
    words = {w: w for w in ("name", "phone", "email")}
    return Lab(
        "wafeq",
        WafeqVendor(),
        make,
        slept,
        words=words | {"tax_number": "tax_registration_number", "customer": "external_id"},
        rungs=("phone", "email"),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "ignores", "customer", "once", "soft", "signed"}),
        refusals=lambda said: [(400, {"name": [said]}), (400, {"detail": said})],
        secrets=(KEY,),
        keys=lambda customer: str(uuid.UUID(bytes=hashlib.sha256(customer.encode()).digest()[:16], version=4)),
    )

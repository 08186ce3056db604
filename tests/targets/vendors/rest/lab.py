"""A system with a JSON API, described in config.yaml: /contacts, with everything a vendor should have."""

from connector.targets.base import Around
from connector.targets.rest import KIND, Rest
from tests.targets.lab import BASE, TOKEN, Lab, clock
from tests.targets.stub_vendor import Vendor


class RestVendor(Vendor):
    "GET /contacts?field=value, GET /contacts/7, POST /contacts {contact}, PUT /contacts/7 {contact}."

    def work(self, request):
        if request.method == "GET" and request.path == "/contacts":
            rows = list(self.contacts.values())
            if not self.ignores_filter:
                rows = [row for row in rows if all(str(row.get(k)) == v for k, v in request.query.items())]
            return (404, {"error": "nobody"}) if self.empty_404 and not rows else (200, {"items": rows})
        if request.method == "POST":
            key = request.headers.get("Idempotency-Key")
            known = next((row for row in self.contacts.values() if key and row.get("key") == key), None)
            number = known["id"] if known else len(self.contacts) + 1
            self.contacts[number] = request.payload["contact"] | {"id": number} | ({"key": key} if key else {})
            return 201, {"contact": self.contacts[number]}
        number = int(request.path.rsplit("/", 1)[1])
        if number not in self.contacts:
            return 404, {"error": "no such contact"}
        if request.method != "GET":
            self.contacts[number] |= request.payload["contact"]
        return 200, {"contact": self.contacts[number]}


def rung(field, blank):
    text = "{{ " + blank + " }}"
    return {"path": "/contacts", "query": {field: text}, "records": "items", "match": {field: text}, "id": "id"}


def settings(base_url=BASE, **more):
    return {
        "base_url": base_url,
        "auth": {"bearer": TOKEN},
        "timeout": "700ms",
        "uncertain_wait": "7s",
        "find": [rung("external_id", "customer"), *(rung(f, f"record.{f}") for f in ("tax_number", "phone", "email"))],
        "fetch": {"path": "/contacts/{{ remote_id }}", "record": "contact"},
        "create": {"path": "/contacts", "envelope": "contact", "id": "contact.id", "record": "contact"},
        "update": {"path": "/contacts/{{ remote_id }}", "envelope": "contact", "record": "contact"},
        **more,
    }


def lab(**more):
    slept = []
    make = lambda base: Rest(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    words = {w: w for w in ("name", "phone", "email", "tax_number")} | {"customer": "external_id"}
    can = frozenset({"http", "fetch", "ignores", "customer"})
    return Lab("rest", RestVendor(), make, slept, words=words, can=can, secrets=(TOKEN,))

"""Freshsales, as the vendor's page of facts and working clients say: an upsert by the external id, short rows in look-ups."""

from connector.mapping.paths import nest, place
from tests.targets.lab import BASE, SPELLED, Lab, maker
from tests.targets.stub_vendor import Vendor

KEY = "freshsales-key-0123456789"
FIELDS = (
    "first_name",
    "last_name",
    "mobile_number",
    "address",
    "city",
    "zipcode",
    "country",
    "cf_tax_number",
    "cf_crn",
)


def wrong(status, *said):
    return status, {"errors": {"code": status, "message": list(said)}}


def emails(contact):
    return {item["value"].casefold() for item in contact.get("emails", ())}


class FreshsalesVendor(Vendor):
    "GET /lookup, GET and PUT /contacts/7, POST /contacts/upsert; an e-mail and a mobile number belong to one contact."

    def seed(self, **contact):
        return super().seed(**nest((place(field), value) for field, value in contact.items()))

    def work(self, request):
        if request.headers.get("Authorization") != f"Token token={KEY}":
            return wrong(401, "You are not authorized")
        if request.path == "/lookup":
            return self.looked_up(request.query)
        if request.path == "/settings/contacts/fields":
            return 200, {"fields": [{"name": name, "label": name} for name in FIELDS]}
        if request.path == "/contacts/upsert":
            return self.upserted(request.payload)
        number = request.path.rsplit("/", 1)[1]
        if not number.isdecimal() or int(number) not in self.contacts:
            return wrong(404, "Record not found")
        if request.method == "PUT":
            return self.changed(int(number), request.payload["contact"], 200)
        return 200, {"contact": self.contacts[int(number)]}

    def looked_up(self, query):
        wanted = query["q"].casefold()
        rows = [row for row in self.contacts.values() if self.ignores_filter or wanted in self.values(row, query["f"])]
        short = [{"id": row["id"], "partial": True} for row in rows]
        return 200, {"contacts": {"contacts": short, "meta": {"total": len(short)}}}

    def values(self, row, field):
        return emails(row) if field == "email" else {str(row.get(field, "")).casefold()}

    def upserted(self, payload):
        wanted = payload["unique_identifier"]["external_id"]
        known = next((n for n, row in self.contacts.items() if row.get("external_id") == wanted), None)
        if known is not None:
            return self.changed(known, payload["contact"], 200)
        return self.changed(len(self.contacts) + 1, {**payload["contact"], "external_id": wanted}, 201)

    def changed(self, number, contact, status):
        others = [row for other, row in self.contacts.items() if other != number]
        if any(emails(contact) & emails(row) for row in others):
            return wrong(400, "Email is not unique")
        if "mobile_number" in contact and any(row.get("mobile_number") == contact["mobile_number"] for row in others):
            return wrong(400, "MobileNumber is not unique")
        self.contacts[number] = {"id": number, **self.contacts.get(number, {}), **contact}
        return status, {"contact": self.contacts[number]}


def settings(base_url=BASE, **more):
    account = {"base_url": base_url, "subdomain": "acme", "api_key": KEY}
    return account | {"timeout": "700ms", "uncertain_wait": "7s", "pace": "1000/1s", **more}


def lab(**more):
    slept = []
    make = maker("freshsales", lambda base: settings(base, allow_private=True, **more), slept)
    words = {"name": "last_name", "phone": "mobile_number", "email": "emails[0].value", "customer": "external_id"}
    return Lab(
        "freshsales",
        FreshsalesVendor(),
        make,
        slept,
        words=words | {"tax_number": "custom_field.cf_tax_number"},
        rungs=("email", "phone"),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "ignores", "customer", "once", "unique", "signed"}),
        refusals=lambda said: [wrong(400, said)],
        secrets=(KEY,),
    )

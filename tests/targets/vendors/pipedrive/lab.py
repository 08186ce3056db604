"""Pipedrive, as its v2 specification says: keys of 40 characters for custom fields, searches with short rows."""

import hashlib

from connector.mapping.paths import nest, place
from tests.targets.lab import BASE, SPELLED, Lab, maker
from tests.targets.stub_vendor import Vendor

TOKEN = "pipedrive-token-0123456789"
CUSTOM = ("Flavours ID", "Tax number", "CRN", "Address")
FLAVOURS = "custom_fields.Flavours ID"


def code_of(name):
    "A company's own key for a field."
    return hashlib.sha1(name.encode()).hexdigest()


def wrong(status, said):
    return status, {"success": False, "error": said, "error_info": "Please check developers.pipedrive.com"}


class PipedriveVendor(Vendor):
    "GET and POST /personFields, GET /persons/search, POST /persons, GET and PATCH /persons/7."

    def __init__(self):
        super().__init__()
        self.custom = {name: code_of(name) for name in CUSTOM}

    def purposes(self, request):
        return {"fields"} if request.path == "/personFields" else super().purposes(request)

    def seed(self, **contact):
        record = nest((place(field), value) for field, value in contact.items())
        custom = {self.custom[name]: value for name, value in record.pop("custom_fields", {}).items()}
        return super().seed(**record, custom_fields=custom)

    def said_in_words(self, contact, words):
        names = {code: name for name, code in self.custom.items()}
        custom = {names[code]: value for code, value in contact["custom_fields"].items()}
        return super().said_in_words(contact | {"custom_fields": custom}, words)

    def work(self, request):
        if request.headers.get("x-api-token") != TOKEN:
            return wrong(401, "unauthorized access")
        if request.path == "/personFields":
            return self.person_fields(request)
        if request.path == "/persons/search":
            return 200, {"success": True, "data": {"items": self.searched(request.query)}, "additional_data": {}}
        if request.path == "/persons":
            return self.written(len(self.contacts) + 1, request.payload)
        number = request.path.rsplit("/", 1)[1]
        if not number.isdecimal() or int(number) not in self.contacts:
            return wrong(404, "Person not found")
        return self.written(int(number), request.payload or {})

    def person_fields(self, request):
        if request.method == "POST":
            self.custom[request.payload["field_name"]] = code_of(request.payload["field_name"])
            return 200, {"success": True, "data": {"field_name": request.payload["field_name"]}}
        known = {"Name": "name", "Email": "emails", "Phone": "phones"} | self.custom
        rows = [{"field_name": name, "field_code": code, "field_type": "varchar"} for name, code in known.items()]
        start = int(request.query.get("cursor", 0))  # pages of three, so that there are several
        following = str(start + 3) if len(rows) > start + 3 else None
        return 200, {
            "success": True,
            "data": rows[start : start + 3],
            "additional_data": {"next_cursor": following},
        }

    def searched(self, query):
        term, exact = query["term"].casefold(), query["exact_match"] == "true"
        rows = [self.short(row) for row in self.contacts.values()]
        field = {"email": "emails", "phone": "phones"}.get(query["fields"], query["fields"])
        hits = [row for row in rows if self.ignores_filter or self.has(row[field], term, exact)]
        return [{"result_score": 0.9, "item": row} for row in hits]

    def has(self, values, term, exact):
        return any(term == value.casefold() if exact else term in value.casefold() for value in values)

    def short(self, row):
        listed = {name: [item["value"] for item in row.get(name, ())] for name in ("emails", "phones")}
        custom = [str(value) for value in row["custom_fields"].values()]
        return {"id": row["id"], "type": "person", "name": row.get("name"), "custom_fields": custom, **listed}

    def written(self, number, payload):
        before = self.contacts.get(number, {"id": number, "custom_fields": {}})
        unknown = payload.get("custom_fields", {}).keys() - self.custom.values()
        if unknown:
            return wrong(400, f"Validation failed: custom_fields.{unknown.pop()} is unknown")
        custom = before["custom_fields"] | payload.get("custom_fields", {})
        self.contacts[number] = before | payload | {"custom_fields": custom}
        return 200, {"success": True, "data": self.contacts[number]}


def settings(base_url=BASE, **more):
    return {"base_url": base_url, "token": TOKEN, "timeout": "700ms", "uncertain_wait": "7s", "pace": "1000/1s", **more}


def lab(**more):
    slept = []
    make = maker("pipedrive", lambda base: settings(base, allow_private=True, **more), slept)
    words = {"name": "name", "phone": "phones[0].value", "email": "emails[0].value", "customer": FLAVOURS}
    return Lab(
        "pipedrive",
        PipedriveVendor(),
        make,
        slept,
        words=words | {"tax_number": "custom_fields.Tax number"},
        rungs=("email", "phone"),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "ignores", "customer", "signed", "pack"}),
        refusals=lambda said: [wrong(400, said), wrong(422, said)],
        secrets=(TOKEN,),
    )

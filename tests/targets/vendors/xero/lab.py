"""Xero, as its OpenAPI description says: PUT makes, POST updates or overwrites by name, an answer for each contact."""

import json
import re

from connector.mapping.fold import fold
from connector.mapping.paths import nest, place
from connector.targets import records
from connector.targets.base import Around
from connector.targets.vendors.xero import KIND, Xero
from tests.targets.lab import BASE, Fixed, Lab, clock
from tests.targets.stub_vendor import Vendor

XERO_TOKEN = "eyJhbGciOiJSUzI1NiJ9.xero-access-token-0123456789"
SECRET = "xero-client-secret-0123456789"
TENANT = "fe79f7dd-b6d4-4a92-ba7b-538af6289c58"
PHONE = "Phones[0].PhoneNumber"
SLOTS = {
    "Phones": ("PhoneType", ("DEFAULT", "DDI", "FAX", "MOBILE"), ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")),
    "Addresses": ("AddressType", ("POBOX", "STREET"), ("City", "Region", "PostalCode", "Country")),
}
TERM = re.compile(r'(\w+)=="((?:[^"\\]|\\.)*)"')


def guid(number):
    return f"5cc8cf28-567e-4d43-b287-{number:012d}"


def problem(status, title, detail):
    return status, {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": guid(0), "Extensions": {}}  # fmt: skip


def invalid(*elements):
    return 400, {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred", "Elements": list(elements)}  # fmt: skip


def complaint(message):
    return {"HasValidationErrors": True, "ValidationErrors": [{"Message": message}]}


class XeroVendor(Vendor):
    "GET, PUT and POST /Contacts; GET /connections."

    def __init__(self):
        super().__init__()
        self.hides = False
        self.tenants = [{"id": guid(1), "tenantId": TENANT, "tenantName": "Demo Company", "tenantType": "ORGANISATION"}]
        self.keys = {}

    def purposes(self, request):
        if request.path == "/connections":
            return set()
        return {"GET": {"find"}, "PUT": {"create"}}.get(request.method, {"update"})

    def said_in_words(self, contact, words):
        said = super().said_in_words(contact, words)
        mobile = next((one for one in contact["Phones"] if one["PhoneType"] == "MOBILE"), {})
        return said | {"phone": mobile.get("PhoneNumber") or None, "email": contact.get("EmailAddress")}

    def seed(self, **given):
        fields = nest((place(name), value) for name, value in given.items())
        for phone in fields.get("Phones", ()):
            phone.setdefault("PhoneType", "MOBILE")
        return self.put(fields)["ContactID"]

    def put(self, fields):
        number = guid(len(self.contacts) + 2)
        there = {"id": number, "ContactID": number, "ContactStatus": "ACTIVE", "IsCustomer": False}
        self.contacts[number] = there
        return self.change(there, fields)

    def change(self, there, fields):
        there |= {name: value for name, value in fields.items() if name not in SLOTS}
        for name, (key, kinds, parts) in SLOTS.items():
            mine = {one[key]: one for one in (*there.get(name, ()), *fields.get(name, ()))}
            there[name] = [{key: kind} | dict.fromkeys(parts, "") | mine.get(kind, {}) for kind in kinds]
        return there

    def work(self, request):
        if request.headers.get("Authorization") != f"Bearer {XERO_TOKEN}":
            return problem(401, "Unauthorized", "TokenExpired: token expired at 11/23/2026 10:00:00")
        if request.path == "/connections":
            return 200, self.tenants
        if request.headers.get("xero-tenant-id") != TENANT:
            return problem(403, "Forbidden", "AuthenticationUnsuccessful")
        if request.method == "GET":
            return self.listed(request.query)
        key, body = request.headers["Idempotency-Key"], json.dumps([request.method, request.payload])
        if key in self.keys and self.keys[key][0] != body:
            return 400, {"ErrorNumber": 16, "Type": "ValidationException", "Message": f"Idempotency Key {key} is used with a different request."}  # fmt: skip
        if key not in self.keys:
            self.keys[key] = body, self.written(request)
        return self.keys[key][1]

    def listed(self, query):
        rows = [
            row for row in self.contacts.values() if query.get("includeArchived") or row["ContactStatus"] == "ACTIVE"
        ]
        if "IDs" in query:
            rows = [row for row in rows if row["ContactID"] in query["IDs"].split(",")]
        if "searchTerm" in query:
            wanted = query["searchTerm"].casefold()
            rows = [row for row in rows if wanted in row.get("Name", "").casefold()]
        if "where" in query:
            terms = [(name, re.sub(r"\\(.)", r"\1", text)) for name, text in TERM.findall(query["where"])]
            hidden = self.hides and {name for name, _ in terms} != {"Name"}
            rows = [row for row in rows if not hidden and any(self.has(row, *term) for term in terms)]
        size = int(query.get("pageSize", 100))
        return 200, {"Id": guid(1), "Status": "OK", "Contacts": [self.shown(row) for row in rows[:size]]}

    def has(self, row, name, text):
        there = str(row.get(name, ""))  # whether case matters in a name is not documented: the worse is supposed
        return there == text if name == "Name" else there.casefold() == text.casefold()

    def shown(self, row):
        return {name: value for name, value in row.items() if name != "id"} | {"HasValidationErrors": False}

    def written(self, request):
        elements = request.payload["Contacts"]
        wrong = [element | bad for element in elements if (bad := self.against(element, request.method))]
        if wrong and (self.whole or request.query.get("summarizeErrors") != "false"):
            return invalid(*wrong)
        return 200, {"Id": guid(1), "Status": "OK", "Contacts": [self.done(one, request.method) for one in elements]}

    def done(self, element, method):
        if bad := self.against(element, method):  # once more: a neighbour may have taken the name
            return element | bad | {"StatusAttributeString": "ERROR"}
        there = self.there(element) if method == "POST" else None
        row = self.change(there, element) if there else self.put(element)
        return self.shown(row) | {"StatusAttributeString": "OK"}

    def there(self, element):
        if "ContactID" in element:
            return self.contacts.get(element["ContactID"])
        return self.taken("Name", element, None)  # the trap: POST without an id writes over whoever has the name

    def taken(self, name, element, there):
        others = [row for row in self.contacts.values() if row is not there and row["ContactStatus"] == "ACTIVE"]
        return next(
            (row for row in others if element.get(name) and fold(row.get(name, "")) == fold(element[name])), None
        )

    def against(self, element, method):
        there = self.there(element) if method == "POST" else None
        if method == "POST" and "ContactID" in element and there is None:
            return complaint("The Contact could not be found")
        for name, said in self.wrong(element):
            if name == PHONE:
                phones = [phone | {"ValidationErrors": [{"Message": said}]} for phone in element["Phones"]]
                return {"HasValidationErrors": True, "ValidationErrors": [], "Phones": phones}
            return complaint(said)
        if self.taken("Name", element, there):
            return complaint(f"The contact name {element['Name']} is already assigned to another contact. The contact name must be unique across all active contacts.")  # fmt: skip
        if self.taken("ContactNumber", element, there):  # the words are not documented, that it is refused is
            return complaint(f"The Contact Number {element['ContactNumber']} is already assigned to another contact.")
        return None

    def wrong(self, fields):
        return super().wrong({name: records.look(fields, name) for name, _, _ in self.bad})


def settings(base_url=BASE, **more):
    client = {
        "client_id": "XERO-CLIENT-0123456789",
        "client_secret": SECRET,
        "refresh_token": "xero-refresh-0123456789",
    }
    ours = {"base_url": base_url, "oauth2": client, "tenant_id": TENANT, "timeout": "700ms", "pace": "9000/1s"}
    return {name: value for name, value in (ours | more).items() if value is not None}


def refusals(said):
    element = {"ContactNumber": "c1", "StatusAttributeString": "ERROR"} | complaint(said)
    return [
        invalid(complaint(said)),
        (200, {"Id": guid(1), "Status": "OK", "Contacts": [element]}),
        (400, {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": said}),
    ]


def lab(**more):
    slept = []

    def make(base):
        said = KIND.schema.load(settings(base, allow_private=True, **more))
        return Xero(said, Around(clock(slept)), Fixed(XERO_TOKEN))

    return Lab(
        "xero",
        XeroVendor(),
        make,
        slept,
        words={
            "name": "Name",
            "phone": PHONE,
            "email": "EmailAddress",
            "tax_number": "TaxNumber",
            "customer": "ContactNumber",
        },
        rungs=("email",),
        beside=("phone",),
        spelled=(),
        can=frozenset({"http", "fetch", "customer", "once", "names", "batch", "soft", "signed"}),
        fixed={"Phones[0].PhoneType": "MOBILE"},
        refusals=refusals,
        secrets=(XERO_TOKEN, SECRET),
        nobody=guid(99),
    )

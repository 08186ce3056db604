"""ERPNext, as Frappe's and its own source say: filters in JSON, 417 for what is not valid, "Name - 1" for a name again."""

import json

from tests.targets.lab import BASE, SPELLED, Lab, maker
from tests.targets.stub_vendor import Vendor

KEY, SECRET = "erpnext-key-01234", "erpnext-secret-56789"
FIELDS = ["customer_name", "customer_type", "tax_id", "mobile_no", "email_id", "custom_flavours_id", "custom_crn"]
ADDRESS = {"address_line1", "address_line2", "city", "pincode", "country"}
CUSTOMERS = "/api/resource/Customer"


def wrong(status, kind, said):
    messages = json.dumps([json.dumps({"message": said, "indicator": "red"})])
    trace = json.dumps(["Traceback (most recent call last):\n  File ...\n"])
    return status, {
        "exception": f"frappe.exceptions.{kind}: {said}",
        "exc_type": kind,
        "exc": trace,
        "_server_messages": messages,
    }


class ErpnextVendor(Vendor):
    "GET, POST /api/resource/Customer; GET, PUT /api/resource/Customer/NAME; the address is kept elsewhere."

    def __init__(self):
        super().__init__()
        self.fields, self.addresses = list(FIELDS), []

    def seed(self, **contact):
        given = contact.get("customer_name", "Nobody")
        taken = sum(1 for row in self.contacts.values() if row["customer_name"] == given)
        name = f"{given} - {taken}" if taken else given
        self.contacts[name] = {"name": name, "customer_name": given, **contact}
        return name

    def work(self, request):
        if request.headers.get("Authorization") != f"token {KEY}:{SECRET}":
            return wrong(401, "AuthenticationError", "Invalid API key")
        if request.path == "/api/method/frappe.desk.form.load.getdoctype":
            return 200, {"docs": [{"name": "Customer", "fields": [{"fieldname": name} for name in self.fields]}]}
        if request.path == CUSTOMERS:
            return self.listed(request.query) if request.method == "GET" else self.made(request.payload)
        name = request.path.removeprefix(f"{CUSTOMERS}/")
        if name not in self.contacts:
            return wrong(404, "DoesNotExistError", f"Customer {name} not found")
        if request.method == "PUT" and (refusal := self.refusal(request.payload)):
            return refusal
        if request.method == "PUT":
            self.contacts[name] |= self.kept(request.payload)
        return 200, {"data": self.contacts[name]}

    def listed(self, query):
        ((field, _, value),) = json.loads(query["filters"])
        if field not in self.fields:
            return wrong(417, "DataError", f"Field not permitted in query: {field}")
        rows = [row for row in self.contacts.values() if self.ignores_filter or row.get(field) == value]
        return 200, {"data": rows if json.loads(query["fields"]) == ["*"] else [{"name": row["name"]} for row in rows]}

    def made(self, payload):
        wanted = payload.get("custom_flavours_id")
        if any(wanted and row.get("custom_flavours_id") == wanted for row in self.contacts.values()):
            return wrong(409, "DuplicateEntryError", "Duplicate entry for key custom_flavours_id")
        if refusal := self.refusal(payload):
            return refusal
        address = {name: value for name, value in payload.items() if name in ADDRESS}
        if address and not {"city", "country"} <= address.keys():
            return wrong(417, "ValidationError", "City and Country are mandatory")
        self.addresses.append(address)
        return 200, {"data": self.contacts[self.seed(**self.kept(payload))]}

    def refusal(self, payload):
        kinds = {"mobile_no": "InvalidPhoneNumberError", "email_id": "InvalidEmailAddressError"}
        return next((wrong(417, kinds.get(name, "ValidationError"), said) for name, said in self.wrong(payload)), None)

    def kept(self, payload):
        "What it does not know it ignores without a word."
        return {name: value for name, value in payload.items() if name in self.fields}


def settings(base_url=BASE, **more):
    account = {"base_url": base_url, "api_key": KEY, "api_secret": SECRET}
    return account | {"timeout": "700ms", "uncertain_wait": "7s", "pace": "1000/1s", **more}


def lab(**more):
    slept = []
    make = maker("erpnext", lambda base: settings(base, allow_private=True, **more), slept)
    words = {"name": "customer_name", "phone": "mobile_no", "email": "email_id", "tax_number": "tax_id"}
    return Lab(
        "erpnext",
        ErpnextVendor(),
        make,
        slept,
        words=words | {"customer": "custom_flavours_id"},
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "ignores", "customer", "soft", "signed"}),
        refusals=lambda said: [wrong(417, "ValidationError", said), wrong(417, "LinkValidationError", said)],
        secrets=(KEY, SECRET),
        nobody="Nobody Here",
    )

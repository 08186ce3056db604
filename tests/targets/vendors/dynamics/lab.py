"""Dataverse, as its documents say: PATCH to an alternate key makes or updates, answers carry the contact when asked to."""

import re

from connector.targets.base import Around
from connector.targets.vendors.dynamics import KIND, Dynamics
from tests.targets.lab import BASE, SPELLED, Fixed, Lab, clock, shipped
from tests.targets.stub_vendor import Vendor

D365_TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGci.dynamics-access-token-0123456789"
SECRET = "dynamics~client~secret~0123456789"
KEY = "new_flavoursid"
API = "/api/data/v9.2"
ENTITY = "/EntityDefinitions(LogicalName='contact')"
TERM = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
BY_KEY = re.compile(r"/contacts\((\w+)='((?:[^']|'')*)'\)")
BY_ID = re.compile(r"/contacts\(([0-9a-f-]{36})\)")
COLUMNS = {"contactid", "fullname", "firstname", "lastname", "emailaddress1", "mobilephone"} | {
    rule.target for rule in shipped("dynamics").fields
}


def guid(number):
    return f"00aa00aa-bb11-cc22-dd33-{number:012d}"


def error(status, code, message):
    return status, {"error": {"code": code, "message": message}}


def no_key(name):
    return error(400, "0x80060888", f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.contact': {name}. Ensure the names and number of key properties match the declared key properties.")  # fmt: skip


class DataverseVendor(Vendor):
    "GET /contacts, GET and PATCH /contacts(…), and the definitions of the table contact."

    def __init__(self):
        super().__init__()
        self.columns = set(COLUMNS)
        self.keys = [{"SchemaName": "new_flavoursid_key", "KeyAttributes": [KEY], "EntityKeyIndexStatus": "Active"}]
        self.may_customize, self.names_the_other = True, True

    def purposes(self, request):
        if "EntityDefinitions" in request.path:
            return {"find"} if request.method == "GET" else set()
        if request.method == "GET":
            return {"find"}
        return {"create"} if BY_KEY.search(request.path) else {"update"}

    def seed(self, **given):
        return self.put(given)["contactid"]

    def put(self, fields):
        number = guid(len(self.contacts) + 1)
        self.contacts[number] = {"id": number, "contactid": number} | fields
        return self.contacts[number]

    def work(self, request):
        if request.headers.get("Authorization") != f"Bearer {D365_TOKEN}":
            return 401, None
        if not request.path.startswith(API):
            return error(404, "0x80060888", f"Resource not found for the segment '{request.path.split('/')[1]}'.")
        path = request.path.removeprefix(API)
        if path.startswith(ENTITY):
            return self.definition(path.removeprefix(ENTITY), request)
        wrong = [name for name in request.query["$select"].split(",") if name not in self.columns]
        if wrong:
            return error(400, "0x80060888", f"Could not find a property named '{wrong[0]}' on type 'Microsoft.Dynamics.CRM.contact'.")  # fmt: skip
        if path == "/contacts":
            return self.filtered(request.query)
        by_key = BY_KEY.fullmatch(path)
        if by_key and [by_key[1]] not in [one["KeyAttributes"] for one in self.keys]:
            return no_key(by_key[1])
        there = self.keyed(by_key) if by_key else self.contacts.get(BY_ID.fullmatch(path)[1])
        if request.method == "GET":
            return (200, self.shown(there, request)) if there else self.nobody(by_key)
        return self.patched(request, there, by_key)

    def definition(self, part, request):
        if request.method == "GET":
            named = [{"LogicalName": name} for name in sorted(self.columns)]
            return 200, {"value": named if part == "/Attributes" else self.keys}
        if not self.may_customize:
            return error(403, "0x80040220", "Principal user is missing prvCreateAttribute privilege")
        if part == "/Attributes":
            self.columns.add(request.payload["SchemaName"].lower())
        else:
            self.keys.append(request.payload | {"EntityKeyIndexStatus": "Pending"})
        return 204, None

    def filtered(self, query):
        terms = [(name, value.replace("''", "'").casefold()) for name, value in TERM.findall(query["$filter"])]
        rows = [row for row in self.contacts.values() if any((row.get(n) or "").casefold() == v for n, v in terms)]
        return 200, {"value": [self.projected(row, query) for row in rows]}

    def keyed(self, by_key):
        value = by_key[2].replace("''", "'").casefold()
        return next((row for row in self.contacts.values() if (row.get(by_key[1]) or "").casefold() == value), None)

    def nobody(self, by_key):
        if by_key:
            return error(404, "0x80060891", "A record with the specified key values does not exist in contact entity")
        return error(404, "0x80040217", "Entity 'contact' With Id = 00aa00aa Does Not Exist")

    def projected(self, row, query):
        return {"@odata.etag": 'W/"1"'} | {name: row.get(name) for name in query["$select"].split(",")}

    def shown(self, row, request):
        return self.projected(row, request.query)

    def patched(self, request, there, by_key):
        if there is None and request.headers.get("If-Match") == "*":
            return self.nobody(None)
        if by_key and by_key[1] in request.payload:
            return error(400, "0x80040216", "The key column must not be in the body")
        for name, said in self.wrong(request.payload):
            return error(400, "0x80044331", f"A validation error occurred. The '{name}' attribute of the 'contact' entity: {said}")  # fmt: skip
        wanted = request.payload | ({by_key[1]: by_key[2].replace("''", "'")} if by_key else {})
        if other := self.holder(wanted, there):
            holder = (
                f" <DuplicateEntities><Id>{other['contactid']}</Id></DuplicateEntities>" if self.names_the_other else ""
            )
            return error(
                412, "0x80060892", f"Entity Key violated. A record with the same value already exists.{holder}"
            )
        status = 200 if there else 201
        there = there or self.put({})
        there |= wanted
        return (status, self.shown(there, request)) if "Prefer" in request.headers else (204, None)

    def holder(self, wanted, there):
        "The contact that has a value which a key lets only one have."
        own = [name for key in self.keys for name in key["KeyAttributes"]]
        others = [row for row in self.contacts.values() if row is not there]
        return next((row for row in others for n in own if wanted.get(n) and row.get(n) == wanted[n]), None)


def settings(base_url=BASE, **more):
    client = {"client_id": "5a1b2c3d-0000-4000-8000-0123456789ab", "client_secret": SECRET}
    return {"base_url": base_url, "tenant": "contoso.onmicrosoft.com", "oauth2": client, "timeout": "700ms", "pace": "9000/1s", **more}  # fmt: skip


def lab(**more):
    slept = []

    def make(base):
        said = KIND.schema.load(settings(base, allow_private=True, **more))
        return Dynamics(said, Around(clock(slept)), Fixed(D365_TOKEN))

    words = {"name": "lastname", "phone": "mobilephone", "email": "emailaddress1", "tax_number": "new_taxnumber"}
    return Lab(
        "dynamics",
        DataverseVendor(),
        make,
        slept,
        words=words | {"customer": KEY},
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "customer", "once", "soft", "signed", "pack"}),
        refusals=lambda said: [error(400, "0x80048d19", said), error(200, "0x80048d19", said)],
        secrets=(D365_TOKEN, SECRET),
        nobody=guid(99),
    )

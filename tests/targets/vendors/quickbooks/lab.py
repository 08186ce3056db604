"""QuickBooks Online, as its documents and working clients say: Faults, versions, names taken over three lists."""

import itertools
import re

from connector.mapping.paths import nest, place
from connector.targets import records
from connector.targets.base import Around
from connector.targets.vendors.quickbooks import KIND, QuickBooks
from tests.targets.lab import BASE, Fixed, Lab, clock
from tests.targets.stub_vendor import Vendor

QB_TOKEN = "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2.quickbooks-access-0123456789"
SECRET = "quickbooks-client-secret-0123456789"
REALM = "9130357849536846"
TERM = re.compile(r"(\w+) (?:= |in \()((?:'(?:[^'\\]|\\.)*'(?:, )?)+)")
TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
QUERY = re.compile(r"select \* from Customer where (.+) startposition 1 maxresults \d+")


def fault(code, message, detail="", element="", kind="ValidationFault"):
    error = {"Message": message, "Detail": detail or message, "code": code, "element": element}
    return {"Fault": {"Error": [error], "type": kind}, "time": "2026-11-23T10:00:00.000-08:00"}


def unproven(message, code, detail):
    "The other spelling, that of the gate before the API."
    error = {"message": message, "detail": detail, "code": code, "element": None}
    rest = dict.fromkeys(("report", "queryResponse", "warnings", "intuitObject"))
    return rest | {"fault": {"error": [error], "type": "AUTHENTICATION"}, "batchItemResponse": [], "status": None}


class QuickBooksVendor(Vendor):
    "GET /query, GET and POST /customer, GET /companyinfo, all below /v3/company/{realm}."

    def __init__(self):
        super().__init__()
        self.hides = False
        self.others = []  # names of vendors and employees
        self.answers = {}
        self.numbers = itertools.count(58)

    def purposes(self, request):
        if request.method == "GET":
            return {"find"}
        return {"update"} if "Id" in request.payload else {"create"}

    def seed(self, **given):
        return self.put(nest((place(name), value) for name, value in given.items()))["Id"]

    def put(self, fields):
        number = str(next(self.numbers))
        self.contacts[number] = {"id": number, "Id": number, "SyncToken": "0", "Active": True, "sparse": False} | fields
        return self.contacts[number]

    def work(self, request):
        if request.headers.get("Authorization") != f"Bearer {QB_TOKEN}":
            return 401, unproven(
                "message=AuthenticationFailed; errorCode=003200; statusCode=401", "3200", "Token expired"
            )
        company = f"/v3/company/{REALM}"
        if not request.path.startswith(company):
            return 403, unproven("message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403", "3100", "Wrong company")  # fmt: skip
        path = request.path.removeprefix(company)
        if path == "/query":
            return self.queried(request.query["query"])
        if path.startswith("/companyinfo"):
            return 200, {"CompanyInfo": {"CompanyName": "Sandbox Company_SA_1"}, "time": ""}
        if request.method == "POST":
            key = request.query["requestid"]
            if key not in self.answers:
                self.answers[key] = self.written(request.payload)
            return self.answers[key]
        there = self.contacts.get(path.removeprefix("/customer/"))
        return (200, self.shown(there)) if there else (400, fault("610", "Object Not Found", "Object Not Found : Something you're trying to use has been made inactive."))  # fmt: skip

    def queried(self, text):
        (where,) = QUERY.fullmatch(text).groups()
        terms = [(name, self.texts(values)) for name, values in TERM.findall(where)]
        rows = [row for row in self.contacts.values() if row["Active"] or "Active in (true, false)" in where]
        if self.hides and terms[0][0] != "DisplayName":
            rows = []
        for name, values in terms:
            rows = [row for row in rows if self.plain(row.get(name)).casefold() in values]
        found = {"Customer": [self.shown(row)["Customer"] for row in rows], "startPosition": 1, "maxResults": len(rows)}
        return 200, {"QueryResponse": found if rows else {}, "time": ""}

    def texts(self, values):
        return [re.sub(r"\\(.)", r"\1", text).casefold() for text in TEXT.findall(values)]

    def plain(self, value):
        return value.get("Address", "") if isinstance(value, dict) else value or ""

    def shown(self, row):
        said = {name: value for name, value in row.items() if name != "id"}
        if tax := said.get("PrimaryTaxIdentifier"):
            said["PrimaryTaxIdentifier"] = "X" * (len(tax) - 5) + tax[-5:]
        return {"Customer": said | {"domain": "QBO", "FullyQualifiedName": row.get("DisplayName", "")}, "time": ""}

    def written(self, payload):
        there = self.contacts.get(payload.get("Id"))
        if "Id" in payload and there is None:
            return 400, fault("610", "Object Not Found", "Object Not Found : Something you're trying to use has been made inactive.")  # fmt: skip
        if there and payload["SyncToken"] != there["SyncToken"]:
            return 400, fault("5010", "Stale Object Error", "Stale Object Error : You and root were working on this at the same time.")  # fmt: skip
        for name, said in self.wrong(payload):
            return 400, fault("2010", "Request has invalid or unsupported property", said, name.partition(".")[0])
        name = payload.get("DisplayName", "").casefold()
        taken = [row["DisplayName"] for row in self.contacts.values() if row is not there] + self.others
        if name and name in map(str.casefold, taken):
            return 400, fault("6240", "Duplicate Name Exists Error", "The name supplied already exists. : Another customer, vendor or employee is already using this name. Please use a different name.")  # fmt: skip
        if there is None:
            return 200, self.shown(self.put(payload | {"Active": True}))
        there |= {name: value for name, value in payload.items() if name not in ("sparse", "SyncToken")}
        there["SyncToken"] = str(int(there["SyncToken"]) + 1)
        return 200, self.shown(there)

    def wrong(self, fields):
        return super().wrong({name: records.look(fields, name) for name, _, _ in self.bad})


def settings(base_url=BASE, **more):
    client = {"client_id": "QB-CLIENT-0123456789", "client_secret": SECRET, "refresh_token": "quickbooks-refresh-0123"}
    ours = {"base_url": base_url, "oauth2": client, "realm_id": REALM, "timeout": "700ms", "pace": "9000/1s"}
    return {name: value for name, value in (ours | more).items() if value is not None}


def lab(**more):
    slept = []
    tokens = more.pop("tokens", None) or Fixed(QB_TOKEN)

    def make(base):
        return QuickBooks(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)), tokens)

    return Lab(
        "quickbooks",
        QuickBooksVendor(),
        make,
        slept,
        words={
            "name": "DisplayName",
            "phone": "Mobile.FreeFormNumber",
            "email": "PrimaryEmailAddr.Address",
            "tax_number": "PrimaryTaxIdentifier",
        },
        rungs=("email",),
        beside=("phone",),
        spelled=(),
        can=frozenset({"http", "fetch", "once", "names", "soft"}),
        refusals=lambda said: [(status, fault("2010", said)) for status in (400, 200)],
        secrets=(QB_TOKEN, SECRET),
        lone="tax_number",
    )

"""Salesforce, as its pages say: collections with a result for each contact, SOQL, duplicate rules, tokens that end."""

import json
import re
from urllib.parse import parse_qs, urlsplit

from connector.config import TargetConfig
from connector.targets.base import Around
from connector.targets.vendors.salesforce import KIND
from tests.targets.lab import BASE, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor

CLIENT, SECRET = "3MVG9-client-of-the-tests", "salesforce-secret-0123456789"
KEY = "Flavours_Id__c"
TEXTS = (
    *("FirstName", "LastName", "Email", "MobilePhone", "Phone", "Tax_Number__c", "CRN__c", KEY),
    *("MailingStreet", "MailingCity", "MailingPostalCode"),
)
PICKLISTS = {"MailingCountry": ["SA", "KW"], "Language__c": ["ar", "en"]}
QUERY = re.compile(r"SELECT (.+) FROM Contact WHERE (\w+) IN \((.*)\)", re.DOTALL)
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
ESCAPED = {"\\n": "\n", "\\r": "\r"}


def problem(code, message, *fields, key="errorCode", **more):
    return {"message": message, key: code, "fields": list(fields)} | more


def described(name, **more):
    facts = {"name": name, "createable": True, "updateable": True, "nillable": True, "defaultedOnCreate": False}
    return facts | {"externalId": False, "unique": False, "length": 255} | more


class SalesforceVendor(Vendor):
    "/services/data/v68.0: query, composite/sobjects, sobjects/Contact/describe, limits; /services/oauth2/token."

    root = "/services/data/v68.0"

    def __init__(self):
        super().__init__()
        self.fields = {name: described(name) for name in (*TEXTS, *PICKLISTS)}
        self.fields["Id"] = described("Id", createable=False, updateable=False, nillable=False)
        self.fields["LastName"]["nillable"] = False
        self.fields[KEY] |= {"externalId": True, "unique": True}
        self.page_size, self.locked, self.rule, self.left = 2000, 0, False, 14_982
        self.longest, self.tokens, self.asked = 0, set(), []

    def seed(self, **contact):
        remote_id = f"003{len(self.contacts) + 1:012d}AAQ"
        self.contacts[remote_id] = {"id": remote_id, "Id": remote_id, **contact}
        return remote_id

    def purposes(self, request):
        path = request.path.removeprefix(self.root)
        if request.method == "PATCH":
            return {"update"} if path == "/composite/sobjects" else {"create", "update"}
        return {"find"} if path.startswith(("/query", "/composite")) else set()

    def answer(self, method, url, headers, body):
        if urlsplit(url).path.endswith("/services/oauth2/token"):
            return self.token(parse_qs(body.decode() if isinstance(body, bytes) else body))
        self.longest = max(self.longest, len(url))
        return super().answer(method, url, headers, body)

    def token(self, form):
        self.asked.append({name: values[0] for name, values in form.items()})
        json_type = {"Content-Type": "application/json"}
        if "assertion" not in form and (form["client_id"], form["client_secret"]) != ([CLIENT], [SECRET]):
            return 400, json_type, b'{"error": "invalid_client", "error_description": "invalid client credentials"}', ""
        token = f"00D-access-token-{len(self.asked)}"
        self.tokens = {token}
        said = {"access_token": token, "instance_url": "https://acme.my.salesforce.com", "token_type": "Bearer"}
        return 200, json_type, json.dumps(said).encode(), ""

    def work(self, request):
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, [problem("INVALID_SESSION_ID", "Session expired or invalid")]
        path = request.path.removeprefix(self.root)
        if path == "/sobjects/Contact/describe":
            return 200, {"name": "Contact", "fields": list(self.fields.values())}
        if path == "/limits":
            return 200, {"DailyApiRequests": {"Max": 15_000, "Remaining": self.left}}
        if path.startswith("/query"):
            return self.query(request, path)
        if path == "/composite/sobjects/Contact":
            return self.retrieved(request.payload)
        if request.method == "PATCH" and path in ("/composite/sobjects", f"/composite/sobjects/Contact/{KEY}"):
            return self.write(request, None if path == "/composite/sobjects" else KEY)
        if request.method == "PATCH":
            return 404, [problem("NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {path.rpartition('/')[2]}")]  # fmt: skip
        return 404, [problem("NOT_FOUND", "The requested resource does not exist")]

    def unknown(self, names):
        name = next((name for name in names if name not in self.fields), None)
        if name is None:
            return None
        return 400, [problem("INVALID_FIELD", f"\nSELECT {','.join(names)}\n       ^\nERROR at Row:1:Column:8\nNo such column '{name}' on entity 'Contact'.")]  # fmt: skip

    def query(self, request, path):
        if path != "/query":
            return self.page_of(self.rows, int(path.rpartition("-")[2]))
        names, field, values = QUERY.fullmatch(request.query["q"]).groups()
        names = names.split(", ")
        if bad := self.unknown([*names, field]):
            return bad
        wanted = [re.sub(r"\\.", lambda m: ESCAPED.get(m[0], m[0][1]), one).casefold() for one in QUOTED.findall(values)]  # fmt: skip
        found = [row for row in self.contacts.values() if str(row.get(field) or "").casefold() in wanted]
        self.rows = [self.row(row, names) for row in found]
        return self.page_of(self.rows, 0)

    def row(self, row, names):
        return {"attributes": {"type": "Contact"}} | {name: row.get(name) for name in names}

    def page_of(self, rows, start):
        end = start + self.page_size
        more = {} if end >= len(rows) else {"nextRecordsUrl": f"{self.root}/query/01gD0000002HU6KIAW-{end}"}
        return 200, {"totalSize": len(rows), "done": not more, "records": rows[start:end]} | more

    def retrieved(self, payload):
        if bad := self.unknown(payload["fields"]):
            return bad
        rows = [self.contacts.get(f"{remote_id[:15]}AAQ") for remote_id in payload["ids"]]
        return 200, [row and self.row(row, payload["fields"]) for row in rows]

    def write(self, request, key):
        records = request.payload["records"]
        if len(records) > 200 or request.payload["allOrNone"] is not False:
            return 400, [problem("INVALID_BATCH_REQUEST", "The batch request must not have more than 200 items.")]
        saves = request.headers.get("Sforce-Duplicate-Rule-Header") == "allowSave=true"
        problems = [self.against(one, key, saves) for one in records] if self.whole else []
        if any(problems):
            return 400, [{"errorCode" if k == "statusCode" else k: v for k, v in next(filter(None, problems)).items()}]
        return 200, [self.saved(one, key, saves) for one in records]

    def saved(self, one, key, saves):
        if wrong := self.against(one, key, saves):
            return {"success": False, "errors": [wrong]}
        there, new = self.found(one, key), False
        if there is None:
            there, new = self.contacts[self.seed()], True
        there |= {name: value for name, value in one.items() if name not in ("attributes", "id")}
        return {"id": there["Id"], "success": True, "errors": []} | ({"created": new} if key else {})

    def found(self, one, key):
        if key is None:
            return self.contacts.get(one["id"])
        return next((row for row in self.contacts.values() if row.get(key) == one[key]), None)

    def against(self, one, key, saves):
        assert one["attributes"] == {"type": "Contact"}
        fields = {name: value for name, value in one.items() if name not in ("attributes", "id")}
        say = lambda code, text, *names, **more: problem(code, text, *names, key="statusCode", **more)  # noqa: E731
        there = self.found(one, key)
        if key is None and there is None:
            return say("ENTITY_IS_DELETED", "entity is deleted")
        if self.locked:
            self.locked -= 1
            return say("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 003")
        if strange := next((name for name in fields if name not in self.fields), None):
            return say("INVALID_FIELD", f"No such column '{strange}' on sobject of type Contact", strange)
        if wrong := self.wrong(fields):
            return say("FIELD_CUSTOM_VALIDATION_EXCEPTION", wrong[0][1], wrong[0][0])
        if fields.get("Email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", fields["Email"]):
            return say("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {fields['Email']}", "Email")
        for name, options in PICKLISTS.items():
            if fields.get(name) and fields[name] not in options:
                return say("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"bad value for restricted picklist field: {fields[name]}", name)  # fmt: skip
        if there is None and not fields.get("LastName"):
            return say("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "LastName")
        alike = [row for row in self.contacts.values() if row.get("Email") == fields.get("Email") and row is not there]
        if self.rule and not saves and alike:
            matches = [{"matchConfidence": 100.0, "record": {"Id": row["Id"], "type": "Contact"}} for row in alike]
            return say("DUPLICATES_DETECTED", "Use one of these records?", duplicateResult={"allowSave": False, "matchResults": [{"matchRecords": matches}]})  # fmt: skip
        return None


def settings(base_url=BASE, **more):
    oauth2 = {"client_id": CLIENT, "client_secret": SECRET}
    return {"base_url": base_url, "oauth2": oauth2, "timeout": "700ms", **more}


def refusals(said):
    one = {"success": False, "errors": [problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", said, key="statusCode")]}
    return [(400, [problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", said)]), (200, [one])]


def lab(**more):
    slept = []

    def make(base):
        said = settings(base, allow_private=True, **more)
        return KIND.open(TargetConfig("salesforce", "salesforce", said), KIND.schema.load(said), Around(clock(slept)))

    words = {"name": "LastName", "phone": "MobilePhone", "email": "Email", "tax_number": "Tax_Number__c"}
    return Lab(
        "salesforce",
        SalesforceVendor(),
        make,
        slept,
        words=words | {"customer": KEY},
        rungs=("email", "phone"),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "customer", "once", "batch", "soft", "signed", "pack"}),
        refusals=refusals,
        secrets=(SECRET,),
        nobody="003000000000099AAQ",
    )

"""Zoho CRM, as the vendor's page of facts says: results for each record inside a 2xx, COQL over what is stored, 204 for none."""

import re

from connector.targets.base import Around
from connector.targets.vendors.zoho_crm import KIND, ZohoCrm
from tests.targets.lab import BASE, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor
from tests.targets.zoho_lab import ZOHO_TOKEN, Tokens, proven, zoho_settings

KEY = "Flavours_Id"
TEXTS = (
    *("First_Name", "Last_Name", "Email", "Mobile", "Phone", "Description"),
    *("Mailing_Street", "Mailing_City", "Mailing_Zip", "Mailing_Country", "Tax_Number", "CRN"),
)
FIRST = 5725767000000411001
QUESTION = re.compile(r"select id, ([\w, ]+) from Contacts where \((.+)\) limit (\d+)", re.DOTALL)
LIST = re.compile(r"(\w+) in \(((?:'(?:[^'\\]|\\.)*'(?:, )?)+)\)(?: or )?", re.DOTALL)
VALUE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)


def field(name, once=False):
    return {
        "api_name": name,
        "field_label": name.replace("_", " "),
        "data_type": "text",
        "length": 255,
        "system_mandatory": name == "Last_Name",
        "unique": {"casesensitive": "false"} if once else {},
    }


def error(code, message, **details):
    return {"code": code, "details": details, "message": message, "status": "error"}


class ZohoCrmVendor(Vendor):
    "POST /coql, GET and PUT /Contacts, POST /Contacts/upsert, GET and POST /settings/fields."

    def __init__(self):
        super().__init__()
        self.fields = {name: field(name) for name in TEXTS} | {KEY: field(KEY, once=True)}
        self.lacks = set()

    def purposes(self, request):
        if request.path in ("/coql", "/Contacts"):
            return {"update"} if request.method == "PUT" else {"find"}
        return {"create", "update"} if request.path == "/Contacts/upsert" else set()

    def seed(self, **given):
        number = FIRST + len(self.contacts)
        self.contacts[number] = {"id": str(number)} | given
        return str(number)

    def work(self, request):
        if not proven(request):
            return 401, error("INVALID_TOKEN", "invalid oauth token")
        if request.path in self.lacks:
            return 401, error("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
        if request.path == "/settings/fields":
            return self.schema(request)
        if request.path == "/coql":
            return self.asked(request.payload["select_query"])
        if request.path == "/Contacts" and request.method == "GET":
            return self.read(request.query)
        return self.written(request.payload, new=request.path == "/Contacts/upsert")

    def schema(self, request):
        if request.method == "GET":
            return 200, {"fields": list(self.fields.values())}
        for given in request.payload["fields"]:
            name = given["field_label"].replace(" ", "_")
            self.fields[name] = field(name) | {"unique": given.get("unique", {})}
        return 201, {
            "fields": [{"code": "SUCCESS", "details": {"id": "1"}, "message": "field created", "status": "success"}]
        }

    def asked(self, question):
        "Answer a question in COQL."
        found = QUESTION.fullmatch(question)
        lists = LIST.findall(found[2]) if found else []
        if not found or not re.fullmatch(f"(?:{LIST.pattern})+(?<! or )", found[2], re.DOTALL):
            return 400, error("SYNTAX_ERROR", "invalid query formed", near="where")
        columns = found[1].split(", ")
        strange = next((name for name in (*columns, *(name for name, _ in lists)) if name not in self.fields), None)
        if strange:
            return 400, error("INVALID_QUERY", "column given seems to be invalid", column_name=strange)
        wanted = [(name, [re.sub(r"\\(.)", r"\1", text) for text in VALUE.findall(values)]) for name, values in lists]
        if len(columns) > 49 or any(len(values) > 50 for _, values in wanted):
            return 400, error("LIMIT_EXCEEDED", "limit exceeded")
        rows = [r for r in self.contacts.values() if any(r.get(name) in values for name, values in wanted)]
        return self.listed(rows, columns, int(found[3]))

    def listed(self, rows, columns, most):
        if not rows:
            return 204, None
        data = [{"id": row["id"]} | {name: row.get(name) for name in columns} for row in rows[:most]]
        return 200, {"data": data, "info": {"count": len(data), "more_records": len(rows) > most}}

    def read(self, query):
        columns, ids = query["fields"].split(","), query["ids"].split(",")
        if len(columns) > 50 or len(ids) > 100:
            return 400, error("LIMIT_EXCEEDED", "limit exceeded")
        return self.listed([row for row in self.contacts.values() if row["id"] in ids], columns, 200)

    def written(self, payload, new):
        problems = [self.problem(given, payload, new) for given in payload["data"]]
        if self.whole and (first := next(filter(None, problems), None)):
            return 400, first
        if len(payload["data"]) > 100:
            return 400, error("LIMIT_EXCEEDED", "Record count exceeded", limit=100)
        return 200, {"data": [self.saved(given, payload, new) for given in payload["data"]]}

    def there(self, given, payload, new):
        if not new:
            return self.contacts.get(int(given["id"]))
        (key,) = payload["duplicate_check_fields"]
        return next((row for row in self.contacts.values() if row.get(key) == given.get(key)), None)

    def problem(self, given, payload, new):
        there = self.there(given, payload, new)
        if there is None and not new:
            return error("INVALID_DATA", "the id given seems to be invalid", api_name="id")
        if not (given.get("Last_Name") or (there or {}).get("Last_Name")):
            return error("MANDATORY_NOT_FOUND", "required field not found", api_name="Last_Name")
        for name, said in self.wrong(given):
            return error("INVALID_DATA", said, api_name=name, expected_data_type="text")
        for name in [name for name, one in self.fields.items() if one["unique"] and given.get(name)]:
            other = next((row for row in self.contacts.values() if row.get(name) == given[name]), None)
            if other is not None and other is not there:
                return error("DUPLICATE_DATA", "duplicate data", api_name=name, id=other["id"])
        return None

    def saved(self, given, payload, new):
        if problem := self.problem(given, payload, new):
            return problem
        there = self.there(given, payload, new)
        made = there is None
        there = self.contacts[int(self.seed())] if made else there
        there |= {name: value for name, value in given.items() if name in self.fields}
        action = {"action": "insert" if made else "update", "duplicate_field": None if made else KEY} if new else {}
        message = "record added" if made else "record updated"
        details = {"id": there["id"], "Modified_Time": "2026-11-24T10:00:00+03:00"}
        return {"code": "SUCCESS", "details": details, "message": message, "status": "success"} | action


def settings(base_url=BASE, **more):
    return zoho_settings(base_url, **more)


def refusals(said):
    one = error("INVALID_DATA", said, api_name="Last_Name")
    return [(400, one), (400, {"data": [one]}), (200, {"data": [one]}), (207, {"data": [one]})]


def lab(**more):
    slept = []

    def make(base):
        return ZohoCrm(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)), Tokens())

    words = {"name": "Last_Name", "phone": "Mobile", "email": "Email", "tax_number": "Tax_Number", "customer": KEY}
    return Lab(
        "zoho_crm",
        ZohoCrmVendor(),
        make,
        slept,
        words=words,
        rungs=("email", "phone"),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "customer", "once", "batch", "soft", "signed", "pack"}),
        refusals=refusals,
        secrets=(ZOHO_TOKEN,),
    )

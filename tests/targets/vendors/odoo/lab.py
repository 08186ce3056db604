"""Odoo, as a real Odoo 19 answers (version 17 where it is asked to be one): models, domains, `load`, exceptions."""

import re

from connector.mapping.transforms.phone import same_phone
from connector.targets.base import Around
from connector.targets.vendors.odoo import KIND, Odoo
from tests.targets.lab import BASE, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor

KEY, LOGIN, DATABASE = "odoo-key-0123456789", "bot@example.com", "crm"
DOWN = b"<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>"
EXPECTED = 'does not seem to be valid.  \nNote: the expected format is 310175397400003 [Fifteen digits, first and last digits should be "3"]'
CHARS = ("name", "email", "phone", "vat", "ref", "street", "street2", "city", "zip", "company_registry")
FIELDS = {
    **{name: {"type": "char", "readonly": False} for name in CHARS},
    **{name: {"type": "char", "readonly": True} for name in ("email_normalized", "phone_sanitized", "country_code")},
    "lang": {"type": "selection", "readonly": False},
    **{name: {"type": "boolean", "readonly": False} for name in ("is_company", "active")},
    "category_id": {"type": "many2many", "readonly": False},
    **{name: {"type": "many2one", "readonly": False} for name in ("country_id", "state_id", "parent_id")},
    "commercial_partner_id": {"type": "many2one", "readonly": True},
    "id": {"type": "integer", "readonly": True},
}
COUNTRIES = [{"id": 192, "code": "SA", "name": "Saudi Arabia"}, {"id": 2, "code": "AE", "name": "United Arab Emirates"}]
STATES = [{"id": 1571, "code": "RIY", "name": "Riyadh", "country_id": 192}]


class Raised(Exception):
    "An exception of Odoo's: its name, its message, the status that JSON-2 gives it."

    def __init__(self, name, message, status):
        self.data = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback …"}
        self.status = status


class OdooVendor(Vendor):
    "One database. `old`: before 19, so without JSON-2; `lacks`: fields that it does not have; `may`: the user's rights."

    def __init__(self, *, old=False):
        super().__init__()
        self.old, self.version, self.key = old, "17.0" if old else "19.0", KEY
        self.lacks, self.may, self.xids, self.bad, self.whole = set(), True, {}, [], False

    def seed(self, **contact):
        number = int(super().seed(active=True, is_company=False) or 0)
        self.contacts[number] |= contact
        return str(number)

    def purposes(self, request):
        _, model, method, arguments = self.meant(request)
        if model != "res.partner" or method not in ("search_read", "load"):
            return set()
        return {"find"} if method == "search_read" else {"create" if "id" in arguments["fields"] else "update"}

    def meant(self, request):
        "Return (way, model, method, arguments)."
        if request.path == "/jsonrpc":
            params = request.payload["params"]
            if params["service"] == "common":
                return "rpc", "common", params["method"], params["args"]
            return "rpc", params["args"][3], params["args"][4], params["args"][6]
        if request.path.startswith("/json/2/"):
            return "json2", *request.path.split("/")[3:5], request.payload
        return "page", request.path, "", None

    def work(self, request):
        way, model, method, arguments = self.meant(request)
        if way == "page" or self.old == (way == "json2"):
            known = request.path == "/web/version" and not self.old
            return (
                (200, {"version_info": [19, 0, 0, "final", 0, ""], "version": self.version}) if known else (404, None)
            )
        try:
            result = (
                self.common(method, arguments) if model == "common" else self.asked(request, model, method, arguments)
            )
        except Raised as raised:
            if way == "json2":
                return raised.status, raised.data
            error = {"code": 200, "message": "Odoo Server Error", "data": raised.data}
            return 200, {"jsonrpc": "2.0", "id": 1, "error": error}
        return 200, result if way == "json2" else {"jsonrpc": "2.0", "id": 1, "result": result}

    def answer(self, *asked):
        status, headers, body, then = super().answer(*asked)
        return (
            (status, {"Content-Type": "text/html"}, DOWN, then)
            if (status, body) == (404, b"")
            else (status, headers, body, then)
        )

    def common(self, method, arguments):
        if method == "version":
            return {"server_version": self.version, "server_serie": self.version, "protocol_version": 1}
        return 2 if arguments == [DATABASE, LOGIN, self.key, {}] else False

    def asked(self, request, model, method, arguments):
        if self.old and request.payload["params"]["args"][:3] != [DATABASE, 2, self.key]:
            raise Raised("odoo.exceptions.AccessDenied", "Access Denied", 200)
        if not self.old and request.headers["Authorization"] != f"bearer {self.key}":
            raise Raised("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)
        if model == "res.partner":
            return getattr(self, method)(**arguments)
        rows = {"res.country": COUNTRIES, "res.country.state": STATES}[model]
        return [row for row in rows if all(row[f] == v for f, _, v in arguments["domain"])]

    def check_access_rights(self, **_):
        return self.may

    has_access = check_access_rights

    def fields_get(self, **_):
        return {name: about for name, about in FIELDS.items() if name not in self.lacks}

    def search_read(self, domain, fields, context):
        assert context == {"active_test": False}
        wrong = next((f for f in fields if f not in self.fields_get()), None)
        if wrong:
            raise Raised("builtins.ValueError", f"Invalid field '{wrong}' on 'res.partner'", 500)
        terms = [term for term in domain if term != "|"]
        assert len(domain) == 2 * len(terms) - 1
        for name, operator, _ in terms:
            if name not in self.fields_get():
                said = f"Invalid field res.partner.{name} in condition ('{name}', '{operator}')"
                raise Raised("builtins.ValueError", said, 500)
        rows = [self.computed(contact) for contact in self.contacts.values()]
        found = [row for row in rows if any(self.fits(row, *term) for term in terms)]
        return [{"id": row["id"]} | {name: row.get(name, False) for name in fields} for row in found]

    def fits(self, row, name, operator, value):
        if operator == "in":
            return row.get(name) in value
        assert operator == "=ilike"
        wild = {"%": ".*", "_": "."}
        pattern = re.sub(r"\\?.", lambda m: wild.get(m[0], re.escape(m[0][-1])), value)
        return re.fullmatch(pattern, str(row.get(name) or ""), re.IGNORECASE) is not None

    def computed(self, contact):
        phone, email = contact.get("phone"), contact.get("email")
        e164 = "+966" + re.sub(r"\D", "", phone or "")[-9:]
        more = {"phone_sanitized": e164 if phone and same_phone(phone, e164) else phone or False, "parent_id": False}
        more["email_normalized"] = (re.sub(r".*<(.*)>", r"\1", email).lower()) if email else False
        more["commercial_partner_id"] = [contact.get("company") or contact["id"], "…"]
        if contact.get("country_id"):
            more |= {"country_id": [contact["country_id"], "Saudi Arabia"], "country_code": "SA"}
        return contact | more

    def load(self, fields, data, context):
        assert context == {"active_test": False}
        if not self.may:
            return self.no([(0, "You are not allowed to create 'Contact' (res.partner) records.")])
        for column in fields:
            if column.partition("/")[0] not in {*self.fields_get(), ".id"}:
                raise Raised("builtins.ValueError", f"Invalid field name '{column}'", 500)
        assert all(isinstance(cell, str) for row in data for cell in row)
        rows = [dict(zip(fields, row, strict=True)) for row in data]
        wrong = [(n, said, field) for n, row in enumerate(rows) for said, field in self.wrong(row)]
        if wrong:
            if self.whole:
                return self.no([(None, wrong[0][1])])
            if wrong[0][0] > 0 and not wrong[0][2]:  # what the whole batch failed of is said of its first row
                wrong.insert(0, (0, *wrong[0][1:]))
            return self.no(wrong)
        return {"ids": [self.stored(row) for row in rows], "messages": [], "nextrow": 0}

    def no(self, wrong):
        keys = ("record", "message", "field")
        messages = [
            {"type": "error", "rows": {"from": w[0], "to": w[0]}} | dict(zip(keys, w, strict=False)) for w in wrong
        ]
        return {"ids": False, "messages": messages, "nextrow": 0}

    def wrong(self, row):
        for field, value, said in self.bad:
            if row.get(field) == value:
                yield said, field
        if row.get(".id") and int(row[".id"]) not in self.contacts:
            yield f"Unknown database identifier '{row['.id']}'", ".id"
        if row.get("vat") and not re.fullmatch(r"3\d{13}3", row["vat"]):
            yield f"\nThe VAT number [{row['vat']}] for partner [{row.get('name')}] {EXPECTED}", ""
        if row.get("lang", "en_US") != "en_US":
            yield f"Value '{row['lang']}' not found in selection field 'Language'", "lang"
        if "id" in row and not row.get("name"):
            yield "Contacts require a name", ""

    def stored(self, row):
        number = int(row.get(".id") or self.xids.get(row.get("id")) or self.seed())
        if "id" in row:
            self.xids[row["id"]] = number
        for column, text in row.items():
            name, kind = column.partition("/")[0], FIELDS.get(column.partition("/")[0], {}).get("type")
            if column not in ("id", ".id"):
                value = text == "true" if kind == "boolean" else int(text) if kind == "many2one" else text
                self.contacts[number][name] = value or (False if kind != "boolean" else value)
        return number


def settings(base_url=BASE, **more):
    return {"base_url": base_url, "database": DATABASE, "api_key": KEY, "login": LOGIN, "timeout": "700ms", **more}


def refusals(said):
    error = {"name": "odoo.exceptions.ValidationError", "message": said, "arguments": [said], "debug": "Traceback …"}
    row = {"type": "error", "record": 0, "rows": {"from": 0, "to": 0}, "message": said}
    return [
        (422, error),
        (500, error | {"name": "builtins.ValueError"}),
        (200, {"ids": False, "messages": [row], "nextrow": 0}),
    ]


def lab(*, old=False, refusals=refusals, **more):
    slept, lists = [], set() if old else {"lists"}
    make = lambda base: Odoo(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    return Lab(
        "odoo",
        OdooVendor(old=old),
        make,
        slept,
        words={"name": "name", "phone": "phone", "email": "email", "tax_number": "vat", "customer": "ref"},
        secrets=(KEY,),
        spelled=(*SPELLED, "+966 55 123 4567", "055-123-4567"),
        refusals=refusals,
        can=frozenset({"http", "fetch", "customer", "once", "batch", *lists}),
    )

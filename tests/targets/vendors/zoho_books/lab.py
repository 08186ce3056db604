"""Zoho Books, as the vendor's page of facts says: names taken once, persons deleted when left out, upsert by a header."""

import itertools

from connector.mapping.paths import nest, place
from connector.targets.base import Around
from connector.targets.vendors.zoho_books import KIND, ZohoBooks
from tests.targets.lab import BASE, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor
from tests.targets.zoho_lab import ZOHO_TOKEN, Tokens, proven, zoho_settings

ORGANIZATION = "10234695"
KEY = "cf_flavours_id"
REGISTERED = ("vat_registered", "gcc_vat_registered")
COLUMNS = ("contact_id", "contact_name", "company_name", "contact_type", "status")
OF_PRIMARY = ("first_name", "last_name", "email", "phone", "mobile")


def error(status, code, message):
    return status, {"code": code, "message": message}


def primary(contact):
    persons = contact.get("contact_persons", [])
    return next((p for p in persons if p.get("is_primary_contact")), persons[0] if persons else {})


class ZohoBooksVendor(Vendor):
    "GET, POST and PUT /contacts, GET and PUT /contacts/7, GET /settings/fields."

    def __init__(self):
        super().__init__()
        self.fields = [{"api_name": KEY, "label": "Flavours ID", "data_type": "string", "is_unique": True}]
        self.hides = self.short = False
        self.numbers = itertools.count(460000000000026049)

    def purposes(self, request):
        if request.path == "/contacts" and request.method in ("POST", "PUT"):
            return {"create"}
        return {"GET": {"find"}}.get(request.method, {"update"})

    def seed(self, **given):
        contact = nest((place(field), value) for field, value in given.items())
        for field in contact.get("custom_fields", []):
            field.setdefault("api_name", KEY)
        return str(self.put({"contact_type": "customer"} | contact)["contact_id"])

    def work(self, request):
        if not proven(request):
            return error(401, 57, "You are not authorized to perform this operation")
        if request.query.get("organization_id") != ORGANIZATION:
            return error(400, 6041, "This user is not associated with the CompanyID/CompanyName:1.")
        if request.path == "/settings/fields":
            return 200, {"code": 0, "message": "success", "fields": self.fields}
        if request.path == "/contacts":
            return self.listed(request.query) if request.method == "GET" else self.created(request)
        contact = self.contacts.get(int(request.path.removeprefix("/contacts/")))
        if contact is None:
            return error(404, 1002, "Contact does not exist.")
        if request.method == "GET":
            return 200, {"code": 0, "message": "success", "contact": self.detail(contact)}
        return self.written(request.payload, contact)

    def listed(self, query):
        rows = list(self.contacts.values())
        if not self.ignores_filter:
            rows = [row for row in rows if self.answers(row, query)]
        page = self.page(rows, query, 200)
        more = self.ignores_paging or len(rows) > int(query["page"]) * int(query["per_page"])
        context = {"page": int(query["page"]), "per_page": 200, "has_more_page": more}
        return 200, {"code": 0, "message": "success", "contacts": [self.row(r) for r in page], "page_context": context}

    def answers(self, row, query):
        if query.get("filter_by") != "Status.All" and row["status"] != "active":
            return False
        persons = row.get("contact_persons", [])
        if (name := query.get("contact_name")) is not None:
            return row["contact_name"] == name
        if (name := query.get("contact_name_startswith")) is not None:
            return row["contact_name"].startswith(name)
        if (email := query.get("email")) is not None:
            return not self.hides and any((p.get("email") or "").casefold() == email.casefold() for p in persons)
        if (digits := query.get("phone_contains")) is not None:
            return not self.hides and any(digits in (p.get(k) or "") for p in persons for k in ("phone", "mobile"))
        return True

    def row(self, contact):
        "What a list holds of a contact."
        person = primary(contact)
        return {k: contact.get(k, "") for k in COLUMNS} | {k: person.get(k) or "" for k in OF_PRIMARY}

    def detail(self, contact):
        given = {"company_name": "", "language_code": "", "contact_persons": [], "custom_fields": []} | contact
        return given | {k: primary(contact).get(k) or "" for k in OF_PRIMARY}

    def created(self, request):
        key, value = (request.headers.get(f"X-Unique-Identifier-{part}") for part in ("Key", "Value"))
        if request.method == "POST":
            return self.written(request.payload)
        if key is None or not any(field["api_name"] == key for field in self.fields):
            return error(400, 2, "Invalid value passed for X-Unique-Identifier-Key")
        there = next((c for c in self.contacts.values() if self.custom(c).get(key) == value), None)
        if there is None and request.headers.get("X-Upsert") != "true":
            return error(404, 1002, "Contact does not exist.")
        return self.written(request.payload, there)

    def custom(self, contact):
        return {field["api_name"]: field["value"] for field in contact.get("custom_fields", [])}

    def written(self, given, there=None):
        name = given.get("contact_name")
        if not name or len(name) > 200:
            return error(400, 3013, "Enter a valid Contact Name")
        if any(c["contact_name"].casefold() == name.casefold() and c is not there for c in self.contacts.values()):
            return error(400, 3062, f'The customer "{name}" already exists. Please specify a different name.')
        if "tax_reg_no" in given and given.get("tax_treatment") not in REGISTERED:
            return error(400, 2, "Invalid value passed for tax_treatment")
        for field, said in self.wrong(given):
            return error(400, 2, said or f"Invalid value passed for {field}")
        new = there is None
        contact = self.put(given, there)
        message = "The contact has been created." if new else "Contact information has been saved."
        return 201 if new else 200, {"code": 0, "message": message, "contact": self.detail(contact)}

    def put(self, given, there=None):
        contact = there or {"contact_id": next(self.numbers), "contact_type": "customer", "status": "active"}
        old = {person["contact_person_id"]: person for person in contact.get("contact_persons", [])}
        custom = self.custom(contact) | self.custom(given)
        persons = [self.person(person, old) for person in given.get("contact_persons", old.values())]
        address = contact.get("billing_address", {}) | given.get("billing_address", {})
        fields = [self.field(n, name, value) for n, (name, value) in enumerate(custom.items(), 1)]
        contact |= given | {"contact_persons": persons, "billing_address": address, "custom_fields": fields}
        self.contacts[contact["contact_id"]] = contact
        return contact

    def field(self, number, name, value):
        # As on the vendor's page an item has no api_name, only what it was made of.
        label = "Flavours ID" if name == KEY else name.removeprefix("cf_").upper()
        return {"index": number, "label": label, "value": value} | ({} if self.short else {"api_name": name})

    def person(self, given, old):
        known = old.get(given.get("contact_person_id"), {})
        number = known.get("contact_person_id") or next(self.numbers)
        return {"is_primary_contact": False} | known | given | {"contact_person_id": number}


def settings(base_url=BASE, **more):
    return zoho_settings(base_url, organization_id=ORGANIZATION, uncertain_wait="7s", **more)


def refusals(said):
    return [error(400, 3013, said), error(400, 2, said), error(200, 1001, said)]


def lab(**more):
    slept = []

    def make(base):
        return ZohoBooks(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)), Tokens())

    words = {
        "name": "contact_name",
        "phone": "contact_persons[0].phone",
        "email": "contact_persons[0].email",
        "tax_number": "tax_reg_no",
        "customer": "custom_fields[0].value",
    }
    signed = {"once", "customer", "signed"} if more.get("unique_field", KEY) else set()
    return Lab(
        "zoho_books",
        ZohoBooksVendor(),
        make,
        slept,
        words=words,
        rungs=("phone", "email"),
        spelled=tuple(SPELLED),
        fixed={"custom_fields[0].api_name": KEY, "tax_treatment": "vat_registered"},
        lone="tax_number",
        can=frozenset({"http", "fetch", "ignores", "names", "pack"} | signed),
        refusals=refusals,
        secrets=(ZOHO_TOKEN,),
    )

"""EspoCRM, as its source says: a list with its total, a reason in a header, 409 with those of the same name or e-mail."""

from tests.targets.lab import BASE, SPELLED, Lab, maker
from tests.targets.stub_vendor import Vendor

KEY = "espocrm-key-0123456789"
ADDRESS = ("addressStreet", "addressCity", "addressPostalCode", "addressCountry")
FIELDS = ("firstName", "lastName", "phoneNumber", "emailAddress", *ADDRESS, "cFlavoursId", "cTaxNumber", "cCrn")
CONTACT = "/api/v1/Contact"


def wrong(status, reason="", body=None):
    return status, body, {"X-Status-Reason": reason} if reason else {}


class EspocrmVendor(Vendor):
    "GET Contact?where[0]…, POST Contact, GET and PUT Contact/ID, GET Metadata."

    def seed(self, **contact):
        number = f"{len(self.contacts) + 1:017x}"
        self.contacts[number] = {"id": number, "deleted": False, **contact}
        return number

    def work(self, request):
        if request.headers.get("X-Api-Key") != KEY:
            return wrong(401)
        if request.path == "/api/v1/Metadata":
            return 200, {name: {"type": "varchar"} for name in FIELDS}
        if request.path == CONTACT:
            return self.listed(request.query) if request.method == "GET" else self.made(request)
        number = request.path.removeprefix(f"{CONTACT}/")
        if number not in self.contacts:
            return wrong(404)
        if request.method == "PUT" and (refusal := self.refusal(request.payload)):
            return refusal
        if request.method == "PUT":
            self.contacts[number] |= self.kept(request.payload)
        return 200, self.contacts[number]

    def listed(self, query):
        field, value = query.get("where[0][attribute]"), query.get("where[0][value]")
        rows = [
            row for row in self.contacts.values() if self.ignores_filter or field is None or row.get(field) == value
        ]
        start = 0 if self.ignores_paging else int(query.get("offset", 0))
        total = -1 if self.ignores_paging else len(rows)
        return 200, {"total": total, "list": rows[start : start + int(query.get("maxSize", 20))]}

    def made(self, request):
        given = request.payload
        if refusal := self.refusal(given):
            return refusal
        alike = [row for row in self.contacts.values() if self.same(row, given)]
        if alike and request.headers.get("X-Skip-Duplicate-Check") != "true":
            return wrong(409, "duplicate", alike)
        return 200, self.contacts[self.seed(**self.kept(given))]

    def refusal(self, given):
        for name, kind in self.wrong(given):
            data = {"field": name, "type": kind}
            return wrong(400, "validationFailure", {"messageTranslation": {"label": "validationFailure", "data": data}})
        return None

    def same(self, row, given):
        name = row.get("firstName"), row.get("lastName")
        email = given.get("emailAddress", "").casefold()
        return name == (given.get("firstName"), given.get("lastName")) or (
            email and email == row.get("emailAddress", "").casefold()
        )

    def kept(self, payload):
        "What it does not know it ignores without a word."
        return {name: value for name, value in payload.items() if name in FIELDS}


def settings(base_url=BASE, **more):
    return {"base_url": base_url, "api_key": KEY, "timeout": "700ms", "uncertain_wait": "7s", **more}


def lab(**more):
    slept = []
    make = maker("espocrm", lambda base: settings(base, allow_private=True, **more), slept)
    words = {"name": "lastName", "phone": "phoneNumber", "email": "emailAddress", "tax_number": "cTaxNumber"}
    said = lambda text: {"messageTranslation": {"label": "x"}, "message": text}  # noqa: E731
    return Lab(
        "espocrm",
        EspocrmVendor(),
        make,
        slept,
        words=words | {"customer": "cFlavoursId"},
        rungs=("email", "phone"),
        spelled=tuple(SPELLED),
        can=frozenset({"http", "fetch", "ignores", "pages", "customer", "soft", "signed", "pack"}),
        refusals=lambda text: [(400, said(text)), (409, {"message": text})],
        secrets=(KEY,),
    )

"""HubSpot, as its pages say: per-contact answers where each input has a trace id, else one bad contact spoils the batch."""

import json
import re
import time
from collections import deque

from connector.targets.base import Around
from connector.targets.vendors.hubspot import KIND, HubSpot
from tests.targets.lab import BASE, Lab, clock
from tests.targets.stub_vendor import Vendor

HUBSPOT_TOKEN = "pat-eu1-00000000-1111-2222-3333-444444444444"
KEY = "flavours_customer_id"
STAGES = ["subscriber", "lead", "customer"]
OPTIONS = {"hs_language": ["ar", "en"], "lifecyclestage": STAGES}
TEXTS = ("firstname", "lastname", "email", "phone", "mobilephone", "address", "city", "zip", "country")
SCOPES = {
    "read": "crm.objects.contacts.read",
    "upsert": "crm.objects.contacts.write",
    "update": "crm.objects.contacts.write",
}


def prop(name, unique=False, fixed=False):
    kind = "enumeration" if name in OPTIONS else "string"
    more = {"modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": fixed}}
    return {"name": name, "label": name, "type": kind, "hasUniqueValue": unique} | more


def error(category, message, **more):
    return {"status": "error", "category": category, "message": message} | more


def invalid(*wrong):
    inside = [{"isValid": False, "message": said, "error": code, "name": name, "localizedErrorMessage": said, "portalId": 1} for name, code, said in wrong]  # fmt: skip
    return error("VALIDATION_ERROR", f"Property values were not valid: {json.dumps(inside)}")


class HubSpotVendor(Vendor):
    "POST /crm/objects/2026-03/contacts/batch/read, upsert, update; GET and POST /crm/v3/properties/contacts."

    path = "/crm/objects/2026-03/contacts/batch/"

    def __init__(self, limit=None):
        super().__init__()
        self.properties = {name: prop(name) for name in (*TEXTS, *OPTIONS, "tax_number", "crn")}
        self.properties |= {KEY: prop(KEY, unique=True), "hs_object_id": prop("hs_object_id", fixed=True)}
        self.lacks, self.merged, self.traces = set(), {}, True
        self.limit, self.times, self.refused = limit, deque(), 0

    def purposes(self, request):
        verb = request.path.removeprefix(self.path)
        return {"read": {"find"}, "upsert": {"create", "update"}, "update": {"update"}}.get(verb, set())

    def work(self, request):
        if self.too_many():
            return 429, error("RATE_LIMITS", "You have reached your ten_secondly_rolling limit.", errorType="RATE_LIMIT", policyName="TEN_SECONDLY_ROLLING")  # fmt: skip
        if request.headers.get("Authorization") != f"Bearer {HUBSPOT_TOKEN}":
            return 401, error("INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if request.path == "/crm/v3/properties/contacts":
            return self.schema(request)
        verb = request.path.removeprefix(self.path)
        if SCOPES[verb] in self.lacks:
            needs = {"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [SCOPES[verb]]}}  # fmt: skip
            return 403, error("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.", errors=[needs])  # fmt: skip
        inputs = request.payload["inputs"]
        if not 1 <= len(inputs) <= 100:
            return 400, error("VALIDATION_ERROR", "The maximum number of inputs is 100, the minimum 1")
        return self.read(request.payload) if verb == "read" else self.write(inputs, verb)

    def too_many(self):
        if self.limit is None:
            return False
        count, period = self.limit
        now = time.monotonic()
        while self.times and self.times[0] <= now - period:
            self.times.popleft()
        if len(self.times) >= count:
            self.refused += 1
            return True
        self.times.append(now)
        return False

    def schema(self, request):
        if request.method == "GET":
            return 200, {"results": list(self.properties.values())}
        if "crm.schemas.contacts.write" in self.lacks:
            return 403, error("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.")
        name = request.payload["name"]
        self.properties[name] = prop(name, request.payload["hasUniqueValue"])
        return 201, self.properties[name]

    def read(self, payload):
        key = payload.get("idProperty")
        if key not in (None, "email") and not self.unique(key):
            return 400, error("VALIDATION_ERROR", f"Unable to perform read by non-unique 0-1 property {key}")
        found = {one["id"]: self.stored(one["id"], key) for one in payload["inputs"]}
        rows = {row["id"]: self.row(row, payload["properties"]) for row in found.values() if row}
        gone = [one for one, row in found.items() if row is None]
        return self.answered(list(rows.values()), [error("OBJECT_NOT_FOUND", "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.", context={"ids": gone})] if gone else [])  # fmt: skip

    def stored(self, value, key):
        if key is None:
            value = self.merged.get(value, value)
            return self.contacts.get(int(value)) if value.isdecimal() else None
        if key == "email":
            value = value.casefold()
            return next((row for row in self.contacts.values() if value in self.emails(row)), None)
        return next((row for row in self.contacts.values() if row.get(key) == value), None)

    def emails(self, row):
        return f"{row.get('email') or ''};{row.get('hs_additional_emails') or ''}".casefold().strip(";").split(";")

    def unique(self, key):
        return self.properties.get(key, {}).get("hasUniqueValue")

    def row(self, row, names, **more):
        asked = {name: row.get(name) for name in names} | {"hs_object_id": str(row["id"])}
        return {"id": str(row["id"]), "properties": asked, "createdAt": "2026-11-23T10:00:00.000Z", "archived": False} | more  # fmt: skip

    def answered(self, results, errors):
        more = {"numErrors": len(errors), "errors": errors} if errors else {}
        return 207 if errors else 200, {"status": "COMPLETE", "results": results} | more

    def write(self, inputs, verb):
        if any(not isinstance(value, str) for one in inputs for value in one["properties"].values()):
            return 400, error("VALIDATION_ERROR", "Invalid input JSON: Cannot deserialize value of type `java.lang.String`")  # fmt: skip
        if verb == "upsert" and (bad := next((one for one in inputs if not self.unique(one["idProperty"])), None)):
            return 400, error("VALIDATION_ERROR", f"Unable to perform update/upsert by non-unique 0-1 property {bad['idProperty']}")  # fmt: skip
        apart = not self.whole and all(one.get("objectWriteTraceId") for one in inputs)
        problems = [self.problem(one) for one in inputs]
        first = next(filter(None, problems), None)
        if first and not apart:
            return {"CONFLICT": 409, "OBJECT_NOT_FOUND": 404}.get(first["category"], 400), first
        results, errors = [], []
        for one in inputs:
            trace = one["objectWriteTraceId"]
            if problem := self.problem(one):  # once more: a neighbour in the batch may have taken the e-mail
                context = problem.get("context", {}) | ({"objectWriteTraceId": [trace]} if self.traces else {})
                errors.append(problem | {"context": context})
            else:
                results.append(self.save(one) | ({"objectWriteTraceId": trace} if self.traces else {}))
        return self.answered(results, errors)

    def target(self, one):
        return self.stored(one["id"], one.get("idProperty"))

    def problem(self, one):
        properties, there = one["properties"], self.target(one)
        if there is None and "idProperty" not in one:
            return error("OBJECT_NOT_FOUND", "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.", context={"ids": [one["id"]]})  # fmt: skip
        wrong = [(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist') for name in properties if name not in self.properties]  # fmt: skip
        wrong += [(name, "INVALID_OPTION", f"{properties[name]} was not one of the allowed options: {options}") for name, options in OPTIONS.items() if properties.get(name) and properties[name] not in options]  # fmt: skip
        wrong += [(name, "INVALID_VALUE", said) for name, said in self.wrong(properties)]
        if not re.fullmatch(r"[^@\s]+@[^@\s]+|", properties.get("email", "")):
            wrong.append(("email", "INVALID_EMAIL", f"Email address {properties['email']} is invalid"))
        if wrong:
            return invalid(*wrong)
        other = self.stored(properties["email"], "email") if properties.get("email") else None
        if other and other is not there:
            return error("CONFLICT", f"Contact already exists. Existing ID: {other['id']}", context={"existingId": [str(other["id"])]})  # fmt: skip
        return None

    def save(self, one):
        there = self.target(one)
        new = there is None
        if new:
            there = self.contacts[int(self.seed(**{one["idProperty"]: one["id"]}))]
        given = dict(one["properties"])
        if given.get("email"):
            given["email"] = given["email"].casefold()
        stage, before = given.get("lifecyclestage"), there.get("lifecyclestage")
        if stage and before and STAGES.index(stage) < STAGES.index(before):
            del given["lifecyclestage"]
        there |= given
        return self.row(there, one["properties"], **({"new": new} if "idProperty" in one else {}))


def settings(base_url=BASE, **more):
    return {"base_url": base_url, "token": HUBSPOT_TOKEN, "timeout": "700ms", "pace": "9000/1s", **more}


def refusals(said):
    one = {"status": "COMPLETE", "results": [], "numErrors": 1}
    traced = error("VALIDATION_ERROR", said, context={"objectWriteTraceId": ["0"]})
    named = error("VALIDATION_ERROR", said, context={"ids": ["c1", "1"]})
    return [(400, error("VALIDATION_ERROR", said)), (207, one | {"errors": [named]}), (207, one | {"errors": [traced]})]


def lab(**more):
    slept = []
    make = lambda base: HubSpot(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    words = {"name": "lastname", "phone": "phone", "email": "email", "tax_number": "tax_number", "customer": KEY}
    return Lab(
        "hubspot",
        HubSpotVendor(),
        make,
        slept,
        words=words,
        rungs=("email",),
        spelled=(),
        can=frozenset({"http", "fetch", "customer", "once", "batch", "soft", "unique", "signed"}),
        refusals=refusals,
        secrets=(HUBSPOT_TOKEN,),
    )

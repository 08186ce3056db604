"""Tryton, as a real Tryton 7.0 answers: a session, errors in a 200, and records of their own for what a party has."""

import re
from base64 import b64encode

from connector.targets.base import Around
from connector.targets.vendors.tryton import KIND, Tryton
from tests.targets.lab import BASE, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor

LOGIN, PASSWORD, DATABASE = "bot", "tryton-password-0123456789", "crm"
PLAIN = ("code", "name", "active")
FIELDS = (*PLAIN, "id", "phone", "mobile", "email", "website", "contact_mechanisms", "identifiers", "addresses", "lang")
OF = {
    "contact_mechanisms": ("type", "value", "value_compact"),
    "identifiers": ("type", "code"),
    "addresses": ("street", "postal_code", "city", "country"),
}
COUNTRIES = {7: "SA", 8: "AE"}
UNAUTHORIZED = b"<!doctype html>\n<html lang=en>\n<title>401 Unauthorized</title>\n<h1>Unauthorized</h1>"


class Wrong(Exception):
    "What Tryton puts into `error`."


def user_error(said):
    return Wrong(["UserError", [said, "", None]])


class TrytonVendor(Vendor):
    "One database, with parties; `lasts`: how many calls a session lasts; `countries`: those that were imported."

    def __init__(self):
        super().__init__()
        self.sessions, self.lasts, self.countries, self.password = {}, 1000, COUNTRIES, PASSWORD
        self.denied, self.number = set(), 0

    def purposes(self, request):
        method = (request.payload or {}).get("method", "").removeprefix("model.party.party.")
        return {"search_read": {"find"}, "create": {"create"}, "write": {"update"}}.get(method, set())

    def seed(self, **contact):
        party = {"id": len(self.contacts) + 1, "code": f"P{len(self.contacts) + 1}", "name": None, "active": 1}
        self.contacts[party["id"]] = party | {group: [] for group in OF}
        values = {name: value for name, value in contact.items() if name in PLAIN}
        kinds = [{"type": n, "value": v} for n, v in contact.items() if n in ("phone", "mobile", "email") and v]
        values["contact_mechanisms"] = [["create", kinds]]
        numbers = [{"type": None, "code": v} for n, v in contact.items() if n.startswith("identifiers.") and v]
        self.put(party["id"], values | {"identifiers": [["create", numbers]]})
        return str(party["id"])

    def said_in_words(self, contact, _):
        first = {m["type"]: m["value"] for m in reversed(contact["contact_mechanisms"])}
        number = next((one["code"] for one in contact["identifiers"]), None)
        return {"name": contact["name"], "phone": first.get("phone"), "email": first.get("email"), "tax_number": number}

    def work(self, request):
        called, method = request.payload["params"], request.payload["method"]
        if request.path != f"/{DATABASE}/":
            return 404, None
        if method == "common.db.login":
            if called != [LOGIN, {"password": self.password}, "en"]:
                return 401, None
            self.number += 1
            session = b64encode(f"{LOGIN}:1:session{self.number}".encode()).decode()
            self.sessions[f"Session {session}"] = self.lasts
            return 200, {"id": 1, "result": [1, f"session{self.number}"]}
        session = request.headers.get("Authorization")
        if self.sessions.get(session, 0) < 1:
            return 401, None
        self.sessions[session] -= 1
        *of, context = called
        assert context == {"language": "en"}
        name, _, what = method.removeprefix("model.").rpartition(".")
        try:
            return 200, {"id": 1, "result": getattr(self, f"{name.replace('.', '_')}_{what}")(*of)}
        except Wrong as wrong:
            return 200, {"id": 1, "error": wrong.args[0]}

    def ir_model_access_get_access(self, models):
        return {model: {what: what not in self.denied for what in ("read", "create", "write")} for model in models}

    def country_country_search_read(self, domain, *_):
        return [{"id": number} for number, code in self.countries.items() if code == domain[0][2]]

    def party_party_fields_get(self, _):
        return {name: {"type": "char"} for name in FIELDS}

    def party_party_create(self, parties):
        return [self.made(values) for values in parties]

    def made(self, values):
        self.known(values)
        if any(party["code"] == values["code"] for party in self.contacts.values()):
            raise user_error("The code on party must be unique.")
        number = int(self.seed())
        self.put(number, values)
        return number

    def party_party_write(self, ids, values):
        self.known(values)
        for number in ids:
            if number not in self.contacts:
                raise user_error(f'You are trying to write to records "{number}" of "Party" that don\'t exist.')
            self.put(number, values)

    def known(self, values):
        for name in values:
            if name not in FIELDS:
                raise Wrong([f"'{name}'", ""])

    def put(self, number, values):
        party = self.contacts[number]
        for name, value in values.items():
            if name not in OF:
                party[name] = value
                continue
            for action, *what in value:
                for fields in what[-1] if action == "create" else [what[-1]]:
                    assert set(fields) <= set(OF[name])
                    if action == "create":
                        party[name].append({"id": len(party[name]) + 1, **fields})
                    else:
                        next(one for one in party[name] if one["id"] == what[0][0]).update(fields)

    def party_party_search_read(self, domain, *more):
        fields = more[-1]
        for name in fields:
            if name.partition(".")[0] not in FIELDS:
                raise Wrong([f"'{name}'", ""])
        clause, active = domain
        assert active == ["active", "in", [True, False]]
        either = clause[1:] if clause[0] == "OR" else [clause]
        found = [party for party in self.contacts.values() if any(self.fits(party, *term) for term in either)]
        return [self.read(party, fields) for party in found]

    def fits(self, party, name, operator, value):
        group, _, field = name.partition(".")
        if group not in FIELDS:
            raise Wrong([f"'{name}'", ""])
        held = [one.get(field) for one in party[group]] if group in OF else [party.get(name)]
        if operator == "ilike":
            pattern = re.sub(r"\\?.", lambda m: {"%": ".*", "_": "."}.get(m[0], re.escape(m[0][-1])), value)
            return any(re.fullmatch(pattern, text or "", re.IGNORECASE) for text in held)
        return any(text == value if operator == "=" else text in value for text in held)

    def read(self, party, fields):
        row = {name: party.get(name) for name in fields if "." not in name}
        for group in OF:
            row[f"{group}."] = [{n: v for n, v in one.items() if n != "country"} for one in party[group]]
        for one, address in zip(row["addresses."], party["addresses"], strict=True):
            country = self.countries.get(address.get("country"))
            one["country."] = {"id": address["country"], "code": country} if country else None
        return row

    def answer(self, *asked):
        status, headers, body, then = super().answer(*asked)
        bare = status == 401 and not body
        return (status, {"Content-Type": "text/html"}, UNAUTHORIZED, then) if bare else (status, headers, body, then)


def settings(base_url=BASE, **more):
    return {
        "base_url": base_url,
        "database": DATABASE,
        "login": LOGIN,
        "password": PASSWORD,
        "timeout": "700ms",
        **more,
    }


def refusals(said):
    return [(200, {"id": 1, "error": ["UserError", [said, "", None]]}), (422, {"error": {"message": said}})]


def lab(**more):
    slept = []
    make = lambda base: Tryton(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    words = {"name": "name", "phone": "phone", "email": "email", "tax_number": "identifiers.vat", "customer": "code"}
    return Lab(
        "tryton",
        TrytonVendor(),
        make,
        slept,
        words=words,
        secrets=(PASSWORD,),
        spelled=tuple(SPELLED),
        refusals=refusals,
        can=frozenset({"http", "fetch", "customer", "once"}),
    )

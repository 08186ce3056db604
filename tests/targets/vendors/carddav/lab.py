"""An address book, as a real Radicale 3.9 answers: cards by their address, ETags, addressbook-query."""

import hashlib
import re
from base64 import b64encode
from html import escape, unescape

from connector.targets.base import Around
from connector.targets.vendors.carddav import KIND, Carddav
from tests.targets.lab import BASE, SPELLED, Lab, clock
from tests.targets.stub_vendor import Vendor

USER, PASSWORD = "sara", "carddav-password-0123456789"
PROOF = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
GONE = b"The requested resource could not be found."
CONFLICT = b"<?xml version='1.0' encoding='utf-8'?>\n<error xmlns=\"DAV:\" xmlns:CR=\"urn:ietf:params:xml:ns:carddav\"><CR:no-uid-conflict /></error>"


def properties(card):
    "The properties of a card as it lies there: (name, value), unfolded and unescaped."
    lines = re.sub(r"\r\n ", "", card).split("\r\n")[1:-2]
    found = [re.fullmatch(r"(?:\w+\.)?([\w-]+)(?:;[^:]*)?:(.*)", line).groups() for line in lines]
    return [(name, value.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";")) for name, value in found]


class CarddavVendor(Vendor):
    "One address book under /book, with a card under each name; `missing`: nobody made the book yet."

    def __init__(self):
        super().__init__()
        self.missing, self.password = False, PASSWORD

    @property
    def cards(self):
        return self.contacts

    def seed(self, **contact):
        name = f"{len(self.cards) + 1}.vcf"
        contact = {"FN": contact.pop("name", "")} | contact
        lines = [
            f"{field}:{value}"
            for field, value in {"VERSION": "3.0", "UID": f"staff-{name}", **contact}.items()
            if value
        ]
        self.cards[name] = "\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""])
        return name

    def said_in_words(self, contact, words):
        there = dict(reversed(properties(contact)))
        return {word: there.get(field) for word, field in words.items()}

    def purposes(self, request):
        if request.method == "PUT":
            return {"create" if "If-None-Match" in request.headers else "update"}
        return {"find"}

    def decode(self, body):
        return body.decode() if isinstance(body, bytes) else body or ""

    def etag(self, name):
        return f'"{hashlib.sha256(self.cards[name].encode()).hexdigest()}"'

    def answer(self, *asked):
        self.also = {}
        status, headers, body, then = super().answer(*asked)
        return status, headers | self.also, body, then

    def _answer(self, *asked):
        self.text = None
        status, headers, body, then = super()._answer(*asked)
        return (
            (status, {"Content-Type": self.kind}, self.text, then)
            if self.text is not None
            else (status, headers, body, then)
        )

    def says(self, status, text=b"", kind="text/plain; charset=utf-8"):
        self.text, self.kind = text, kind
        return status, None

    def work(self, request):
        if request.headers.get("Authorization") != f"Basic {PROOF}" or self.password != PASSWORD:
            return self.says(401, b"Access to the requested resource forbidden.")
        name = request.path.removeprefix("/book/")
        if request.method == "REPORT":
            return self.listed(request) if not self.missing else self.says(404, GONE)
        if request.method == "PUT":
            return self.put(name, request)
        if name not in self.cards:
            return self.says(404, GONE)
        self.also = {"ETag": self.etag(name)}
        return self.says(200, self.cards[name].encode(), "text/vcard; charset=utf-8")

    def put(self, name, request):
        if self.missing:
            return self.says(409, b"Conflict in the request.")
        there = self.etag(name) if name in self.cards else None
        only = request.headers.get("If-Match")
        if (there and request.headers.get("If-None-Match") == "*") or (only and only != there):
            return self.says(412, b"Precondition failed.")
        if not re.fullmatch(r"BEGIN:VCARD\r\n.*^FN:.*END:VCARD\r\n", request.payload, re.DOTALL | re.MULTILINE):
            return self.says(400, b"Bad Request")
        uid = dict(properties(request.payload)).get("UID")
        if there and dict(properties(self.cards[name])).get("UID") != uid:
            return self.says(409, CONFLICT, "text/xml; charset=utf-8")
        if any(dict(properties(card)).get("UID") == uid for other, card in self.cards.items() if other != name):
            return self.says(409, CONFLICT, "text/xml; charset=utf-8")
        assert all(len(line.encode()) <= 75 for line in request.payload.split("\r\n"))
        self.cards[name] = request.payload
        self.also = {"ETag": self.etag(name)}
        return self.says(204 if there else 201)

    def listed(self, request):
        field = re.search(r'prop-filter name="([\w-]+)"', request.payload)[1]
        wanted = [
            (how, unescape(text))
            for how, text in re.findall(r'match-type="(\w+)">(.*?)</C:text-match', request.payload)
        ]
        parts = [
            self.response(n, card)
            for n, card in self.cards.items()
            if self.ignores_filter or self.fits(card, field, wanted)
        ]
        start = "<?xml version='1.0' encoding='utf-8'?>\n"
        inner = "".join(parts)
        text = f'{start}<multistatus xmlns="DAV:" xmlns:CR="urn:ietf:params:xml:ns:carddav">{inner}</multistatus>'
        return self.says(207, text.encode(), "text/xml; charset=utf-8")

    def fits(self, card, field, wanted):
        values = [value.casefold() for name, value in properties(card) if name == field]
        return any(
            text.casefold() in value if how == "contains" else text.casefold() == value
            for value in values
            for how, text in wanted
        )

    def response(self, name, card):
        data = f"<getetag>{escape(self.etag(name))}</getetag><CR:address-data>{escape(card)}</CR:address-data>"
        return f"<response><href>/book/{name}</href><propstat><prop>{data}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"


def settings(base_url=BASE, **more):
    return {"base_url": f"{base_url}/book", "username": USER, "password": PASSWORD, "timeout": "700ms", **more}


def refusals(said):
    return [(400, said), (422, {"message": said})]


def lab(**more):
    slept = []
    make = lambda base: Carddav(KIND.schema.load(settings(base, allow_private=True, **more)), Around(clock(slept)))  # noqa: E731
    words = {"name": "FN", "phone": "TEL", "email": "EMAIL", "tax_number": "X-VAT-NUMBER", "customer": "UID"}
    return Lab(
        "carddav",
        CarddavVendor(),
        make,
        slept,
        words=words,
        secrets=(PASSWORD, PROOF),
        spelled=(*SPELLED, "+966 55 123 4567", "055-123-4567", "(055) 123-4567"),
        refusals=refusals,
        can=frozenset({"http", "fetch", "customer", "once", "mute"}),
        nobody="99.vcf",
    )

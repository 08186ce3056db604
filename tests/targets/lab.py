"""A kind of target in the laboratory: the target, its vendor, and the words that differ between the kinds."""

import dataclasses

from connector.bundled import bundled
from connector.config import TargetConfig
from connector.errors import Refused
from connector.mapping import document
from connector.mapping.paths import nest, place
from connector.mapping.rules import apply
from connector.models import Event, Upsert
from connector.targets import kinds
from connector.targets.base import Around
from connector.targets.clock import Clock

BASE = "https://vendor.example.com/api"
TOKEN = "rest-token-0123456789"
KEY = "qoyod-key-0123456789"
PHONE, EMAIL, TAX = "+966551234567", "sara@example.com", "310122393500003"
VALUES = {"phone": PHONE, "email": EMAIL, "tax_number": TAX}
SPELLED = ["+966551234567", "966551234567", "00966551234567", "0551234567", "551234567"]


class Run:
    "What the worker would answer."

    def __init__(self, links=None, ours=True):
        self.links, self.ours, self.asked = links or {}, ours, 0

    def still_ours(self):
        self.asked += 1
        return self.ours

    def linked_to(self, remote_id):
        return self.links.get(remote_id)


class Fixed:
    "The tokens of a target, as OAuth2 would give them; there are no others."

    def __init__(self, token, **extra):
        self.token, self.extra = token, extra

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self, _refused):
        raise Refused("401: the token was refused, and there is no other")


@dataclasses.dataclass
class Lab:
    """A target and its vendor.

    `words` gives the record's field for name, phone, email, tax_number and, where there is one, customer (the external
    id). `rungs` are the words that a contact is found by, besides the customer. `spelled`: how a stored phone may be
    typed to be found. `lone` is the word of a field that is filled by itself (in a list, all of it is one). `can` are the kind's abilities, by which tests choose:
    rungs (follows from `rungs`), fetch (a contact is read by its id), ignores (the vendor may ignore a filter), customer (the vendor knows the
    external id), once (a create that is sent again makes nothing twice), names (a name is taken only once), batch,
    http, soft (a refused phone is left out; the vendor refuses what `vendor.bad` says), unique (the vendor lets only
    one contact have the value of a rung), signed (a contact that holds another customer's external id is his), pack
    (the vendor knows every field of the shipped mapping, and tells which there are), mute (the answer to a create has
    no body), lists (a question is answered with a bare list). `beside` are words of the match list that the vendor
    cannot be asked by: they only tell whether a contact is the customer. blind: nothing can be looked up or read, what
    is sent is sent. `keys` makes the key of a customer's delivery.
    """

    kind: str
    vendor: object
    make: object
    slept: list
    base: str = BASE
    words: dict = dataclasses.field(default_factory=lambda: {w: w for w in ("name", "phone", "email", "tax_number")})
    rungs: tuple = ("tax_number", "phone", "email")
    spelled: tuple = (PHONE,)
    can: frozenset = frozenset()
    fixed: dict = dataclasses.field(default_factory=dict)
    refusals: object = lambda said: [(status, {"error": {"message": said}}) for status in (200, 400, 422)]
    secrets: tuple = ()
    nobody: str = "99"
    keys: object = lambda customer: f"key-of-{customer}"
    beside: tuple = ()
    lone: str = "email"

    def __post_init__(self):
        # What follows from the rest; the book for Excel speaks no HTTP and keeps rows by the customer alone.
        self.can |= {"rungs"} if self.rungs else set()

    @property
    def alike(self):
        "What a contact must have to be found, in the laboratory's words."
        return {self.rungs[0]: VALUES[self.rungs[0]]}

    @property
    def agreeing(self):
        "What a contact of this customer may have, typed as staff type it."
        return {"phone": "0551234567"} if "phone" in self.rungs else self.alike

    @property
    def waits(self):
        "How long is waited after a create whose answer was lost."
        return None if "once" in self.can else 7.0

    @property
    def phone(self):
        return self.words["phone"]

    @property
    def target(self):
        return self.make(self.base)

    def request(self, customer="c1", phone=PHONE, email=EMAIL, tax=TAX, name="Sara Ahmed", **more):
        given = {"name": name, "phone": phone, "email": email, "tax_number": tax, "customer": customer}
        there = {self.words[word]: value for word, value in given.items() if value and word in self.words}
        record = nest((place(field), value) for field, value in (there | self.fixed).items())
        fields = {word: self.words[word] for word in ("customer", *self.rungs, *self.beside) if word in self.words}
        match = tuple((field, given[word]) for word, field in fields.items() if given[word] and word != "customer")
        return Upsert(customer, record, match, self.keys(customer), phones=frozenset({self.phone}), **more)

    def lacking(self, **more):
        "A request without the field that is filled by itself."
        return self.request(**{self.lone.removesuffix("_number"): None}, **more)

    def push(self, request=None, run=None, target=None):
        "Push one request; return its outcome."
        (outcome,) = (target or self.target).upsert([request or self.request()], run or Run())
        return outcome

    def push_many(self, requests, run=None):
        return list(self.target.upsert(requests, run or Run()))

    def contacts(self):
        "The vendor's contacts in the laboratory's words."
        return [self.vendor.said_in_words(contact, self.words) for contact in self.vendor.contacts.values()]

    def seed(self, **given):
        "Put a contact there as the vendor's staff would; return its id."
        return self.vendor.seed(**{self.words.get(word, word): value for word, value in given.items()})

    def on(self, base):
        return dataclasses.replace(self, base=base)


def shipped(kind):
    "Return the shipped mapping of a kind."
    return document.read((bundled("mappings") / f"{kind}.yaml").read_text(encoding="utf-8"), f"{kind}.yaml")


def mapped(mapping, **given):
    "Return what a customer's delivery asks a target for by a mapping."
    event = Event(None, "customers.CREATE", None, given, given["id"], None, deleted=False, fingerprint="")
    made = apply(mapping, event)
    kept = {"fill_if_empty": mapping.fill_if_empty, "keep": mapping.keep}
    return Upsert(given["id"], made.record, made.match, f"key-of-{given['id']}", phones=made.phones, **kept)


def clock(slept):
    return Clock(sleep=slept.append, jitter=lambda: 0.0)


def maker(kind, settings, slept):
    "Return what opens a kind's target at a base URL; `settings` makes its settings for one."

    def make(base):
        of = kinds.kind(kind)
        config = TargetConfig("crm", kind, settings(base))
        return of.open(config, of.schema.load(dict(config.settings)), Around(clock(slept)))

    return make

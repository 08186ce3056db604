"""What mapping one customer costs, beside marshmallow's load of the same payload, in turns within one run.

pytest -m benchmark -s tests/benchmarks/test_benchmarks_mapping.py

Goal: under 200 microseconds with 15 fields, a phone and a VAT number. Every customer is another one, so that nothing is
remembered from the one before. CPU time of this process, so that a busy machine does not count.
"""

import statistics
import time

import pytest

from connector.bundled import bundled
from connector.flavours.schema import CUSTOMER, ENVELOPE
from connector.mapping.document import read
from connector.mapping.rules import apply
from tests.mapping.conftest import event_of

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

ROUNDS, COUNT = 9, 400
PACKS = sorted(path.stem for path in bundled("mappings").glob("*.yaml"))
FIFTEEN = """\
version: 1
kind: rest
match: [vat, phone, email]
fields:
  id: id
  name: {first_of: [user.name, user.username, user.phone]}
  email: {from: user.email, use: email}
  phone: {from: user.phone, use: phone}
  vat: {from: tax_number, use: saudi_vat}
  crn: {from: crn, use: crn}
  kind: {if: tax_number or crn, then: company, else: person}
  address.street: street
  address.district: district
  address.city: city
  address.zip: zip_code
  address.country: {value: SA}
  language: {from: user.lang, map: {ar: ar_SA, en: en_US}, default: en_US}
  gender: gender
  username: user.username
"""


GIVEN = ("Sara", "Omar", "Fahad", "Layla", "Nora", "Khalid", "نورة", "محمد", "سارة", "خالد", "عبد الله", "ريم")
FAMILY = ("Alharbi", "Al Ghamdi", "Khan", "Alotaibi", "Hassan", "العتيبي", "القحطاني", "آل سعود", "الشهري", "بن سعد")


def name(n):
    "A name of three words that did not come before, as people's names are: most are plain, some need thinking."
    letters = "".join(chr(ord("a") + n // 26**place % 26) for place in range(4))
    return f"{GIVEN[n % 12]} A{letters} {FAMILY[n % 10]}"


def person(n):
    user = {
        "name": name(n),
        "username": f"user{n}",
        "email": f"person{n}@example.com",
        "phone_prefix": "966",
        "phone": f"055{n % 10_000_000:07}",
        "lang": "ar",
        "role": "CUSTOMER",
        "is_active": True,
        "created_at": 1705548163869 + n,
        "updated_at": 1705548163869 + n,
    }
    address = {"city": "الرياض", "district": "العليا", "street": f"شارع {n}", "zip_code": "12211", "gender": "MALE"}
    return {"id": f"c-{n}", "tax_number": None, "crn": None, **address, "user": user}


def company(n):
    numbers = {"tax_number": f"31{n % 10**9:09}0003", "crn": f"101{n % 10**7:07}"}
    return person(n) | numbers


def microseconds(work, items):
    before = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - before) / len(items) * 1e6


@pytest.mark.parametrize("customer", [company, person], ids=["companies", "persons"])
def test_microseconds_for_each_customer(customer):
    mappings = {"15 fields": read(FIFTEEN, "fifteen.yaml")}
    mappings |= {name: read((bundled("mappings") / f"{name}.yaml").read_text(), name) for name in PACKS}
    spent = {name: [] for name in ("marshmallow", *mappings)}
    number = 0
    for _ in range(ROUNDS):
        for name, figures in spent.items():
            data = [customer(number + n) for n in range(COUNT)]
            number += COUNT
            if name == "marshmallow":
                bodies = [{"xid": "x", "action": "customers.CREATE", "timestamp": 1, "data": each} for each in data]
                figures.append(microseconds(lambda body: (ENVELOPE.load(body), CUSTOMER.load(body["data"])), bodies))
            else:
                mapping = mappings[name]
                figures.append(microseconds(lambda event, m=mapping: apply(m, event), [event_of(d) for d in data]))
    show(customer.__name__, spent, {name: len(mapping.fields) for name, mapping in mappings.items()})
    assert apply(mappings["15 fields"], event_of(customer(1))).warnings == ()  # it is the whole work that was timed


def show(title, spent, fields):
    floor = statistics.median(spent["marshmallow"])
    print(f"\n{title:12} {'fields':>6} {'us':>7} {'spread':>13} {'x marshmallow':>14}")
    for name, figures in spent.items():
        middle, spread = statistics.median(figures), f"{min(figures):.0f}-{max(figures):.0f}"
        print(f"{name:12} {fields.get(name, ''):>6} {middle:7.0f} {spread:>13} {middle / floor:14.2f}")

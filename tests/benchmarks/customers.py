"""The customers of the benchmarks: ten fields to map, each customer apart; as a webhook, as a record, and in SQL."""

import json

# N is the customer's number, P its phone's: 50000000 and more, so that every phone is a Saudi mobile.
_EVENT = {
    "xid": "bench-{N}",
    "action": "customers.CREATE",
    "timestamp": 1697681187551,
    "data": {
        "id": "customer-{N}",
        "created_by": None,
        "qoyod_id": None,
        "type": None,
        "gender": None,
        "tax_number": None,
        "zip_code": "12211",
        "city": "Riyadh",
        "district": "Al Olaya",
        "street": "King Fahd Road",
        "crn": None,
        "user": {
            "id": "user-{N}",
            "userable_id": "customer-{N}",
            "role": "CUSTOMER",
            "name": "Sara Ahmed",
            "username": None,
            "email": "sara.{N}@example.com",
            "phone_prefix": "966",
            "phone": "0{P}",
            "lang": "en",
            "fcm_token": None,
            "is_active": True,
            "created_at": 1705548163869,
            "updated_at": 1705548163869,
            "deleted_at": None,
        },
    },
}
_TEXT = json.dumps(_EVENT)
FIRST_PHONE = 550_000_000


def webhook(n):
    "The body that Flavours sends for customer n."
    return _TEXT.replace("{N}", str(n)).replace("{P}", str(FIRST_PHONE + n)).encode()


def in_sql(number="i"):
    "The same body as an SQL expression of the column that holds the number."
    quoted = _TEXT.replace("'", "''")
    return f"'{quoted}'".replace("{N}", f"'||{number}||'").replace("{P}", f"'||({FIRST_PHONE}+{number})||'")


def record(n, customer):
    "What the shipped mapping for `rest` makes of customer n, for those who push without a mapping."
    return {
        "external_id": customer,
        "name": "Sara Ahmed",
        "first_name": "Sara",
        "last_name": "Ahmed",
        "phone": f"+966{FIRST_PHONE + n}",
        "email": f"sara.{n}@example.com",
        "address": {
            "street": "King Fahd Road",
            "district": "Al Olaya",
            "city": "Riyadh",
            "zip_code": "12211",
            "country": "SA",
        },
        "language": "en",
    }

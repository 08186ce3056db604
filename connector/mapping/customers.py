"""Sample customers with a name, so that a mapping's samples show what is special and `preview` needs no file."""

from collections.abc import Mapping
from typing import Any

_NOTHING = dict.fromkeys(
    ("created_by", "qoyod_id", "type", "gender", "tax_number", "zip_code", "city", "district", "street", "crn")
)
_NOBODY = dict.fromkeys(("name", "username", "email", "phone_prefix", "phone"))


def _customer(number: int, user: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    ident = f"5d2f0c1e-7a64-4a0e-9a51-0c2f6f0a1b{number:02d}"
    person = {"id": f"0c1d{number:02d}", "userable_id": ident, "role": "CUSTOMER", **_NOBODY, **user}
    return {"id": ident, **_NOTHING, **more, "user": person}


CUSTOMERS: Mapping[str, Mapping[str, Any]] = {
    # A person in Riyadh, with everything that Flavours asks of a person.
    "person": _customer(
        1,
        {
            "name": "Sara Ahmed",
            "email": "sara@example.com",
            "phone_prefix": "966",
            "phone": "0551234567",
            "lang": "en",
            "is_active": True,
            "created_at": 1705548163869,
            "updated_at": 1705548163869,
        },
        gender="FEMALE",
        city="Riyadh",
        district="Al Olaya",
        street="King Fahd Road",
        zip_code="12211",
    ),
    # A company with its VAT number and commercial registration, the digits typed in Arabic.
    "company": _customer(
        2,
        {
            "name": "شركة النخيل",
            "email": "info@nakheel.example.sa",
            "phone_prefix": "966",
            "phone": "٠٥٥١٢٣٤٥٦٨",
            "lang": "ar",
            "is_active": True,
            "created_at": 1705548163869,
            "updated_at": 1705548163869,
        },
        tax_number="٣١٠١٢٢٣٩٣٥٠٠٠٠٣",
        crn="1010 010 000",
        city="الرياض",
        district="العليا",
        street="مبنى 7596 طريق الملك فهد",
        zip_code="12211-3456",
    ),
    # The customer of Flavours' own documentation, as printed: its phone is too short, its e-mail was masked by a web page.
    "documented": {
        "id": "c4a868ea-735e-461f-868c-a5d2eaa212d0",
        **_NOTHING,
        "user": {
            "id": "fe4aa1ef-b35c-4e69-be60-fc34ab7447e5",
            "userable_id": "c4a868ea-735e-461f-868c-a5d2eaa212d0",
            "role": "CUSTOMER",
            "name": "User 1",
            "username": None,
            "email": "[email protected]",
            "phone_prefix": "966",
            "phone": "55223322",
            "lang": "en",
            "fcm_token": None,
            "is_active": True,
            "email_verified_at": None,
            "phone_verified_at": None,
            "created_at": 1705548163869,
            "updated_at": 1705548163869,
            "deleted_at": None,
        },
    },
    # Flavours sends nothing but the ids.
    "empty": _customer(3, {}),
    # A person with an Arabic name of five words; the phone was typed with the country in front.
    "arabic": _customer(
        4,
        {
            "name": "نورة بنت عبدالله العتيبي",
            "phone_prefix": "+966",
            "phone": "00966 55 123 4569",
            "lang": "ar",
            "is_active": True,
        },
        city="جدة",
        district="الحمراء",
        street="شارع فلسطين",
    ),
    # A company registered since April 2025: its number begins with 7, and it has no VAT number.
    "unified": _customer(
        5,
        {"name": "مؤسسة الورد", "phone_prefix": "966", "phone": "0112345678", "lang": "ar", "is_active": True},
        crn="7001234567",
        city="الدمام",
    ),
    # Somebody who typed anything to get past the form.
    "guest": _customer(
        6,
        {
            "name": "Guest",
            "username": "guest 12",
            "email": "test@test.com",
            "phone_prefix": "966",
            "phone": "0500000000",
        },
    ),
    # A customer who was switched off in Flavours, and who has a user name instead of a name.
    "inactive": _customer(
        7, {"username": "abu_omar", "phone_prefix": "965", "phone": "55223322", "lang": "ar", "is_active": False}
    ),
}

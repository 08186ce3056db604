"""The packs for accounting systems: what must go together goes together, what accountants curate stays theirs."""

import pytest

from connector.bundled import bundled
from connector.mapping.document import read
from connector.mapping.rules import apply
from tests.mapping.conftest import event_of

PACKS = ("odoo", "zoho_books", "xero", "quickbooks", "wafeq", "daftra", "erpnext", "qoyod")
NAME = {"xero": "Name", "quickbooks": "DisplayName", "zoho_books": "contact_name", "daftra": "business_name"}
VAT, CRN = "310122393500003", "1010010000"


def pack(name):
    return read((bundled("mappings") / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")


def record(name, **data):
    return apply(pack(name), event_of({"id": "c4a868ea-735e"} | data)).record


@pytest.mark.parametrize("name", PACKS)
def test_an_unfilled_name_never_overwrites_what_accountants_wrote(name):
    mapping = pack(name)
    field = NAME.get(name, "customer_name" if name == "erpnext" else "name")
    assert field in mapping.fill_if_empty
    assert record(name, user={})[field] == "Flavours customer c4a868ea"


@pytest.mark.parametrize(
    ("tax_number", "expected"),
    [
        (VAT, {"tax_treatment": "vat_registered", "tax_reg_no": VAT}),
        ("٣١٠ ١٢٢٣٩٣٥ ٠٠٠٠٣", {"tax_treatment": "vat_registered", "tax_reg_no": VAT}),
        ("31012239350000", {"tax_treatment": "vat_not_registered"}),
        ("none", {"tax_treatment": "vat_not_registered"}),
        (None, {"tax_treatment": "vat_not_registered"}),
    ],
)
@pytest.mark.parametrize("crn", [CRN, None])
def test_zoho_books_gets_a_vat_number_only_with_its_treatment(tax_number, crn, expected):
    made = record("zoho_books", tax_number=tax_number, crn=crn)
    assert {field: made[field] for field in ("tax_treatment", "tax_reg_no") if field in made} == expected


def test_zoho_books_keeps_the_vat_number_with_its_treatment_when_it_updates():
    assert {"tax_treatment", "tax_reg_no"} <= set(pack("zoho_books").keep)


@pytest.mark.parametrize("tax_number", [VAT, "31012239350000", "x", None])
def test_daftra_gets_a_number_only_with_its_label(tax_number):
    made = record("daftra", tax_number=tax_number, crn="12345")
    assert ("bn1" in made) == ("bn1_label" in made)
    assert (made["bn2_label"], made["bn2"]) == ("CR", "12345")


@pytest.mark.parametrize("crn", [CRN, "7001234567", "12345", "x", "", None])
def test_an_identification_has_type_and_number_or_is_not_there(crn):
    odoo = record("odoo", crn=crn)
    scheme = "l10n_sa_edi_additional_identification_scheme"
    assert (scheme in odoo) == ("l10n_sa_edi_additional_identification_number" in odoo)
    assert [set(each) for each in record("wafeq", crn=crn).get("company_identification", ())] in (
        [],
        [{"type", "value"}],
    )


@pytest.mark.parametrize("part", ["street", "district", "city", "zip_code"])
def test_xero_gets_an_address_with_its_type_and_country(part):
    (address,) = record("xero", **{part: "12211"})["Addresses"]
    assert {"AddressType": "STREET", "Country": "Saudi Arabia"}.items() <= address.items()
    assert len(address) == 3
    assert "Addresses" not in record("xero")


@pytest.mark.parametrize("data", [{"city": "R"}, {"street": "S"}, {"district": "D"}, {"city": "R", "district": "D"}])
def test_erpnext_gets_an_address_with_a_city_or_none(data):
    made = record("erpnext", **data)
    needed = {"address_line1", "city", "country"}
    assert needed & made.keys() == (needed if "city" in data else set())


@pytest.mark.parametrize("name", ["xero", "quickbooks", "odoo", "daftra"])
@pytest.mark.parametrize("switched", [{"is_active": True}, {"is_active": None}, {}])
def test_only_who_was_switched_off_is_put_away(name, switched):
    "A contact that staff archived is not brought back, and a missing flag archives nobody."
    made = record(name, user=switched)
    assert {"ContactStatus", "Active", "active", "suspend"} & made.keys() == set()
    assert len(record(name, user={"is_active": False})) == len(made) + 1


def test_names_are_unique_at_these():
    texts = {name: (bundled("mappings") / f"{name}.yaml").read_text(encoding="utf-8") for name in PACKS}
    assert {name for name, text in texts.items() if "\non_name_taken: suffix" in text} == {"xero", "quickbooks", "zoho_books"}  # fmt: skip

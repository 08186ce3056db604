"""Tell a company from a person, and who is registered for VAT, by what Flavours sends of a customer."""

from collections.abc import Mapping
from typing import Any

from connector.mapping.clean import flat
from connector.mapping.fold import fold
from connector.mapping.identifiers import bare, is_crn, is_vat

# Which fields each question reads.
READS: Mapping[str, tuple[str, ...]] = {
    "is_company": ("tax_number", "crn", "type", "user.name"),
    "has_vat_number": ("tax_number",),
}
# Which words Flavours sends in `type` is not published: the field's usual ones, in both languages, folded.
_COMPANY_EN = ("company", "business", "organization", "organisation", "corporate", "establishment", "b2b")
_COMPANY = frozenset(map(fold, (*_COMPANY_EN, "شركة", "مؤسسة", "منشأة", "أعمال", "جهة")))
_PERSON = frozenset(map(fold, ("person", "individual", "b2c", "فرد", "أفراد", "شخص")))
_FIRST = (
    "شركة",
    "مؤسسة",
    "مجموعة",
    "مصنع",
    "جمعية",
    "مطعم",
    "مطاعم",
    "مكتب",
    "فندق",
    "مستشفى",
    "مدرسة",
    "مدارس",
    "جامعة",
)
_OFFICES = ("وزارة", "هيئة", "بنك", "مصرف", "صيدلية", "معهد", "مركز")
_FIRST_WORDS = frozenset(map(fold, _FIRST + _OFFICES))
_LAST_AR = ("المحدودة", "القابضة", "ذ.م.م", "ذ.م.م.", "ش.م.م", "ش.م.س", "للتجارة", "للمقاولات", "للخدمات")
_LAST_EN = ("llc", "ltd", "limited", "co", "company", "corp", "inc", "est", "establishment", "wll", "holding", "group")
_LAST_WORDS = frozenset(map(fold, _LAST_AR)) | frozenset(_LAST_EN)


def is_company(data: Mapping[str, Any]) -> bool:
    """Tell whether the customer is a company.

    A valid VAT or commercial registration number decides; then `type`, where it says so; then the name (شركة …, … LLC).
    """
    crn, kind = data.get("crn"), data.get("type")
    if has_vat_number(data) or (crn is not None and is_crn(bare(flat(crn)))):
        return True
    told = fold(flat(kind)[:64]) if kind is not None else ""
    if told in _COMPANY or told in _PERSON:
        return told in _COMPANY
    user = data.get("user")
    return _named_so(flat(user.get("name")) if isinstance(user, Mapping) else "")


def has_vat_number(data: Mapping[str, Any]) -> bool:
    """Tell whether the customer's tax number is a valid Saudi VAT number, one that `use: saudi_vat` takes."""
    number = data.get("tax_number")
    return number is not None and is_vat(bare(flat(number)))


def _named_so(name: str) -> bool:
    words = name[:200].split()
    return len(words) > 1 and (fold(words[0]) in _FIRST_WORDS or _last(words[-1]) in _LAST_WORDS)


def _last(word: str) -> str:
    """Return the word as it is compared: L.L.C. and (LLC) are llc."""
    folded = fold(word)
    return folded.replace(".", "").strip("()") if folded.isascii() else folded

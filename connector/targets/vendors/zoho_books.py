"""Zoho Books, the accounting system: customers over its API v3, once each by a custom field that takes no value twice.

Phone and e-mail are those of a contact's persons; a name is taken once by customers and vendors together. Facts:
https://www.zoho.com/books/api/v3/contacts, and what working clients do where it is silent: 45 is the code of the
day's limit, 44 of the minute's, 1070 of too many at once; there is no Retry-After.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import validate

from connector.config_fields import Text
from connector.errors import TargetError
from connector.models import Delivered, Outcome, Upsert
from connector.targets import records, zoho, zoho_customers, zoho_people
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.grants import OAuth2
from connector.targets.http import Call, TokenSource
from connector.targets.oauth2 import opening
from connector.targets.settings import time_zone
from connector.targets.writing import upsert
from connector.targets.zoho_books_codes import SCOPE, judge

PACE = (90, 60.0)  # Zoho Books allows 100 a minute to all who use the organization
_HEADER = re.compile(r"[\x21-\x7e]{1,255}")
_ONCE = "in Settings, Customers and Vendors, Field Customization, set its Prevent Duplicate Values to Yes"
_UNIQUE = (
    "make it in Settings, Customers and Vendors, Field Customization: a Text Box (Single Line) that prevents duplicates"
)


class ZohoBooksSettings(zoho.ZohoSettings):
    """Be the settings of a Zoho Books target."""

    organization_id = Text(
        required=True,
        validate=validate.Regexp(
            r"\d{1,30}$", error="must be the number that Zoho Books shows under Manage Organizations"
        ),
        metadata={"help": "the number that Zoho Books shows under Manage Organizations"},
    )
    unique_field = Text(
        load_default="cf_flavours_id",
        allow_none=True,
        validate=validate.Regexp(r"cf_\w+$", error="must be the API name of a custom field, as in cf_flavours_id"),
        metadata={
            "help": "the custom field, without duplicate values, for the customer's id (cf_flavours_id); null: none"
        },
    )
    time_zone = Text(
        load_default="Asia/Riyadh",
        validate=time_zone,
        metadata={"help": "of the organization, whose daily limit renews at midnight (Asia/Riyadh)"},
    )


class ZohoBooks(Account):
    """Be one organization in Zoho Books."""

    kind = "zoho_books"
    batch_size = 1

    def __init__(self, settings: Mapping[str, Any], around: Around, tokens: TokenSource) -> None:
        organization = settings["organization_id"]
        read = partial(judge, zone=ZoneInfo(settings["time_zone"]))
        base_url, only = zoho.base_url(settings, "/books/v3"), (("organization_id", organization),)
        way = line(settings, base_url, judge=read, tokens=tokens, query=only)
        super().__init__(settings, around, way, base_url, organization, pace=PACE)
        self._organization, self._unique = organization, settings["unique_field"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - see _UNIQUE
        """Ask for one contact, and for the custom field; only a person can forbid that it takes a value twice."""
        return Check.of(self._looked())

    def _looked(self) -> Iterator[Said]:
        self._http.call(Call("GET", "/contacts", "/contacts", (("page", "1"), ("per_page", "1"))))
        yield True, f"{self._http.host} answers for the organization {self._organization}"
        yield self._custom()

    def _custom(self) -> Said:
        """Tell whether the custom field is there, and takes a value only once."""
        name = self._unique
        if name is None:
            return True, "unique_field is null: a customer is known again by phone and e-mail only"
        try:
            call = Call("GET", "/settings/fields", "/settings/fields", (("entity", "contact"),))
            fields = records.look(self._http.call(call).data, "fields")
        except TargetError as error:
            return True, f"whether there is a custom field {name} could not be asked: {error}"
        there = [one for one in fields if records.look(one, "api_name") == name] if isinstance(fields, list) else []
        if not there:
            return False, f"there is no custom field {name} for customers; {_UNIQUE}"
        unique = there[0].get("is_unique", there[0].get("unique"))
        if unique is None:
            return True, f"{name} is there; whether it takes a value twice Zoho Books does not tell: look there"
        return unique is True, f"{name} is there" if unique else f"{name} takes a value twice; {_ONCE}"

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Zoho Books, once."""
        return [self._upsert(request, run) for request in requests]

    def _upsert(self, request: Upsert, run: Run) -> Outcome:
        unique = self._unique if _HEADER.fullmatch(request.customer) else None
        signed = replace(request, record=zoho_people.signed(request.record, unique, request.customer))
        outcome = upsert(signed, zoho_customers.Customers(self._http, self.uncertain_wait, unique), run)
        if not isinstance(outcome, Delivered) or outcome.how != "created" or request.create_anyway:
            return outcome
        unasked = [name for name, _ in request.match if zoho_customers.leaf_of(name) not in zoho_customers.ASKED]
        said = tuple(f"{name}: not looked up by it; Zoho Books cannot be asked for it" for name in unasked)
        return replace(outcome, warnings=(*outcome.warnings, *said))


def _oauth2(settings: Mapping[str, Any]) -> OAuth2:
    return zoho.credentials(settings, SCOPE)


def _record_url(settings: Mapping[str, Any], at: str) -> str | None:
    site = zoho.site(settings)
    return f"https://books.{site}/app/{settings['organization_id']}#/contacts/{at}" if site else None


KIND = Kind(
    label="Zoho Books",
    schema=ZohoBooksSettings(),
    asks=("region",),
    open=opening(ZohoBooks, _oauth2),
    batch_size=1,
    match="the mapping's match list: phone (its digits) and e-mail of a contact person, contact_name, company_name",
    upsert="looks up, then updates, or creates by native upsert on `unique_field`",
    limits="100 a minute (and by day); paced at 90",
    auth="OAuth2: `connector targets connect`, or a refresh token",
    proved="vendor's documents",
    twice="never; without unique_field only a contact that Zoho Books stores later than uncertain_wait after a lost answer",
    oauth2=_oauth2,
    record_url=_record_url,
)

"""Zoho Books, the accounting system: customers over its API v3, once each by a custom field that takes no value twice.

Phone and e-mail are those of a contact's persons; a name is taken once by customers and vendors together. Facts:
https://www.zoho.com/books/api/v3/contacts, and what working clients do where it is silent: 45 is the code of the
day's limit, 44 of the minute's, 1070 of too many at once; there is no Retry-After.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import validate

from connector.config_fields import Text
from connector.errors import Busy, NameTaken, Refused, Rejected, TargetError, Uncertain
from connector.models import Delivered, Outcome, Upsert
from connector.targets import records, zoho, zoho_customers, zoho_people
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.grants import OAuth2
from connector.targets.http import Call, Http, TokenSource
from connector.targets.oauth2 import tokens_of
from connector.targets.pace import opened
from connector.targets.settings import fingerprint, time_zone
from connector.targets.writing import upsert

SCOPE = "ZohoBooks.contacts.CREATE,ZohoBooks.contacts.READ,ZohoBooks.contacts.UPDATE,ZohoBooks.settings.READ"
PACE = (90, 60.0)  # Zoho Books allows 100 a minute to all who use the organization
MINUTE, CROWDED = 60.0, 5.0
_HEADER = re.compile(r"[\x21-\x7e]{1,255}")
_INVALID = re.compile(r"Invalid value passed for (\w+)", re.IGNORECASE)
_CURES = {
    14: f"the access token is not accepted; {zoho.WHERE}",
    57: f"look at the scopes ({SCOPE}), at organization_id, and: {zoho.WHERE}",
    6041: "look at organization_id",
    9017: "look at organization_id",
}
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


def judge(answer: Answer, asked: Asked, now: datetime, zone: ZoneInfo) -> TargetError | None:
    """Read Zoho Books' own code; every answer of it has one, and 0 is good."""
    code = answer.data.get("code") if isinstance(answer.data, dict) else None
    if isinstance(code, bool) or not isinstance(code, int) or 300 <= answer.status < 400:
        strange = Uncertain(f"{asked.shown} answered {answer.status} with something that is not Zoho Books' own")
        return verdict(answer, asked, now) or (strange if answer.is_json else None)
    if code == 0 and answer.status < 400:
        return None
    said = records.text(answer.data.get("message"))
    what = f"{asked.shown} answered {answer.status}: {asked.hide(said)} (code {code})"
    return _limit(code, what, now, zone) or _refusal(code, what, said, answer, asked) or verdict(answer, asked, now)


def _limit(code: int, what: str, now: datetime, zone: ZoneInfo) -> Busy | None:
    if code == 45:
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time(), zone).astimezone(UTC)
        return Busy(f"{what}; the day's requests are used up", (midnight - now).total_seconds())
    waits = {44: MINUTE, 1070: CROWDED}
    return Busy(what, waits[code]) if code in waits else None


def _refusal(code: int, what: str, said: str, answer: Answer, asked: Asked) -> TargetError | None:
    if code in _CURES:
        return Refused(f"{what}; {_CURES[code]}", expired=answer.status == 401)
    if code == 3062:
        return NameTaken(what, status=answer.status)
    if code == 1002:
        return Rejected(what, status=404)
    if answer.status == 404:
        return Uncertain(f"{what}; is base_url right?")
    if answer.status == 400 or (answer.status < 400 and asked.writes):
        invalid = _INVALID.search(said)
        return Rejected(what, fields=(invalid[1],) if invalid else (), status=answer.status)
    return Uncertain(what) if answer.status < 400 else None


class ZohoBooks:
    """Be one organization in Zoho Books."""

    kind = "zoho_books"
    batch_size = 1

    def __init__(self, settings: Mapping[str, Any], around: Around, tokens: TokenSource) -> None:
        organization = settings["organization_id"]
        read = partial(judge, zone=ZoneInfo(settings["time_zone"]))
        line = zoho.line(settings, "/books/v3", read, tokens, query=(("organization_id", organization),))
        self._http = Http(line, opened(settings["pace"] or PACE, around), around.clock)
        self._organization, self._unique = organization, settings["unique_field"]
        self.account = fingerprint(line.base_url, organization)
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - see _UNIQUE
        """Ask for one contact, and for the custom field; only a person can forbid that it takes a value twice."""
        try:
            self._http.call(Call("GET", "/contacts", "/contacts", (("page", "1"), ("per_page", "1"))))
            good = True, f"{self._http.host} answers for the organization {self._organization}"
            return Check.of([good, self._custom()])
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))

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


KIND = Kind(
    label="Zoho Books",
    schema=ZohoBooksSettings(),
    asks=("region",),
    open=lambda config, settings, around: ZohoBooks(
        settings, around, tokens_of(_oauth2(settings), config.name, settings, around)
    ),
    batch_size=1,
    match="the mapping's match list: phone (its digits) and e-mail of a contact person, contact_name, company_name",
    upsert="looks up, then updates, or creates by native upsert on `unique_field`",
    limits="100 a minute (and by day); paced at 90",
    auth="OAuth2: `connector targets connect`, or a refresh token",
    proved="vendor's documents",
    twice="never; without unique_field only a contact that Zoho Books stores later than uncertain_wait after a lost answer",
    oauth2=_oauth2,
)

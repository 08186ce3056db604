"""Odoo (أودو): its contacts (res.partner).

`load` with an external id made of the customer's is the upsert: sent again, and by many at once, it makes one contact.
It takes many rows, keeps all or none, and refuses them with a message for each.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.config_fields import Seconds, Text
from connector.errors import TargetError
from connector.mapping.transforms.phone import spaced, spellings
from connector.models import Outcome, Retry, Upsert
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.batches import Ask, Batches, upsert_many
from connector.targets.http import Ours
from connector.targets.ladder import Found, Page, Row, Write, Written
from connector.targets.odoo_api import Api, judge
from connector.targets.odoo_fields import looked
from connector.targets.odoo_loading import load
from connector.targets.odoo_terms import NORMALIZED, PARTNER, Terms
from connector.targets.outcomes import outcome
from connector.targets.settings import HttpSettings, address, header_text, secret

OF_COMPANIES = ("vat", "company_registry")  # Odoo copies these to the people of a company


class OdooSettings(HttpSettings):
    """Be the settings of an Odoo target."""

    base_url = Text(
        required=True, validate=address, metadata={"help": "where you log in, as in https://mycompany.odoo.com"}
    )
    database = Text(required=True, validate=header_text, metadata={"help": "its name; one host may have several"})
    api_key = secret("from Odoo: Preferences, Security, New API Key; it lasts three months at most", required=True)
    login = Text(load_default=None, metadata={"help": "the user whose key it is; needed before Odoo 19"})
    timeout = Seconds(load_default=30.0, metadata={"help": "how long one answer, for 100 contacts, may take (30s)"})


class Odoo(Account, Batches):
    """Be the contacts of one Odoo database."""

    kind = "odoo"
    batch_size = 100
    idempotent = True
    partial = True
    fetches = True
    soft = frozenset({"phone", "mobile", "lang", "l10n_sa_edi_additional_identification_scheme"})

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        key, database = settings["api_key"], settings["database"]
        headers = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}
        way = line(settings, headers=headers, secrets=(key,), judge=judge)
        # Known by no key: there is a new one every three months.
        super().__init__(settings, around, way, settings["base_url"], database)
        self._api = Api(self._http, settings, around.clock)
        self._terms = Terms(self._api)

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - nothing to make
        """Ask which Odoo it is, which fields it has, and whether the user may write contacts."""
        return Check.of(looked(self._http.host, self._api, self._terms.fields, fields))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Odoo, once."""
        try:
            fitted = [self._terms.fitted(request) for request in requests]
        except TargetError as error:
            return [outcome(error) for _ in requests]
        came = upsert_many([request for request, _ in fitted], self, run)
        return [_told(item, warnings) for item, (_, warnings) in zip(came, fitted, strict=True)]

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Ask by each match value."""
        return [_ask(name, value, phone=name in request.phones) for name, value in request.match if "." not in name]

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts that have one of the values, typed so or as Odoo itself compares it."""
        terms: list[Any] = [[name, "in", values]]
        if NORMALIZED.get(name) in self._terms.fields():
            terms.append([NORMALIZED[name], "in", [value.lower() for value in values]])
        else:
            terms += [[name, "=ilike", re.sub(r"([\\%_])", r"\\\1", value)] for value in values if "@" in value]
        return Page(self._found(["|"] * (len(terms) - 1) + terms, requests), last=True)

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids."""
        ids = [int(remote_id) for remote_id in remote_ids if re.fullmatch(r"[0-9]{1,9}", remote_id)]
        return {found.remote_id: found for found in self._found([["id", "in", ids]], requests)} if ids else {}

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Load the contacts, those with the same fields together."""
        groups: dict[tuple[str, ...], dict[int, Write]] = {}
        for place, write in enumerate(writes):
            groups.setdefault(tuple(self._terms.cells(write)), {})[place] = write
        done: dict[int, Written | TargetError] = {}
        for group in groups.values():
            done |= load(group, self._api, self._terms, ours)
        return [done[place] for place in range(len(writes))]

    def _found(self, domain: Sequence[Any], requests: Sequence[Upsert]) -> list[Found]:
        personal = [text for request in requests for text in records.texts(request.record)]
        rows = self._api.rows(PARTNER, domain, self._terms.read(requests), personal)
        return [Found(str(row["id"]), self._terms.row(row)) for row in rows]


def _ask(name: str, value: str, *, phone: bool) -> Ask:
    def same(row: Row) -> bool:
        theirs = (row.get(name), row.get(NORMALIZED.get(name, name)))
        own = name not in OF_COMPANIES or records.text(row.get("commercial_partner_id")) in ("", str(row.get("id")))
        return own and any(records.same(value, there, phone=phone) for there in theirs)

    return Ask(name, (*spellings(value), *spaced(value)) if phone else (value,), same)


def _told(item: Outcome, warnings: Sequence[str]) -> Outcome:
    return item if isinstance(item, Retry) or not warnings else replace(item, warnings=(*item.warnings, *warnings))


KIND = Kind(
    label="Odoo (contacts), any version that has JSON-2 or JSON-RPC",
    schema=OdooSettings(),
    open=lambda _config, settings, around: Odoo(settings, around),
    batch_size=Odoo.batch_size,
    match="the mapping's match list: reference, tax number, phone (in every usual spelling), e-mail; archived ones too",
    upsert="`load` by an external id, 100 at a time; fields of a contact that is there are compared first",
    limits="none documented; on Odoo Online set `pace: 60/1m`",
    auth="API key of a user (and its login before 19)",
    proved="real system: Odoo 19, over JSON-2 and JSON-RPC",
    twice="never",
    record_url=lambda settings, at: f"{settings['base_url']}/web#id={at}&model=res.partner&view_type=form",
)

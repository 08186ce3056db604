"""Salesforce: contacts, two hundred in one request, each known again by an external id field.

Facts: https://developer.salesforce.com/docs/platform/api-rest/guide. New contacts are upserted by that field, those
that are there are updated by their id, and each has an answer of its own (sObject Collections). Whether one is there is
asked by SOQL, for what is stored; the organisation's own duplicate rules have a word, too.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connector.errors import Refused, Rejected, TargetError, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Outcome, Upsert
from connector.targets import batches, records
from connector.targets import salesforce_soql as soql
from connector.targets.account import Account, line
from connector.targets.answers import Answer, Asked
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.batches import Ask, Batches
from connector.targets.http import Call, Ours, TokenSource
from connector.targets.ladder import Found, Page, Write, Written
from connector.targets.oauth2 import opening
from connector.targets.salesforce_errors import Errors
from connector.targets.salesforce_fields import looked
from connector.targets.salesforce_settings import SalesforceSettings, grant

BATCH = 200
MOST_PAGES = 20
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

Json = Mapping[str, Any]


class Salesforce(Account, Batches):
    """Be one Salesforce organisation."""

    kind = "salesforce"
    batch_size = BATCH
    idempotent = True
    partial = True
    soft = frozenset({"Email", "MailingCountry", "MailingState", "MobilePhone", "Phone"})

    def __init__(self, settings: Json, around: Around, tokens: TokenSource) -> None:
        self._key = self.customer_field = settings["external_id_field"]
        self._rule = settings["on_duplicate_rule"]
        self._errors = Errors(self._key, self._rule)
        way = line(settings, judge=self._errors.judge, tokens=tokens)
        super().__init__(settings, around, way, settings["base_url"])
        self._data = f"/services/data/{settings['version']}"

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to Salesforce, once."""
        return batches.upsert_many([self._prepared(request) for request in requests], self, run)

    def _prepared(self, request: Upsert) -> Upsert:
        """Write several values of a list as Salesforce has them, in one text."""
        record = {name: _joined(value) for name, value in request.record.items()}
        return records.signed(replace(request, record=record), self._key)

    def asks(self, request: Upsert) -> Sequence[Ask]:
        """Ask by our field, then by each match value; by a phone in each usual spelling, for it is stored as typed."""
        return [self._ask(name, value, request) for name, value in request.match if soql.FIELD.fullmatch(name)]

    def _ask(self, name: str, value: str, request: Upsert) -> Ask:
        phone = name in request.phones
        return Ask(name, spellings(value) if phone else (value,), batches.matches(name, value, phone=phone))

    def find_many(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Page:
        """Return the contacts with one of the values in a field, all of them."""
        return Page([found for some in soql.chunks(values) for found in self._query(name, some, requests)], last=True)

    def _query(self, name: str, values: Sequence[str], requests: Sequence[Upsert]) -> Iterator[Found]:
        personal, path = [*batches.personal(requests), *values], f"{self._data}/query"
        query = soql.select(self._fields(requests), name, values)
        call = Call("GET", path, path, (("q", query),), personal=personal)
        for _ in range(MOST_PAGES):
            data = self._http.call(call).data
            yield from self._found(call, records.look(data, "records"))
            more = records.look(data, "nextRecordsUrl")
            if records.look(data, "done") is True:
                return
            if not isinstance(more, str) or not more.startswith("/"):
                break
            call = Call("GET", more, f"{self._data}/query/{{more}}", personal=personal)
        raise Uncertain(f"{self._http.shown(call)} answered with a list that does not end")

    def _fields(self, requests: Sequence[Upsert]) -> list[str]:
        names = {name for request in requests for name, _ in (*records.leaves(request.record), *request.match)}
        return ["Id", *sorted(name for name in names if soql.FIELD.fullmatch(name))]

    def _found(self, call: Call, rows: Any) -> list[Found]:
        found = [Found(records.identity(row.get("Id")), row) for row in records.rows(rows)]
        if not isinstance(rows, list) or len(found) < len(rows) or not all(one.remote_id for one in found):
            raise Uncertain(f"{self._http.shown(call)} answered with something that is not a list of contacts")
        return found

    def fetch_many(self, remote_ids: Sequence[str], requests: Sequence[Upsert]) -> Mapping[str, Found]:
        """Return the contacts with these ids; Salesforce answers with null for each that is gone."""
        ids = [remote_id for remote_id in remote_ids if _ID.fullmatch(remote_id)]
        if not ids:
            return {}
        path = f"{self._data}/composite/sobjects/Contact"
        payload = {"ids": ids, "fields": self._fields(requests)}
        call = Call("POST", path, path, payload=payload, personal=batches.personal(requests))
        rows = self._http.call(call).data
        whole = isinstance(rows, list) and len(rows) == len(ids)
        found = self._found(call, [row for row in rows if row is not None] if whole else None)
        there = {one.remote_id[:15]: one for one in found}  # the three characters behind are a checksum
        return {remote_id: there[remote_id[:15]] for remote_id in ids if remote_id[:15] in there}

    def write_many(self, writes: Sequence[Write], ours: Ours) -> Sequence[Written | TargetError]:
        """Make the contacts by our field, so that Salesforce has each once, or update them by their ids."""
        new = writes[0].remote_id is None
        path = f"{self._data}/composite/sobjects" + (f"/Contact/{self._key}" if new else "")
        saved = self._rule == "allow_save" or all(write.request.create_anyway for write in writes)
        call = Call(
            "PATCH",
            path,
            path,
            payload={"allOrNone": False, "records": [_record(write) for write in writes]},
            headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"} if saved else {},
            writes=True,
            personal=batches.personal([write.request for write in writes]),
        )
        answer = self._http.call(call, ours)
        results = records.rows(answer.data)
        if len(results) != len(writes):
            raise Uncertain(f"{self._http.shown(call)} answered with something else than one result for each contact")
        return [self._written(write, result, answer, call) for write, result in zip(writes, results, strict=True)]

    def _written(self, write: Write, result: Json, answer: Answer, call: Call) -> Written | TargetError:
        remote_id = records.identity(result.get("id")) or write.remote_id
        if result.get("success") is True and remote_id:
            return Written(
                remote_id, f"{answer.status}", created=result.get("created") if write.remote_id is None else None
            )
        asked = Asked(self._http.shown(call), writes=True, hide=answer.hide)
        wrong = records.rows(result.get("errors"))
        return (
            self._errors.meaning(wrong, 400, asked)
            if wrong
            else Uncertain(f"{asked.shown} answered without a word on this contact")
        )

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - Setup makes fields
        """Look at our field, at the mapping's, and at the day's requests; writes nothing."""
        return Check.of(self._looked(fields))

    def _looked(self, fields: Collection[str]) -> Iterator[Said]:
        path = f"{self._data}/sobjects/Contact/describe"
        call = Call("GET", path, path)
        listed = records.rows(records.look(self._http.call(call).data, "fields"))
        if not any(one.get("name") == "Id" for one in listed):
            raise Uncertain(f"{self._http.shown(call)} answered with something that does not describe a contact")
        yield True, f"{self._http.host} answers and takes the token"
        yield from looked(listed, self._key, fields, self._errors.cure)
        yield from self._left()

    def _left(self) -> list[Said]:
        call = Call("GET", f"{self._data}/limits", f"{self._data}/limits")
        with suppress(Refused, Rejected):  # not everybody may look at them
            day = records.look(self._http.call(call).data, "DailyApiRequests")
            left, most = records.look(day, "Remaining"), records.look(day, "Max")
            return [(left != 0, f"{left} of {most} requests are left for today")]
        return []


def _record(write: Write) -> dict[str, Any]:
    which = {"id": write.remote_id} if write.remote_id else {}
    return {"attributes": {"type": "Contact"}, **write.fields, **which}


def _joined(value: Any) -> Any:
    return ";".join(map(records.text, value)) if isinstance(value, list) else value


KIND = Kind(
    label="Salesforce",
    schema=SalesforceSettings(),
    asks=("my_domain",),
    open=opening(Salesforce, grant),
    oauth2=grant,
    batch_size=BATCH,
    match="`external_id_field`, then the mapping's match list: e-mail, phone (in every usual spelling)",
    upsert="reads, then upserts by `external_id_field`",
    limits="a number of requests in any 24 hours; paused for half an hour when it is used up",
    auth="OAuth2: client credentials, or a JWT signed with your key",
    proved="vendor's documents",
    twice="never: `external_id_field` takes a value only once",
    record_url=lambda settings, at: f"{settings['base_url']}/{at}",
)

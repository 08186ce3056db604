"""CardDAV: an address book on any server that keeps vCards (Radicale, Nextcloud, iCloud, SOGo …).

A card's address is made of the customer's id, so a PUT with If-None-Match makes it once, and one with If-Match never
overwrites what somebody else wrote meanwhile. What phones and staff put into a card stays there. Facts: RFC 6352 and
RFC 4918, and a real Radicale 3.9.
"""

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.errors import AlreadyThere, Rejected
from connector.masking import Secret
from connector.models import Fail, Outcome, Upsert
from connector.targets import records, vcard, webdav
from connector.targets.account import Account, line
from connector.targets.base import Around, Check, Kind, Run, Said
from connector.targets.carddav_settings import CarddavSettings
from connector.targets.http import Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Row, Rung, Written
from connector.targets.writing import upsert

NOBODY = "flavours-connector-check"


class Carddav(Account, Contacts):
    """Be one address book."""

    kind = "carddav"
    batch_size = 1
    idempotent = True
    partial = True
    fetches = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        username, password = settings["username"], settings["password"]
        coded = b64encode(f"{username}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {coded}", "Accept": "*/*"}
        way = line(settings, headers=headers, secrets=(password, Secret(coded)), judge=webdav.judge)
        super().__init__(settings, around, way, settings["base_url"], username)
        self._book, self._version = webdav.Book(self._http), settings["vcard"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - nothing to make
        """Ask for somebody who cannot be there, and look at the names of the mapping's fields."""
        return Check.of(self._looked(fields))

    def _looked(self, fields: Collection[str]) -> Iterator[Said]:
        self._asked("UID", [("equals", NOBODY)], Upsert(NOBODY, {}, (), ""))
        yield True, f"{self._http.host} answers and takes the password"
        yield from ((False, wrong) for wrong in vcard.unknown(records.blank(fields)))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record into the address book, once."""
        return [self._upsert(request, run) for request in requests]

    def _upsert(self, request: Upsert, run: Run) -> Outcome:
        wrong = next(vcard.unknown(request.record), None)
        if wrong is not None:
            return Fail(f"{wrong}; mend the mapping")
        record = {"UID": request.customer, **request.record}
        match = (("UID", record["UID"]), *(pair for pair in request.match if pair[0] != "UID"))
        keep = (*request.keep, "UID")  # a card that others made keeps the one it has; servers refuse another
        return upsert(replace(request, record=record, match=match, keep=keep), self, run)

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Look at the customer's own address, then ask by each match value; by a phone however it is spaced."""
        asked = [pair for pair in request.match if "." not in pair[0] and pair[0] != "UID"]
        return [self._own(request), *(self._rung(name, value, request) for name, value in asked)]

    def _own(self, request: Upsert) -> Rung:
        def page(_: int) -> Page:
            found = self.fetch(_name(request), request)
            return Page([found] if found else [], last=True)

        def same(row: Row) -> bool:
            return records.same(request.record["UID"], row.get("UID"))

        return Rung("UID", [Question(page, same)], same)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a card, None when it is gone."""
        try:
            _, lines = self._book.get(remote_id, records.texts(request.record))
        except Rejected as error:
            if error.status in (404, 410):
                return None
            raise
        return Found(remote_id, vcard.flat(lines, request.record, request.phones))

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the card, unless there is one at its address."""
        name, lines = _name(request), vcard.fresh(request.record, self._version)
        try:
            self._book.put(name, lines, {"If-None-Match": "*"}, records.texts(request.record), ours)
        except AlreadyThere as error:
            moved = self._asked("UID", [("equals", request.record["UID"])], request)
            raise AlreadyThere(str(error), moved[0].remote_id if len(moved) == 1 else None) from None
        except Rejected as error:
            if error.status != 412:
                raise
            raise AlreadyThere(str(error), name, status=412) from None
        return Written(name, "made")

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:
        """Write the changed fields into the card as it is now; one who writes it meanwhile is not overwritten."""
        self._book.change(remote_id, fields, records.texts(request.record), ours)
        return Written(remote_id, "written")

    def _rung(self, name: str, value: str, request: Upsert) -> Rung:
        phone = name in request.phones
        wanted = webdav.typed(value) if phone else [("equals", value)]

        def same(row: Row) -> bool:
            return records.same(value, row.get(name), phone=phone)

        return Rung(name, [Question(lambda _: Page(self._asked(name, wanted, request), last=True), same)], same)

    def _asked(self, name: str, wanted: Sequence[tuple[str, str]], request: Upsert) -> list[Found]:
        found = self._book.find(name, wanted, records.texts(request.record))
        return [Found(card, vcard.flat(lines, request.record, request.phones)) for card, lines in found]


def _name(request: Upsert) -> str:
    return f"{records.plain_id(request.customer)}.vcf"


KIND = Kind(
    label="CardDAV (an address book of vCards)",
    schema=CarddavSettings(),
    open=lambda _config, settings, around: Carddav(settings, around),
    batch_size=1,
    match="the card at the customer's own address, then the mapping's match list: phone (however it is spaced), e-mail",
    upsert="PUT at the customer's own address; looks first for cards that others made",
    limits="none documented",
    auth="a user's name and password",
    proved="real system: Radicale 3.9",
    twice="never: a customer has one address, and a card is made there only if there is none",
)

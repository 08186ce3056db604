"""Ask an address book over CardDAV and read what it answers: XML, and a status that says what happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from connector.errors import AlreadyThere, Refused, Rejected, TargetError, Uncertain
from connector.targets import vcard
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.http import Call, Http, Ours

TRIES = 3  # of a change, while others write the same card
_QUERY = """<?xml version="1.0" encoding="utf-8"?>
<C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">
<D:prop><D:getetag/><C:address-data/></D:prop>
<C:filter test="anyof"><C:prop-filter name="{name}" test="anyof">{matches}</C:prop-filter></C:filter>
</C:addressbook-query>"""
_MATCH = '<C:text-match collation="i;unicode-casemap" match-type="{how}">{text}</C:text-match>'
_DATA = ".//{urn:ietf:params:xml:ns:carddav}address-data"


class Book:
    """Read, write and find the cards of one address book. All raise TargetError."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(self, name: str, personal: Sequence[str]) -> tuple[str, list[vcard.Line]]:
        """Return a card's ETag ("" when the server gives none) and its lines."""
        answer = self._http.call(Call("GET", _path(name), "/{card}", any_body=True, personal=personal))
        lines = vcard.read(answer.body.decode("utf-8", "replace"))
        if lines is None:
            raise Uncertain(f"GET {self._http.host}/{{card}} answered with something that is no vCard")
        return answer.headers.get("ETag", ""), lines

    def put(
        self, name: str, lines: Sequence[vcard.Line], only: Mapping[str, str], personal: Sequence[str], ours: Ours
    ) -> None:
        """Write a card; `only` are the conditions, as headers. Rejected with 412 when they are not met."""
        call = Call(
            "PUT",
            _path(name),
            "/{card}",
            raw=vcard.written(lines).encode("utf-8", "replace"),
            headers={"Content-Type": "text/vcard; charset=utf-8", **only},
            writes=True,
            any_body=True,
            personal=personal,
        )
        status = self._http.call(call, ours).status
        if status not in (201, 204):
            raise Uncertain(f"PUT {self._http.host}/{{card}} answered {status}, which says neither made nor changed")

    def change(self, name: str, fields: Mapping[str, object], personal: Sequence[str], ours: Ours) -> None:
        """Write fields into a card as it is now; one who writes it meanwhile is not overwritten."""
        for _ in range(TRIES):
            etag, lines = self.get(name, personal)
            try:
                self.put(name, vcard.changed(lines, fields), {"If-Match": etag} if etag else {}, personal, ours)
            except Rejected as error:
                if error.status != 412:
                    raise
                continue
            return
        raise Uncertain(f"PUT {self._http.host}/{{card}}: somebody else writes this card again and again")

    def find(
        self, name: str, wanted: Sequence[tuple[str, str]], personal: Sequence[str]
    ) -> list[tuple[str, list[vcard.Line]]]:
        """Return the cards, with their names, that have one of the texts in a property."""
        call = Call(
            "REPORT",
            "/",
            "/",
            raw=query(name, wanted),
            headers={"Content-Type": "application/xml; charset=utf-8", "Depth": "1"},
            any_body=True,
            personal=personal,
        )
        found = cards(self._http.call(call).body)
        if found is None:
            raise Uncertain(f"REPORT {self._http.host}/ answered with something that is no list of cards")
        return [(card, lines) for card, text in found if (lines := vcard.read(text))]


def query(name: str, wanted: Sequence[tuple[str, str]]) -> bytes:
    """Return the question for the cards that have one of the texts in a property; each with how it is compared."""
    matches = "".join(_MATCH.format(how=how, text=escape(text)) for how, text in wanted)
    return _QUERY.format(name=name, matches=matches).encode("utf-8", "replace")


def typed(e164: str) -> list[tuple[str, str]]:
    """Return what a card with the number contains, whatever stands between its digits: the last four, or two pairs."""
    first, last = e164[-4:-2], e164[-2:]
    return [("contains", mark.join((first, last))) for mark in ("", " ", "-")]


def cards(body: bytes) -> list[tuple[str, str]] | None:
    """Return the names and texts of the cards in an answer; None when it is no list of them."""
    tree = _tree(body)
    if tree is None or tree.tag != "{DAV:}multistatus":
        return None
    named = [(unquote(one.findtext("{DAV:}href", "").rpartition("/")[2]), one.findtext(_DATA)) for one in tree]
    return [(name, text) for name, text in named if name and text]


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means: WebDAV says it by the status, and why in XML or a plain text."""
    tree = _tree(answer.body)
    if answer.status < 400 or (tree is None and answer.body.lstrip().startswith(b"<")):  # a web page is not its own
        return verdict(answer, asked, now)
    why = answer.body[:1000].decode("utf-8", "replace") if tree is None else _reason(tree)
    what = f"{asked.shown} answered {answer.status}" + (f": {asked.hide(why)}" if why else "")
    if "uid-conflict" in why:
        return AlreadyThere(f"{what}; another card has this customer's UID", status=answer.status)
    if answer.status == 409 or (answer.status == 404 and not asked.shown.startswith("GET ")):
        return Refused(f"{what}; there is no address book at base_url: make one there, or correct it")
    if answer.status in (404, 410, 412):
        return Rejected(what, status=answer.status)
    error = verdict(answer, asked, now)
    return Rejected(what, status=answer.status) if isinstance(error, Rejected) else error


def _path(name: str) -> str:
    return f"/{quote(name, safe='')}"


def _tree(body: bytes) -> ElementTree.Element | None:
    """Return the document of a DAV answer; None for a web page, and for one that defines words of its own."""
    if not body.lstrip().startswith(b"<") or b"<!ENTITY" in body:
        return None
    try:
        tree = ElementTree.fromstring(body)  # noqa: S314 - without a DTD, and of a few MiB at most
    except (ElementTree.ParseError, ValueError, LookupError):  # not XML, or of an encoding that cannot be read
        return None
    return tree if tree.tag.startswith("{DAV:}") else None


def _reason(tree: ElementTree.Element) -> str:
    said = [text.strip() for one in tree.iter() if one.tag.endswith("}message") and (text := one.text)]
    return "; ".join(said or [one.tag.partition("}")[2] for one in tree])

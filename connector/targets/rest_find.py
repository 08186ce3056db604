"""Ask a declarative target for a customer: by which rungs and values, page by page, each row re-checked on our side."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.errors import Rejected, Uncertain
from connector.mapping.transforms.phone import spellings
from connector.models import Upsert
from connector.targets import records
from connector.targets.blanks import Shape, Template
from connector.targets.http import Call, Http
from connector.targets.ladder import Found, Page, Question, Row, Rung

Settings = Mapping[str, Any]
Value = Callable[[str], str]

MOST_READ = 10  # rows of a page that are read whole; where there are more, the question was ignored


@dataclass(frozen=True, slots=True)
class Finder:
    """Ask by the rungs of `find`; `read` reads a contact by its id, where rows are too short to compare."""

    rungs: Sequence[Settings]
    http: Http
    read: Callable[[str, Upsert], Found | None]

    def askable(self, request: Upsert) -> list[Rung]:
        """Return the rungs whose values are there and valid."""
        return [self._rung(rung, request) for rung in self.rungs if _askable(rung, valid(request))]

    def unasked(self, request: Upsert) -> list[str]:
        """Return the fields that the record has and that were not asked by, for they are not valid."""
        there, value = anything(request, None), valid(request)
        names = {name for rung in self.rungs for name in _names(rung)}
        return sorted(name.removeprefix("record.") for name in names if there(name) and not value(name))

    def page(self, rung: Settings, value: Value, request: Upsert, number: int = 1) -> Page:
        """Return a page of the rung's answer. Raises TargetError."""
        query = (*((name, text.fill(value) or "") for name, text in rung["query"].items()), *_paging(rung, number))
        personal = (*records.texts(request.record), *(text for _, text in query))
        path = rung["path"].address(value) or ""
        call = Call("GET", path, rung["path"].text, query, personal=personal)
        try:
            data = self.http.call(call).data
        except Rejected as error:
            if error.status == 404:
                return Page((), last=True)
            raise
        return Page(self._whole(rung, self._rows(rung, data), request), last=_last(rung, data))

    def _rung(self, rung: Settings, request: Upsert) -> Rung:
        value = valid(request)
        wanted = [(place, text.fill(value) or "", _is_phone(text, request)) for place, text in rung["match"].items()]
        full = (rung["page"]["size"] or 1) if rung["page"] else None
        return Rung(
            " and ".join(rung["match"]),
            [Question(self._pages(rung, told, request), _obeyed(rung, told), full) for told in _told(rung, request)],
            lambda row: all(holds(row, place, text, phone=phone) for place, text, phone in wanted),
        )

    def _pages(self, rung: Settings, value: Value, request: Upsert) -> Callable[[int], Page]:
        return lambda number: self.page(rung, value, request, number)

    def _rows(self, rung: Settings, data: Any) -> list[Found]:
        rows = at(data, rung["records"])
        found = [_row(row, rung) for row in (rows if isinstance(rows, list) else [rows])]
        if None in found:
            where = f"GET {self.http.host}{rung['path'].text}"
            raise Uncertain(f"{where} answered with something that is not a list of contacts with ids")
        return [item for item in found if item is not None]

    def _whole(self, rung: Settings, rows: list[Found], request: Upsert) -> list[Found]:
        if not rung["short"]:
            return rows
        read = [self.read(found.remote_id, request) for found in rows[:MOST_READ]]
        return [found for found in read if found is not None] + rows[MOST_READ:]


def valid(request: Upsert) -> Value:
    """Give the values to look by: the customer's id, and match values, which the mapping found valid."""
    values = {f"record.{name}": value for name, value in request.match} | {"customer": request.customer}
    return lambda name: values.get(name, "")


def anything(request: Upsert, remote_id: str | None) -> Value:
    """Give every value of the request, valid or not."""
    known = {"customer": request.customer, "remote_id": remote_id or ""}
    return lambda name: known.get(name) or records.text(records.look(request.record, name.removeprefix("record.")))


def at(data: Any, place: str | None) -> Any:
    """Return what stands at a place of an answer; all of it where there is no place."""
    return data if place is None else records.look(data, place)


def holds(row: Row, place: str, text: str, *, phone: bool) -> bool:
    """Tell whether a row has the value at the place; `phones[].value` is the value of any item of the list."""
    before, several, after = place.partition("[]")
    found = records.look(row, before)
    if not several:
        return records.same(text, found, phone=phone)
    items = found if isinstance(found, list) else []
    return any(records.same(text, at(item, after.strip(".") or None), phone=phone) for item in items)


def _told(rung: Settings, request: Upsert) -> Iterator[Value]:
    """Yield the values for each question: with `spellings` a phone is asked for in each usual way to type it."""
    value = valid(request)
    names = _names(rung) if rung["spellings"] else ()
    phone = next((name for name in names if name.removeprefix("record.") in request.phones), None)
    for typed in spellings(value(phone)) if phone else ():
        yield _instead(value, phone or "", typed)
    if phone is None:
        yield value


def _instead(value: Value, name: str, text: str) -> Value:
    return lambda asked: text if asked == name else value(asked)


def _obeyed(rung: Settings, value: Value) -> Callable[[Row], bool]:
    """Return the check that a row answers the question: with `search` by holding the text anywhere."""
    if rung["search"]:
        terms = [(text.fill(value) or "").casefold() for text in rung["query"].values() if text.names]
        return lambda row: any(term in "\n".join(records.texts(row)).casefold() for term in terms)
    wanted = [(place, text.fill(value) or "") for place, text in rung["match"].items()]
    return lambda row: all(holds(row, place, text, phone=False) for place, text in wanted)


def _askable(rung: Settings, value: Value) -> bool:
    texts = (*rung["query"].values(), *rung["match"].values())
    return rung["path"].address(value) is not None and all(text.fill(value) is not None for text in texts)


def _names(rung: Settings) -> tuple[str, ...]:
    texts: tuple[Template | Shape, ...] = (rung["path"], *rung["query"].values(), *rung["match"].values())
    return tuple(name for text in texts for name in text.names)


def _paging(rung: Settings, number: int) -> Iterator[tuple[str, str]]:
    page = rung["page"]
    if page is not None:
        yield page["param"], str(number)
        if page["size_param"] is not None:
            yield page["size_param"], str(page["size"])


def _last(rung: Settings, data: Any) -> bool:
    following = rung["page"]["next"] if rung["page"] else None
    return following is not None and not records.look(data, following)


def _is_phone(text: Template, request: Upsert) -> bool:
    return text.only is not None and text.only.removeprefix("record.") in request.phones


def _row(item: Any, rung: Settings) -> Found | None:
    row = at(item, rung["row"])
    remote_id = records.identity(records.look(row, rung["id"])) if isinstance(row, dict) else ""
    return Found(remote_id, row) if remote_id else None

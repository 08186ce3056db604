"""A held delivery beside what its target has: the record we would write, and each contact there that could be the one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from connector.targets import kinds, records
from connector.targets.looking import look
from connector.web.admin.event import pretty
from connector.web.admin.frame import Frame
from connector.web.admin.reaching import asked, mapped, opened

Row = Mapping[str, Any]
LONGEST = 20_000  # characters of a contact that are shown of all that the target has


@dataclass(frozen=True, slots=True)
class Contact:
    """Hold a contact of the target: whose it is by our links, where to see it, all that it holds, and field by field."""

    remote_id: str
    owner: str | None
    address: str | None
    whole: str
    values: Mapping[str, str]
    same: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sight:
    """Hold what a look came to: our record's fields, and the contacts; `trouble` and `asked` as a look says them."""

    ours: Mapping[str, str]
    contacts: tuple[Contact, ...]
    trouble: str
    asked: bool


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = Beside(frame)
    frame.page("/held/<int:number>/beside", "beside", rooms.show, role="operator")
    frame.page("/held/<int:number>/look", "look", rooms.look, role="operator", post=True)


class Beside:
    """Show a held delivery beside what its target has."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store = frame, frame.store

    def show(self, number: int) -> Response:
        """Show how the look stands that this person asked for."""
        row = self._store.desk.delivery(number)
        found = self._frame.errands.look(self._key(number))
        return self._frame.draw("beside.html", row=row, look=found, many=bool(request.args.get("many")))

    def look(self, number: int) -> Response:
        """Ask the target, by its own look-up, beside the pages; who asked is written down, for it shows personal data."""
        self._store.desk.delivery(number)
        named = request.form.get("remote_id", "").strip()[:255]
        self._frame.note("look_there", f"d{number} {named}".strip())
        began = self._frame.errands.start(self._key(number), lambda: self._sight(number, named))
        return redirect(url_for("admin.beside", number=number, many=None if began else 1))

    def _key(self, number: int) -> tuple[str, ...]:
        return ("look", g.person.name, str(number))

    def _sight(self, number: int, named: str) -> Sight:
        """Look. Raises ConnectorError. It runs beside the pages: nothing of the request is here any more."""
        delivery = self._store.desk.delivery(number)
        name = delivery["target"]
        target = opened(self._frame, name)
        wanted = asked(self._store, delivery, mapped(self._frame, delivery), target, named)
        links = self._store.links
        seen = look(target, wanted, lambda remote_id: links.owner(name, target.account, remote_id))
        ours = dict(records.leaves(wanted.record))
        contacts = (
            Contact(
                remote_id,
                links.owner(name, target.account, remote_id),
                kinds.record_url(self._frame.config.targets[name], remote_id),
                _whole(row),
                {field: records.shown(records.look(row, field)) for field in ours},
                frozenset(
                    field
                    for field, value in ours.items()
                    if records.same(value, records.look(row, field), phone=field in wanted.phones)
                ),
            )
            for remote_id, row in seen.contacts.items()
        )
        return Sight(
            {field: records.shown(value) for field, value in ours.items()}, tuple(contacts), seen.trouble, seen.asked
        )


def _whole(row: Mapping[str, object]) -> str:
    text = pretty(json.loads(json.dumps(row, default=str, ensure_ascii=False)))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"

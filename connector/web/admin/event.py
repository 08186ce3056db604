"""One event: what Flavours sent (masked until a person asks, which is written down), and all that became of it."""

import json
from collections.abc import Mapping
from typing import Any

from flask import redirect, url_for
from werkzeug.wrappers import Response

from connector import flavours
from connector.errors import ConnectorError
from connector.mapping import document
from connector.mapping.rules import apply
from connector.store import Store, again
from connector.store.erasing import FORGOTTEN
from connector.web.admin.frame import Frame
from connector.web.admin.held import LOOKED

Row = Mapping[str, Any]
_PLAIN = {"xid", "action", "timestamp", "id", "type", "role", "lang", "is_active", "created_at", "updated_at"}


def add(frame: Frame) -> None:
    """Add the pages of an event."""
    rooms = EventRoom(frame)
    frame.page("/events/<int:number>", "event", rooms.show)
    frame.page("/events/<int:number>/show", "unmask", rooms.unmask, role="operator", post=True)
    frame.page("/events/<int:number>/replay", "route_again", rooms.route_again, role="operator", post=True)


class EventRoom:
    """Show an event."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store = frame, frame.store

    def show(self, number: int, *, bare: bool = False, left: str = "") -> Response:
        """Show an event; `bare` with what is personal in it."""
        row = self._store.desk.event(number)
        deliveries = self._store.desk.deliveries(event=number, limit=100)
        made = self._store.mappings.known(one["mapping_hash"] for one in deliveries if one["mapping_hash"])
        return self._frame.draw(
            "event.html",
            event=row,
            body=_shown(row["body"], bare=bare),
            forgotten=row["reason"] == FORGOTTEN,
            bare=bare,
            left=left,
            looked=LOOKED,
            deliveries=[
                {
                    "row": one,
                    "attempts": self._store.desk.attempts(one["id"]),
                    "version": made.get(one["mapping_hash"]),
                    "record": made_of(self._store, row["body"], one["mapping_hash"]) if bare else None,
                }
                for one in deliveries
            ],
        )

    def unmask(self, number: int) -> Response:
        """Show an event as it came, and write down who looked."""
        self._store.desk.event(number)
        self._frame.note("show_event", f"e{number}")
        return self.show(number, bare=True)

    def route_again(self, number: int) -> Response:
        """Read an event again and route it by today's configuration."""
        left = again.route(self._frame.config, self._store, number)
        self._frame.note("replay", f"e{number}")
        if left:
            return self.show(number, left=left)
        return redirect(url_for("admin.event", number=number) + "#deliveries")


def made_of(store: Store, body: bytes | None, digest: str | None) -> str | None:
    """Return the record that a version of a mapping makes of an event, as a person reads it; None where none did."""
    if body is None or not digest:
        return None
    try:
        mapping = document.read(store.mappings.text(digest), "")
        return pretty(dict(apply(mapping, flavours.read(body)).record))
    except ConnectorError:
        return None


def _shown(body: bytes | None, *, bare: bool) -> str | None:
    if body is None:
        return None
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace") if bare else "***"
    return pretty(read if bare else masked(read))


def masked(value: Any, key: str = "") -> Any:
    """Return a value of JSON with *** for whatever may be personal; `key` is what it stands under."""
    if isinstance(value, dict):
        return {name: masked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, key) for inner in value]
    return value if value is None or isinstance(value, bool) or key in _PLAIN else "***"


def pretty(value: Any) -> str:
    """Return JSON as a person reads it."""
    return json.dumps(value, ensure_ascii=False, indent=2)

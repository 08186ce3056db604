"""A customer's page: what came of one person, what changed when, and which record of each target they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from connector.errors import NotFound
from connector.mapping.paths import leaves
from connector.targets import kinds
from connector.web.admin.event import made_of
from connector.web.admin.frame import Frame

Row = Mapping[str, Any]
PAGE = 20
LARGEST = 65_536  # bytes of a body of which is told what changed; a customer has a thousandth of it
_ALWAYS = {"user.updated_at"}  # every change changes it


def add(frame: Frame) -> None:
    """Add the page, which is asked for by the customer's id: it may hold anything, slashes too."""
    room = CustomerRoom(frame)
    frame.page("/customers", "customer", lambda: room.show(request.args.get("id", "")))
    frame.page("/customers/show", "show_customer", room.unmask, role="operator", post=True)


class CustomerRoom:
    """Show one customer."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store = frame, frame.store

    def show(self, customer: str, *, bare: bool = False) -> Response:
        """Show a customer; `bare` with what is personal."""
        text = request.args.get("before", "")
        before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
        # One more than is shown: what the oldest of the page changed is told by the one before it.
        events = self._store.customers.events(customer, PAGE + 1, before)
        links = self._store.customers.links(customer, self._targets())
        if not events and not links and before is None:
            raise NotFound(f"nothing is known of a customer {customer}")
        return self._frame.draw(
            "customer.html",
            customer=customer,
            bare=bare,
            records=[self._record(link, bare=bare) for link in links],
            events=self._told(events[:PAGE], [*events[1:], None]),
            further=events[PAGE - 1]["id"] if len(events) > PAGE else None,
        )

    def unmask(self) -> Response:
        """Show a customer with what is personal, and write down who looked."""
        customer = request.form.get("id", "")
        if self._store.customers.events(customer, 1):
            self._frame.note("show_customer", customer)
        return self.show(customer, bare=True)

    def _targets(self) -> list[str]:
        """Return the targets of today, and those of before that hold records still."""
        return sorted({*self._frame.config.targets, *self._store.states.all()})

    def _record(self, link: Row, *, bare: bool) -> dict[str, Any]:
        of = self._frame.config.targets.get(link["target"])
        return {
            "link": link,
            "kind": of.kind if of else None,
            "address": kinds.record_url(of, link["remote_id"]) if of else None,
            "sent": self._sent(link) if bare else None,
        }

    def _sent(self, link: Row) -> str | None:
        """Return the record that was sent last."""
        try:
            body = self._store.desk.event(link["arrival"])["body"]
        except NotFound:
            return None
        return made_of(self._store, body, link["mapping_hash"])

    def _told(self, events: Sequence[Row], before: Sequence[Row | None]) -> list[dict[str, Any]]:
        rows = self._store.overview.of_events([event["id"] for event in events])
        tries = self._store.customers.last_tries([row["id"] for row in rows])
        return [
            {
                "event": event,
                "first": older is None,
                "changes": changes(older["body"] if older else None, event["body"]),
                "deliveries": [(row, tries.get(row["id"])) for row in rows if row["event_id"] == event["id"]],
            }
            for event, older in zip(events, before, strict=False)
        ]


def changes(old: bytes | None, new: bytes | None) -> list[tuple[str, Any, Any]]:
    """Return each field that two bodies say differently, with what it was and what it is; none where one is not there."""
    before, after = _fields(old), _fields(new)
    if before is None or after is None:
        return []
    names = [name for name in {**before, **after} if name not in _ALWAYS]
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _fields(body: bytes | None) -> dict[str, Any] | None:
    if body is None or len(body) > LARGEST:
        return None
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    data = read.get("data") if isinstance(read, dict) else None
    return dict(leaves(data)) if isinstance(data, dict) else None

"""The list of deliveries: find, filter, page on, and decide about many at once after a confirmation."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from connector.errors import NotFound
from connector.models import DELIVERY_STATES
from connector.store import again
from connector.store.desk import Decision
from connector.store.overview import Page
from connector.web.admin.frame import Frame

PAGE = 50
MOST = 500  # decided about in one request; the rest with the next one
ACTIONS = ("replay", "give_up")


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = Deliveries(frame)
    frame.page("/deliveries", "deliveries", rooms.show)
    frame.page("/deliveries/confirm", "confirm", rooms.confirm, role="operator", post=True)
    frame.page("/deliveries/decide", "decide", rooms.decide, role="operator", post=True)


class Deliveries:
    """List deliveries and carry out decisions about them."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store = frame, frame.store

    def show(self) -> Response:
        """Show one page: what a text finds, or what is in a state, of a target, of a sync."""
        text = request.args.get("q", "").strip()
        days = {name: _day(request.args.get(name)) for name in ("since", "until")}
        page = self._page(text, _number(request.args.get("before")), days)
        return self._frame.draw(
            "deliveries.html",
            q=text,
            page=page,
            wanted=self._wanted(),
            days=days,
            states=DELIVERY_STATES,
            targets=sorted(self._frame.config.targets),
            syncs=sorted(self._frame.config.syncs),
            behind=self._store.search.behind() if text else 0,
            done=_number(request.args.get("done")),
            left=_number(request.args.get("left")),
        )

    def confirm(self) -> Response:
        """Say how many would be decided about, and ask."""
        ids, action = self._chosen()
        return self._frame.draw("confirm.html", ids=ids, action=action)

    def decide(self) -> Response:
        """Try the chosen ones again, or give them up."""
        ids, action = self._chosen()
        done = sum(self._decided(number, action) for number in ids)
        self._frame.note(action, " ".join(f"d{number}" for number in ids))
        return redirect(url_for("admin.deliveries", done=done, left=len(ids) - done))

    def _chosen(self) -> tuple[list[int], str]:
        action = request.form.get("action", "")
        if action not in ACTIONS:
            abort(400)
        if request.form.get("all") in ("held", "failed"):
            rows = self._store.overview.deliveries({"state": request.form["all"]}, None, MOST).rows
            return sorted(int(row["id"]) for row in rows), action
        given = [_number(text) for text in request.form.getlist("id")[:MOST]]
        return sorted({number for number in given if number is not None}), action

    def _decided(self, number: int, action: str) -> bool:
        try:
            if action == "replay":
                return not again.reopen(self._store.desk, [number])
            self._store.desk.resolve(Decision(number, "skip"))
        except (NotFound, ValueError):  # it moved on meanwhile, or was purged
            return False
        return True

    def _wanted(self) -> dict[str, str]:
        known = {
            "state": DELIVERY_STATES,
            "target": tuple(self._frame.config.targets),
            "sync": tuple(self._frame.config.syncs),
        }
        return {name: request.args[name] for name, values in known.items() if request.args.get(name) in values}

    def _page(self, text: str, before: int | None, days: Mapping[str, date | None]) -> Page:
        since, until = days["since"], days["until"]
        came, made = self._store.overview.between(_starts(since), _starts(until and until + timedelta(days=1)))
        if text:
            return self._found(text, came.before(before), came.first)
        return self._store.overview.deliveries(self._wanted(), made.before(before), PAGE, made.first)

    def _found(self, text: str, before: int | None, first: int) -> Page:
        if text[:1] in ("d", "e") and text[1:].isascii() and text[1:].isdecimal() and len(text) < 19:
            return self._by_id(text)
        found = self._store.search.events(text, PAGE, before)
        events = [number for number in found if number >= first]
        rows = self._store.overview.of_events(events) if events else []
        kept = [row for row in rows if all(row[name] == value for name, value in self._wanted().items())]
        return Page(kept, events[-1] if len(events) == PAGE else None)

    def _by_id(self, text: str) -> Page:
        number = int(text[1:])
        try:
            if text[0] == "d":
                return Page([self._store.desk.delivery(number)], None)
            return Page(self._store.desk.deliveries(event=number, limit=100), None)
        except NotFound:
            return Page([], None)


def _day(text: str | None) -> date | None:
    """Return a day of a query, None for whatever is none."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 1970 < day.year < 9999 else None


def _starts(day: date | None) -> int | None:
    """Return when a day begins on this machine's clock (epoch ms)."""
    return None if day is None else int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)


def _number(text: str | None) -> int | None:
    """Return an id of a query, None for whatever is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None

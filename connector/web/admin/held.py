"""The inbox of decisions: what only a person can say, one click each, the same as `deliveries resolve`."""

from typing import Literal

from flask import abort, request
from werkzeug.wrappers import Response

from connector.errors import ConnectorError, NotFound
from connector.store.desk import Decision
from connector.web.admin.frame import Frame
from connector.web.admin.reaching import opened

PAGE = 20
# What is decided by comparing with what the target has; the others are mended here.
LOOKED = {"two_matches", "name_taken", "already_linked", "already_there", "maybe_there", "filter_ignored", "id_differs"}
How = Literal["link", "create", "skip"]
_HOWS: dict[str, How] = {"link": "link", "create": "create", "skip": "skip"}


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = Held(frame)
    frame.page("/held", "held", rooms.show)
    frame.page("/held/<int:number>", "resolve", rooms.resolve, role="operator", post=True)


class Held:
    """Show what is held, and carry out what a person decides."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store = frame, frame.store

    def show(self, done: str = "", problem: str = "", status: int = 200) -> Response:
        """Show the newest held deliveries."""
        text = request.args.get("before", "")
        before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
        page = self._store.overview.deliveries({"state": "held"}, before, PAGE)
        return self._frame.draw("held.html", status, page=page, done=done, problem=problem, looked=LOOKED)

    def resolve(self, number: int) -> Response:
        """Link, create or skip."""
        how, remote_id = _how(request.form.get("how")), request.form.get("remote_id", "").strip()[:255]
        if how == "link" and not remote_id:
            return self.show(problem="held_no_id", status=400)
        try:
            account = self._account(number) if how == "link" else ""
            self._store.desk.resolve(Decision(number, how, remote_id if how == "link" else None, account))
        except NotFound:
            raise
        except (ConnectorError, ValueError):
            return self.show(problem="held_not_now", status=409)
        self._frame.note(f"resolve_{how}", f"d{number} {remote_id}".strip())
        return self.show(done=f"d{number}")

    def _account(self, number: int) -> str:
        """Return the account that the target is opened for: a link is good for it alone."""
        name = self._store.desk.delivery(number)["target"]
        if name not in self._frame.config.targets:
            raise ValueError(f"the target {name} is not in the configuration any more")
        return opened(self._frame, name).account


def _how(text: str | None) -> How:
    found = _HOWS.get(text or "")
    if found is None:
        abort(400)
    return found

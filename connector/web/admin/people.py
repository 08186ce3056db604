"""Who may sign in, and what was done here, by whom; for editors."""

from flask import request
from werkzeug.wrappers import Response

from connector.web.admin.frame import Frame

PAGE = 50


def add(frame: Frame) -> None:
    """Add the pages."""
    frame.page("/people", "people", lambda: _people(frame), role="editor")
    frame.page("/audit", "audit", lambda: _audit(frame), role="editor")


def _people(frame: Frame) -> Response:
    return frame.draw("people.html", people=frame.store.people.list())


def _audit(frame: Frame) -> Response:
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    rows = frame.store.audit.list(PAGE, before)
    return frame.draw("audit.html", rows=rows, further=rows[-1]["id"] if len(rows) == PAGE else None)

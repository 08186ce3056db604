"""Who may sign in, and what was done here, by whom; for editors, of whom one is always left."""

from flask import abort, redirect, request, url_for
from werkzeug.security import generate_password_hash
from werkzeug.wrappers import Response

from connector.models import PASSWORD, ROLES
from connector.store.people import LastEditor
from connector.web.admin.frame import Frame
from connector.web.admin.proving import fits

PAGE = 50
LONGEST_NAME = 100


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = PeopleRoom(frame)
    frame.page("/people", "people", rooms.show, role="editor")
    frame.page("/people/add", "add_person", rooms.add, role="editor", post=True)
    frame.page("/people/role", "change_role", rooms.role, role="editor", post=True)
    frame.page("/people/password", "change_password", rooms.password, role="editor", post=True)
    frame.page("/people/remove", "remove_person", rooms.remove, role="editor", post=True)
    frame.page("/audit", "audit", lambda: _audit(frame), role="editor")


class PeopleRoom:
    """Let people in and out. A person whose role or password changes signs in anew: their sessions end at once."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._people = frame, frame.store.people

    def show(self, problem: str = "", status: int = 200) -> Response:
        """List who may sign in."""
        shortest, longest = PASSWORD
        return self._frame.draw(
            "people.html",
            status,
            people=self._people.list(),
            roles=ROLES,
            problem=problem,
            shortest=shortest,
            longest=longest,
            done=bool(request.args.get("done")),
        )

    def add(self) -> Response:
        """Let a person in."""
        name, password = request.form.get("name", "").strip(), request.form.get("password", "")
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            return self.show("people_name", 422)
        if not fits(password):
            return self.show("people_password", 422)
        role = _role()
        try:
            self._people.add(name, role, generate_password_hash(password))
        except ValueError:
            return self.show("people_there", 409)
        return self._done("add_person", f"{name} ({role})")

    def role(self) -> Response:
        """Give a person another role."""
        name, role = request.form.get("name", ""), _role()
        try:
            self._people.change(name, role=role, keep_editor=True)
        except LastEditor:
            return self.show("people_last", 409)
        return self._done("change_role", f"{name} ({role})")

    def password(self) -> Response:
        """Give a person another password."""
        name, password = request.form.get("name", ""), request.form.get("password", "")
        if not fits(password):
            return self.show("people_password", 422)
        self._people.change(name, password=generate_password_hash(password))
        return self._done("change_password", name)

    def remove(self) -> Response:
        """Let a person in no more."""
        name = request.form.get("name", "")
        try:
            self._people.remove(name, keep_editor=True)
        except LastEditor:
            return self.show("people_last", 409)
        return self._done("remove_person", name)

    def _done(self, what: str, about: str) -> Response:
        self._frame.note(what, about)
        return redirect(url_for("admin.people", done=1))


def _role() -> str:
    role = request.form.get("role", "")
    if role not in ROLES:
        abort(400)
    return role


def _audit(frame: Frame) -> Response:
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    rows = frame.store.audit.list(PAGE, before)
    return frame.draw("audit.html", rows=rows, further=rows[-1]["id"] if len(rows) == PAGE else None)

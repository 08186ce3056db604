"""Let a person change their own password: the old one is asked for, and every other session of theirs ends."""

from flask import g, redirect, request, url_for
from werkzeug.security import generate_password_hash
from werkzeug.wrappers import Response

from connector.models import PASSWORD
from connector.web.admin.frame import Frame, begin_session
from connector.web.admin.proving import LONGEST, fits, prove

_PROBLEMS = {401: "own_password_wrong", 429: "sign_in_wait"}


def add(frame: Frame) -> None:
    """Add the pages."""
    room = OwnPassword(frame)
    frame.page("/password", "own_password", room.show)
    frame.page("/password", "change_own_password", room.change, post=True)


class OwnPassword:
    """Change the password of whoever is signed in."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._people = frame, frame.store.people

    def show(self, problem: str = "", status: int = 200, wait: int = 0) -> Response:
        """Ask for the old password and the new one."""
        shortest, longest = PASSWORD
        done = bool(request.args.get("done"))
        values = {"problem": problem, "shortest": shortest, "longest": longest, "seconds": wait, "done": done}
        return self._frame.draw("own_password.html", status, **values)

    def change(self) -> Response:
        """Take the new password for the right old one; this browser stays signed in, by a session that is new."""
        name, new = g.person.name, request.form.get("password", "")
        if not fits(new):
            return self.show("people_password", 422)
        if new != request.form.get("again", ""):
            return self.show("own_password_differs", 422)
        proof = prove(self._people, name, request.form.get("old", "")[:LONGEST])
        if proof.status != 200:
            return self.show(_PROBLEMS[proof.status], proof.status, proof.wait)
        self._people.change(name, password=generate_password_hash(new))
        begin_session(self._people.sign_in(name))
        self._frame.note("change_own_password")
        return redirect(url_for("admin.own_password", done=1))

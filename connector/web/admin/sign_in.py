"""Let people in and out: a password, a session that is new each time, and a growing wait for who guesses."""

from flask import g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from connector.web.admin.frame import Frame, begin_session
from connector.web.admin.proving import LONGEST, prove

_PROBLEMS = {401: "sign_in_wrong", 429: "sign_in_wait"}


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = SignIn(frame)
    frame.routes.add_url_rule("/sign-in", "sign_in", rooms.show)
    frame.routes.add_url_rule("/sign-in", "signed_in", rooms.enter, methods=["POST"])
    frame.page("/sign-out", "sign_out", rooms.leave, post=True)


class SignIn:
    """Know who comes in."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._people = frame, frame.store.people

    def show(self, problem: str = "", status: int = 200, wait: int = 0) -> Response:
        """Ask for name and password."""
        if g.person is not None and not problem:
            return redirect(url_for("admin.home"))
        return self._frame.draw("sign_in.html", status, problem=problem, wait=wait, nobody=not self._people.list())

    def enter(self) -> Response:
        """Begin a session for the right password."""
        name, password = request.form.get("name", "").strip()[:LONGEST], request.form.get("password", "")[:LONGEST]
        proof = prove(self._people, name, password)
        if proof.status != 200:
            return self.show(_PROBLEMS[proof.status], proof.status, proof.wait)
        begin_session(self._people.sign_in(name))
        self._frame.store.audit.note(name, "sign_in", request.remote_addr or "")
        return redirect(url_for("admin.home"))

    def leave(self) -> Response:
        """End the session, in the store too: a copy of the cookie opens nothing afterwards."""
        self._people.sign_out(session["token"])
        self._frame.note("sign_out")
        session.clear()
        return redirect(url_for("admin.sign_in"))

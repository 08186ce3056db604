"""Let people in and out: a password, a session that is new each time, and a growing wait for who guesses."""

from flask import g, redirect, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from connector.web.admin.frame import Frame, begin_session

# A stranger's name costs as much time as a known one, so that nobody learns who there is.
_NOBODY = generate_password_hash("nobody has this password")
_LONGEST = 200


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
        name, password = request.form.get("name", "").strip()[:_LONGEST], request.form.get("password", "")[:_LONGEST]
        keys = (f"name:{name}", f"from:{request.remote_addr}")
        wait = self._people.wait(keys)
        if wait:
            return self.show("sign_in_wait", 429, -(-wait // 1000))
        if not check_password_hash(self._people.password(name) or _NOBODY, password) or not self._known(name):
            self._people.failed(keys)
            return self.show("sign_in_wrong", 401)
        self._people.forgive(keys[:1])
        begin_session(self._people.sign_in(name))
        self._frame.store.audit.note(name, "sign_in", request.remote_addr or "")
        return redirect(url_for("admin.home"))

    def leave(self) -> Response:
        """End the session, in the store too: a copy of the cookie opens nothing afterwards."""
        self._people.sign_out(session["token"])
        self._frame.note("sign_out")
        session.clear()
        return redirect(url_for("admin.sign_in"))

    def _known(self, name: str) -> bool:
        return self._people.password(name) is not None

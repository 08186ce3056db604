"""Call the methods of Tryton's models, in a session that is begun anew when it has ended.

Tryton answers nearly everything with status 200; what a user did wrong comes with a sentence, all else as a bare text.
"""

import re
import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.errors import Refused, Rejected, TargetError, Uncertain
from connector.targets import records
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.http import Call, Http, Ours

_SENTENCE = ("UserError", "UserWarning")
_UNKNOWN = re.compile(r"'[\w.]+'")  # as Python tells of a key that is not there
_GONE = re.compile(r"records .* that don't exist")


class Session:
    """Log in, once for all threads, and again when the session has ended. It is the token source of an `Http`."""

    def __init__(self, http: Http, path: str, login: str, password: str) -> None:
        self._http, self._path, self._login, self._password = http, path, login, password
        self._lock = threading.Lock()
        self._headers: Mapping[str, str] = {}

    @property
    def extra(self) -> Mapping[str, str]:
        """Return nothing: a login says no more than the session."""
        return {}

    def headers(self) -> Mapping[str, str]:
        """Return the session as a header. Raises TargetError."""
        with self._lock:
            self._headers = self._headers or self._begun()
            return self._headers

    def renew(self, refused: Mapping[str, str]) -> None:
        """Log in again, unless another thread did. Raises TargetError."""
        with self._lock:
            if self._headers == refused:
                self._headers = {}
                self._headers = self._begun()

    def _begun(self) -> Mapping[str, str]:
        came = ask(self._http, self._path, "common.db.login", [self._login, {"password": self._password}, "en"])
        if not isinstance(came, list) or len(came) < 2 or not all(map(records.identity, came[:2])):
            raise Uncertain(f"{self._http.host}{self._path} common.db.login answered with something that is no session")
        session = b64encode(f"{self._login}:{came[0]}:{came[1]}".encode()).decode()
        return {"Authorization": f"Session {session}"}


def ask(
    http: Http,
    path: str,
    method: str,
    arguments: Sequence[Any],
    personal: Sequence[str] = (),
    ours: Ours | None = None,
) -> Any:
    """Return what a method returns; with `ours` it writes, and only while the lease holds. Raises TargetError."""
    payload = {"id": 1, "method": method, "params": arguments}
    call = Call("POST", path, f"{path} {method}", payload=payload, writes=ours is not None, personal=personal)
    came = (http.call(call) if ours is None else http.call(call, ours)).data
    if not isinstance(came, dict) or "result" not in came:
        raise Uncertain(f"{http.host}{call.shown} answered with something that is no result")
    return came["result"]


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means, by the kind of error that it carries."""
    error = records.look(answer.data, "error")
    if not isinstance(error, list) or len(error) < 2:
        return verdict(answer, asked, now)
    name, told = str(error[0]), error[1]
    words = [records.text(part) for part in told[:2]] if isinstance(told, list) else [name]
    what = f"{asked.shown} answered: {asked.hide(' '.join(filter(None, words)))}"
    if name == "LoginException" or "You are not allowed to" in what:
        return Refused(f"{what}; look at the login, and at what its user may do", expired=name == "LoginException")
    if name in _SENTENCE:
        return Rejected(what, status=404 if _GONE.search(what) else 422)
    if _UNKNOWN.fullmatch(name):
        return Rejected(f"{what} is no field (or model) of this Tryton; mend the mapping", status=422)
    return Uncertain(what)

"""Call the methods of Odoo's models: over JSON-2 from version 19 on, over JSON-RPC before.

Odoo answers 500 to a wrong field, 404 (a web page) when its database is down, and before 19 always 200: the name of its
exception says what happened, not the status. All seen on a real Odoo 19.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connector.errors import Refused, Rejected, TargetError, Uncertain
from connector.targets import records
from connector.targets.answers import Answer, Asked, verdict
from connector.targets.clock import Clock
from connector.targets.http import Call, Http, Ours

VERSION, FIRST_JSON2 = "/web/version", 19
FRESH = 3600.0  # seconds after which an Odoo may have been upgraded, or got a module
ALL = {"active_test": False}  # archived records too

_DENIED = re.compile(r"odoo\.exceptions\.Access(Denied|Error)|odoo\.http\.Session\w+|\w+\.exceptions\.(Unauth|Forb)\w+")
_PERMANENT = re.compile(
    r"builtins\.(Assertion|Attribute|Index|Key|Name|Type|Value)Error|odoo\.exceptions\.(Validation|User|Missing)Error"
    r"|werkzeug\.exceptions\.(BadRequest|NotFound|UnprocessableEntity)"
    r"|psycopg2\.(DataError|IntegrityError|errors\.(Invalid|Numeric|String|Undefined)\w+)"
)
_PASSING = re.compile(r"could not serialize|deadlock detected|connection (already )?closed|terminating connection")


@dataclass(frozen=True, slots=True)
class Way:
    """Hold the way to talk to the Odoo that answers: its version, who we are (`uid`: JSON-RPC), and facts it told."""

    version: str
    uid: int | None
    until: float
    facts: dict[str, Any] = field(default_factory=dict)


class Api:
    """Speak for one user of one database."""

    def __init__(self, http: Http, settings: Mapping[str, Any], clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._database, self._key, self._login = (settings[name] for name in ("database", "api_key", "login"))
        self._way: Way | None = None

    @property
    def host(self) -> str:
        """Return the host, as an error may show it."""
        return self._http.host

    def call(
        self,
        model: str,
        method: str,
        arguments: Mapping[str, Any],
        personal: Sequence[str] = (),
        ours: Ours | None = None,
    ) -> Any:
        """Return what a method returns; with `ours` it writes, and only while the lease holds. Raises TargetError."""
        way = self.way()
        try:
            if way.uid is None:
                path = f"/json/2/{model}/{method}"
                return self._post(Call("POST", path, path, payload=arguments, personal=personal), ours)
            of = [self._database, way.uid, self._key, model, method, [], arguments]
            return self._rpc(f"{model}.{method}", "object", "execute_kw", of, personal, ours)
        except (Refused, Rejected, Uncertain):
            self._way = None  # it may be another Odoo since: a new version, a new module
            raise

    def rows(
        self, model: str, domain: Sequence[Any], fields: Collection[str], personal: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Return the records of a domain, archived ones too. Raises TargetError."""
        asked = {"domain": domain, "fields": sorted(fields), "context": ALL}
        found = self.call(model, "search_read", asked, personal)
        if isinstance(found, list) and all(isinstance(row, dict) and type(row.get("id")) is int for row in found):
            return found
        raise Uncertain(f"{self._http.host} answered {model}.search_read with something that is no list of records")

    def once(self, fact: str, ask: Callable[[], Any]) -> Any:
        """Return what `ask` found of this Odoo, asked before or now."""
        facts = self.way().facts
        if fact not in facts:
            facts[fact] = ask()
        return facts[fact]

    def way(self) -> Way:
        """Return the way to talk; found out anew every hour, and after an error."""
        way = self._way
        if way is None or self._clock.monotonic() > way.until:
            version = self._version()
            new = int((re.findall(r"\d+", version) or ["0"])[0]) >= FIRST_JSON2
            way = self._way = Way(version, None if new else self._uid(version), self._clock.monotonic() + FRESH)
        return way

    def _version(self) -> str:
        try:
            told = self._http.call(Call("GET", VERSION, VERSION)).data
        except (Rejected, Uncertain):  # older ones have no such page
            told = self._rpc("version", "common", "version", [])
        version = records.text(records.look(told, "version") or records.look(told, "server_version"))
        if not version:
            raise Uncertain(f"{self._http.host}{VERSION} does not answer as Odoo does; is base_url right?")
        return version

    def _uid(self, version: str) -> int:
        if not self._login:
            raise Refused(f"{self._http.host} is Odoo {version}: set `login`, the name of the user whose key it is")
        uid = self._rpc("authenticate", "common", "authenticate", [self._database, self._login, self._key, {}])
        if type(uid) is not int or not uid:
            raise Refused(f"{self._http.host} does not take this key for this login; look at the credentials")
        return uid

    def _rpc(
        self,
        shown: str,
        service: str,
        method: str,
        of: Sequence[Any],
        personal: Sequence[str] = (),
        ours: Ours | None = None,
    ) -> Any:
        params = {"service": service, "method": method, "args": of}
        payload = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        came = self._post(Call("POST", "/jsonrpc", f"/jsonrpc {shown}", payload=payload, personal=personal), ours)
        if not isinstance(came, dict) or "result" not in came:
            raise Uncertain(f"{self._http.host}/jsonrpc {shown} answered with something that is no result")
        return came["result"]

    def _post(self, call: Call, ours: Ours | None) -> Any:
        if ours is None:
            return self._http.call(call).data
        return self._http.call(replace(call, writes=True), ours).data


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Return what an answer means, by the name of Odoo's exception where it gives one."""
    told = records.look(answer.data, "error.data") or answer.data
    name, message = records.text(records.look(told, "name")), records.text(records.look(told, "message"))
    if not name or answer.status in (429, 503):
        return _conflict(answer, asked) or _plain(answer, asked, now)
    what = f"{asked.shown} answered {name.rpartition('.')[2]}: {asked.hide(' '.join(message.split()))}"
    if _DENIED.fullmatch(name):
        return Refused(f"{what}; look at the API key, and at what its user may do")
    if _PERMANENT.fullmatch(name):
        return Rejected(what, status=404 if name.endswith(".MissingError") else 422)
    return Uncertain(what)


def _conflict(answer: Answer, asked: Asked) -> Uncertain | None:
    """Tell two writes of the same record at a time, which `load` reports like a mistake in the data."""
    came = records.look(answer.data, "result") or answer.data
    messages = records.look(came, "messages")
    said = (
        [records.text(records.look(message, "message")) for message in messages] if isinstance(messages, list) else []
    )
    passing = next((text for text in said if _PASSING.search(text)), None)
    return Uncertain(f"{asked.shown}: {asked.hide(passing)}") if passing else None


def _plain(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    error = verdict(answer, asked, now)
    if answer.status == 404 and asked.shown.endswith(VERSION):
        return Rejected(str(error), status=404)
    if isinstance(error, Uncertain) and answer.status == 404:
        return Uncertain(f"{error} Odoo's database may be down, or `database` names another one")
    return error

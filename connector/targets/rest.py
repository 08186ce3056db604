"""The declarative target: any system with a JSON API, described in config.yaml and nowhere else."""

from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.errors import Rejected, TargetError, Uncertain
from connector.masking import Secret
from connector.models import Delivered, Outcome, Upsert
from connector.targets import records
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.blanks import Template
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.http import Call, Http, Line, Ours
from connector.targets.ladder import Contacts, Found, Page, Question, Rung, Written
from connector.targets.oauth2 import tokens_of
from connector.targets.pace import opened
from connector.targets.rest_settings import RestSettings
from connector.targets.settings import fingerprint
from connector.targets.writing import upsert

Settings = Mapping[str, Any]

NOBODY = "flavours-connector-check"


class Rest(Contacts):
    """Be one account of a system that the settings describe."""

    kind = "rest"
    batch_size = 1

    def __init__(self, settings: Settings, around: Around, name: str = "") -> None:
        headers, query, secrets = _credentials(settings["auth"])
        oauth2 = _oauth2(settings)
        line = Line(
            settings["base_url"],
            settings["timeout"],
            headers,
            query,
            secrets,
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            tokens=tokens_of(oauth2, name, settings, around) if oauth2 else None,
        )
        self._http = Http(line, opened(settings["pace"], around), around.clock)
        self._find, self._fetch, self._key = settings["find"], settings["fetch"], settings["idempotency_header"]
        self._create = settings["create"]
        self._update = settings["update"] or settings["create"]
        self._addressed = "customer" in self._create["path"].names
        self.idempotent = self._addressed or self._key is not None
        self.partial = self._update["method"] == "PATCH" and self._fetch is not None
        self.fetches = self._fetch is not None
        self.account = fingerprint(
            settings["base_url"], *((oauth2.client_id, oauth2.username or "") if oauth2 else secrets)
        )
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - no list of fields
        """Ask the first rung for somebody who cannot be there; writes nothing."""
        if not self._find:
            return Check(ok=True, lines=(f"{self._http.host}: there is no `find` to ask with; nothing was asked",))
        nobody = Upsert(NOBODY, {}, (), "")
        try:
            page = self._page(self._find[0], lambda _: NOBODY, nobody)
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))
        lines = [f"{self._http.host} answers and takes the credentials"]
        if page.rows:
            lines.append("asked for somebody who cannot be there it lists contacts: look at the query of `find`")
        return Check(ok=True, lines=tuple(lines))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to the target, once."""
        return [self._told(request, upsert(request, self, run)) for request in requests]

    def _told(self, request: Upsert, outcome: Outcome) -> Outcome:
        """Say by which fields a new contact was not looked up although it has them: never silent."""
        if not isinstance(outcome, Delivered) or outcome.how != "created" or request.create_anyway:
            return outcome
        valid, record = _valid(request), _any(request, None)
        names = {name for rung in self._find for name in _names(rung)}
        unasked = sorted(name.removeprefix("record.") for name in names if record(name) and not valid(name))
        said = tuple(
            f"{name}: not looked up by it; it is not valid, or not in the mapping's `match`" for name in unasked
        )
        return replace(outcome, warnings=(*outcome.warnings, *said))

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Return the rungs of `find` whose values are there and valid."""
        value = _valid(request)
        return [self._rung(rung, value, request) for rung in self._find if _askable(rung, value)]

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact, None when it is gone (404 with a JSON body)."""
        path = self._address(self._fetch["path"], _any(request, remote_id))
        call = Call("GET", path, self._fetch["path"].text, personal=records.texts(request.record))
        try:
            row = _at(self._http.call(call).data, self._fetch["record"])
        except Rejected as error:
            if error.status in (404, 410):
                return None
            raise
        if not isinstance(row, dict) or records.text(records.look(row, self._fetch["id"])) != remote_id:
            raise Uncertain(f"{self._shown('GET', self._fetch)} answered with something that is not that contact")
        return Found(remote_id, row)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact."""
        headers = {self._key: request.idempotency_key} if self._key else {}
        call = self._write(self._create, request, request.record, None, headers)
        answer = self._http.call(call, ours)
        remote_id = records.text(records.look(answer.data, self._create["id"]))
        if not remote_id and not self._addressed:
            where = f"{self._shown(call.method, self._create)} answered {answer.status}"
            raise Uncertain(f"{where} without an id at {self._create['id']}")
        return Written(
            remote_id or request.customer, f"{answer.status}", self._stored(answer.data, self._create), whole=True
        )

    def update(self, remote_id: str, fields: Mapping[str, Any], request: Upsert, ours: Ours) -> Written:
        """Write the fields."""
        answer = self._http.call(self._write(self._update, request, fields, remote_id, {}), ours)
        return Written(remote_id, f"{answer.status}", self._stored(answer.data, self._update), whole=True)

    def _write(
        self, how: Settings, request: Upsert, fields: Mapping[str, Any], remote_id: str | None, headers: dict[str, str]
    ) -> Call:
        making = remote_id is None
        return Call(
            how["method"],
            self._address(how["path"], _any(request, remote_id)),
            how["path"].text,
            payload={how["envelope"]: fields} if how["envelope"] else fields,
            headers=headers,
            writes=True,
            repeatable=self.idempotent or not making,
            needs_json=making and not self._addressed,
            personal=records.texts(request.record),
        )

    def _stored(self, data: Any, how: Settings) -> Mapping[str, Any] | None:
        where = how["record"]
        row = data if where == "." else records.look(data, where) if where else None
        return row if isinstance(row, dict) else None

    def _rung(self, rung: Settings, value: Callable[[str], str], request: Upsert) -> Rung:
        wanted = {field: (template.fill(value), template.only) for field, template in rung["match"].items()}

        def same(row: Mapping[str, Any]) -> bool:
            return all(
                records.same(text, records.look(row, field), phone=_is_phone(blank, request))
                for field, (text, blank) in wanted.items()
            )

        question = Question(lambda _number: self._page(rung, value, request), same)
        return Rung(" and ".join(wanted), [question], same)

    def _page(self, rung: Settings, value: Callable[[str], str], request: Upsert) -> Page:
        path, query = self._address(rung["path"], value), _filled(rung["query"], value)
        personal = (*records.texts(request.record), *(text for _, text in query))
        call = Call("GET", path, rung["path"].text, query, personal=personal)
        try:
            rows = _at(self._http.call(call).data, rung["records"])
        except Rejected as error:
            if error.status == 404:
                return Page((), last=True)
            raise
        found = [_row(row, rung["id"]) for row in (rows if isinstance(rows, list) else [rows])]
        if None in found:
            raise Uncertain(
                f"{self._shown('GET', rung)} answered with something that is not a list of contacts with ids"
            )
        return Page([item for item in found if item is not None])

    def _address(self, path: Template, value: Callable[[str], str]) -> str:
        address = path.address(value)
        if address is None:
            raise Rejected(f"{self._http.host}{path.text} cannot be asked: the record has no value for a blank of it")
        return address

    def _shown(self, method: str, how: Settings) -> str:
        return f"{method} {self._http.host}{how['path'].text}"


def _credentials(auth: Settings | None) -> tuple[dict[str, str], tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return headers, query and what must never be shown."""
    auth = auth or {}
    if auth.get("bearer"):
        return {"Authorization": f"Bearer {auth['bearer']}"}, (), (auth["bearer"],)
    if auth.get("basic"):
        name, password = auth["basic"]["username"], auth["basic"]["password"]
        coded = b64encode(f"{name}:{password}".encode()).decode()
        return {"Authorization": f"Basic {coded}"}, (), (password, Secret(coded))
    if auth.get("header"):
        return {auth["header"]["name"]: auth["header"]["value"]}, (), (auth["header"]["value"],)
    if auth.get("query"):
        return {}, ((auth["query"]["name"], auth["query"]["value"]),), (auth["query"]["value"],)
    return {}, (), ()


def _valid(request: Upsert) -> Callable[[str], str]:
    """Give the values to look by: the customer's id, and match values, which the mapping found valid."""
    values = {f"record.{name}": value for name, value in request.match} | {"customer": request.customer}
    return lambda name: values.get(name, "")


def _any(request: Upsert, remote_id: str | None) -> Callable[[str], str]:
    known = {"customer": request.customer, "remote_id": remote_id or ""}
    return lambda name: known.get(name) or records.text(records.look(request.record, name.removeprefix("record.")))


def _askable(rung: Settings, value: Callable[[str], str]) -> bool:
    templates = (*rung["query"].values(), *rung["match"].values())
    return rung["path"].address(value) is not None and all(t.fill(value) is not None for t in templates)


def _names(rung: Settings) -> tuple[str, ...]:
    templates = (rung["path"], *rung["query"].values(), *rung["match"].values())
    return tuple(name for template in templates for name in template.names)


def _filled(query: Mapping[str, Template], value: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, template.fill(value) or "") for name, template in query.items())


def _is_phone(blank: str | None, request: Upsert) -> bool:
    return blank is not None and blank.removeprefix("record.") in request.phones


def _at(data: Any, place: str | None) -> Any:
    return data if place is None else records.look(data, place)


def _row(row: Any, place: str) -> Found | None:
    remote_id = records.text(records.look(row, place)) if isinstance(row, dict) else ""
    return Found(remote_id, row) if remote_id else None


def _oauth2(settings: Settings) -> OAuth2 | None:
    said = settings["auth"] and settings["auth"]["oauth2"]
    return described(said, Ways()) if said else None


KIND = Kind(
    label="any JSON API, described in config.yaml",
    schema=RestSettings(),
    open=lambda config, settings, around: Rest(settings, around, config.name),
    oauth2=_oauth2,
    batch_size=1,
    match="the rungs of `find`, in their order",
    limits="`pace`",
    auth="`auth`: bearer, basic, header, query or oauth2",
    proved="real system: a stub CRM over true sockets, killed and cut off at random",
    twice="without idempotency_header or {{ customer }} in create.path: only a contact stored later than uncertain_wait",
)

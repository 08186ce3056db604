"""The declarative target: any system with a JSON API, described in config.yaml and nowhere else."""

import re
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
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
from connector.targets.ladder import Contacts, Found, Rung, Written
from connector.targets.oauth2 import tokens_of
from connector.targets.pace import opened
from connector.targets.rest_errors import table
from connector.targets.rest_find import Finder, Value, anything, at
from connector.targets.rest_settings import RestSettings, keyed
from connector.targets.settings import fingerprint
from connector.targets.writing import upsert

Settings = Mapping[str, Any]

NOBODY = "flavours-connector-check"
SHORTEST_SECRET = 8  # shorter parts are words such as Bearer or Token


class Rest(Contacts):
    """Be one account of a system that the settings describe."""

    batch_size = 1

    def __init__(self, settings: Settings, around: Around, name: str = "", kind: str = "rest") -> None:
        headers, query, secrets = _credentials(settings["auth"])
        oauth2 = _oauth2(settings)
        line = Line(
            settings["base_url"],
            settings["timeout"],
            headers,
            query,
            _hidden(secrets),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=table(settings).judge,
            tokens=tokens_of(oauth2, name, settings, around) if oauth2 else None,
        )
        self.kind = kind
        self._http = Http(line, opened(settings["pace"], around), around.clock)
        self._finder = Finder(settings["find"], self._http, self.fetch)
        self._fetch, self._key, self._list = settings["fetch"], settings["idempotency_header"], settings["field_list"]
        self._create = settings["create"]
        self._update = settings["update"] or settings["create"]
        self._addressed = "customer" in self._create["path"].names
        self.idempotent = keyed(self._create) or self._key is not None
        partial = self._update.get("only_changed")
        self.partial = self._fetch is not None and (self._update["method"] == "PATCH" if partial is None else partial)
        self.fetches = self._fetch is not None
        self.soft, self.customer_field = frozenset(settings["soft"]), settings["customer_field"]
        self.account = fingerprint(
            settings["base_url"], *((oauth2.client_id, oauth2.username or "") if oauth2 else secrets)
        )
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - nothing can be made
        """Ask the first rung for somebody who cannot be there, and look for the mapping's fields; writes nothing."""
        try:
            lines = self._asked_for_nobody()
            missing = self._missing(fields)
        except TargetError as error:
            return Check(ok=False, lines=(str(error),))
        return Check(ok=not missing, lines=(*lines, *missing))

    def _asked_for_nobody(self) -> list[str]:
        host = self._http.host
        if not self._finder.rungs:
            return [f"{host}: there is no `find` to ask with; nothing was asked"]
        page = self._finder.page(self._finder.rungs[0], lambda _: NOBODY, Upsert(NOBODY, {}, (), ""))
        lines = [f"{host} answers and takes the credentials"]
        if page.rows:
            lines.append("asked for somebody who cannot be there it lists contacts: look at the query of `find`")
        return lines

    def _missing(self, fields: Collection[str]) -> list[str]:
        """Return a line for each field of the mapping that is not in the system's own list of fields."""
        if self._list is None or not fields:
            return []
        query = tuple((name, text.fill(str) or "") for name, text in self._list["query"].items())
        data = self._http.call(Call("GET", self._list["path"].text, self._list["path"].text, query)).data
        rows = at(data, self._list["records"])
        if not isinstance(rows, list):
            raise Uncertain(f"{self._shown('GET', self._list)} answered with something that is not a list of fields")
        there = {*(records.text(records.look(row, self._list["name"])) for row in rows), *self._list["also"]}
        return [
            f"there is no field {name} there, which the mapping fills: make it, or take it out of the mapping"
            for name in fields
            if not {name.partition(".")[0].partition("[")[0], name.rpartition(".")[2]} & there
        ]

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Bring each record to the target, once."""
        field = self.customer_field
        signed = [records.signed(request, field) if field else request for request in requests]
        return [self._told(request, upsert(request, self, run)) for request in signed]

    def _told(self, request: Upsert, outcome: Outcome) -> Outcome:
        """Say by which fields a new contact was not looked up although it has them: never silent."""
        if not isinstance(outcome, Delivered) or outcome.how != "created" or request.create_anyway:
            return outcome
        said = tuple(
            f"{name}: not looked up by it; it is not valid, or not in the mapping's `match`"
            for name in self._finder.unasked(request)
        )
        return replace(outcome, warnings=(*outcome.warnings, *said))

    def rungs(self, request: Upsert) -> Sequence[Rung]:
        """Return the rungs of `find` whose values are there and valid."""
        return self._finder.askable(request)

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:
        """Return a contact, None when it is gone (404 with a JSON body)."""
        path = self._address(self._fetch["path"], anything(request, remote_id))
        call = Call("GET", path, self._fetch["path"].text, personal=records.texts(request.record))
        try:
            row = at(self._http.call(call).data, self._fetch["record"])
        except Rejected as error:
            if error.status in (404, 410):
                return None
            raise
        if not isinstance(row, dict) or records.identity(records.look(row, self._fetch["id"])) != remote_id:
            raise Uncertain(f"{self._shown('GET', self._fetch)} answered with something that is not that contact")
        return Found(remote_id, row)

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Make the contact."""
        headers = {self._key: request.idempotency_key} if self._key else {}
        call = self._write(self._create, request, request.record, None, headers)
        answer = self._http.call(call, ours)
        remote_id = records.identity(records.look(answer.data, self._create["id"]))
        if not remote_id and not self._addressed:
            where = f"{self._shown(call.method, self._create)} answered {answer.status}"
            raise Uncertain(f"{where} without an id at {self._create['id']}")
        return Written(
            remote_id or request.customer,
            f"{answer.status}",
            self._stored(answer.data, self._create, request.record),
            whole=True,
            created=answer.status == 201 if self._create["beside"] and keyed(self._create) else None,
        )

    def update(self, remote_id: str, fields: Mapping[str, Any], request: Upsert, ours: Ours) -> Written:
        """Write the fields."""
        answer = self._http.call(self._write(self._update, request, fields, remote_id, {}), ours)
        return Written(remote_id, f"{answer.status}", self._stored(answer.data, self._update, fields), whole=True)

    def _write(
        self, how: Settings, request: Upsert, fields: Mapping[str, Any], remote_id: str | None, headers: dict[str, str]
    ) -> Call:
        making = remote_id is None
        value = anything(request, remote_id)
        return Call(
            how["method"],
            self._address(how["path"], value),
            how["path"].text,
            payload=self._payload(how, fields, value),
            headers=headers,
            writes=True,
            repeatable=self.idempotent or not making,
            needs_json=making and not self._addressed,
            personal=records.texts(request.record),
        )

    def _payload(self, how: Settings, fields: Mapping[str, Any], value: Value) -> Mapping[str, Any]:
        beside = how["beside"].made(value) if how.get("beside") else {}
        if beside is None:
            raise Rejected(
                f"{self._http.host}{how['path'].text} cannot be written: the record has no value for a blank of `beside`"
            )
        return {how["envelope"]: fields, **beside} if how["envelope"] else fields

    def _stored(self, data: Any, how: Settings, sent: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the contact as the answer has it; what the system keeps outside of it counts as kept."""
        where = how["record"]
        row = data if where == "." else records.look(data, where) if where else None
        outside = self._list["also"] if self._list else ()
        return {name: sent[name] for name in outside if name in sent} | row if isinstance(row, dict) else None

    def _address(self, path: Template, value: Value) -> str:
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


def _hidden(secrets: Sequence[str]) -> tuple[str, ...]:
    """Return the secrets and the parts they are made of: of `Token token=abcdefgh` a vendor may repeat the last one."""
    parts = [part for secret in secrets for part in re.split(r"[\s=:]+", secret) if len(part) >= SHORTEST_SECRET]
    return (*secrets, *map(Secret, parts))


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
    proved="a stub CRM over true sockets, killed and cut off at random",
    twice="without idempotency_header or {{ customer }} in create: only a contact stored later than uncertain_wait",
)

"""Know a company's own keys of the custom fields of a person: mappings name these as people do."""

import threading
from collections.abc import Collection, Iterable, Iterator

from connector.errors import Refused, Uncertain
from connector.targets import records
from connector.targets.base import Said
from connector.targets.clock import Clock
from connector.targets.http import Call, Http

AGAIN = 300.0  # seconds after which the fields are read again for a name that was not there
PATH = "/personFields"


class Fields:
    """Be the fields of one company's persons, read when they are needed; used by many threads."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http, self._clock, self._lock = http, clock, threading.Lock()
        self._codes: dict[str, str] = {}
        self._read_at = float("-inf")

    def key(self, name: str) -> str | None:
        """Return the key of a field by its name (or key), None when it was not there when the fields were read."""
        return self._codes.get(name.casefold())

    def looked(self, wanted: Iterable[str], *, fix: bool) -> Iterator[Said]:
        """Say which of these fields are missing; makes them when told to `fix`. Raises TargetError."""
        codes = self._read_codes()
        yield True, f"{self._http.host} answers and takes the API token"
        cure = "make it (type Text), or let `connector targets check NAME --fix` make it"
        for name in wanted:
            if name.casefold() not in codes:
                yield self._made(name) if fix else (False, f"a person has no custom field {name}: {cure}")

    def _made(self, name: str) -> Said:
        payload = {"field_name": name, "field_type": "varchar"}
        self._http.call(Call("POST", PATH, PATH, payload=payload, writes=True, repeatable=False))
        return True, f"made the custom field {name} of a person"

    def need(self, searched: Collection[str], filled: Collection[str]) -> None:
        """Read the keys where a name is not known yet; without those to search by nothing may be made.

        Raises Refused when a field that is searched by is not there, and what the request raises.
        """
        with self._lock:
            old = self._clock.monotonic() - self._read_at > AGAIN
            if not self._has(searched) or (old and not self._has(filled)):
                self._codes, self._read_at = self._read_codes(), self._clock.monotonic()
        for name in sorted(searched):
            if self.key(name) is None:
                raise Refused(
                    f"{self._http.host}: a person has no custom field {name}, by which customers are found again; "
                    "`connector targets check NAME --fix` makes it"
                )

    def _has(self, names: Iterable[str]) -> bool:
        return all(self.key(name) is not None for name in names)

    def _read_codes(self) -> dict[str, str]:
        codes: dict[str, str] = {}
        cursor = ""
        while True:
            query = (("limit", "500"), *((("cursor", cursor),) if cursor else ()))
            data = self._http.call(Call("GET", PATH, PATH, query)).data
            fields = records.look(data, "data")
            if not isinstance(fields, list):
                raise Uncertain(f"GET {self._http.host}/personFields answered with something that is not a list")
            for field in fields:
                code = records.text(records.look(field, "field_code"))
                codes |= {code.casefold(): code, records.text(records.look(field, "field_name")).casefold(): code}
            cursor = records.text(records.look(data, "additional_data.next_cursor"))
            if not cursor:
                return codes

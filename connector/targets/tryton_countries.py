"""Know a Tryton's countries by their codes, each asked for once."""

from collections.abc import Callable
from typing import Any

from connector.targets import records
from connector.targets.ladder import Row


class Countries:
    """Be the countries of one database; `ask` calls a method of a model with its arguments."""

    def __init__(self, ask: Callable[[str, list[Any]], Any]) -> None:
        self._ask = ask
        self._known: dict[Any, int] = {}

    def id_of(self, record: Row) -> int | None:
        """Return the id of the address's country, 0 for an unknown one, None where none is given."""
        code = records.look(record, "addresses.country")
        if code is not None and code not in self._known:
            rows = self._ask("country.country.search_read", [[["code", "=", code]], 0, 1, None, ["id"]])
            self._known[code] = records.look(rows, "0.id") or 0
        return self._known.get(code)

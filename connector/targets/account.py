"""Reach one account over HTTP, as every vendor's target does: by the settings that all share, at the vendor's pace."""

from collections.abc import Mapping
from typing import Any

from connector.targets.base import Around
from connector.targets.http import Http, Line
from connector.targets.pace import Rate, opened
from connector.targets.settings import fingerprint

Settings = Mapping[str, Any]


def line(settings: Settings, base_url: str | None = None, **more: Any) -> Line:
    """Return the way to an account: by its settings, and by what else its vendor needs (`more`, as Line has it).

    The secret of an OAuth2 client is one that no log may show, whoever asks.
    """
    client = (settings.get("oauth2") or {}).get("client_secret")
    secrets = (*more.pop("secrets", ()), *([client] if client else []))
    return Line(
        base_url or settings["base_url"],
        settings["timeout"],
        secrets=secrets,
        allow_private=settings["allow_private"],
        proxy=settings["proxy"],
        at_once=settings.get("at_once"),
        **more,
    )


class Account:
    """Be one account over HTTP: its line and its pace, its fingerprint, and how long a write may take."""

    def __init__(self, settings: Settings, around: Around, way: Line, *known_by: str, pace: Rate | None = None) -> None:
        """Open it; `known_by` tells the account from every other, `pace` is the vendor's when the settings name none."""
        self._pace, self._clock = opened(settings["pace"] or pace, around), around.clock
        self._http = Http(way, self._pace, self._clock)
        self._known_by = known_by
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    @property
    def account(self) -> str:
        """Return the account's fingerprint."""
        return fingerprint(*self._known_by)

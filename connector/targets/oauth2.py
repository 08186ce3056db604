"""Prove who we are by OAuth2: access tokens that all workers share, renewed ahead of their end by one of them.

What a vendor gives is on disk before it is used: a refresh token that is used up and whose successor is lost would cut
the target off until a person connects it again.
"""

import copy
import threading
from collections.abc import Callable, Mapping
from typing import Any

from connector.config import TargetConfig
from connector.errors import Refused, TargetError
from connector.targets.base import Around, NoToken, Target
from connector.targets.grants import OAuth2
from connector.targets.http import TokenSource
from connector.targets.oauth2_asking import Asking
from connector.targets.oauth2_safe import Opened, Safe, Tokens, made_by

LOOK = 10.0  # seconds after which it is looked whether another worker, or a person, put new tokens into the vault
POLL = 0.25
STORING = 10.0  # seconds that the store may take

LOCKED = (
    "secret_key is not the one that the tokens of {name} were stored with; put the old one beside it (a list of two), "
    "or connect again: connector targets connect {name}"
)


def tokens_of(oauth2: OAuth2, name: str, settings: Mapping[str, Any], around: Around) -> "OAuth2Tokens":
    """Return the tokens of the target of this name; `settings` are those of HttpSettings."""
    asking = Asking(oauth2, name, settings, around.clock)
    return OAuth2Tokens(oauth2, name, asking, around, settings["timeout"])


def opening(
    make: Callable[[Mapping[str, Any], Around, TokenSource], Target], oauth2: Callable[[Mapping[str, Any]], OAuth2]
) -> Callable[[TargetConfig, Mapping[str, Any], Around], Target]:
    """Return the `open` of a kind whose targets always prove themselves by OAuth2; `make` is the target's class."""

    def opened(config: TargetConfig, settings: Mapping[str, Any], around: Around) -> Target:
        return make(settings, around, tokens_of(oauth2(settings), config.name, settings, around))

    return opened


class OAuth2Tokens:
    """Be a TokenSource of http.py, for the push threads of this process and the workers beside it."""

    def __init__(self, oauth2: OAuth2, name: str, asking: Asking, around: Around, patience: float) -> None:
        self._oauth2, self._name, self._asking, self._patience = oauth2, name, asking, patience
        self._safe, self._clock = Safe(around), around.clock
        self._client, self._given = made_by(oauth2)
        self._lock, self._rounds = threading.Lock(), 0
        self._held: Tokens | None = None
        self._looked = float("-inf")
        self._failed: TargetError | None = None
        self._unkept: tuple[int, Tokens] | None = None

    @property
    def extra(self) -> Mapping[str, str]:
        """Return what the vendor said beside the tokens, as far as they are there. Raises NoToken, Refused."""
        held = self._held or self._ours(self._safe.opened())
        return held.extra if held else {}

    def headers(self) -> Mapping[str, str]:
        """Return the header with a good access token. Raises NoToken, Busy, Refused."""
        held = self._held
        if held is None or not self._serves(held) or self._clock.monotonic() - self._looked > LOOK:
            held = self._renewed(None)
        return {"Authorization": self._header(held)}

    def renew(self, refused: Mapping[str, str]) -> None:
        """Get another access token than the one that was refused. Raises NoToken, Busy, Refused."""
        self._renewed(refused.get("Authorization"))

    def _header(self, tokens: Tokens) -> str:
        return f"{self._oauth2.ways.scheme} {tokens.access}"

    def _serves(self, tokens: Tokens, refused: str | None = None) -> bool:
        return self._clock.now().timestamp() < tokens.renew_at and self._header(tokens) != refused

    def _renewed(self, refused: str | None) -> Tokens:
        seen = self._rounds
        with self._lock:
            if self._rounds != seen:  # another thread was at it while this one waited: what it came to holds for both
                if self._failed is not None:
                    raise copy.copy(self._failed)
                if self._held is not None and self._serves(self._held, refused):
                    return self._held
            return self._round(refused)

    def _round(self, refused: str | None) -> Tokens:
        self._rounds += 1
        self._looked = self._clock.monotonic()
        try:
            self._held, self._failed = self._found_or_made(refused), None
        except NoToken as away:
            # Where only a look at the vault failed, what we have is as good as before.
            good = self._held is not None and self._serves(self._held, refused)
            self._failed = None if good else away
            if not good or self._held is None:
                raise
        except TargetError as error:
            self._failed = error
            raise
        return self._held

    def _found_or_made(self, refused: str | None) -> Tokens:
        until = self._clock.monotonic() + self._patience
        while True:
            if self._unkept is not None:
                self._keep(*self._unkept)
            opened = self._safe.opened()
            tokens = self._ours(opened)
            if tokens is not None and self._serves(tokens, refused):
                return tokens
            if tokens is None and self._held is not None and self._serves(self._held, refused):
                return self._held  # a worker with another configuration was here: no reason to ask before ours ends
            if self._safe.begin(opened.version, self._asking.longest + STORING):
                return self._made(opened.version, tokens, refused)
            if self._clock.monotonic() >= until:
                raise NoToken(f"another worker is renewing the tokens of {self._name} and is not done yet")
            self._clock.sleep(POLL)

    def _ours(self, opened: Opened) -> Tokens | None:
        """Return the tokens if they are this client's, and of no other refresh token than the configuration's."""
        if opened.locked and self._oauth2.keeps:
            raise Refused(LOCKED.format(name=self._name))
        tokens = opened.tokens
        if tokens is None or tokens.client != self._client:
            return None
        return tokens if not self._given or tokens.given == self._given else None

    def _made(self, version: int, before: Tokens | None, refused: str | None) -> Tokens:
        try:
            made = self._asking.made(before)
        except TargetError as error:
            self._safe.end(version)
            # Another worker may have used the refresh token up meanwhile: then what it got is good.
            theirs = self._theirs(version, refused) if isinstance(error, Refused) else None
            if theirs is None:
                raise
            return theirs
        theirs = made if self._keep(version, made) else self._theirs(version, refused)
        if theirs is None:
            raise NoToken(f"the tokens of {self._name} were changed by another program meanwhile")
        return theirs

    def _keep(self, version: int, made: Tokens) -> bool:
        # Kept in mind until they are on disk: where the store is busy, the next call tries again before all else.
        self._unkept = (version, made)
        kept = self._safe.put(version, made)
        self._unkept = None
        return kept

    def _theirs(self, version: int, refused: str | None) -> Tokens | None:
        opened = self._safe.opened()
        tokens = self._ours(opened) if opened.version != version else None
        return tokens if tokens is not None and self._serves(tokens, refused) else None

"""Keep one target's tokens: in the vault that all workers share, encrypted, or in this process alone."""

import hashlib
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.errors import StoreError
from connector.models import Kept
from connector.targets.base import Around, NoToken, Vault
from connector.targets.grants import OAuth2

_USE = b"flavours-connector: tokens of a target"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hold what a vendor gave: `renew_at` in epoch seconds, `extra` what came along (QuickBooks' realmId).

    `client` and `given` are fingerprints of who asked, and of the refresh token that the configuration held then.
    """

    access: str = field(repr=False)
    renew_at: float
    refresh: str | None = field(repr=False)
    extra: Mapping[str, str]
    client: str
    given: str


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold what the safe has: the version to renew, and the tokens; `locked`: they are there, and no key opens them."""

    version: int = 0
    tokens: Tokens | None = None
    locked: bool = False


class Safe:
    """Open and shut one target's vault; without a vault, or without keys, this process remembers by itself."""

    def __init__(self, around: Around) -> None:
        self._vault: Vault = Pocket() if around.vault is None or not around.keys else around.vault
        self._fernet = MultiFernet([Fernet(_key(text)) for text in around.keys] or [Fernet(Fernet.generate_key())])

    def opened(self) -> Opened:
        """Return what is kept. Raises NoToken when the store cannot be read now."""
        kept = self._asked(lambda vault: vault.load())
        if kept is None:
            return Opened()
        try:
            found = json.loads(self._fernet.decrypt(kept.blob))
        except InvalidToken:
            return Opened(kept.version, locked=True)
        return Opened(kept.version, Tokens(**found))

    def begin(self, version: int, seconds: float) -> bool:
        """Take the right to renew. Raises NoToken."""
        return self._asked(lambda vault: vault.begin(version, seconds))

    def end(self, version: int) -> None:
        """Give the right back; where the store is busy it ends by itself."""
        try:
            self._vault.end(version)
        except StoreError:
            return

    def put(self, version: int, tokens: Tokens) -> bool:
        """Keep tokens in place of a version; False when another was quicker. Raises NoToken: nothing was kept."""
        blob = self._fernet.encrypt(json.dumps(asdict(tokens)).encode())
        return self._asked(lambda vault: vault.put(version, blob))

    def _asked(self, question: Callable[[Vault], Result]) -> Result:
        try:
            return question(self._vault)
        except StoreError as busy:
            problem = NoToken(f"the tokens cannot be had just now: {busy}")
        raise problem


class Pocket:
    """Be a vault in memory."""

    def __init__(self) -> None:
        self._lock, self._kept = threading.Lock(), Kept(0, b"")

    def load(self) -> Kept | None:
        """Return what is kept."""
        return self._kept if self._kept.version else None

    def begin(self, version: int, _seconds: float) -> bool:
        """Let whoever asks renew: within the process there is only one who does."""
        return version == self._kept.version

    def end(self, version: int) -> None:
        """Do nothing."""

    def put(self, version: int, blob: bytes) -> bool:
        """Keep new tokens in place of this version."""
        with self._lock:
            if version != self._kept.version:
                return False
            self._kept = Kept(version + 1, blob)
            return True


def made_by(oauth2: OAuth2) -> tuple[str, str]:
    """Return the fingerprints that tokens carry (`client`, `given`): those of another client are not used."""
    ways = oauth2.ways
    who = [ways.token_url, oauth2.client_id]
    if not oauth2.keeps:  # what can be asked for anew is, as soon as anything of it changes
        secret = oauth2.client_secret or oauth2.private_key
        who += [text or "" for text in (oauth2.grant, secret, oauth2.username, ways.scope, ways.audience)]
    return _print(*who), _print(oauth2.refresh_token) if oauth2.refresh_token else ""


def _print(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _key(text: str) -> bytes:
    """Return the key of Fernet that a text stands for: any text is one, and a long random one is a good one."""
    return urlsafe_b64encode(HKDF(SHA256(), 32, None, _USE).derive(text.encode()))

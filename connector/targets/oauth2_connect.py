"""Connect a target with a person's browser: an authorization code with PKCE and state (RFC 6749, 7636), no I/O but HTTP."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connector.errors import Refused
from connector.masking import mask
from connector.targets.base import Around, NoToken
from connector.targets.grants import OAuth2
from connector.targets.oauth2_asking import Asking, extras
from connector.targets.oauth2_safe import Safe

TRIES = 5
_PROTOCOL = frozenset({"code", "state", "scope", "iss", "session_state", "error", "error_description", "error_uri"})


@dataclass(frozen=True, slots=True)
class Invitation:
    """Hold what one attempt to connect is known by; `verifier` and `state` are secrets until it is over."""

    oauth2: OAuth2
    redirect_uri: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)

    @property
    def address(self) -> str:
        """Return the address that a person opens."""
        ways = self.oauth2.ways
        challenge = urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        wanted = {"response_type": "code", "client_id": self.oauth2.client_id, "redirect_uri": self.redirect_uri}
        wanted |= {"scope": ways.scope} if ways.scope else {}
        wanted |= {"state": self.state, "code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{ways.authorize_url}?{urlencode(wanted | dict(ways.authorize_with))}"

    def reads(self, address: str) -> "Answer | None":
        """Return what came back with an address, None when it is no answer to this invitation.

        Raises Refused when the vendor, or the person, said no.
        """
        said = dict(parse_qsl(urlsplit(address).query if "?" in address else address))
        if not compare_digest(said.get("state", "").encode(), self.state.encode()):
            return None
        if "error" in said:
            words = ": ".join(filter(None, (said["error"], said.get("error_description"))))
            raise Refused(f"the access was not allowed ({mask(words)})")
        if not said.get("code"):
            return None
        return Answer(said["code"], extras({name: text for name, text in said.items() if name not in _PROTOCOL}))


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the code that a vendor gave, and what it said beside it (QuickBooks' realmId)."""

    code: str = field(repr=False)
    extra: Mapping[str, str]


def connect(invitation: Invitation, answer: Answer, name: str, settings: Mapping[str, Any], around: Around) -> None:
    """Exchange the code for tokens and keep them for all workers. Raises NoToken, Busy, Refused."""
    asking = Asking(invitation.oauth2, name, settings, around.clock)
    made = asking.exchanged(answer.code, invitation.redirect_uri, invitation.verifier)
    made = replace(made, extra={**made.extra, **answer.extra})
    safe = Safe(around)
    for _ in range(TRIES):  # a worker may put renewed tokens there at the same time: a person's word comes after
        if safe.put(safe.opened().version, made):
            return
    raise NoToken(f"the tokens of {name} are being changed by another program; connect once more")

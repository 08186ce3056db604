"""Ask a vendor's token endpoint, and read what it says: each grant's question, and the vendors' ways to refuse."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from requests.utils import requote_uri

from connector.errors import Busy, NotSent, Refused, Rejected, TargetError, Uncertain
from connector.masking import Secret
from connector.targets.answers import Answer, Asked, says, verdict
from connector.targets.base import NoToken
from connector.targets.clock import Clock
from connector.targets.grants import OAuth2
from connector.targets.http import Call, Http, Line
from connector.targets.oauth2_safe import Tokens, made_by
from connector.targets.oauth2_settings import rsa_key

MARGIN = 60.0  # seconds before its end that an access token is renewed, or half of a short life
LONGEST_LIFE = 86400.0
THROTTLED = 600.0  # Zoho gives 10 access tokens in 10 minutes
JWT_LIFE = 120  # Salesforce takes 180 at most
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN = re.compile(r"[\x21-\x7e]+")
_OURS = frozenset({"access_token", "refresh_token", "id_token", "token_type", "scope", "signature"})
_MOST_EXTRA, _LONGEST_EXTRA = 20, 500


class Asking:
    """Ask for the tokens of one target; `name` is what people call it."""

    def __init__(self, oauth2: OAuth2, name: str, settings: Mapping[str, Any], clock: Clock) -> None:
        self._oauth2, self._name, self._clock = oauth2, name, clock
        self._client, self._given = made_by(oauth2)
        url = requote_uri(oauth2.ways.token_url)
        self._path = urlsplit(url).path
        line = Line(
            url.removesuffix(self._path),
            settings["timeout"],
            headers=self._basic(),
            secrets=self._secrets(),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=self._judge,
        )
        self._http = Http(line, None, clock)
        self.longest: float = settings["timeout"] + self._http.longest  # the last of several tries may begin so late

    def made(self, before: Tokens | None) -> Tokens:
        """Return new tokens in place of those before. Raises NoToken, Busy, Refused."""
        oauth2 = self._oauth2
        if oauth2.grant == "client_credentials":
            said = {"scope": oauth2.ways.scope, "audience": oauth2.ways.audience}
            form = {"grant_type": "client_credentials"} | {name: text for name, text in said.items() if text}
            return self._tokens(form | self._who(), before)
        if oauth2.grant == "jwt_bearer":
            assertion = self._assertion()
            return self._tokens({"grant_type": _JWT, "assertion": assertion}, before, (assertion,))
        refresh = before.refresh if before and before.refresh else oauth2.refresh_token
        if refresh is None:
            raise Refused(f"{self._name} is not connected yet: run `connector targets connect {self._name}`")
        return self._tokens({"grant_type": "refresh_token", "refresh_token": refresh} | self._who(), before, (refresh,))

    def exchanged(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        """Return the first tokens, for the code that a vendor gave a person. Raises NoToken, Busy, Refused."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        made = self._tokens(form | {"code_verifier": verifier} | self._who(), None, (code, verifier))
        if made.refresh is None:
            raise Refused(
                f"{self._http.host} gave no refresh_token, so that the access would end within hours; does the scope "
                "ask for it (often offline_access), and is the app new to this account?"
            )
        return made

    def _tokens(self, form: Mapping[str, str], before: Tokens | None, secrets: Sequence[str] = ()) -> Tokens:
        once = form["grant_type"] == "authorization_code"
        data = self._answer(Call("POST", self._path, self._path, form=form, personal=secrets, repeatable=not once))
        access = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(access, str) or not _TOKEN.fullmatch(access):
            raise NoToken(f"POST {self._http.host}{self._path} answered without an access_token")
        fresh = data.get("refresh_token")
        return Tokens(
            access,
            self._clock.now().timestamp() + self._good_for(data),
            fresh if isinstance(fresh, str) and fresh else (before.refresh if before else None),
            dict(before.extra if before else {}) | extras(data),
            self._client,
            self._given,
        )

    def _good_for(self, data: Mapping[str, Any]) -> float:
        try:
            said = float(data.get("expires_in_sec") or data.get("expires_in") or 0)
        except (TypeError, ValueError):
            said = 0.0
        life = min(said if said > 0 else self._oauth2.ways.lasts, LONGEST_LIFE)
        return life - min(MARGIN, life / 2)

    def _answer(self, call: Call) -> Any:
        try:
            return self._http.call(call).data
        except TargetError as error:
            problem = self._meaning(error)
        raise problem

    def _meaning(self, error: TargetError) -> TargetError:
        """Say what went wrong as it concerns the request that wanted the token: it was never sent."""
        if isinstance(error, NotSent | Uncertain):
            return NoToken(f"no token could be had: {error}")
        if isinstance(error, Rejected):
            return Refused(f"{error}; look at token_url and the other oauth2 settings")
        return Refused(str(error)) if isinstance(error, Refused) else error

    def _judge(self, answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
        code = answer.data.get("error") if isinstance(answer.data, dict) else None
        if not isinstance(code, str) or not code or answer.status >= 500 or answer.status == 429:
            return verdict(answer, asked, now)
        said = f"{asked.shown} answered {answer.status}: {asked.hide(says(answer))}"
        if _throttled(code, answer.data.get("error_description")):
            return Busy(f"{said}; too many tokens were asked for", THROTTLED)
        if code in {"temporarily_unavailable", "server_error"}:
            return Uncertain(said)
        return Refused(f"{said}; {self._cure(code)}")

    def _cure(self, code: str) -> str:
        if code.startswith("invalid_client") or code == "unauthorized_client":
            return "look at client_id and client_secret"
        if code not in {"invalid_grant", "invalid_code"}:
            return "look at the oauth2 settings"
        if self._oauth2.grant == "jwt_bearer":
            return "look at username, private_key and audience, and whether the app may work for this user"
        if self._oauth2.grant == "client_credentials":
            return "look at what the app may do"
        return self._connect

    @property
    def _connect(self) -> str:
        if self._oauth2.connects:
            return f"connect again: connector targets connect {self._name}"
        return "put a new refresh_token into the configuration, and restart `connector serve`"

    def _who(self) -> dict[str, str]:
        oauth2 = self._oauth2
        if oauth2.client_secret is None:
            return {"client_id": oauth2.client_id}
        if oauth2.ways.client_auth == "basic":
            return {}
        return {"client_id": oauth2.client_id, "client_secret": oauth2.client_secret}

    def _basic(self) -> Mapping[str, str]:
        oauth2 = self._oauth2
        if oauth2.client_secret is None or oauth2.ways.client_auth != "basic":
            return {}
        return {"Authorization": f"Basic {_coded(oauth2.client_id, oauth2.client_secret)}"}

    def _secrets(self) -> tuple[str, ...]:
        oauth2 = self._oauth2
        secret = oauth2.client_secret
        return () if secret is None else (secret, Secret(_coded(oauth2.client_id, secret)))

    def _assertion(self) -> str:
        """Return a JWT that says who asks (RFC 7523), signed by RS256."""
        oauth2 = self._oauth2
        audience = oauth2.ways.audience or oauth2.ways.token_url
        until = int(self._clock.now().timestamp()) + JWT_LIFE
        claims = {"iss": oauth2.client_id, "sub": oauth2.username, "aud": audience, "exp": until}
        said = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{said}.{_part(rsa_key(oauth2.private_key or '').sign(said.encode(), PKCS1v15(), SHA256()))}"


def extras(said: Mapping[str, Any]) -> dict[str, str]:
    """Return what a vendor said beside the tokens, such as instance_url or api_domain, as texts."""
    texts = {
        str(name): str(value)
        for name, value in said.items()
        if isinstance(value, str | int) and not isinstance(value, bool) and not name.startswith("expires_in")
    }
    fits = [name for name in texts if name not in _OURS and len(texts[name]) <= _LONGEST_EXTRA]
    return {name: texts[name] for name in fits[:_MOST_EXTRA]}


def _throttled(code: str, description: Any) -> bool:
    # Zoho's way, with a status of 200; OAuth2's own access_denied is something else.
    return code.casefold() == "access denied" or "too many requests" in str(description).casefold()


def _coded(client_id: str, secret: str) -> str:
    return b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def _part(text: bytes) -> str:
    return urlsafe_b64encode(text).rstrip(b"=").decode()

"""A vendor with OAuth2: its token endpoint, the page where a person allows access, and contacts behind the tokens."""

import hashlib
import json
import time
from base64 import b64decode, urlsafe_b64encode
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.targets.vendors.rest.lab import RestVendor

CLIENT, SECRET = "client-1", "client-secret-0123456789"


def flat(text):
    return dict(parse_qsl(text, keep_blank_values=True))


class Issuer(RestVendor):
    """Contacts at /api for whoever shows a living token; tokens at /oauth/token.

    `rotates`: each refresh uses its refresh token up. `scripted`: answers of the token endpoint to come first, as
    (status, body). `before`: called before a token is given, without any lock.
    """

    def __init__(self):
        super().__init__()
        self.rotates, self.lasts, self.scripted, self.before = True, 3600, [], None
        self.asked, self.proofs, self.live, self.refresh, self.codes = [], [], set(), {"refresh-token-0"}, {}
        self.more, self.given = {}, 0

    def answer(self, method, url, headers, body):
        if urlsplit(url).path == "/oauth/token":
            return self._token(headers, body)
        proof = headers.get("Authorization", "")
        with self.lock:
            self.proofs.append(proof)
        if proof.rpartition(" ")[2] not in self.live:
            return 401, {"Content-Type": "application/json"}, b'{"error": "the token is not good"}', ""
        return super().answer(method, url, headers, body)

    def _token(self, headers, body):
        form = flat(body.decode() if isinstance(body, bytes) else body)
        with self.lock:
            self.asked.append(form)
            scripted = self.scripted.pop(0) if self.scripted else None
        if self.before:
            self.before()
        with self.lock:
            status, said = scripted or self._given(form, headers.get("Authorization", ""))
        text = said if isinstance(said, bytes) else json.dumps(said).encode()
        return status, {"Content-Type": "application/json"}, text, ""

    def _given(self, form, basic):
        who = (form.get("client_id"), form.get("client_secret"))
        if basic:
            who = tuple(b64decode(basic.removeprefix("Basic ")).decode().split(":"))
        if form["grant_type"].endswith("jwt-bearer"):
            return 200, self._fresh(None)
        if who != (CLIENT, SECRET):
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
        if form["grant_type"] == "client_credentials":
            return 200, self._fresh(None)
        if form["grant_type"] == "authorization_code":
            return self._exchanged(form)
        old = form["refresh_token"]
        if old not in self.refresh:
            return 400, {"error": "invalid_grant", "error_description": f"Incorrect refresh token {old}"}
        if not self.rotates:
            return 200, self._fresh(None)
        self.refresh.remove(old)
        return 200, self._fresh(f"refresh-token-{self.given + 1}")

    def _exchanged(self, form):
        known = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if known != (form["redirect_uri"], challenge):
            return 400, {
                "error": "invalid_grant",
                "error_description": "the code, its verifier or redirect_uri is wrong",
            }
        return 200, self._fresh(f"refresh-token-{self.given + 1}")

    def _fresh(self, refresh):
        self.given += 1
        access = f"access-token-{self.given}-of-the-issuer"
        self.live.add(access)
        said = {"access_token": access, "token_type": "Bearer", **self.more}
        if self.lasts is not None:
            said["expires_in"] = self.lasts
        if refresh:
            self.refresh.add(refresh)
            said["refresh_token"] = refresh
        return said

    def allow(self, address, **more):
        "Be the page where a person allows the access; return the address that the browser is sent to."
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = f"code-{len(self.codes) + 1}-of-the-issuer"
        self.codes[code] = (asked["redirect_uri"], asked["code_challenge"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **more})}"

    def revoke(self):
        "End all access tokens, as some vendors do early."
        self.live.clear()


def slowly(seconds=0.3):
    "Take a while over each token, so that others come meanwhile."
    return lambda: time.sleep(seconds)

"""Ask a request who sent it: everything the source's `auth` lists must hold, compared as bytes in constant time."""

import base64
import hmac
from collections.abc import Sequence
from typing import Protocol

from connector.config import HeaderAuth, HmacAuth, SourceConfig
from connector.errors import Unauthorized


class Headers(Protocol):
    """Be the request's headers: `get` asks in any case."""

    def get(self, key: str, /) -> str | None:
        """Return the header's text (bytes as latin-1, as WSGI gives it), or None."""
        ...


def verify(headers: Headers, path_token: str | None, body: bytes, source: SourceConfig) -> None:
    """Check the path token, the header and the signature over the raw body, as far as the source asks for them.

    Each may have several live secrets (rotation). A source without any proof lets nobody in. Raises Unauthorized,
    which says what is missing or wrong and never a secret.
    """
    if not (source.path_tokens or source.header or source.hmac):
        raise Unauthorized(f"source {source.name} has no auth: set sources.{source.name}.auth in the configuration")
    verify_token(path_token, source)
    if source.header is not None:
        _verify_header(headers, source.header)
    if source.hmac is not None:
        _verify_signature(headers, body, source.hmac)


def verify_token(path_token: str | None, source: SourceConfig) -> None:
    """Check the URL's token alone, where the source has one. Raises Unauthorized."""
    if source.path_tokens:
        tokens = [_bytes(token) for token in source.path_tokens]
        _hold("the token in the URL", None if path_token is None else _bytes(path_token), tokens)


def _verify_header(headers: Headers, auth: HeaderAuth) -> None:
    given = headers.get(auth.name)
    # A value that is not ASCII may come in either encoding; what WSGI decoded as latin-1 is turned back into bytes.
    values = [form for value in auth.values for form in (_bytes(value), _wire(value))]
    _hold(f"header {auth.name}", None if given is None else _wire(given), values)


def _verify_signature(headers: Headers, body: bytes, auth: HmacAuth) -> None:
    given = headers.get(auth.header)
    if given is not None and not given.startswith(auth.prefix):
        raise Unauthorized(f"the signature in header {auth.header} does not begin with {auth.prefix!r}")
    signature = None if given is None else _wire(given.removeprefix(auth.prefix).strip())
    if signature is not None and auth.encoding == "hex":
        signature = signature.lower()
    _hold(f"the signature in header {auth.header}", signature, [_sign(body, s, auth) for s in auth.secrets])


def _sign(body: bytes, secret: str, auth: HmacAuth) -> bytes:
    digest = hmac.digest(_bytes(secret), body, auth.algorithm)
    return base64.b64encode(digest) if auth.encoding == "base64" else digest.hex().encode()


def _hold(what: str, given: bytes | None, live: Sequence[bytes]) -> None:
    if given is None:
        raise Unauthorized(f"{what} is missing")
    fits = [hmac.compare_digest(given, secret) for secret in live]  # all of them, whichever fits
    if not any(fits):
        raise Unauthorized(f"{what} is wrong")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _wire(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return _bytes(text)

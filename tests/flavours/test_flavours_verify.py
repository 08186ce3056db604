"""Nobody gets in without every proof that the source asks for."""

import base64
import hashlib
import hmac

import pytest
from werkzeug.datastructures import Headers

from connector.config import HeaderAuth, HmacAuth, SourceConfig
from connector.errors import Unauthorized
from connector.flavours import verify, verify_token
from connector.masking import Secret

BODY = b'{"action": "customers.CREATE"}'
TOKENS = (Secret("new-token-0123456789"), Secret("old-token-0123456789"))


def source(**auth: object) -> SourceConfig:
    return SourceConfig("flavours", **auth)  # type: ignore[arg-type]


def signature(secret: str, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), BODY, getattr(hashlib, algorithm)).digest()


def refusal(headers: dict[str, str], token: str | None, wanted: SourceConfig) -> str:
    with pytest.raises(Unauthorized) as caught:
        verify(Headers(headers), token, BODY, wanted)
    return str(caught.value)


@pytest.mark.parametrize("token", TOKENS)
def test_every_live_path_token_opens(token: str) -> None:
    verify(Headers(), token, BODY, source(path_tokens=TOKENS))


@pytest.mark.parametrize("token", ["", "new-token", "new-token-0123456789x", "NEW-TOKEN-0123456789", "رمز", "\ud800"])
def test_a_wrong_path_token_does_not(token: str) -> None:
    assert refusal({}, token, source(path_tokens=TOKENS)) == "the token in the URL is wrong"


def test_a_missing_path_token_does_not() -> None:
    assert refusal({}, None, source(path_tokens=TOKENS)) == "the token in the URL is missing"


def test_a_source_without_auth_lets_nobody_in() -> None:
    assert "no auth: set sources.flavours.auth" in refusal({}, "anything", source())


def test_a_token_that_nobody_asked_for_does_no_harm() -> None:
    verify(Headers({"X-Key": "k"}), "anything", BODY, source(header=HeaderAuth("X-Key", (Secret("k"),))))
    verify_token("anything", source())


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("value", ["Bearer one", "Bearer two"])
def test_a_header_is_found_in_any_case_with_any_live_value(name: str, value: str) -> None:
    auth = HeaderAuth("Authorization", (Secret("Bearer one"), Secret("Bearer two")))
    verify(Headers({name: value}), None, BODY, source(header=auth))


def test_a_missing_or_wrong_header_is_named_without_its_value() -> None:
    wanted = source(header=HeaderAuth("Authorization", (Secret("Bearer s3cr3t"),)))
    assert refusal({}, None, wanted) == "header Authorization is missing"
    assert refusal({"Authorization": "Bearer guess"}, None, wanted) == "header Authorization is wrong"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_secret_that_is_not_ascii_fits_in_either_encoding(encoding: str) -> None:
    as_wsgi_gives_it = "clé-sécrète".encode(encoding).decode("latin-1")
    verify(
        Headers({"X-Key": as_wsgi_gives_it}), None, BODY, source(header=HeaderAuth("X-Key", (Secret("clé-sécrète"),)))
    )


@pytest.mark.parametrize("given", ["مفتاح", "\udce9", "é", "ÿ" * 400])
def test_an_arabic_secret_and_odd_headers_never_crash(given: str) -> None:
    wanted = source(header=HeaderAuth("X-Key", (Secret("سر"), Secret("\udcff"))))
    assert refusal({"X-Key": given}, None, wanted) == "header X-Key is wrong"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("secret", ["first", "sécond سر"])
def test_a_hex_signature_of_any_live_secret_holds(algorithm: str, secret: str) -> None:
    auth = HmacAuth("X-Signature", (Secret("first"), Secret("sécond سر")), algorithm, "hex", f"{algorithm}=")
    signed = f"{algorithm}={signature(secret, algorithm).hex()}"
    for given in (
        signed,
        signed.replace(signature(secret, algorithm).hex(), signature(secret, algorithm).hex().upper()),
    ):
        verify(Headers({"X-Signature": given}), None, BODY, source(hmac=auth))


def test_a_base64_signature_holds() -> None:
    auth = HmacAuth("X-Signature", (Secret("first"),), encoding="base64")
    given = base64.b64encode(signature("first")).decode()
    verify(Headers({"X-Signature": given}), None, BODY, source(hmac=auth))
    assert refusal({"X-Signature": given.swapcase()}, None, source(hmac=auth)).endswith("is wrong")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "the signature in header X-Signature is missing"),
        ("", "does not begin with 'sha256='"),
        (signature("first").hex(), "does not begin with 'sha256='"),
        ("sha256=", "is wrong"),
        ("sha256=" + signature("other").hex(), "is wrong"),
        ("sha256=" + signature("first").hex()[:-1], "is wrong"),
        ("sha256=توقيع", "is wrong"),
    ],
)
def test_a_missing_or_wrong_signature_is_told(given: str | None, says: str) -> None:
    wanted = source(hmac=HmacAuth("X-Signature", (Secret("first"),), prefix="sha256="))
    said = refusal({} if given is None else {"X-Signature": given}, None, wanted)
    assert says in said
    assert "first" not in said


def test_the_signature_covers_the_raw_bytes() -> None:
    wanted = source(hmac=HmacAuth("X-Signature", (Secret("first"),)))
    with pytest.raises(Unauthorized, match="wrong"):
        verify(Headers({"X-Signature": signature("first").hex()}), None, BODY + b" ", wanted)


def test_all_auth_that_is_given_must_hold() -> None:
    hmac_auth = HmacAuth("X-Signature", (Secret("first"),))
    wanted = source(path_tokens=TOKENS, header=HeaderAuth("X-Key", (Secret("k"),)), hmac=hmac_auth)
    right = {"X-Key": "k", "X-Signature": signature("first").hex()}
    verify(Headers(right), TOKENS[0], BODY, wanted)
    for missing in right:
        assert missing in refusal({k: v for k, v in right.items() if k != missing}, TOKENS[0], wanted)
    assert "URL" in refusal(right, None, wanted)

"""What a vendor's file says of OAuth2, and what the settings say over it."""

from urllib.parse import parse_qs, urlsplit

import pytest
from marshmallow import Schema, ValidationError

from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.grants import Ways, described
from connector.targets.oauth2 import tokens_of
from connector.targets.oauth2_connect import Invitation
from connector.targets.oauth2_settings import oauth2

CLIENT = {"client_id": "c", "client_secret": "s"}
ZOHO = Ways(
    token_url="https://accounts.zoho.sa/oauth/v2/token",
    authorize_url="https://accounts.zoho.sa/oauth/v2/auth",
    scope="ZohoBooks.contacts.ALL",
    scheme="Zoho-oauthtoken",
    authorize_with={"access_type": "offline", "prompt": "consent"},
)


def loaded(*grants, **said):
    return Schema.from_dict({"oauth2": oauth2(*grants, required=True)})().load({"oauth2": said})["oauth2"]


def test_a_vendors_ways_hold_where_the_settings_say_nothing():
    made = described(loaded("refresh_token", **CLIENT), ZOHO)
    assert (made.grant, made.ways, made.connects) == ("refresh_token", ZOHO, True)


def test_the_settings_go_before_the_vendors_ways():
    said = {"token_url": "https://t.example.com", "scope": "x", "client_auth": "basic", "audience": "a"}
    made = described(loaded("refresh_token", **CLIENT, **said), ZOHO)
    assert (made.ways.token_url, made.ways.scope, made.ways.client_auth) == ("https://t.example.com", "x", "basic")
    assert (made.ways.audience, made.ways.scheme) == ("a", "Zoho-oauthtoken")


def test_the_address_has_what_the_vendor_wants_beside():
    invitation = Invitation(described(loaded("refresh_token", **CLIENT), ZOHO), "http://localhost:8484/callback")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(invitation.address).query).items()}
    assert (asked["access_type"], asked["prompt"], asked["scope"]) == ("offline", "consent", "ZohoBooks.contacts.ALL")
    assert invitation.state not in repr(invitation)
    assert invitation.verifier not in repr(invitation)


def test_no_two_invitations_are_alike():
    made = described(loaded("refresh_token", **CLIENT), ZOHO)
    first, second = (Invitation(made, "http://localhost/") for _ in range(2))
    assert first.state != second.state
    assert first.verifier != second.verifier
    assert 43 <= len(first.verifier) <= 128


def test_the_word_before_the_token_is_the_vendors(mocked):
    mocked.post("https://accounts.zoho.sa/oauth/v2/token", json={"access_token": "a", "expires_in_sec": 3600})
    settings = {"timeout": 1.0, "allow_private": True, "proxy": None}
    made = described(loaded("refresh_token", **CLIENT, refresh_token="r"), ZOHO)
    tokens = tokens_of(made, "books", settings, Around(Clock()))
    assert tokens.headers() == {"Authorization": "Zoho-oauthtoken a"}
    assert mocked.calls[0].request.body == b"grant_type=refresh_token&refresh_token=r&client_id=c&client_secret=s"


def test_an_app_without_a_secret_tells_who_it_is(mocked):
    mocked.post("https://t.example.com/a%20b", json={"access_token": "a"})
    made = described(loaded("refresh_token", client_id="c", refresh_token="r"), Ways("https://t.example.com/a b"))
    settings = {"timeout": 1.0, "allow_private": True, "proxy": None}
    tokens_of(made, "books", settings, Around(Clock())).headers()
    assert mocked.calls[0].request.body == b"grant_type=refresh_token&refresh_token=r&client_id=c"


def test_a_secret_with_odd_characters_is_quoted_in_the_header(mocked):
    mocked.post("https://t.example.com/", json={"access_token": "a"})
    said = {"client_id": "c:1", "client_secret": "s%2 +", "client_auth": "basic"}
    made = described(loaded("client_credentials", **said), Ways("https://t.example.com/"))
    settings = {"timeout": 1.0, "allow_private": True, "proxy": None}
    tokens_of(made, "books", settings, Around(Clock())).headers()
    assert mocked.calls[0].request.headers["Authorization"] == "Basic YyUzQTE6cyUyNTIrJTJC"


GRANTS = [
    (("refresh_token",), CLIENT, "refresh_token"),
    (("refresh_token", "client_credentials"), CLIENT, "refresh_token"),
    (("refresh_token", "client_credentials"), CLIENT | {"grant": "client_credentials"}, "client_credentials"),
    (("client_credentials", "jwt_bearer"), CLIENT, "client_credentials"),
    (("client_credentials",), CLIENT | {"refresh_token": "r"}, "client_credentials"),
    (("client_credentials", "refresh_token"), CLIENT | {"refresh_token": "r"}, "refresh_token"),
]


@pytest.mark.parametrize(("known", "said", "grant"), GRANTS)
def test_which_grant_it_is_follows_from_what_is_given(known, said, grant):
    assert loaded(*known, **said)["grant"] == grant


def test_a_grant_that_the_vendor_does_not_know_is_refused():
    with pytest.raises(ValidationError, match="must be one of: refresh_token"):
        loaded("refresh_token", **CLIENT, grant="client_credentials")

"""Take the settings of a Xero target: which organisation, and how it is connected."""

from collections.abc import Mapping
from typing import Any

from connector.config_fields import Text, Whole
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.oauth2_settings import oauth2
from connector.targets.settings import HttpSettings, address, header_text


class XeroSettings(HttpSettings):
    """Be the settings of a Xero target."""

    base_url = Text(
        load_default="https://api.xero.com/api.xro/2.0",
        validate=address,
        metadata={"help": "https://api.xero.com/api.xro/2.0"},
    )
    oauth2 = oauth2("refresh_token", "client_credentials", required=True)
    tenant_id = Text(
        load_default=None,
        validate=header_text,
        metadata={"help": "of the organisation; found by itself when the app is connected to one only"},
    )
    at_once = Whole(1, 100, load_default=5, metadata={"help": "how many requests may be on their way at once (5)"})


def grant(settings: Mapping[str, Any]) -> OAuth2:
    """Return what is to be known of OAuth2: a person connects the organisation, or a custom connection needs none."""
    own = settings["oauth2"]["grant"] == "client_credentials"  # a custom connection: no person, no refresh token
    return described(
        settings["oauth2"],
        Ways(
            token_url="https://identity.xero.com/connect/token",  # noqa: S106 - an address
            authorize_url="https://login.xero.com/identity/connect/authorize",
            scope="accounting.contacts" if own else "offline_access accounting.contacts",
            client_auth="basic",
            lasts=1800.0,
        ),
    )

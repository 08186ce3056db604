"""What Zoho's products have in common: the data centres, the settings, the credentials, and where an account's API is."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from connector.config_fields import Text
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.oauth2_settings import oauth2
from connector.targets.settings import HttpSettings, address

# Where an account lives is the ending of the address where its people sign in. A new data centre needs no new version:
# base_url and oauth2.token_url say where it is.
REGIONS = ("sa", "com", "eu", "in", "com.au", "jp", "ca", "ae", "uk", "com.cn")
_ACCOUNTS = {"ca": "accounts.zohocloud.ca"}
_OFFLINE = {"access_type": "offline", "prompt": "consent"}  # without these Zoho gives no refresh token

WHERE = "is `region` the ending of the address where you sign in to Zoho, as in accounts.zoho.sa?"


class ZohoSettings(HttpSettings):
    """Be the settings of a target of Zoho."""

    base_url = Text(
        load_default=None, validate=address, metadata={"help": "only for a sandbox or a test system; else by region"}
    )
    region = Text(
        load_default=None,
        validate=validate.OneOf(REGIONS, error="must be one of: {choices}"),
        metadata={"help": f"the ending of the address where you sign in: {', '.join(REGIONS)}"},
    )
    oauth2 = oauth2("refresh_token", required=True)

    @validates_schema(skip_on_field_errors=True)
    def placed(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse an account that nobody can find."""
        if data["region"] is None and (data["base_url"] is None or data["oauth2"]["token_url"] is None):
            raise ValidationError(
                "is missing; it is the ending of the address where you sign in: sa, com, eu …", "region"
            )


def credentials(settings: Mapping[str, Any], scope: str) -> OAuth2:
    """Return what is to be known of OAuth2 for an account; `scope` is what a person who connects it must allow."""
    region = settings["region"]
    accounts = f"https://{_ACCOUNTS.get(region, f'accounts.zoho.{region}')}/oauth/v2"
    ways = Ways(
        token_url=f"{accounts}/token",
        authorize_url=f"{accounts}/auth" if region else None,
        scope=scope,
        scheme="Zoho-oauthtoken",
        authorize_with=_OFFLINE,
    )
    return described(settings["oauth2"], ways)


def base_url(settings: Mapping[str, Any], path: str) -> str:
    """Return where an account's API is; `path` is where the product's begins on the region's host."""
    return settings["base_url"] or f"https://www.zohoapis.{settings['region']}{path}"


def site(settings: Mapping[str, Any]) -> str | None:
    """Return the ending of the addresses where an account's people work, None where only the API's is known."""
    region = settings["region"]
    return _ACCOUNTS.get(region, f"accounts.zoho.{region}").removeprefix("accounts.") if region else None

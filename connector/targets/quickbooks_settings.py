"""Take the settings of a QuickBooks target: which company, and how it is connected."""

import re
from collections.abc import Mapping
from typing import Any

from connector.config_fields import Flag, Text, Whole, matches
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.oauth2_settings import oauth2
from connector.targets.settings import HttpSettings, address

PRODUCTION, SANDBOX = "https://quickbooks.api.intuit.com", "https://sandbox-quickbooks.api.intuit.com"


class QuickBooksSettings(HttpSettings):
    """Be the settings of a QuickBooks Online target."""

    base_url = Text(
        load_default=None, validate=address, metadata={"help": "only for another address than that of QuickBooks"}
    )
    sandbox = Flag(load_default=False, metadata={"help": "true: a company of the sandbox"})
    oauth2 = oauth2("refresh_token", required=True)
    realm_id = Text(
        load_default=None,
        validate=matches(re.compile(r"\d{1,20}"), "must be the company's id, digits only"),
        metadata={"help": "the company's id; `connector targets connect` learns it by itself"},
    )
    minorversion = Whole(75, 999, load_default=75, metadata={"help": "of QuickBooks' API (75)"})
    at_once = Whole(1, 100, load_default=8, metadata={"help": "how many requests may be on their way at once (8)"})


def grant(settings: Mapping[str, Any]) -> OAuth2:
    """Return what is to be known of OAuth2: a person connects the company."""
    return described(
        settings["oauth2"],
        Ways(
            token_url="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address
            authorize_url="https://appcenter.intuit.com/connect/oauth2",
            scope="com.intuit.quickbooks.accounting",
            client_auth="basic",
        ),
    )

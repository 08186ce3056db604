"""Take the settings of a Dynamics 365 target: its environment, its directory, and the key of its contacts."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connector.config_fields import Text, Whole, matches
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.oauth2_settings import oauth2
from connector.targets.settings import HttpSettings, address

COLUMN = re.compile(r"[a-z][a-z0-9_]*")


class DynamicsSettings(HttpSettings):
    """Be the settings of a Dynamics 365 target."""

    base_url = Text(
        required=True, validate=address, metadata={"help": "of your environment, as in https://acme.crm4.dynamics.com"}
    )
    tenant = Text(
        required=True,
        validate=matches(re.compile(r"[A-Za-z0-9.-]{1,253}"), "must be the directory's id, or its domain"),
        metadata={"help": "the directory (tenant) id, from the app's page in Microsoft Entra"},
    )
    oauth2 = oauth2("client_credentials", required=True)
    alternate_key = Text(
        load_default="new_flavoursid",
        validate=matches(COLUMN, "must be the logical name of a column, as in new_flavoursid"),
        metadata={"help": "the contact's column, and key, that holds the Flavours customer's id"},
    )
    version = Text(
        load_default="v9.2",
        validate=matches(re.compile(r"v\d{1,2}\.\d"), "must be as v9.2"),
        metadata={"help": "of the Web API (v9.2)"},
    )
    at_once = Whole(1, 100, load_default=20, metadata={"help": "how many requests may be on their way at once (20)"})


def environment(settings: Mapping[str, Any]) -> str:
    """Return the environment's own address; people also copy the API's."""
    base_url: str = settings["base_url"]
    return base_url.partition("/api/data")[0].rstrip("/")


def grant(settings: Mapping[str, Any]) -> OAuth2:
    """Return what is to be known of OAuth2: an application user of the directory."""
    host = urlsplit(environment(settings)).netloc.replace(".api.crm", ".crm", 1)
    ways = Ways(
        token_url=f"https://login.microsoftonline.com/{settings['tenant']}/oauth2/v2.0/token",
        scope=f"https://{host}/.default",
    )
    return described(settings["oauth2"], ways)

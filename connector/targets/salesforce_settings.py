"""Take the settings of a Salesforce target: where the organisation is, and by which field customers are known again."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError, post_load, validate, validates_schema

from connector.config_fields import Seconds, Text, matches
from connector.targets.grants import OAuth2, Ways, described
from connector.targets.oauth2_settings import oauth2
from connector.targets.settings import HttpSettings, address


class SalesforceSettings(HttpSettings):
    """Be the settings of a Salesforce target."""

    my_domain = Text(
        load_default=None,
        validate=matches(re.compile(r"[A-Za-z0-9-]+(\.[a-z]+)?"), "must be the name before .my.salesforce.com"),
        metadata={"help": "acme of https://acme.my.salesforce.com; a sandbox is acme--name.sandbox"},
    )
    base_url = Text(
        load_default=None, validate=address, metadata={"help": "in place of my_domain, for another address"}
    )
    oauth2 = oauth2("client_credentials", "jwt_bearer", required=True)
    timeout = Seconds(
        load_default=30.0,
        validate=validate.Range(0.05, 120.0, error="must be between 50ms and 2m"),
        metadata={"help": "how long one answer may take (30s: two hundred contacts pass many triggers)"},
    )
    version = Text(
        load_default="v68.0",
        validate=matches(re.compile(r"v\d{2,3}\.0"), "must be as v68.0"),
        metadata={"help": "of Salesforce's API (v68.0)"},
    )
    external_id_field = Text(
        load_default="Flavours_Id__c",
        validate=matches(
            re.compile(r"[A-Za-z]\w*__c"), "must be the API name of a field of yours, which ends with __c"
        ),
        metadata={"help": "the contact's field, Unique and External ID, that holds the Flavours customer's id"},
    )
    on_duplicate_rule = Text(
        load_default="update_match",
        validate=validate.OneOf(("hold", "allow_save", "update_match"), error="must be one of: {choices}"),
        metadata={"help": "when a duplicate rule of yours finds a contact alike: hold, allow_save or update_match"},
    )

    @validates_schema(skip_on_field_errors=True)
    def addressed(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse settings without an address."""
        if data["my_domain"] is None and data["base_url"] is None:
            raise ValidationError({"my_domain": ["is missing"]})

    @post_load
    def decided(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Say what the address is."""
        return data | {"base_url": data["base_url"] or f"https://{data['my_domain']}.my.salesforce.com"}


def grant(settings: Mapping[str, Any]) -> OAuth2:
    """Return what is to be known of OAuth2; a JWT is meant for the host where people sign in."""
    sandbox = ".sandbox." in settings["base_url"]
    audience = f"https://{'test' if sandbox else 'login'}.salesforce.com"
    ways = Ways(f"{settings['base_url']}/services/oauth2/token")
    return described(
        settings["oauth2"], replace(ways, audience=audience) if settings["oauth2"]["grant"] == "jwt_bearer" else ways
    )

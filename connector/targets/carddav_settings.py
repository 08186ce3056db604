"""Take the settings of an address book: where it is, who writes there, and how cards are written."""

from marshmallow import validate

from connector.config_fields import SecretText, Text
from connector.targets.settings import HttpSettings, address, header_text


class CarddavSettings(HttpSettings):
    """Be the settings of an address book."""

    base_url = Text(
        required=True,
        validate=address,
        metadata={"help": "the address book's own, as in https://cloud.example.com/dav/users/sara/customers"},
    )
    username = Text(required=True, validate=header_text, metadata={"help": "who may write there"})
    password = SecretText(required=True, metadata={"help": "that user's (app) password", "secret": True})
    vcard = Text(
        load_default="3.0",
        validate=validate.OneOf(["3.0", "4.0"], error="must be 3.0 or 4.0, in quotes"),
        metadata={"help": "the version of new cards, 3.0 (all servers) or 4.0"},
    )

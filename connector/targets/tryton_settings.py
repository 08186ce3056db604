"""Take the settings of a Tryton target: its database, and who writes there."""

from connector.config_fields import SecretText, Text
from connector.targets.settings import HttpSettings, header_text


class TrytonSettings(HttpSettings):
    """Be the settings of a Tryton target."""

    database = Text(required=True, metadata={"help": "the database's name, as at the login"})
    login = Text(required=True, metadata={"help": "the user that writes parties"})
    password = SecretText(
        required=True, validate=header_text, metadata={"help": "that user's password", "secret": True}
    )

"""Take the settings of an EspoCRM target: where it is, whose key it is, and the field by which customers are known."""

from connector.config_fields import Text
from connector.targets.settings import HttpSettings, address, secret


class EspocrmSettings(HttpSettings):
    """Be the settings of an EspoCRM target."""

    base_url = Text(
        required=True, validate=address, metadata={"help": "where EspoCRM is, such as https://crm.example.com"}
    )
    api_key = secret("of an API User: Administration, API Users", required=True)
    id_field = Text(
        load_default="cFlavoursId",
        metadata={"help": "the field of a contact that holds the Flavours customer's id (cFlavoursId)"},
    )

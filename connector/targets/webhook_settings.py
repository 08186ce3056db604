"""Take the settings of a webhook: where it goes, and the secrets that it is signed with."""

from connector.config_fields import SecretText, Several
from connector.targets.settings import HttpSettings, address
from connector.targets.settings import secret as credential
from connector.targets.webhook_signing import key


def _secret(value: str) -> None:
    key(value)


def _url(value: str) -> None:
    address(value.partition("?")[0])


class WebhookSettings(HttpSettings):
    """Be the settings of a webhook; its address may have a query, and be a secret."""

    class Meta(HttpSettings.Meta):
        """Take `url` in place of base_url."""

        exclude = ("base_url",)

    url = SecretText(
        required=True, validate=_url, metadata={"help": "where the webhooks are received, whole", "secret": True}
    )
    secret = Several(
        SecretText(validate=_secret),
        "secret",
        required=True,
        metadata={
            "help": "whsec_ and random bytes in base64, as the receiver knows it; a list rotates",
            "secret": True,
        },
    )
    token = credential("sent as Authorization: Bearer …, if the receiver wants one", load_default=None)

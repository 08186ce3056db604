"""What the settings of a target may say of OAuth2: the same names everywhere, whatever the vendor."""

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from connector.config_fields import MESSAGES, NO_GROUP, Group, SecretText, Text
from connector.targets.grants import Grant
from connector.targets.settings import address, header_text, secret

_NEEDS: Mapping[Grant, tuple[str, ...]] = {
    "refresh_token": (),
    "client_credentials": ("client_secret",),
    "jwt_bearer": ("private_key", "username"),
}


def rsa_key(text: str) -> RSAPrivateKey:
    """Return the private key that a PEM text holds. Raises ValidationError."""
    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValidationError("must be an RSA private key in PEM without a password, as in ${file:secrets/key.pem}")
    return key


def _check_key(text: str) -> None:
    rsa_key(text)


class OAuth2Settings(Group):
    """Be `oauth2`. `grants` are those that the vendor knows, the usual one first.

    `addressed`: the settings must say the vendor's address, for nobody else knows it.
    """

    token_url = Text(load_default=None, validate=address, metadata={"help": "where tokens are asked for"})
    client_id = Text(required=True, validate=header_text, metadata={"help": "of the app that you registered"})
    client_secret = secret("of the app that you registered", load_default=None)
    refresh_token = secret("when you have one already; else run `connector targets connect`", load_default=None)
    scope = Text(load_default=None, metadata={"help": "what the app may do, in the vendor's words"})
    authorize_url = Text(
        load_default=None,
        validate=address,
        metadata={"help": "where a person allows it, for `connector targets connect`"},
    )
    grant = Text(load_default=None, metadata={"help": "refresh_token, client_credentials or jwt_bearer"})
    client_auth = Text(
        load_default=None,
        validate=validate.OneOf(("body", "basic"), error="must be one of: {choices}"),
        metadata={"help": "how the client_secret is sent: in the body, or as a basic header"},
    )
    private_key = SecretText(load_default=None, validate=_check_key, metadata={"help": "for jwt_bearer: a key in PEM"})
    username = Text(load_default=None, metadata={"help": "for jwt_bearer: the user to work as"})
    audience = Text(load_default=None, metadata={"help": "whom the token is for, where the vendor wants it said"})

    def __init__(self, *grants: Grant, addressed: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.grants, self._addressed = grants, addressed

    @validates_schema(skip_on_field_errors=True)
    def complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a grant that the vendor does not know, and one that lacks something."""
        if data["grant"] is not None and data["grant"] not in self.grants:
            raise ValidationError(f"must be one of: {', '.join(self.grants)}", "grant")
        grant = self._grant(data)
        missing = [name for name in _NEEDS[grant] if data[name] is None]
        missing += ["token_url"] if self._addressed and data["token_url"] is None else []
        missing += ["refresh_token"] if self._never(grant, data) else []
        if missing:
            raise ValidationError({name: [f"is missing; {grant} needs it"] for name in missing})

    def _never(self, grant: Grant, data: Mapping[str, Any]) -> bool:
        nowhere = self._addressed and data["authorize_url"] is None
        return grant == "refresh_token" and nowhere and data["refresh_token"] is None

    @post_load
    def decided(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Say which grant it is."""
        return data | {"grant": self._grant(data)}

    def _grant(self, data: Mapping[str, Any]) -> Grant:
        given: Grant | None = data["grant"]
        if given is not None:
            return given
        if data["private_key"] is not None and "jwt_bearer" in self.grants:
            return "jwt_bearer"
        if data["refresh_token"] is not None or data["authorize_url"] is not None:
            return "refresh_token" if "refresh_token" in self.grants else self.grants[0]
        return self.grants[0]


def oauth2(*grants: Grant, addressed: bool = False, **more: Any) -> fields.Nested:
    """Return the field of a target's `oauth2`; see OAuth2Settings."""
    messages = {**MESSAGES, "type": NO_GROUP}
    metadata = {"help": "client_id, client_secret and so on; see config.example.yaml", "secret": True}
    schema = OAuth2Settings(*grants, addressed=addressed)
    return fields.Nested(schema, error_messages=messages, metadata=metadata, **more)

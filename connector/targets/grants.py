"""Say what OAuth2 needs to know of one target: which grant, the vendor's ways, and who we are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Grant = Literal["refresh_token", "client_credentials", "jwt_bearer"]


@dataclass(frozen=True, slots=True)
class Ways:
    """Describe a vendor's ways; what the settings say goes before it.

    `client_auth`: where the client's secret goes, `body` or `basic` (a header). `scheme`: the word before the token in
    the Authorization header. `authorize_with`: what the vendor wants in the address that a person opens, beside what
    OAuth2 wants. `lasts`: seconds that an access token is good for when the vendor does not say.
    """

    token_url: str = ""
    authorize_url: str | None = None
    scope: str | None = None
    audience: str | None = None
    client_auth: str = "body"
    scheme: str = "Bearer"
    authorize_with: Mapping[str, str] = field(default_factory=dict)
    lasts: float = 3600.0


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Hold all that is needed to ask for a target's tokens; secrets do not show themselves."""

    grant: Grant
    ways: Ways
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    username: str | None = None

    @property
    def keeps(self) -> bool:
        """Tell whether the tokens are more than can be asked for anew: a refresh token that is lost is lost."""
        return self.grant == "refresh_token"

    @property
    def connects(self) -> bool:
        """Tell whether a person can connect this target with a browser."""
        return self.keeps and self.ways.authorize_url is not None


def described(settings: Mapping[str, Any], ways: Ways) -> OAuth2:
    """Return what a target's `oauth2` settings (as OAuth2Settings loaded them) say, over the vendor's ways."""
    names = ("token_url", "authorize_url", "scope", "audience", "client_auth")
    said = {name: settings[name] for name in names if settings[name] is not None}
    return OAuth2(
        settings["grant"],
        replace(ways, **said),
        settings["client_id"],
        settings["client_secret"],
        settings["refresh_token"],
        settings["private_key"],
        settings["username"],
    )

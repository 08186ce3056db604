"""What Zoho's products have in common in the laboratory: the credentials and the settings."""

from types import MappingProxyType

from tests.targets.lab import BASE

ZOHO_TOKEN = "1000.aaaabbbbccccddddeeeeffff00001111.22223333444455556666777788889999"
OAUTH2 = {
    "client_id": "1000.CLIENT0123456789",
    "client_secret": "client-secret-0123456789",
    "refresh_token": "1000.refresh-token-0123456789",
}


class Tokens:
    "The credentials, as OAuth2 would give them; there are no others."

    extra = MappingProxyType({})

    def headers(self):
        return {"Authorization": f"Zoho-oauthtoken {ZOHO_TOKEN}"}

    def renew(self, refused):
        "Nothing to be had."


def zoho_settings(base_url=BASE, **more):
    return {"base_url": base_url, "region": "sa", "oauth2": OAUTH2, "timeout": "700ms", "pace": "9000/1s", **more}


def proven(request):
    return request.headers.get("Authorization") == f"Zoho-oauthtoken {ZOHO_TOKEN}"

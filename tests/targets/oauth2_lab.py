"""What the tests of OAuth2 share: a store, an issuer on true sockets, and tokens as a target opens them."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.config import TargetConfig
from connector.store import Store, open_store
from connector.targets.base import Around
from connector.targets.clock import Clock
from connector.targets.kinds import open_target
from connector.targets.oauth2 import tokens_of
from connector.targets.rest import KIND
from tests.targets.stub_issuer import CLIENT, SECRET, Issuer
from tests.targets.vendors.rest.lab import settings as rest_settings

KEY = "a-long-random-text-of-the-tests"
START = 1_790_000_000


def _briefly(seconds):
    "Wait a tenth of it: who looks again whether another worker is done yet does so more often."
    time.sleep(seconds / 10)


@dataclass
class Lab:
    "One account; `later` puts the wall clocks of all forward."

    base: str
    issuer: Issuer
    url: str
    later: float = 0.0
    stores: list[Store] = field(default_factory=list)

    def store(self, patience=5.0):
        "Return another store on the same file, as another process has it."
        self.stores.append(open_store(self.url, lambda: int((START + self.later) * 1000), patience))
        return self.stores[-1]

    def clock(self, **more):
        now = lambda: datetime.fromtimestamp(START + self.later, UTC)  # noqa: E731
        return Clock(**{"monotonic": time.monotonic, "now": now, "sleep": _briefly} | more)

    def around(self, *keys, store=None, **clock):
        store = store or self.store()
        return Around(self.clock(**clock), store.turns("crm"), store.vault("crm"), keys or (KEY,))

    def settings(self, **oauth2):
        said = {"token_url": f"{self.base.removesuffix('/api')}/oauth/token", "client_id": CLIENT}
        said |= {"client_secret": SECRET} | oauth2
        auth = {"oauth2": {key: value for key, value in said.items() if value is not None}}
        return rest_settings(self.base, allow_private=True, auth=auth, timeout="10s")

    def loaded(self, **oauth2):
        return KIND.schema.load(self.settings(**oauth2))

    def tokens(self, around=None, **oauth2):
        "Return the tokens of the target crm, as a process opens them; a refresh token comes with the settings."
        settings = self.loaded(**oauth2)
        return tokens_of(KIND.oauth2(settings), "crm", settings, around or self.around())

    def connected(self, around=None, **oauth2):
        return self.tokens(around, **{"refresh_token": "refresh-token-0"} | oauth2)

    def target(self, around=None, **oauth2):
        return open_target(TargetConfig("crm", "rest", self.settings(**oauth2)), around or self.around())

    @property
    def asked(self):
        return self.issuer.asked

    def close(self):
        for store in self.stores:
            store.close()


def access(n):
    return {"Authorization": f"Bearer access-token-{n}-of-the-issuer"}

"""A webhook: the record is posted to any service, signed by Standard Webhooks, as n8n, Zapier or your own can receive it.

Nothing can be looked up there: the delivery's own key is the webhook-id, the same however often it is tried, so that a
receiver can tell a repetition. The address itself may be a secret, and is shown by its host alone. Facts: the
specification of Standard Webhooks 1.0.0.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from marshmallow import ValidationError

from connector.config_fields import SecretText, Several
from connector.errors import Busy, Refused, TargetError
from connector.masking import Secret
from connector.models import Outcome, Upsert
from connector.targets import records
from connector.targets.answers import Answer, Asked, failure, retry_after, verdict
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.http import Call, Http, Line, Ours
from connector.targets.ladder import Contacts, Found, Row, Rung, Written
from connector.targets.pace import opened
from connector.targets.settings import HttpSettings, address, fingerprint
from connector.targets.settings import secret as credential
from connector.targets.writing import upsert

LARGEST = 20_000  # bytes that a webhook should stay below
PREFIX = "whsec_"
SHORTEST_PART = 6
_MAKE_ONE = "must be whsec_ and 24 to 64 random bytes in base64; `openssl rand -base64 32` makes them"


def key(text: str) -> bytes:
    """Return the bytes of a secret. Raises ValidationError."""
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not 24 <= len(found) <= 64:
        raise ValidationError(_MAKE_ONE)
    return found


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


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Take any 2xx for thanks; an address that takes no webhooks holds the target."""
    if answer.status < 300:
        return None
    if answer.status in (404, 405, 410):
        what = failure(answer.status, answer, asked, now)
        return Refused(f"{what}; nobody receives webhooks at this url: is the receiver switched on, and the url right?")
    if answer.status in (429, 502, 504):
        what = failure(answer.status, answer, asked, now)
        return Busy(str(what), retry_after(answer.headers.get("Retry-After"), now))
    return verdict(answer, asked, now)


class Webhook(Contacts):
    """Be one receiver of webhooks."""

    kind = "webhook"
    batch_size = 1
    idempotent = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        url, token = urlsplit(settings["url"]), settings["token"]
        line = Line(
            f"{url.scheme}://{url.netloc}{url.path}",
            settings["timeout"],
            headers={"Authorization": f"Bearer {token}"} if token else {},
            query=tuple(parse_qsl(url.query, keep_blank_values=True)),
            secrets=(*settings["secret"], *([token] if token else []), *_parts(f"{url.path}?{url.query}")),
            allow_private=settings["allow_private"],
            proxy=settings["proxy"],
            judge=judge,
        )
        self._http = Http(line, opened(settings["pace"], around), around.clock)
        self._keys, self._clock = tuple(key(text) for text in settings["secret"]), around.clock
        self._slash = "/" if url.path.endswith("/") else ""
        self.account = fingerprint(settings["url"])
        self.timeout = self._http.longest
        self.uncertain_wait: float = settings["uncertain_wait"] or 3 * settings["timeout"]

    def check(self, fields: Collection[str] = (), *, fix: bool = False) -> Check:  # noqa: ARG002 - nobody can be asked
        """Say that nobody can be asked: whatever is sent to a webhook is taken for a customer."""
        said = "a webhook cannot be tried without being sent; nothing was asked"
        return Check(ok=True, lines=(f"{self._http.host}: {said}",))

    def upsert(self, requests: Sequence[Upsert], run: Run) -> Sequence[Outcome]:
        """Send each record; the receiver keeps apart what is new and what it has."""
        return [upsert(request, self, run) for request in requests]

    def rungs(self, request: Upsert) -> Sequence[Rung]:  # noqa: ARG002 - the protocol's
        """Return none: a webhook answers no questions."""
        return ()

    def fetch(self, remote_id: str, request: Upsert) -> Found | None:  # noqa: ARG002 - the protocol's
        """Return None: nothing can be read."""
        return None

    def create(self, request: Upsert, ours: Ours) -> Written:
        """Send the record."""
        return self._send(request.record, request, ours)

    def update(self, remote_id: str, fields: Row, request: Upsert, ours: Ours) -> Written:  # noqa: ARG002 - the customer's own
        """Send the record again."""
        return self._send(fields, request, ours)

    def _send(self, fields: Row, request: Upsert, ours: Ours) -> Written:
        now = self._clock.now()
        data = {"customer": request.customer, "record": fields}
        told = {"type": "customer", "timestamp": now.isoformat(timespec="milliseconds"), "data": data}
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        call = Call(
            "POST",
            self._slash,
            "/…",
            raw=body,
            headers={"Content-Type": "application/json", **self._signed(request.idempotency_key, now, body)},
            writes=True,
            any_body=True,
            personal=records.texts(request.record),
        )
        answer = self._http.call(call, ours)
        large = f"the webhook has {len(body):,} bytes; not every receiver takes more than {LARGEST:,}"
        return Written(request.customer, f"{answer.status}", warnings=(large,) if len(body) > LARGEST else ())

    def _signed(self, name: str, now: datetime, body: bytes) -> dict[str, str]:
        stamp = str(int(now.timestamp()))
        signatures = [hmac.digest(one, f"{name}.{stamp}.".encode() + body, hashlib.sha256) for one in self._keys]
        told = " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures)
        return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": told}


def _parts(address_behind_host: str) -> list[Secret]:
    """Return what an address may hold as a secret: its longer parts with a digit."""
    parts = re.split(r"[/?&=]", address_behind_host)
    return [Secret(part) for part in parts if len(part) >= SHORTEST_PART and re.search(r"\d", part)]


KIND = Kind(
    label="a webhook, signed by Standard Webhooks (n8n, Zapier, your own service)",
    schema=WebhookSettings(),
    open=lambda _config, settings, around: Webhook(settings, around),
    batch_size=1,
    match="nothing; every webhook names the customer's id in Flavours",
    upsert="posts the record; the receiver decides",
    limits="`pace`; waits as long as the receiver asks for",
    auth="signature (HMAC-SHA256), and a token",
    proved="the reference library of Standard Webhooks",
    twice="only where the receiver does not honour webhook-id, which stays the same when a webhook is sent again",
)

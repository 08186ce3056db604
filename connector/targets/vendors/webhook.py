"""A webhook: the record is posted to any service, signed by Standard Webhooks, as n8n, Zapier or your own can receive it.

Nothing can be looked up there: the delivery's own key is the webhook-id, the same however often it is tried, so that a
receiver can tell a repetition. The address itself may be a secret, and is shown by its host alone. Facts: the
specification of Standard Webhooks 1.0.0.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connector.errors import Busy, Refused, TargetError
from connector.masking import Secret
from connector.models import Outcome, Upsert
from connector.targets import records
from connector.targets.account import Account, line
from connector.targets.answers import Answer, Asked, failure, retry_after, verdict
from connector.targets.base import Around, Check, Kind, Run
from connector.targets.http import Call, Ours
from connector.targets.ladder import Contacts, Found, Row, Rung, Written
from connector.targets.webhook_settings import WebhookSettings
from connector.targets.webhook_signing import key, signed
from connector.targets.writing import upsert

LARGEST = 20_000  # bytes that a webhook should stay below
SHORTEST_PART = 6


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


class Webhook(Account, Contacts):
    """Be one receiver of webhooks."""

    kind = "webhook"
    batch_size = 1
    idempotent = True

    def __init__(self, settings: Mapping[str, Any], around: Around) -> None:
        url, token = urlsplit(settings["url"]), settings["token"]
        way = line(
            settings,
            f"{url.scheme}://{url.netloc}{url.path}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            query=tuple(parse_qsl(url.query, keep_blank_values=True)),
            secrets=(*settings["secret"], *([token] if token else []), *_parts(f"{url.path}?{url.query}")),
            judge=judge,
        )
        super().__init__(settings, around, way, settings["url"])
        self._keys = tuple(key(text) for text in settings["secret"])
        self._slash = "/" if url.path.endswith("/") else ""

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
            headers={"Content-Type": "application/json", **signed(self._keys, request.idempotency_key, now, body)},
            writes=True,
            any_body=True,
            personal=records.texts(request.record),
        )
        answer = self._http.call(call, ours)
        large = f"the webhook has {len(body):,} bytes; not every receiver takes more than {LARGEST:,}"
        return Written(request.customer, f"{answer.status}", warnings=(large,) if len(body) > LARGEST else ())


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

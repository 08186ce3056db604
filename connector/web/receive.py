"""The door: verify, store, thank. Nothing here knows a target."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from connector import flavours
from connector.config import Config, SourceConfig, SyncConfig
from connector.errors import BadWebhook, NotFound
from connector.masking import mask
from connector.models import Event
from connector.store.inbox import Inbox, Receipt
from connector.web.problem import answer, problem
from connector.web.tally import Tally

HELLO = "This address works; Flavours must POST here.\n"

log = structlog.get_logger()


class Door:
    """Take the webhooks of all sources; an event is on disk before its answer is made."""

    def __init__(self, config: Config, inbox: Inbox, tally: Tally) -> None:
        self._sources, self._inbox, self._tally = config.sources, inbox, tally
        self._syncs: Mapping[str, Sequence[SyncConfig]] = {
            name: [sync for sync in config.syncs.values() if sync.source == name] for name in config.sources
        }

    def receive(self, source: str, token: str | None = None) -> Response:
        """Take one webhook in. Raises NotFound, Unauthorized, StoreBusy."""
        known, body = self._proven(source, token)
        try:
            event = flavours.read(body)
        except BadWebhook as bad:
            return self._refuse(known, body, bad)
        receipt = self._inbox.accept(event, body, source, flavours.wanting(self._syncs[source], event))
        return self._thank(source, event, receipt)

    def hello(self, source: str, token: str | None = None) -> Response:
        """Tell a person with a browser that the URL is right, by its token alone. Raises NotFound, Unauthorized."""
        flavours.verify_token(token, self._known(source))
        return Response(HELLO, mimetype="text/plain")

    def note(self, source: str, token: str | None = None) -> Response:
        """Log what Flavours' Error Webhook says. Raises NotFound, Unauthorized.

        It has no envelope (flavours.md, trap 14) and is never an event: whatever it holds is thanked for.
        """
        known, body = self._proven(source, token)
        log.warning("flavours reports an error", source=source, **_said(body, known))
        self._tally.add("flavours_error_webhooks_total", source=source)
        return answer(202, {"status": "noted"})

    def _proven(self, source: str, token: str | None) -> tuple[SourceConfig, bytes]:
        known = self._known(source)
        body = _body()
        flavours.verify(request.headers, token, body, known)
        return known, body

    def _known(self, source: str) -> SourceConfig:
        if source not in self._sources:
            raise NotFound(source)
        return self._sources[source]

    def _thank(self, source: str, event: Event, receipt: Receipt) -> Response:
        self._tally.add("flavours_webhooks_total", source=source, status=receipt.status)
        kept = f"e{receipt.event}"
        if receipt.status == "duplicate":
            return answer(200, {"status": "duplicate", "event": kept})
        status = "accepted" if receipt.status == "conflict" else receipt.status
        conflict = {"conflict": True} if receipt.status == "conflict" else {}
        return answer(202, {"status": status, "event": kept, "xid": event.xid} | conflict)

    def _refuse(self, source: SourceConfig, body: bytes, bad: BadWebhook) -> Response:
        kept = f"e{self._inbox.reject(source.name, body, bad.detail, bad.xid, bad.action)}"
        log.warning("rejected", source=source.name, event_id=kept, reason=bad.detail)
        self._tally.add("flavours_webhooks_total", source=source.name, status="rejected")
        more = {"event": kept} | ({"fields": bad.fields} if bad.fields else {})
        status = bad.status if source.rejected_status == 422 else source.rejected_status
        if status < 400:  # for a sender that retries or disables on 4xx
            return answer(status, {"status": "rejected", "detail": bad.detail} | more)
        return problem(status, bad.detail, more)


def door(config: Config, inbox: Inbox, tally: Tally) -> Blueprint:
    """Make the routes below /webhooks."""
    rooms, routes = Door(config, inbox, tally), Blueprint("webhooks", __name__, url_prefix="/webhooks")
    for path in ("/<source>", "/<source>/<token>"):
        routes.add_url_rule(path, "receive", rooms.receive, methods=["POST"])
        routes.add_url_rule(path, "hello", rooms.hello, methods=["GET"])
        routes.add_url_rule(f"{path}/errors", "note", rooms.note, methods=["POST"])
    return routes


def _body() -> bytes:
    body = request.get_data(cache=False)
    # Flask refuses a Content-Length over the limit, but cuts a chunked body at the limit without a word.
    if request.content_length is None and len(body) >= (request.max_content_length or len(body) + 1):
        raise RequestEntityTooLarge
    return body


def _said(body: bytes, source: SourceConfig) -> dict[str, str]:
    try:
        report: Any = json.loads(body)
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict):
        return {"code": "", "message": "the report is not a JSON object"}
    # `endpoint` is left out and the message searched: both may hold our URL, and so its token.
    return {name: mask(str(report.get(name, "")), source.path_tokens) for name in ("code", "message")}

"""Answer every error as RFC 9457 problem+json, with a sentence that names the cure and never a path or a body."""

import json
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from connector.errors import NotFound, StoreError, Unauthorized

RETRY_AFTER = "5"
# "Nothing was stored" would be untrue where only the answer to a commit was lost. Who sends again need not know.
UNSURE = "the store cannot be used now: send it again; if it was stored all the same, a repeat does no harm"
_UNAUTHORIZED = "the sender did not prove who it is: compare the URL, and the headers it sends, with this source's auth"
_DETAILS = {
    404: "there is nothing at this address: webhooks go to /webhooks/<source>/<token>, with a source of the configuration",
    413: "the body is larger than 1 MiB",
}

log = structlog.get_logger()


def answer(status: int, body: Mapping[str, Any]) -> Response:
    """Make a JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json")


def problem(
    status: int, detail: str, more: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a problem+json answer; `more` are extension members (event, fields)."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail} | dict(more or {})
    return Response(json.dumps(body), status, headers, content_type="application/problem+json")


def register(app: Flask) -> None:
    """Make all errors of an app problems."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotFound, lambda _error: problem(404, _DETAILS[404]))
    app.register_error_handler(Unauthorized, _unauthorized)
    app.register_error_handler(StoreError, _store)
    app.register_error_handler(Exception, _crash)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    kept = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return problem(status, _DETAILS.get(status, error.description or HTTPStatus(status).description), headers=kept)


def _unauthorized(error: Unauthorized) -> Response:
    # The answer is the same for every reason; which one it was is for our own log only.
    log.warning("unauthorized", source=(request.view_args or {}).get("source"), reason=str(error))
    return problem(401, _UNAUTHORIZED, headers={"WWW-Authenticate": "Webhook"})


def _store(error: StoreError) -> Response:
    log.error("cannot store", reason=str(error))
    return problem(503, UNSURE, headers={"Retry-After": RETRY_AFTER})


def _crash(error: Exception) -> Response:
    # Neither the path (it holds a token) nor the error's text (it may hold a body): the places say enough.
    places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]]
    log.error("crash", error=type(error).__name__, places=" > ".join(places))
    return problem(500, "a mistake of ours: send it again; if it was stored all the same, a repeat does no harm")

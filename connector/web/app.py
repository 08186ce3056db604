"""Join the HTTP rooms into one WSGI application; any WSGI server runs it."""

from flask import Flask, Response

from connector.config import Config
from connector.store import Store
from connector.web import problem
from connector.web.ops import ops
from connector.web.receive import door
from connector.web.tally import Tally

LARGEST_BODY = 1024 * 1024

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # a URL holds a token
    "X-Content-Type-Options": "nosniff",
}


def create_app(config: Config, store: Store) -> Flask:
    """Make the application for a configuration and an open store; only the admin's rooms set cookies."""
    app = Flask("connector", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.strict_slashes = False  # a redirect would repeat the token in a header, and lose the body
    app.url_map.merge_slashes = False
    tally = Tally()
    app.register_blueprint(door(config, store.inbox, tally))
    app.register_blueprint(ops(store, tally))
    if config.admin:
        from connector.web.admin import furnish  # noqa: PLC0415 - the door starts without it where it is off

        furnish(app, config, store)
    problem.register(app)
    app.after_request(_secured)
    return app


def _secured(response: Response) -> Response:
    present = {name for name, _ in response.headers}
    response.headers.extend([header for header in _HEADERS.items() if header[0] not in present])
    return response

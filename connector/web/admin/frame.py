"""What every page shares: who is signed in, what they may do, the language, the shields, and how a page is drawn."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from connector.config import Config
from connector.errors import NotFound, StoreError
from connector.store import Store
from connector.web.admin import core, language
from connector.web.admin.errands import Asked, Errands

_SHIELDS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # on https the forms are checked by it, too
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_OPEN = {"admin.sign_in", "admin.static"}
_QUERY = (
    "q",
    "state",
    "target",
    "sync",
    "since",
    "until",
    "id",
    "before",
)  # what an address keeps when one of its values changes
Page = Callable[..., Any]


class Cookies(SecureCookieSessionInterface):
    """Send the session's cookie over HTTPS alone wherever the page came so, or the public address says so."""

    def __init__(self, public_url: str | None) -> None:
        self._https = (public_url or "").startswith("https://")

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - flask's signature
        """Tell whether the cookie is for HTTPS only."""
        return self._https or request.is_secure


class Frame:
    """Hold what the pages work with, and add each of them under its shields."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config, self.store, self.errands = config, store, Asked(Errands(), store.now)
        self.routes = Blueprint(
            "admin", __name__, url_prefix="/admin", template_folder="templates", static_folder="static"
        )
        self._csrf = CSRFProtect()

    def page(self, path: str, name: str, page: Page, *, role: str = "viewer", post: bool = False) -> None:
        """Add a page for those who have a role; one that changes something is only ever posted."""

        @wraps(page)
        def guarded(**values: Any) -> Any:
            if name != "sign_in" and not g.person.may(role):
                abort(403)
            return page(**values)

        self.routes.add_url_rule(path, name, guarded, methods=["POST"] if post else ["GET"])

    def draw(self, template: str, status: int = 200, **values: Any) -> Response:
        """Draw a page in the reader's language."""
        return make_response(render_template(f"admin/{template}", **values), status)

    def note(self, what: str, about: str = "") -> None:
        """Write down what the person who is signed in does."""
        self.store.audit.note(g.person.name, what, about)

    def close(self, app: Flask) -> None:
        """Put the rooms into an application."""
        self.routes.add_url_rule("/<path:rest>", "nowhere", lambda rest: abort(404))  # noqa: ARG005
        self.routes.before_request(self._enter)
        self.routes.after_request(_shielded)
        self.routes.register_error_handler(HTTPException, self._failed)
        self.routes.register_error_handler(NotFound, lambda _error: self._failed(404))
        self.routes.register_error_handler(StoreError, lambda _error: self._failed(503))
        self.routes.context_processor(self._common)
        self._sign_cookies(app)
        app.register_blueprint(self.routes)

    def _sign_cookies(self, app: Flask) -> None:
        newest, *older = self.config.secret_keys
        app.secret_key = f"admin sessions {newest.__str__()}"
        app.config.update(
            SECRET_KEY_FALLBACKS=[f"admin sessions {key.__str__()}" for key in older],
            SESSION_COOKIE_NAME="connector_admin",
            SESSION_COOKIE_PATH="/admin",
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            WTF_CSRF_CHECK_DEFAULT=False,  # the door has no forms; the rooms check by themselves
            WTF_CSRF_TIME_LIMIT=None,
        )
        app.session_interface = Cookies(self.config.server.public_url)
        self._csrf.init_app(app)

    def _enter(self) -> AnyResponse | None:
        accepts = request.accept_languages.best_match(list(language.LANGUAGES))
        g.language = language.chosen(request.args.get("lang"), request.cookies.get(language.COOKIE), accepts)
        g.person = self.store.people.signed_in(session["token"]) if "token" in session else None
        if g.person is None and request.endpoint not in _OPEN and request.endpoint != "admin.signed_in":
            return _to_sign_in()
        self._csrf.protect()
        return None

    def _failed(self, error: HTTPException | int) -> Response:
        status = error if isinstance(error, int) else error.code or 500
        if isinstance(error, HTTPException) and status < 400:
            return make_response(error.get_response())
        g.setdefault("language", "en")
        g.setdefault("person", None)
        key = "csrf" if isinstance(error, CSRFError) else str(status)
        key = key if f"error_{key}" in language.words("en") else "400"
        return self.draw("error.html", status, key=key)

    def _common(self) -> dict[str, Any]:
        spoken = g.get("language", "en")
        return {
            "t": lambda key, **values: language.said(spoken, key, **values),
            "told": lambda text: core.said(spoken, text),
            "briefly": lambda text: core.short(spoken, text),
            "plainly": lambda text: core.plainly(spoken, text),
            "known": lambda key: key in language.words(spoken),
            "nonce": _nonce,
            "field": lambda name: _with_name(language.of_target(spoken, name), name),
            "called": lambda path: " · ".join(filter(None, (language.of_flavours(spoken, path), path))),
            "flavours": lambda path: _with_name(language.of_flavours(spoken, path), path),
            "language": spoken,
            "languages": language.LANGUAGES,
            "direction": "rtl" if spoken == "ar" else "ltr",
            "person": g.get("person"),
            "time": language.time,
            "count": language.count,
            "elsewhere": _elsewhere,
            "token": lambda: Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf()),
        }


def _nonce() -> str:
    """Return what the styles of this one page may be told by: those that its scripts make."""
    g.setdefault("nonce", secrets.token_urlsafe(18))
    return str(g.nonce)


def _with_name(label: str | None, name: str) -> Markup:
    """Return what a field is called by people, with its own name behind it."""
    bare = Markup('<bdi dir="ltr">{}</bdi>').format(name)
    return bare if label is None else Markup("{} <small>{}</small>").format(label, bare)


def _to_sign_in() -> AnyResponse:
    address = url_for("admin.sign_in")
    if request.headers.get("HX-Request"):  # a part of a page: the whole page goes, not the part
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def begin_session(token: str) -> None:
    """Renew the session of the browser: nothing of what was before goes on."""
    session.clear()
    session["token"] = token
    session["renewed"] = secrets.token_hex(8)


def _elsewhere(**changes: Any) -> str:
    """Return the address of this page with other values in its query; a posted page leads home."""
    if request.method != "GET" or request.endpoint in (None, "admin.nowhere"):
        return url_for("admin.home", **changes)
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name in _QUERY}
    return url_for(str(request.endpoint), **{**(request.view_args or {}), **kept, **changes})


def _shielded(response: Response) -> Response:
    for name, value in _SHIELDS.items():
        response.headers[name] = value
    if "nonce" in g:
        policy = _SHIELDS["Content-Security-Policy"]
        allowed = f"style-src 'self' 'nonce-{g.nonce}'"
        response.headers["Content-Security-Policy"] = policy.replace("style-src 'self'", allowed)
    if request.endpoint == "admin.static":
        response.headers["Cache-Control"] = "private, max-age=3600"
    elif request.args.get("lang") in language.LANGUAGES:
        response.set_cookie(
            language.COOKIE, g.language, max_age=365 * 86400, path="/admin", samesite="Lax", httponly=True
        )
    return response

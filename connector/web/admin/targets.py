"""The targets and the sources: how each is, what is held back, and the address to give to Flavours."""

from collections.abc import Callable
from functools import partial

from flask import abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from connector.config import TargetConfig
from connector.errors import ConnectorError, NotFound
from connector.mapping import document
from connector.models import TargetState
from connector.targets import kinds
from connector.targets.base import Check
from connector.targets.grants import OAuth2
from connector.targets.oauth2_connect import Answer, Invitation
from connector.targets.oauth2_connect import connect as exchange
from connector.web.admin.frame import Frame
from connector.web.admin.reaching import around, opened


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = Targets(frame)
    frame.page("/targets", "targets", rooms.show)
    frame.page("/targets/connected", "connected", rooms.connected, role="editor")
    frame.page("/targets/<name>/check", "check", rooms.check, role="operator", post=True)
    frame.page("/targets/<name>/connect", "connect", rooms.connect, role="editor", post=True)
    frame.page("/targets/<name>/pause", "pause", rooms.pause, role="operator", post=True)
    frame.page("/targets/<name>/resume", "resume", rooms.resume, role="operator", post=True)
    frame.page("/sources/<name>/address", "address", rooms.address, role="editor", post=True)


class Targets:
    """Show the targets and the sources, and hold a target back by a person's word."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store, self._config = frame, frame.store, frame.config

    def show(self, shown: str = "") -> Response:
        """Show all; `shown` names the source whose address is shown, too."""
        states, delivered = self._store.states.all(), self._store.overview.last_delivered()
        return self._frame.draw(
            "targets.html",
            targets=[
                {
                    "name": name,
                    "kind": of.kind,
                    "state": states.get(name, TargetState(name)),
                    "look": self._frame.errands.look(self._key(name)),
                    "connects": connects(of),
                    "secrets": kinds.secrets(of),
                    "used": delivered.get(name),
                    "renewed": self._store.vault(name).kept_at() if _oauth2(of) else None,
                }
                for name, of in sorted(self._config.targets.items())
            ],
            sources=[self._config.sources[name] for name in sorted(self._config.sources)],
            last=self._store.overview.last_of(sorted(self._config.sources)),
            shown=shown,
            many=bool(request.args.get("many")),
            address=self._address(shown) if shown else "",
        )

    def check(self, name: str) -> Response:
        """Ask a target whether credentials and fields are good, beside the pages; one that was held goes on."""
        self._known(name)
        self._frame.note("check", name)
        return self._began(name, lambda: checked(self._frame, name))

    def connect(self, name: str) -> Response:
        """Show the vendor's address where a person allows the access; the answer comes back to `connected`."""
        self._known(name)
        oauth2 = kinds.oauth2(self._config.targets[name])
        if oauth2 is None or not oauth2.connects:
            raise NotFound(f"there is nothing to connect {name} to")
        invitation = Invitation(oauth2, self._home() + url_for("admin.connected"))
        # Bound to this browser's session, for one answer; the cookie is the person's own, and no script can read it.
        session["connecting"] = (name, invitation.redirect_uri, invitation.state, invitation.verifier)
        self._frame.note("connect", name)
        return self._frame.draw("connect.html", name=name, invitation=invitation)

    def connected(self) -> Response:
        """Take the vendor's answer to what this session began, once, and exchange it beside the pages."""
        name, redirect_uri, state, verifier = session.pop("connecting", ("", "", "", ""))
        oauth2 = kinds.oauth2(self._config.targets[name]) if name in self._config.targets else None
        if oauth2 is None:
            abort(400)
        invitation = Invitation(oauth2, redirect_uri, state, verifier)
        try:
            answer = invitation.reads(request.full_path)
        except ConnectorError as no:
            return self._began(name, partial(_no, no))
        if answer is None:
            abort(400)
        self._frame.note("connected", name)
        return self._began(name, lambda: exchanged(self._frame, name, invitation, answer))

    def _began(self, name: str, work: Callable[[], Check]) -> Response:
        began = self._frame.errands.start(self._key(name), work)
        return redirect(url_for("admin.targets", many=None if began else 1))

    def _key(self, name: str) -> tuple[str, ...]:
        return ("check", g.person.name, name)

    def pause(self, name: str) -> Response:
        """Send nothing to a target until a person resumes it."""
        self._known(name)
        self._store.states.pause(name, None, "paused by a person")
        self._frame.note("pause", name)
        return redirect(url_for("admin.targets"))

    def resume(self, name: str) -> Response:
        """Let a target go on."""
        self._known(name)
        self._store.states.resume(name)
        self._frame.note("resume", name)
        return redirect(url_for("admin.targets"))

    def address(self, name: str) -> Response:
        """Show the address to give to Flavours, which is a secret, and write down who looked."""
        if name not in self._config.sources:
            raise NotFound(f"there is no source {name}")
        self._frame.note("show_address", name)
        return self.show(name)

    def _known(self, name: str) -> None:
        if name not in self._config.targets:
            raise NotFound(f"there is no target {name}")
        self._store.states.register([name])

    def _address(self, name: str) -> str:
        server = self._config.server
        home = server.public_url or f"http://{server.host}:{server.port}"
        token = next(iter(self._config.sources[name].path_tokens), None)
        return f"{home}/webhooks/{name}" + (f"/{token!s}" if token is not None else "")

    def _home(self) -> str:
        """Return the beginning of the address by which this browser, or any, comes here."""
        return (self._config.server.public_url or request.host_url).rstrip("/")


def connects(of: TargetConfig) -> bool:
    """Tell whether a person can connect a target by OAuth2."""
    oauth2 = _oauth2(of)
    return oauth2 is not None and oauth2.connects


def _oauth2(of: TargetConfig) -> OAuth2 | None:
    return None if kinds.problems(of) else kinds.oauth2(of)


def checked(frame: Frame, name: str) -> Check:
    """Ask a target whether it can be used with the mappings in use, and let it go on where it was held. Raises ConnectorError."""
    found = opened(frame, name).check(_fields(frame, name))
    state = frame.store.states.all().get(name)
    if found.ok and state is not None and state.state == "held":
        frame.store.states.resume(name)
    return found


def exchanged(frame: Frame, name: str, invitation: Invitation, answer: Answer) -> Check:
    """Exchange a vendor's code for tokens, keep them for all workers, and check the target. Raises ConnectorError."""
    of = frame.config.targets[name]
    settings = kinds.kind(of.kind).schema.load(dict(of.settings))
    exchange(invitation, answer, name, settings, around(frame, name))
    found = checked(frame, name)
    return Check(found.ok, (*(f"{key}: {text}" for key, text in answer.extra.items()), *found.lines))


def _fields(frame: Frame, target: str) -> tuple[str, ...]:
    """Return the record's fields that the mappings in use fill."""
    names = {sync.mapping for sync in frame.config.syncs.values() if sync.target == target}
    texts = [text for name in sorted(names) if (text := frame.store.mappings.active(name))]
    return tuple(dict.fromkeys(rule.target for text in texts for rule in document.read(text, "").fields))


def _no(error: ConnectorError) -> Check:
    raise error

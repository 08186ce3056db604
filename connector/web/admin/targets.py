"""The targets and the sources: how each is, what is held back, and the address to give to Flavours."""

from flask import redirect, url_for
from werkzeug.wrappers import Response

from connector.errors import NotFound
from connector.models import TargetState
from connector.web.admin.frame import Frame


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = Targets(frame)
    frame.page("/targets", "targets", rooms.show)
    frame.page("/targets/<name>/pause", "pause", rooms.pause, role="operator", post=True)
    frame.page("/targets/<name>/resume", "resume", rooms.resume, role="operator", post=True)
    frame.page("/sources/<name>/address", "address", rooms.address, role="editor", post=True)


class Targets:
    """Show the targets and the sources, and hold a target back by a person's word."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store, self._config = frame, frame.store, frame.config

    def show(self, shown: str = "") -> Response:
        """Show all; `shown` names the source whose address is shown, too."""
        states = self._store.states.all()
        return self._frame.draw(
            "targets.html",
            targets=[
                {"name": name, "kind": of.kind, "state": states.get(name, TargetState(name))}
                for name, of in sorted(self._config.targets.items())
            ],
            sources=sorted(self._config.sources),
            last=self._store.overview.last_of(sorted(self._config.sources)),
            shown=shown,
            address=self._address(shown) if shown else "",
        )

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

"""The mappings: edit one and see what it does before it is in use; its history, and the way back."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import g, jsonify, redirect, request, session, url_for
from werkzeug.wrappers import Response

from connector.bundled import payload
from connector.errors import MappingError, NotFound
from connector.mapping import document, editing
from connector.mapping.comparing import Comparison
from connector.mapping.rules import apply
from connector.mapping.samples import check_samples
from connector.store import standing
from connector.web.admin import choosing
from connector.web.admin.event import pretty
from connector.web.admin.frame import Frame
from connector.web.admin.vocabulary import phrases, vocabulary

LAST = 200  # customers over whom "what would change" is told
HISTORY = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold what a person wrote: the text, the version it began from, and what to try it on: an event, or pasted JSON."""

    text: str
    base: int
    event: str = ""
    pasted: str = ""


def add(frame: Frame) -> None:
    """Add the pages."""
    rooms = Mappings(frame)
    frame.page("/mappings", "mappings", rooms.index)
    frame.page("/mappings/<name>", "mapping", rooms.show)
    frame.page("/mappings/<name>/words", "mapping_words", rooms.words, role="editor")
    frame.page("/mappings/<name>/preview", "preview", rooms.preview, role="editor", post=True)
    frame.page("/mappings/<name>/arrange", "arrange", rooms.arrange, role="editor", post=True)
    frame.page("/mappings/<name>/try", "try_mapping", rooms.try_it, role="editor", post=True)
    frame.page("/mappings/<name>/publish", "publish", rooms.publish, role="editor", post=True)
    frame.page("/mappings/<name>/rollback", "rollback", rooms.rollback, role="editor", post=True)


class Mappings:
    """Show the mappings that syncs use, and publish what a person writes."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._store, self._config = frame, frame.store, frame.config

    def index(self) -> Response:
        """List the mappings with the version in use."""
        rows = [(name, next(iter(self._store.mappings.history(name)), None)) for name in standing.used(self._config)]
        return self._frame.draw("mappings.html", rows=rows)

    def show(self, name: str) -> Response:
        """Show the text in use; `version` of the query shows what that one would change of it."""
        self._known(name)
        return self._page(name, self._in_use(name), "", compare=request.args.get("version", ""))

    def words(self, name: str) -> Response:
        """Return the words that may stand in a mapping, for the completion of the editor, and what it says itself."""
        self._known(name)
        return jsonify(vocabulary(g.language) | {"phrases": phrases(g.language)})

    def preview(self, name: str) -> Response:
        """Draw what the draft makes of a customer, or what is wrong with it; a part of the page."""
        self._known(name)
        draft = _draft()
        return self._frame.draw("_preview.html", **self._tried(name, draft, self._payload(draft)))

    def arrange(self, name: str) -> Response:
        """Take what a person picked from the list of fields into the text, and publish nothing."""
        self._known(name)
        draft = _draft()
        try:
            text = choosing.arranged(draft.text, request.form)
        except ValueError:
            return self._page(name, draft, "mapping_field", 422)
        return self._page(name, replace(draft, text=text), "")

    def try_it(self, name: str) -> Response:
        """Show what the draft makes of an event, and what it would change over the last customers."""
        self._known(name)
        return self._page(name, _draft(), "", compared=True)

    def publish(self, name: str) -> Response:
        """Put the draft in use, unless it is wrong, its samples fail, or somebody published meanwhile."""
        self._known(name)
        draft = _draft()
        try:
            read = standing.fitting(self._config, name, draft.text, name)
        except MappingError:
            return self._page(name, draft, "mapping_wrong", 422)
        if check_samples(read.mapping) and not request.form.get("anyway"):
            return self._page(name, draft, "mapping_samples", 422)
        try:
            self._store.mappings.publish_after(draft.base, name, read.mapping, read.text, g.person.name)
        except ValueError:
            return self._page(name, draft, "mapping_meanwhile", 409)
        return self._published(name, read.text, "publish")

    def rollback(self, name: str) -> Response:
        """Put an older version in use again, as the newest."""
        self._known(name)
        digest = self._store.mappings.find(request.form.get("version", ""), name)
        text = self._store.mappings.text(digest)
        try:
            standing.fitting(self._config, name, text, name)
        except MappingError:
            return self._page(name, self._in_use(name), "mapping_wrong", 422)
        self._store.mappings.rollback(name, digest, g.person.name)
        return self._published(name, text, "rollback")

    def _published(self, name: str, text: str, what: str) -> Response:
        self._frame.note(what, f"{name} {self._store.mappings.history(name)[0].hash[:12]}")
        try:
            standing.put_back(self._config, self._store.mappings, name, text)
        except OSError:
            return self._page(name, self._in_use(name), "mapping_file")
        return redirect(url_for("admin.mapping", name=name, done="1"))

    def _page(
        self, name: str, draft: Draft, problem: str, status: int = 200, *, compared: bool = False, compare: str = ""
    ) -> Response:
        history = self._store.mappings.history(name)
        active = self._store.mappings.text(history[0].hash) if history else ""
        body = self._payload(draft)
        return self._frame.draw(
            "mapping.html",
            status,
            name=name,
            draft=draft,
            problem=problem,
            newest=history[0] if history else None,
            history=history[:HISTORY],
            difference=_difference(active, draft.text) if request.method == "POST" else (),
            shown=compare[:12],
            change=self._change(name, compare, active) if compare else (),
            found=self._compared(name, active, draft.text) if compared else None,
            last=LAST,
            fields=editing.fields(draft.text) if g.person.may("editor") else (),
            choices=self._choices(draft, body) if g.person.may("editor") else (),
            **self._tried(name, draft, body),
        )

    def _tried(self, name: str, draft: Draft, body: bytes | None) -> dict[str, Any]:
        """Return what a preview shows: problems by line, or the record with each field's source and the warnings."""
        try:
            mapping = standing.fitting(self._config, name, draft.text, name).mapping
        except MappingError as error:
            return {"problems": error.problems, "made": None, "samples": ()}
        event = choosing.read(body)
        made = None if event is None else apply(mapping, event)
        return {
            "problems": (),
            "made": made,
            "record": pretty(made.record) if made else "",
            "samples": check_samples(mapping),
        }

    def _choices(self, draft: Draft, body: bytes | None) -> list[choosing.Choice]:
        """Return what may be picked, beside the values of what is tried; else of the last customer, masked."""
        last = None if draft.event or draft.pasted else next(iter(self._store.desk.customers(1)), None)
        return choosing.choices(choosing.read(last["body"] if last else body), bare=last is None)

    def _payload(self, draft: Draft) -> bytes | None:
        """Return what a draft is tried on: pasted JSON, an event's body, or the documented one; None: there is none."""
        if draft.pasted:
            return _whole(draft.pasted)
        number = draft.event.strip().removeprefix("e")
        if not draft.event:
            return payload("documented")
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            return None
        try:
            body: bytes | None = self._store.desk.event(int(number))["body"]
        except NotFound:
            return None
        self._looked(f"e{number}")
        return body

    def _looked(self, event: str) -> None:
        """Write down that a person looks at an event: once in a while, not at every key that is pressed."""
        if session.get("looked") != event:
            session["looked"] = event
            self._frame.note("show_event", event)

    def _compared(self, name: str, old: str, new: str) -> Comparison | None:
        try:
            pair = document.read(old, name), document.read(new, name)
        except MappingError:
            return None
        found = Comparison(0)
        for row in self._store.desk.customers(LAST):
            event = choosing.read(row["body"])
            if event is not None:
                found.add(row["id"], event.customer or "", apply(pair[0], event), apply(pair[1], event))
        return found

    def _change(self, name: str, version: str, active: str) -> Sequence[tuple[str, str]]:
        return _difference(active, self._store.mappings.text(self._store.mappings.find(version, name)))

    def _in_use(self, name: str) -> Draft:
        history = self._store.mappings.history(name)
        if history:
            return Draft(self._store.mappings.text(history[0].hash), history[0].id)
        try:
            return Draft(standing.edition(self._config, name).text, 0)
        except MappingError:
            return Draft("", 0)

    def _known(self, name: str) -> None:
        if name not in standing.used(self._config):
            raise NotFound(f"no sync uses a mapping {name}")


def _draft() -> Draft:
    # A browser ends the lines of a form with CR LF, whatever they ended with before.
    text = request.form.get("text", "").replace("\r\n", "\n").replace("\r", "\n")
    base = request.form.get("base", "")
    number = int(base) if base.isascii() and base.isdecimal() and len(base) < 19 else -1
    return Draft(text, number, request.form.get("event", "").strip()[:20], request.form.get("pasted", "").strip())


def _whole(text: str) -> bytes:
    """Return pasted JSON as a webhook; people copy the data alone, too."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text.encode("utf-8", "replace")
    if isinstance(read, dict) and not {"data", "action"} & read.keys():
        read = {"action": "customers.CREATE", "data": read}
    return json.dumps(read).encode()


def _difference(old: str, new: str) -> Sequence[tuple[str, str]]:
    """Return the lines that differ with their neighbours, each with `added`, `removed` or `same`."""
    return tuple(_marked(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)))


def _marked(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    kinds: Mapping[str, str] = {"+": "added", "-": "removed", "@": "place"}
    for place, line in enumerate(lines):
        if place > 1:
            yield kinds.get(line[:1], "same"), line

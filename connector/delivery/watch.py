"""Watch the mappings folder, as admins edit it: publish a valid change; a broken edit never replaces what works."""

from collections.abc import Callable, Sequence

import structlog

from connector import folder
from connector.config import Config
from connector.errors import MappingError, Problem
from connector.mapping.samples import check_samples
from connector.store import Store, standing
from connector.store.mappings import Version
from connector.store.standing import Standing

log = structlog.get_logger()

BY = "the mappings folder"
SETTLED = 2000  # ms; a file that was written just now may not be whole yet, and half a mapping can be a valid one

Stamp = tuple[int, int] | None


class Watch:
    """Publish what changes in the folder; unless `watching`, only mappings of which no version was ever published.

    What counts as a change is a text that this file did not hold at the last look, and that was not published
    meanwhile: a rollback writes the file too. At the first look, a text that was published before is none either: an
    old file, on whatever machine, never undoes a rollback.
    """

    def __init__(self, config: Config, store: Store, clock: Callable[[], int], *, watching: bool) -> None:
        self._config, self._store, self._clock, self._watching = config, store, clock, watching
        self._names = standing.used(config)
        self._seen: dict[str, Stamp] = {}
        self._done: dict[str, Stamp] = {}
        self._held: dict[str, str] = {}  # the hash of the last valid text of each file
        self._newest: dict[str, int] = {}  # the newest version of each name when its file was read last

    def look(self) -> None:
        """Look at the files that syncs use, read those that changed and are whole. Cheap when none did.

        Raises StoreBusy; what could not be published is looked at again by the next call.
        """
        for name in self._names:
            stamp = folder.stamp(folder.path(self._config.mappings, name))
            whole = self._whole(name, stamp)
            self._seen[name] = stamp
            if name not in self._done or self._done[name] != stamp:
                self._consider(name, stamp, whole)

    def _whole(self, name: str, stamp: Stamp) -> bool:
        if name in self._seen:
            return self._seen[name] == stamp
        return stamp is None or self._clock() - stamp[0] // 1_000_000 >= SETTLED

    def _consider(self, name: str, stamp: Stamp, whole: bool) -> None:
        history = self._store.mappings.history(name)
        if not whole and history:
            return
        if self._watching or not history:
            try:
                self._take(name, standing.edition(self._config, name), history)
            except MappingError as error:
                _broken(self._standing(name, history, tuple(error.problems)), error.problems[0])
        self._newest[name] = history[0].id if history else 0
        self._done[name] = stamp

    def _take(self, name: str, read: standing.Edition, history: Sequence[Version]) -> None:
        digest = read.mapping.hash
        now = self._standing(name, history, (), digest)
        if self._changed(name, digest, history):
            self._publish(name, read)
        elif now.differs:
            problem = f"{now.file} holds another text; {now.cure}"
            log.warning("the file of a mapping is not what is in use", **_facts(now), problem=problem)
        self._held[name] = digest

    def _changed(self, name: str, digest: str, history: Sequence[Version]) -> bool:
        meanwhile = {version.hash for version in history if version.id > self._newest.get(name, 0)}
        return digest != self._held.get(name) and digest not in meanwhile

    def _publish(self, name: str, read: standing.Edition) -> None:
        mapping = read.mapping
        if not self._store.mappings.publish(name, mapping.kind, mapping.hash, read.text, BY):
            return
        log.info("mapping published", mapping=name, hash=mapping.hash[:12])
        wrong = check_samples(mapping)
        if wrong:  # their text is a customer's: the log counts them
            cure = f"`connector mapping test {name}` shows what differs"
            log.warning("mapping published whose samples fail", mapping=name, differences=len(wrong), problem=cure)

    def _standing(
        self, name: str, history: Sequence[Version], problems: tuple[Problem, ...], digest: str | None = None
    ) -> Standing:
        active = history[0] if history else None
        return Standing(name, standing.shown(self._config, name), problems, digest, active)


def _broken(now: Standing, first: Problem) -> None:
    problem = f"{now.broken}; {now.cure}; the first is {first}"
    log.error("mapping not usable; the last good one stays", **_facts(now), problem=problem)


def _facts(now: Standing) -> dict[str, str]:
    return {"mapping": now.name, "version": standing.said(now.active) if now.active else "none"}

"""Claim, deliver, settle: one dispatcher, its push threads, and a heart that beats beside them."""

import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from connector.config import Config
from connector.delivery import policy
from connector.delivery.alerts import Alerts
from connector.delivery.deliver import deliver
from connector.delivery.lease import Lease, Silence
from connector.delivery.policy import Tried
from connector.delivery.shelf import Shelf
from connector.errors import StoreBusy
from connector.models import Claim, Outcome, Retry, Settlement, TargetState
from connector.store import Store, Turned, now_ms
from connector.targets.base import Target

log = structlog.get_logger()

POLL = 0.02  # how often an idle worker asks whether anything was committed: 15 microseconds each
LOOK = 0.25  # how often it looks for what became due by the clock alone
TIDY = 1.0  # how often it looks at the mappings folder
DRAIN = 25.0  # how long a worker that is told to stop waits for its running pushes
CHECK_HELD = 600.0  # how often a held target is checked again
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Hooks:
    """Give what a worker needs of the outside: clocks (epoch ms; monotonic seconds) and chance (0 to 1)."""

    wall: Callable[[], int] = now_ms
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class TargetRun:
    """Be what a target may ask of this worker while it pushes."""

    name: str
    target: Target
    lease: Lease
    store: Store

    def still_ours(self) -> bool:
        """Tell whether the lease outlives one more write."""
        return self.lease.holds_for(self.target.timeout)

    def linked_to(self, remote_id: str) -> str | None:
        """Return whose record this is, by the links of this account."""
        return self.store.links.owner(self.name, self.target.account, remote_id)


class Worker:
    """Deliver what the store holds for these targets until told to stop."""

    def __init__(
        self,
        config: Config,
        store: Store,
        targets: Mapping[str, Target],
        owner: str,
        alerts: Alerts,
        hooks: Hooks | None = None,
    ) -> None:
        self._config, self._store, self._targets, self._owner = config, store, dict(targets), owner
        self._hooks, self._alerts = hooks or Hooks(), alerts
        self._shelf = Shelf(config, store)
        # A write must fit well into a lease, whatever the configuration says.
        self._seconds = max(config.worker.lease, *(2 * target.timeout for target in self._targets.values()), 0.0)
        self._lease = Lease(self._seconds, self._hooks.clock)
        self._silence = Silence(self._seconds, self._hooks.clock)
        self._free = config.worker.push_threads
        self._done: queue.SimpleQueue[list[Settlement]] = queue.SimpleQueue()
        self._order = list(self._targets)
        self._runs = {name: TargetRun(name, t, self._lease, store) for name, t in self._targets.items()}
        self._checked: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish the running pushes (25 s at most) and leave in order."""
        self._store.states.register(self._order)
        self._beat()
        heart = threading.Thread(target=self._heart, args=(stop,), name="heart", daemon=True)
        heart.start()
        with ThreadPoolExecutor(self._config.worker.push_threads, "push") as pool:
            self._loop(pool, stop)
            self._drain()
            pool.shutdown(wait=False, cancel_futures=True)
            self._leave()

    def _loop(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        unsettled: list[Settlement] = []
        version, looked, tidied = -1, 0.0, float("-inf")
        while not stop.is_set():
            unsettled += self._finished(POLL)
            now = self._hooks.clock()
            if now - tidied >= TIDY:
                self._shelf.refresh()
                tidied = now
            today = self._store.queue.version()
            if not unsettled and today == version and now - looked < LOOK:
                continue
            version, looked = today, now
            unsettled = self._turn(pool, unsettled)
        self._settle(unsettled)

    def _finished(self, wait: float) -> list[Settlement]:
        finished: list[Settlement] = []
        try:
            finished += self._done.get(timeout=wait)
            self._free += 1
            while True:
                finished += self._done.get_nowait()
                self._free += 1
        except queue.Empty:
            return finished

    def _turn(self, pool: ThreadPoolExecutor, unsettled: list[Settlement]) -> list[Settlement]:
        try:
            turned = self._store.queue.turn(self._owner, unsettled, self._wanted(), self._advance)
        except StoreBusy as busy:
            log.error("the store is busy; trying again", problem=str(busy))
            time.sleep(LOOK)
            return unsettled
        self._report(turned, unsettled)
        for name, claims in _by_target(turned.claims).items():
            for batch in _batches(claims, self._targets[name].batch_size):
                self._free -= 1
                pool.submit(self._push, name, batch)
        return []

    def _wanted(self) -> dict[str, int]:
        # Round the targets, so that a busy one cannot keep the others waiting: each gets its share of the free threads.
        if self._free <= 0 or not self._order or not self._lease.holds_for(0):
            return {}
        self._order.append(self._order.pop(0))
        share = max(1, self._free // len(self._order))
        chosen = self._order[: self._free]
        return {name: min(share * self._targets[name].batch_size, MOST_AT_ONCE) for name in chosen}

    def _advance(self, state: TargetState, outcomes: Sequence[Outcome], now: int) -> TargetState:
        return policy.advance(state, outcomes, now, self._hooks.jitter)

    def _push(self, name: str, claims: list[Claim]) -> None:
        started_at = self._hooks.wall()
        try:
            tried = deliver(claims, self._targets[name], self._shelf.routes, self._runs[name])
        except Exception as problem:  # a fault of ours must not stop the others, nor be lost
            log.exception("a fault of the connector while delivering", target=name)
            reason = f"a fault of the connector itself ({type(problem).__name__}); it is in the log"
            tried = [Tried(Retry(reason, maybe_sent=True))] * len(claims)
        times = (started_at, self._hooks.wall())
        settle = [
            policy.settlement(claim, what, times, self._config.retry, self._hooks.jitter)
            for claim, what in zip(claims, tried, strict=True)
        ]
        self._done.put(settle)

    def _report(self, turned: Turned, settled: Sequence[Settlement]) -> None:
        for lost in turned.refused:
            log.warning(
                "the lease was lost before the settle; another worker has it", delivery=f"d{lost.claim.delivery}"
            )
        for s in settled:
            if s.state in ("held", "failed"):
                log.warning(
                    "not delivered",
                    state=s.state,
                    delivery=f"d{s.claim.delivery}",
                    target=s.claim.target,
                    reason=s.reason,
                )
                self._alerts.say(
                    f"{s.claim.target}: a delivery {'failed' if s.state == 'failed' else 'is held'}: {s.reason}"
                )
        for state in turned.changed:
            self._target_changed(state)

    def _target_changed(self, state: TargetState) -> None:
        log.warning("target changed", state=state.state, target=state.name, reason=state.reason)
        if state.state == "held":
            self._alerts.say(
                f"{state.name} is held: {state.reason}. Its customers wait and lose nothing; mend it, then run "
                f"`connector targets check {state.name}`."
            )
        elif state.state == "open":
            self._alerts.say(f"{state.name} works again; what waited is being delivered.")

    def _heart(self, stop: threading.Event) -> None:
        while not stop.wait(self._seconds / 3):
            try:
                self._beat()
                self._take_over()
                self._check_held()
            except StoreBusy as busy:
                log.error("no heartbeat: the store is busy", problem=str(busy))
            except Exception:
                log.exception("a fault of the connector in its heart")

    def _beat(self) -> None:
        asked_at = self._hooks.clock()
        self._store.leases.beat(self._owner, int(self._seconds * 1000))
        self._lease.renew(asked_at)

    def _take_over(self) -> None:
        beats = {owner: beat for owner, beat in self._store.leases.beats().items() if owner != self._owner}
        waits = {name: int(target.uncertain_wait * 1000) for name, target in self._targets.items()}
        for owner, beat in self._silence.lost(beats).items():
            taken = self._store.leases.reclaim(owner, beat, waits)
            log.warning("took over from a worker that fell silent", worker=owner, deliveries=taken)

    def _check_held(self) -> None:
        now = self._hooks.clock()
        held = [name for name, state in self._store.states.all().items() if state.state == "held"]
        for name in held:
            if name not in self._targets or now - self._checked.get(name, float("-inf")) < CHECK_HELD:
                continue
            self._checked[name] = now
            if self._targets[name].check().ok:
                self._store.states.resume(name)
                self._target_changed(TargetState(name))

    def _drain(self) -> None:
        until = self._hooks.clock() + DRAIN
        while self._free < self._config.worker.push_threads and self._hooks.clock() < until:
            self._settle(self._finished(POLL))

    def _settle(self, settlements: list[Settlement]) -> None:
        while settlements:
            try:
                turned = self._store.queue.turn(self._owner, settlements, {}, self._advance)
            except StoreBusy:
                if not self._lease.holds_for(0):
                    return
                time.sleep(LOOK)
                continue
            self._report(turned, settlements)
            return

    def _leave(self) -> None:
        try:
            self._store.leases.leave(self._owner)
        except StoreBusy as busy:
            log.error("left without a word: the store is busy", problem=str(busy))


def _by_target(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    grouped: dict[str, list[Claim]] = {}
    for claim in claims:
        grouped.setdefault(claim.target, []).append(claim)
    return grouped


def _batches(claims: Sequence[Claim], size: int) -> list[list[Claim]]:
    alone = [[claim] for claim in claims if claim.alone]
    others = [claim for claim in claims if not claim.alone]
    return alone + [others[i : i + size] for i in range(0, len(others), size)]

"""Claim, deliver, settle: one dispatcher, its push threads, and a heart that beats beside them."""

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from connector.config import Config
from connector.delivery import policy
from connector.delivery.alerts import Alerts
from connector.delivery.deliver import deliver
from connector.delivery.lease import Lease, Silence
from connector.delivery.policy import Tried
from connector.delivery.run import TargetRun
from connector.delivery.shelf import Shelf
from connector.delivery.speed import Speed
from connector.delivery.watch import Watch
from connector.errors import StoreBusy
from connector.logs import places
from connector.models import Claim, Outcome, Retry, Settlement, TargetState
from connector.store import Store, Turned, now_ms
from connector.targets.base import Target

log = structlog.get_logger()

POLL = 0.02  # how often an idle worker asks whether anything was committed: 15 microseconds each
LOOK = 0.25  # how often it looks for what became due by the clock alone
TIDY = 0.5  # how often it looks at the mappings folder; what is the same at two looks is whole
GATHER = 0.05  # how long a finished push waits for others, to be settled with them, while all threads are busy
DRAIN = 25.0  # how long a worker that is told to stop waits for its running pushes
CHECK_HELD = 600.0  # how often a held target is checked again
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Hooks:
    """Give what a worker needs of the outside: clocks (epoch ms; monotonic seconds) and chance (0 to 1).

    `wall` is this machine's, as its files have it; deliveries go by the store's clock, which is the same everywhere.
    """

    wall: Callable[[], int] = now_ms
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


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
        self._threads = config.worker.push_threads
        self._slots = 2 * self._threads  # some are claimed ahead, so that no thread waits for a turn
        self._out: Counter[str] = Counter()  # batches of each target that were handed out and did not come back yet
        self._speed = {name: Speed(self._threads, target.batch_size) for name, target in self._targets.items()}
        self._work: queue.SimpleQueue[tuple[str, list[Claim], int] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[str, list[Settlement]]] = queue.SimpleQueue()
        self._dry = threading.Event()  # nothing waits for a thread any more
        self._order = list(self._targets)
        self._checked: dict[str, float] = {}
        self._beating = threading.RLock()
        self._doubt = False  # a turn was not answered: the store may hold claims of ours that we do not know

    def run(self, stop: threading.Event, *, watch_mappings: bool = False) -> None:
        """Work until `stop` is set, then finish the running pushes (25 s at most) and leave in order.

        `watch_mappings`: publish what changes in the mappings folder meanwhile.
        """
        watch = Watch(self._config, self._store, self._hooks.wall, watching=watch_mappings)
        self._store.states.register(self._order)
        self._beat()
        pushers = [threading.Thread(target=self._pusher, name=f"push-{n}", daemon=True) for n in range(self._threads)]
        for pusher in pushers:
            pusher.start()
        with self._beats():
            self._loop(stop, watch)
            self._release()
            self._drain()
        for _ in pushers:
            self._work.put(None)
        self._leave()
        if not self._out.total():  # else some still wait for a target, and are left to it
            for pusher in pushers:
                pusher.join(1.0)

    @contextmanager
    def _beats(self) -> Iterator[None]:
        # Also while the last pushes end: they need their lease until then.
        ended = threading.Event()
        heart = threading.Thread(target=self._every, args=(ended, self._live), name="heart", daemon=True)
        heart.start()
        # In a thread of its own: a held target may take long to answer, and the heart must not wait for it.
        threading.Thread(target=self._every, args=(ended, self._check_held), name="checks", daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            heart.join(1.0)  # a beat after the leave would be a ghost's

    def _loop(self, stop: threading.Event, watch: Watch) -> None:
        unsettled: list[Settlement] = []
        version, looked, tidied = -1, 0.0, float("-inf")
        while not stop.is_set():
            unsettled += self._finished(POLL)
            now = self._hooks.clock()
            if now - tidied >= TIDY:
                if not self._looked(watch):
                    continue
                tidied = now
            today = self._store.queue.version()
            if not unsettled and today == version and now - looked < LOOK:
                continue
            version, looked = today, now
            if _could(self._shelf.follow):  # what is claimed now is made with what is in use now
                unsettled = self._turn(unsettled)
        self._settle(unsettled)

    def _looked(self, watch: Watch) -> bool:
        try:
            return _could(watch.look)
        except Exception as problem:  # noqa: BLE001 - whatever is in the folder must not stop the deliveries
            self._fault("a fault of the connector while reading the mappings folder", problem)
            return True

    def _finished(self, wait: float) -> list[Settlement]:
        # A turn costs a sync, whatever it settles: let a few come together while the threads go on with what is ahead.
        finished: list[Settlement] = []
        with suppress(queue.Empty):
            finished += self._back(*self._done.get(timeout=wait))
            self._dry.clear()
            if not self._work.empty():
                self._dry.wait(GATHER)
            while True:
                finished += self._back(*self._done.get_nowait())
        return finished

    def _back(self, name: str, settlements: list[Settlement]) -> list[Settlement]:
        self._out[name] -= 1
        return settlements

    def _turn(self, unsettled: list[Settlement]) -> list[Settlement]:
        term = self._lease.term
        wanted = self._wanted()
        try:
            if self._doubt and not unsettled and not self._out.total():
                self._give_back()
            turned = self._store.queue.turn(self._owner, unsettled, wanted, self._advance)
        except StoreBusy as busy:
            self._doubt = self._doubt or bool(wanted)
            _wait_for_the_store(busy)
            return unsettled
        self._report(turned)
        for name, claims in _by_target(turned.claims).items():
            for batch in _batches(claims, self._targets[name].batch_size):
                self._out[name] += 1
                self._work.put((name, batch, term))
        return []

    def _wanted(self) -> dict[str, int]:
        # Round the targets, so that a busy one cannot keep the others waiting: each gets its share of the free threads,
        # and besides what a fast one takes within a moment.
        if self._doubt or not self._order or not self._lease.holds_for(0):
            return {}
        self._order.append(self._order.pop(0))
        free = self._slots - self._out.total()
        share = max(1, free // len(self._order)) if free > 0 else 0
        chosen = set(self._order[: max(0, free)])
        room = {name: self._room(name, share if name in chosen else 0) for name in self._order}
        return {name: min(n * self._targets[name].batch_size, MOST_AT_ONCE) for name, n in room.items() if n > 0}

    def _room(self, name: str, share: int) -> int:
        return max(share, self._speed[name].ahead - self._out[name])

    def _give_back(self) -> None:
        # Nothing of ours runs and all is settled: what the store still counts as ours was claimed by a turn whose
        # answer never came. Nobody would push it, and no other worker take it, for as long as this one lives.
        with self._beating:
            beat = self._store.leases.beats().get(self._owner, 0)
            taken = self._store.leases.reclaim(self._owner, beat, {})
            self._beat()
        self._doubt = False
        log.warning("gave back what was claimed without an answer of the store", deliveries=taken)

    def _advance(self, state: TargetState, outcomes: Sequence[Outcome], now: int) -> TargetState:
        return policy.advance(state, outcomes, now, self._hooks.jitter)

    def _pusher(self) -> None:
        while (job := self._work.get()) is not None:
            if self._work.empty():
                self._dry.set()
            self._push(*job)

    def _push(self, name: str, claims: list[Claim], term: int) -> None:
        started_at, begun = self._store.now(), self._hooks.clock()
        target = self._targets[name]
        try:
            tried = deliver(claims, target, self._shelf.routes, TargetRun(name, target, self._lease, term, self._store))
        except Exception as problem:  # noqa: BLE001 - a fault of ours must not stop the others, nor be lost
            self._fault("a fault of the connector while delivering", problem)
            reason = f"a fault of the connector itself ({type(problem).__name__}); it is in the log"
            tried = [Tried(Retry(reason, maybe_sent=True))] * len(claims)
        self._speed[name].took(self._hooks.clock() - begun)
        self._done.put((name, [self._settlement(*pair, started_at) for pair in zip(claims, tried, strict=True)]))

    def _settlement(self, claim: Claim, tried: Tried, started_at: int) -> Settlement:
        times = (started_at, self._store.now())
        return policy.settlement(claim, tried, times, self._config.retry, self._hooks.jitter)

    def _fault(self, what: str, problem: Exception) -> None:
        log.error(what, worker=self._owner, error=type(problem).__name__, places=places(problem))

    def _report(self, turned: Turned) -> None:
        for lost in turned.refused:
            log.warning(
                "the lease was lost before the settle; another worker has it", delivery=f"d{lost.claim.delivery}"
            )
        for s in turned.settled:
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
                f"{state.name} is held: {state.reason}. Its customers wait and lose nothing; mend it (and restart "
                f"`connector serve` when you changed its settings), then run `connector targets check {state.name}`."
            )
        elif state.state == "open":
            self._alerts.say(f"{state.name} works again; what waited is being delivered.")

    def _every(self, ended: threading.Event, task: Callable[[], None]) -> None:
        while not ended.wait(self._seconds / 3):
            try:
                task()
            except StoreBusy as busy:
                log.error("no heartbeat: the store is busy", problem=str(busy))
            except Exception as problem:  # noqa: BLE001 - a heart that stops would cost every lease
                self._fault("a fault of the connector in its heart", problem)

    def _live(self) -> None:
        self._beat()
        self._take_over()

    def _beat(self) -> None:
        with self._beating:
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

    def _release(self) -> None:
        # What was claimed ahead and never begun goes back untouched.
        given_back = Tried(Retry("the worker stopped before it began", after=0.0, spent=False))
        with suppress(queue.Empty):
            while (job := self._work.get_nowait()) is not None:
                now = self._store.now()
                self._done.put((job[0], [self._settlement(claim, given_back, now) for claim in job[1]]))

    def _drain(self) -> None:
        until = self._hooks.clock() + DRAIN
        while self._out.total() and self._hooks.clock() < until:
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
            self._report(turned)
            return

    def _leave(self) -> None:
        try:
            self._store.leases.leave(self._owner)
        except StoreBusy as busy:
            log.error("left without a word: the store is busy", problem=str(busy))


def _could(task: Callable[[], None]) -> bool:
    try:
        task()
    except StoreBusy as busy:
        _wait_for_the_store(busy)
        return False
    return True


def _wait_for_the_store(busy: StoreBusy) -> None:
    log.error("the store is busy; trying again", problem=str(busy))
    time.sleep(LOOK)


def _by_target(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    grouped: dict[str, list[Claim]] = {}
    for claim in claims:
        grouped.setdefault(claim.target, []).append(claim)
    return grouped


def _batches(claims: Sequence[Claim], size: int) -> list[list[Claim]]:
    alone = [[claim] for claim in claims if claim.alone]
    others = [claim for claim in claims if not claim.alone]
    return alone + [others[i : i + size] for i in range(0, len(others), size)]

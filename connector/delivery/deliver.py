"""Make one attempt: read the event again, map it, ask the target; whatever happens comes back as a value."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector import flavours
from connector.config import SyncConfig
from connector.delivery.policy import Tried
from connector.errors import BadWebhook, MappingError, NotFound, StoreBusy
from connector.mapping.document import Mapping as MappingDocument
from connector.mapping.rules import Mapped, apply
from connector.models import Claim, Delivered, Event, Hold, Link, Outcome, Retry, Skip, Upsert
from connector.targets.base import Run, Target


@dataclass(frozen=True, slots=True)
class Route:
    """Join what one sync needs: its configuration, its compiled `when`, and its mapping as published now.

    `kind` is the kind of its target (None: unknown), `version` finds the mapping of then by its hash; it raises
    NotFound, MappingError, StoreBusy.
    """

    sync: SyncConfig
    when: Callable[[Event], bool] | None
    mapping: MappingDocument | None
    kind: str | None
    version: Callable[[str], MappingDocument]


@dataclass(frozen=True, slots=True)
class _Prepared:
    claim: Claim
    event: Event
    mapped: Mapped
    mapping_hash: str
    record_hash: str
    upsert: Upsert


def deliver(claims: Sequence[Claim], target: Target, routes: Mapping[str, Route], run: Run) -> list[Tried]:
    """Try claims of one target; return what each came to, in the same order.

    Two records with an equal match value never go together: the later one waits for the next claim.
    """
    made = [_prepare(claim, target, routes) for claim in claims]
    ready = _apart([item for item in made if isinstance(item, _Prepared)])
    outcomes = target.upsert([item.upsert for item in ready], run) if ready else []
    came_to = {item.claim.delivery: outcome for item, outcome in zip(ready, outcomes, strict=True)}
    return [
        item if isinstance(item, Tried) else _tried(item, came_to.get(item.claim.delivery), target) for item in made
    ]


def _prepare(claim: Claim, target: Target, routes: Mapping[str, Route]) -> _Prepared | Tried:
    route = routes.get(claim.sync)
    if route is None or route.sync.target != claim.target:
        return _held(
            f"the sync {claim.sync} to {claim.target} is no longer configured: put it back, or skip", "no_sync"
        )
    try:
        event = flavours.reread(claim.body)
    except BadWebhook as bad:
        return _held(f"the stored body cannot be read as a customer ({bad.detail})", "cannot_map")
    skip = _why_skip(claim, event, route)
    if skip is not None:
        return Tried(Skip(skip), event.warnings)
    mapping = _then(claim, route) if claim.pinned_mapping else _now(route)
    return mapping if isinstance(mapping, Tried) else _mapped(claim, event, mapping, route, target)


def _held(reason: str, code: str) -> Tried:
    return Tried(Hold(reason, code))


def _now(route: Route) -> MappingDocument | Tried:
    name, mapping = route.sync.mapping, route.mapping
    if mapping is None:
        return _held(f"the mapping {name} has never been valid: mend it, then replay", "cannot_map")
    if route.kind not in (None, mapping.kind):
        is_for = f"the mapping {name} is for {mapping.kind}, the target {route.sync.target} is {route.kind}"
        return _held(f"{is_for}: publish one that is for {route.kind}, then replay", "cannot_map")
    return mapping


def _then(claim: Claim, route: Route) -> MappingDocument | Tried:
    wanted = claim.pinned_mapping or ""
    try:
        mapping = route.version(wanted)
    except StoreBusy:
        return Tried(Retry("the mapping of then could not be read from the store", spent=False, after=1.0))
    except NotFound:
        why = "is not in the store"
    except MappingError:
        why = "cannot be read by this program"
    else:
        if route.kind in (None, mapping.kind):
            return mapping
        why = f"is for {mapping.kind}, the target {route.sync.target} is {route.kind}"
    cure = f"`connector replay d{claim.delivery}` takes the mapping of now"
    return _held(f"the mapping of then, version {wanted[:12]}, {why}: {cure}", "cannot_map")


def _why_skip(claim: Claim, event: Event, route: Route) -> str | None:
    if event.deleted:
        return "the customer was deleted in Flavours; this sync does not delete"
    if claim.link is not None and _is_older(event, claim.event, claim.link):
        return "newer data already delivered"
    if route.when is not None and not route.when(event):
        return f"the sync's condition is not met: {route.sync.when}"
    return None


def _is_older(event: Event, arrival: int, link: Link) -> bool:
    # A lane keeps the order of arrival; a replay, or what was held meanwhile, comes behind what arrived after it.
    known = link.source_updated_at
    if known is None or event.updated_at is None or event.updated_at == known:
        return arrival < link.arrival
    return event.updated_at < known


def _mapped(claim: Claim, event: Event, mapping: MappingDocument, route: Route, target: Target) -> _Prepared | Tried:
    mapped = apply(mapping, event)
    warnings = event.warnings + mapped.warnings
    if mapped.skip is not None:
        return Tried(Skip(mapped.skip), warnings, mapping.hash)
    if mapped.hold is not None:
        return Tried(Hold(mapped.hold, "cannot_map"), warnings, mapping.hash)
    record_hash = _hash(mapped.record)
    if _unchanged(claim, record_hash, target) and not route.sync.observe:
        remote_id = claim.link.remote_id if claim.link else None
        return Tried(Delivered("unchanged", remote_id, answer="no call"), warnings, mapping.hash)
    upsert = _upsert(claim, event, mapping, mapped, route, target)
    return _Prepared(claim, event, mapped, mapping.hash, record_hash, upsert)


def _unchanged(claim: Claim, record_hash: str, target: Target) -> bool:
    # Only on a first try: a replay is a person's wish to see it written.
    first = claim.fence == 1 and not claim.generation and not claim.maybe_sent
    link = claim.link
    return first and link is not None and link.account == target.account and link.record_hash == record_hash


def _upsert(
    claim: Claim, event: Event, mapping: MappingDocument, mapped: Mapped, route: Route, target: Target
) -> Upsert:
    ours = claim.link is not None and claim.link.account == target.account
    return Upsert(
        customer=claim.customer,
        record=mapped.record,
        match=mapped.match,
        idempotency_key=_key(claim),
        phones=mapped.phones,
        remote_id=claim.link.remote_id if claim.link and ours else None,
        remote_hint=_hint(claim, event, target, ours=ours),
        maybe_sent=claim.maybe_sent,
        observe=route.sync.observe,
        create_anyway=claim.create_anyway,
        fill_if_empty=mapping.fill_if_empty,
        keep=mapping.keep,
        on_name_taken=mapping.on_name_taken,
    )


def _hint(claim: Claim, event: Event, target: Target, *, ours: bool) -> str | None:
    # Flavours itself remembers the Qoyod contact; it is believed only after a look at that contact.
    if ours or claim.create_anyway:
        return None
    carried = event.data.get(f"{target.kind}_id")
    if isinstance(carried, str | int) and str(carried).strip():
        return str(carried).strip()
    return claim.link.remote_id if claim.link else None


def _key(claim: Claim) -> str:
    # A version 4 UUID, which is what vendors demand of a key; equal for every attempt of a delivery, new for a replay:
    # who remembers keys would repeat the first answer. The same while a lost answer may mean that it is there.
    text = f"{claim.source}\n{claim.customer}\n{claim.event}\n{claim.sync}\n{claim.target}\n{claim.generation}"
    text += f"\n{claim.reopened}" if claim.reopened else ""
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def _hash(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _apart(prepared: Sequence[_Prepared]) -> list[_Prepared]:
    seen: set[tuple[str, str]] = set()
    apart = []
    for item in prepared:
        values = set(item.upsert.match)
        if not values & seen:
            apart.append(item)
        seen |= values
    return apart


def _tried(item: _Prepared, outcome: Outcome | None, target: Target) -> Tried:
    if outcome is None:
        outcome = Retry("waits for another customer with the same match value", after=0.0, spent=False)
    warnings = item.event.warnings + item.mapped.warnings + getattr(outcome, "warnings", ())
    return Tried(outcome, warnings, item.mapping_hash, _link(item, outcome, target))


def _link(item: _Prepared, outcome: Outcome, target: Target) -> Link | None:
    if not isinstance(outcome, Delivered) or outcome.remote_id is None:
        return None
    claim, before = item.claim, item.claim.link
    known = before.source_updated_at if before else None
    updated_at = item.event.updated_at if item.event.updated_at is not None else known
    return Link(
        claim.target,
        claim.customer,
        outcome.remote_id,
        target.account,
        updated_at,
        claim.event,
        item.record_hash,
        item.mapping_hash,
    )

"""Open a target for a person at the pages, with what it shares with the workers."""

from collections.abc import Mapping
from typing import Any

from connector import flavours
from connector.errors import ConnectorError, NotFound
from connector.mapping import document
from connector.mapping.rules import Mapped, apply
from connector.mapping.shape import Mapping as MappingDocument
from connector.models import Event, Upsert
from connector.store import Store, erasing
from connector.targets import kinds
from connector.targets.base import Around, Target
from connector.web.admin.frame import Frame

Row = Mapping[str, Any]


def around(frame: Frame, name: str) -> Around:
    """Return the surroundings of the target of this name."""
    store = frame.store
    return Around(turns=store.turns(name), vault=store.vault(name), keys=frame.config.secret_keys)


def opened(frame: Frame, name: str) -> Target:
    """Return a target. Raises NotFound for one that is not configured any more, ConfigError."""
    if name not in frame.config.targets:
        raise NotFound(f"the target {name} is not in the configuration any more")
    return kinds.open_target(frame.config.targets[name], around(frame, name))


def mapped(frame: Frame, delivery: Row) -> tuple[MappingDocument, Event, Mapped]:
    """Return what a delivery would send now: its mapping, the event, and what comes of it. Raises ConnectorError."""
    store = frame.store
    text = _text(frame, delivery)
    row = store.desk.event(delivery["event_id"])
    if row["body"] is None:
        raise ConnectorError(erasing.gone(row["reason"]))
    mapping, event = document.read(text, delivery["sync"]), flavours.read(row["body"])
    return mapping, event, apply(mapping, event)


def _text(frame: Frame, delivery: Row) -> str:
    if delivery["pinned_mapping"]:
        return frame.store.mappings.text(delivery["pinned_mapping"])
    sync = frame.config.syncs.get(delivery["sync"])
    if sync is None:
        raise NotFound(f"the sync {delivery['sync']} is not in the configuration any more")
    text = frame.store.mappings.active(sync.mapping)
    if text is None:
        raise NotFound(f"no version of the mapping {sync.mapping} is in use")
    return text


Made = tuple[MappingDocument, Event, Mapped]


def asked(store: Store, delivery: Row, made: Made, target: Target, named: str = "") -> Upsert:
    """Return the request by which a target is asked for the customer of a delivery; it is made to look, not to write.

    `named` is a record that a person wants to see: it is looked at first.
    """
    mapping, event, mapped = made
    link = next(iter(store.customers.links(delivery["customer"], [delivery["target"]])), None)
    ours = link is not None and link["account"] == target.account and not named
    carried = event.data.get(f"{target.kind}_id")
    hint = str(carried).strip() if isinstance(carried, str | int) else ""
    return Upsert(
        customer=delivery["customer"],
        record=mapped.record,
        match=mapped.match,
        idempotency_key="look",
        phones=mapped.phones,
        remote_id=link["remote_id"] if link and ours else None,
        remote_hint=None if ours else named or hint or (link["remote_id"] if link else None),
        observe=True,
        fill_if_empty=mapping.fill_if_empty,
        keep=mapping.keep,
    )

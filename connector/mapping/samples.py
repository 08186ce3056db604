"""Try a mapping on its own samples: the record must be equal, whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.mapping.comparing import Change, changes
from connector.mapping.rules import apply
from connector.mapping.shape import Mapping as MappingDocument
from connector.mapping.shape import Sample
from connector.models import Event


@dataclass(frozen=True, slots=True)
class Tried:
    """Say what came of one sample, the `number`th: a reason why there is no record, and each place that differs.

    In a change `old` is what the sample expects, `new` what the mapping makes.
    """

    number: int
    sample: Sample
    no_record: str | None
    changes: tuple[Change, ...]

    @property
    def right(self) -> bool:
        """Tell whether the mapping keeps what the sample promises."""
        return not (self.no_record or self.changes)


def tried(mapping: MappingDocument) -> list[Tried]:
    """Try each sample of the mapping."""
    return [_tried(mapping, sample, number) for number, sample in enumerate(mapping.samples, 1)]


def check_samples(mapping: MappingDocument) -> list[str]:
    """Return one line for each difference between what the samples expect and what the mapping makes."""
    return [line for one in tried(mapping) for line in _lines(one)]


def customer_event(data: Mapping[str, Any]) -> Event:
    """Return the event of a new customer that stands alone, without an envelope."""
    customer = data.get("id")
    return Event(
        xid=None,
        action="customers.CREATE",
        timestamp=None,
        data=data,
        customer=None if customer is None else str(customer),
        updated_at=None,
        deleted=False,
        fingerprint="",
    )


def _tried(mapping: MappingDocument, sample: Sample, number: int) -> Tried:
    made = apply(mapping, customer_event(sample.given))
    return Tried(number, sample, made.hold or made.skip, tuple(changes(sample.expect, made.record)))


def _lines(one: Tried) -> list[str]:
    where = f"sample {one.number} (line {one.sample.line})"
    lines = [f"{where}: no record: {one.no_record}"] if one.no_record else []
    return lines + [
        f"{where}: {change.place}: expected {_shown(change.old)}, got {_shown(change.new)}" for change in one.changes
    ]


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)

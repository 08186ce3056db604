"""Try a mapping on its own samples: the record must be equal, whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from connector.mapping.rules import apply
from connector.mapping.shape import Mapping as MappingDocument
from connector.mapping.shape import Sample
from connector.models import Event


def check_samples(mapping: MappingDocument) -> list[str]:
    """Return one line for each difference between what the samples expect and what the mapping makes."""
    return [line for number, sample in enumerate(mapping.samples, 1) for line in _differences(mapping, sample, number)]


def _differences(mapping: MappingDocument, sample: Sample, number: int) -> Iterator[str]:
    made = apply(mapping, _event(sample.given))
    where = f"sample {number} (line {sample.line})"
    if made.hold or made.skip:
        yield f"{where}: no record: {made.hold or made.skip}"
    expected, got = dict(_leaves(sample.expect)), dict(_leaves(made.record))
    for field in sorted(expected.keys() | got.keys()):
        if expected.get(field) != got.get(field):
            yield f"{where}: {field}: expected {_shown(expected, field)}, got {_shown(got, field)}"


def _event(given: Mapping[str, Any]) -> Event:
    customer = given.get("id")
    return Event(
        xid=None,
        action="customers.CREATE",
        timestamp=None,
        data=given,
        customer=None if customer is None else str(customer),
        updated_at=None,
        deleted=False,
        fingerprint="",
    )


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{name}[{index}]")
    elif name:
        yield name, value


def _shown(values: Mapping[str, Any], field: str) -> str:
    return repr(values[field]) if field in values else "nothing"

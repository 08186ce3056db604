"""Payloads as Flavours prints them, and a way to bend them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def customer() -> bytes:
    return (SAMPLES / "customers.CREATE.json").read_bytes()


@pytest.fixture
def product() -> bytes:
    return (SAMPLES / "products.as-customers.CREATE.json").read_bytes()


@pytest.fixture
def bent(customer: bytes) -> Callable[..., bytes]:
    """Return the customer's body with dotted places set: bent({"data.user.phone": 5}); ... takes a key away."""

    def bend(changes: dict[str, Any]) -> bytes:
        document = json.loads(customer)
        for path, value in changes.items():
            *parents, last = path.split(".")
            held = document
            for parent in parents:
                held = held[parent]
            if value is ...:
                del held[last]
            else:
                held[last] = value
        return json.dumps(document).encode()

    return bend

"""What the mapping's tests share: an event from a customer, and a mapping from its fields."""

import textwrap

import pytest
from hypothesis import HealthCheck, settings

from connector.mapping.document import read
from connector.mapping.rules import apply
from connector.models import Event

# The machine that runs the tests may be busy; a slow example is no mistake of the mapping's.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def event_of(data, **envelope):
    facts = {"xid": "x1", "action": "customers.CREATE", "timestamp": 1697681187551} | envelope
    return Event(**facts, data=data, customer="c1", updated_at=None, deleted=False, fingerprint="")


def mapping_of(fields, more=""):
    text = (
        "version: 1\nkind: rest\n"
        + textwrap.dedent(more)
        + "fields:\n"
        + textwrap.indent(textwrap.dedent(fields), "  ")
    )
    return read(text, "m.yaml")


@pytest.fixture
def mapped():
    "Apply a mapping of these fields (YAML text) to this customer."
    return lambda fields, data, more="": apply(mapping_of(fields, more), event_of(data))

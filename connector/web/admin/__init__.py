"""The admin's rooms under /admin/: pages for people, in Arabic and English, that work without JavaScript."""

from flask import Flask

from connector.config import Config
from connector.store import Store
from connector.web.admin import (
    beside,
    customer,
    deliveries,
    event,
    held,
    home,
    mappings,
    own_password,
    people,
    sign_in,
    targets,
)
from connector.web.admin.frame import Frame

__all__ = ["furnish"]


def furnish(app: Flask, config: Config, store: Store) -> None:
    """Add the admin's rooms to an application, with sessions signed by the configuration's secret_key."""
    frame = Frame(config, store)
    for room in (sign_in, home, deliveries, event, customer, held, beside, mappings, targets, people, own_password):
        room.add(frame)
    frame.close(app)

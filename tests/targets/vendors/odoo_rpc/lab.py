"""An Odoo before 19, over JSON-RPC: the same database, and every answer a 200."""

from tests.targets.vendors.odoo import lab as odoo
from tests.targets.vendors.odoo.lab import settings  # noqa: F401 - the kind is the same


def refusals(said):
    (_, error), (_, wrong), (_, no) = odoo.refusals(said)
    errors = [{"code": 200, "message": "Odoo Server Error", "data": data} for data in (error, wrong)]
    return [*((200, {"jsonrpc": "2.0", "id": 1, "error": e}) for e in errors), (200, {"id": 1, "result": no})]


def lab(**more):
    return odoo.lab(old=True, refusals=refusals, **more)

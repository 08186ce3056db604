"""Say where EspoCRM keeps its contacts, how one is written, and how one looks that came back. No I/O."""

from typing import Any
from urllib.parse import quote

from connector.models import Upsert
from connector.targets import records
from connector.targets.http import Call
from connector.targets.ladder import Found, Row

METADATA, CONTACTS, CONTACT = "/api/v1/Metadata", "/api/v1/Contact", "/api/v1/Contact/{id}"


def path(remote_id: str) -> str:
    """Return the path of one contact."""
    return f"{CONTACTS}/{quote(remote_id, safe='')}"


def write(method: str, where: str, shown: str, fields: Row, request: Upsert) -> Call:
    """Return the call that writes these fields of a contact."""
    return Call(method, where, shown, payload=fields, writes=True, personal=records.texts(request.record))


def found(row: Any) -> Found | None:
    """Return the contact that a row is, None for what is none."""
    remote_id = records.identity(row.get("id")) if isinstance(row, dict) else ""
    return Found(remote_id, row) if remote_id else None

"""Sign a webhook as Standard Webhooks 1.0.0 says. No I/O."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from marshmallow import ValidationError

PREFIX = "whsec_"
_MAKE_ONE = "must be whsec_ and 24 to 64 random bytes in base64; `openssl rand -base64 32` makes them"


def key(text: str) -> bytes:
    """Return the bytes of a secret. Raises ValidationError."""
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not 24 <= len(found) <= 64:
        raise ValidationError(_MAKE_ONE)
    return found


def signed(keys: Sequence[bytes], name: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook: its name, when it was sent, and a signature by each key."""
    stamp = str(int(now.timestamp()))
    signatures = [hmac.digest(one, f"{name}.{stamp}.".encode() + body, hashlib.sha256) for one in keys]
    told = " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures)
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": told}

"""All we know of the sender, without I/O: who it is, what it sends, what its actions are called."""

from connector.flavours.actions import is_customers, wanting, wants
from connector.flavours.schema import read, reread
from connector.flavours.verify import verify, verify_token

__all__ = ["is_customers", "read", "reread", "verify", "verify_token", "wanting", "wants"]

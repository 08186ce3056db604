"""Let a delivery be made again with the mapping of then."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the hash of the version that a person wants a delivery made with; costs nothing at a million rows."""
    op.add_column("deliveries", sa.Column("pinned_mapping", sa.Text(), nullable=True))

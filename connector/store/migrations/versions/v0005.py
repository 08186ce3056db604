"""Make what keeping no longer than told needs: search keys found by their event, and events past their time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table and the index; add the column, which costs nothing at a million rows."""
    op.add_column("deliveries", sa.Column("reopened", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_search_keys_event", "search_keys", ["event_id"], unique=False)
    op.create_table(
        "overdue",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("look_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("ix_overdue_look", "overdue", ["look_at", "event_id"], unique=False)

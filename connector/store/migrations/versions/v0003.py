"""Make the tables that the workers of one target share: its tokens, and its turns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "tokens",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("renewing_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kept_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("target"),
    )
    op.create_table(
        "turns",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target"),
    )

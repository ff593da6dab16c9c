"""Escalations are told to who sees cases of the region."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE escalations ADD COLUMN region text")


def downgrade() -> None:
    op.execute("ALTER TABLE escalations DROP COLUMN region")

"""Clients of organisations outside government; clients that end or are disabled."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE clients ADD organisation text, ADD ends_at timestamptz")
    op.execute("ALTER TABLE clients ADD is_disabled boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE clients DROP organisation, DROP ends_at, DROP is_disabled")

"""When a webhook was last resumed, so that it is not resumed again and again."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE webhooks ADD COLUMN resumed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE webhooks DROP COLUMN resumed_at")

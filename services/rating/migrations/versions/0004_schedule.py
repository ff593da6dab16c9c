"""Scheduled events."""

from alembic import op

from chassis.tables import create_schedule, drop_schedule

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    create_schedule(op)


def downgrade() -> None:
    drop_schedule(op)

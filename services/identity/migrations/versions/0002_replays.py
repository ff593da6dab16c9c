"""Replays of the event history, and how far each queue is handled."""

from alembic import op

from chassis.tables import create_replays, drop_replays

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_replays(op)


def downgrade() -> None:
    drop_replays(op)
